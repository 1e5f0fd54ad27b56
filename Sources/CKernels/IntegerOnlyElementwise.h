// Between the products: residual stream and norm, rotary embedding, gate. Rows are int32 with one exponent for a token.

/// residual += update, at an exponent that keeps as many bits as fit.
INLINE void add_update(int32_t *residual, int32_t *exponent, const int32_t *update, int32_t update_exponent, int width) {
    const int own = bit_length(largest_magnitude_of(residual, width)) + *exponent;
    const int other = bit_length(largest_magnitude_of(update, width)) + update_exponent;
    const int32_t common = (own > other ? own : other) + 1 - TOP;
    for (int i = 0; i < width; i += 16) {
        const i32x16 a = shifted(load_i32x16(residual + i), common - *exponent);
        const i32x16 b = shifted(load_i32x16(update + i), common - update_exponent);
        store_i32x16(residual + i, a + b);
    }
    *exponent = common;
}

/// target = residual / sqrt(mean square + epsilon) * gamma (RMSNorm, Zhang and Sennrich, 2019). Returns target's exponent.
INLINE int32_t normalize(
    const int32_t *residual, int32_t exponent, const fettle_integer_norm *gamma, const fettle_integer_model *model,
    int32_t *target) {
    enum { SQUARED = 23, UNIT = 20 };  // bits of a number before it is squared; normalized numbers are times 2^UNIT
    const int width = model->width;
    const int down = bit_length(largest_magnitude_of(residual, width)) - SQUARED;
    i64x16 sum = {0};
    for (int i = 0; i < width; i += 16) {
        const i64x16 x = widen(shifted(load_i32x16(residual + i), down));
        sum += x * x;
    }
    uint64_t mean = (uint64_t)__builtin_reduce_add(sum) / (uint64_t)width;
    const int epsilon_shift = 2 * (exponent + down) - model->epsilon_exponent;
    mean += (uint64_t)shifted_one(model->epsilon, epsilon_shift < -30 ? -30 : epsilon_shift);
    if (mean == 0) mean = 1;
    const int up = (62 - bit_length(mean)) & ~1;
    const int32_t inverse = (int32_t)(((uint64_t)1 << 60) / square_root(mean << up));  // 2^29...2^30
    const int shift = 60 - up / 2 + down - UNIT;
    for (int i = 0; i < width; i += 16) {
        i16x16 weights;
        memcpy(&weights, gamma->values + i, sizeof weights);
        const i32x16 unit = scaled(load_i32x16(residual + i), (i32x16){0} + inverse, shift);
        store_i32x16(target + i, scaled(unit, __builtin_convertvector(weights, i32x16), 15));
    }
    return gamma->exponent + 15 - UNIT;
}

/// Rotates adjoining pairs, eight at a time.
INLINE void rotate_adjacent(int32_t *row, int pairs, const int16_t *angles) {
    typedef int16_t i16x8 __attribute__((vector_size(16)));
    const i64x16 sign = {-1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1};
    for (int i = 0; i < pairs; i += 8) {
        i16x8 c, s;
        memcpy(&c, angles + i, sizeof c);
        memcpy(&s, angles + pairs + i, sizeof s);
        const i16x16 cosine = __builtin_shufflevector(c, c, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        const i16x16 sine = __builtin_shufflevector(s, s, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7);
        const i32x16 v = load_i32x16(row + 2 * i);
        const i32x16 other = __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
        const i64x16 sum = widen(v) * __builtin_convertvector(cosine, i64x16)
            + widen(other) * sign * __builtin_convertvector(sine, i64x16);
        store_i32x16(row + 2 * i, narrow((sum + (1 << 14)) >> 15));
    }
}

/// Rotates the pairs of each head by the angles at `angles` (cosines, then sines, times 2^14); the row's exponent grows by 1.
INLINE void rotate(int32_t *row, int heads, const fettle_integer_model *model, const int16_t *angles) {
    const int pairs = model->head_width / 2;
    if (model->adjacent && pairs % 8 == 0) {
        for (int head = 0; head < heads; head++, row += model->head_width) rotate_adjacent(row, pairs, angles);
        return;
    }
    const int step = model->adjacent ? 2 : 1, apart = model->adjacent ? 1 : pairs;
    for (int head = 0; head < heads; head++, row += model->head_width) {
        for (int i = 0; i < pairs; i++) {
            int32_t *a = row + i * step, *b = a + apart;
            const int64_t x = *a, y = *b, cosine = angles[i], sine = angles[pairs + i];
            *a = (int32_t)((x * cosine - y * sine + (1 << 14)) >> 15);
            *b = (int32_t)((x * sine + y * cosine + (1 << 14)) >> 15);
        }
    }
}

/// target = gate * sigmoid(gate) * up (SwiGLU). Returns target's exponent.
INLINE int32_t gate_row(
    const int32_t *gate, int32_t gate_exponent, const int32_t *up, int32_t up_exponent, int count, int32_t *target) {
    enum { LOG2_E = 23637, MOST = 16 << 16 };  // log2(e) times 2^14; sigmoids beyond 16 are 0 or 1
    const int bits = bit_length(largest_magnitude_of(gate, count)) + bit_length(largest_magnitude_of(up, count));
    const int shift = bits > TOP ? bits - TOP : 0;
    const int down = -16 - gate_exponent;  // to |gate| times 2^16
    const int right = down > 0 ? down : 0, left = down >= 0 ? 0 : down < -20 ? 20 : -down;
    for (int i = 0; i < count; i += 16) {
        const i32x16 g = load_i32x16(gate + i);
        const i32x16 magnitude = shifted(__builtin_elementwise_abs(g), right);
        const i32x16 unit = at_most(magnitude, (i32x16){0} + (MOST >> left)) << left;
        const i32x16 exponent = ((unit >> 8) * LOG2_E + (((unit & 0xff) * LOG2_E) >> 8)) >> 6;  // unit * LOG2_E / 2^14
        const i32x16 power = power_of_two(-exponent);
        const i32x16 high = (reciprocal(power + 32768) + 1) >> 1;  // sigmoid(|gate|) times 2^15
        const i32x16 sigmoid = pick((i32x16)(g < 0), 32768 - high, high);
        const i64x16 product = widen(times_unit(g, sigmoid)) * widen(load_i32x16(up + i));
        const int64_t half = shift > 0 ? (int64_t)1 << (shift - 1) : 0;
        store_i32x16(target + i, narrow((product + half) >> shift));
    }
    return gate_exponent + up_exponent + shift;
}
