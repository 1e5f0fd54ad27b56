// Attention over an int8 cache in integers: scores in 32 bits, softmax by powers of two with 15 bits, normalized after the
// weighted sum (a softmax rounded to 8 bits before it costs 0.01 nats).

enum { WIDEST_HEAD = 1024, QUERY_BITS = 13, RUN = 256 };  // positions whose weighted values fit a 32-bit sum

/// Mantissa and exponent of a scale in one word.
INLINE uint32_t packed_scale(int32_t mantissa, int32_t exponent) {
    return (uint32_t)mantissa << 16 | (uint32_t)(uint16_t)(int16_t)exponent;
}

/// Quantizes a head's numbers to int8, zeros up to a multiple of 16.
INLINE dyadic_scale quantize_integer_head(const int32_t *row, int width, int8_t *target) {
    uint32_t amax = 0;
    for (int i = 0; i < width; i++) {
        const uint32_t magnitude = (uint32_t)(row[i] < 0 ? -row[i] : row[i]);
        amax = magnitude > amax ? magnitude : amax;
    }
    const dyadic_scale scale = amax == 0 ? (dyadic_scale){0} : scale_for(amax);
    for (int i = 0; i < width; i += 16) {
        i32x16 v = {0};
        memcpy(&v, row + i, width - i < 16 ? (size_t)(width - i) * sizeof(int32_t) : sizeof v);
        const i8x16 bytes = __builtin_convertvector(quantized(v, scale), i8x16);
        memcpy(target + i, &bytes, sizeof bytes);
    }
    return scale;
}

/// Stores the keys and values (heads x head_width numbers each) of one position.
static void store_position(
    const fettle_integer_model *model, const fettle_integer_kv *kv, int32_t capacity, int32_t position,
    const int32_t *key, int32_t key_exponent, const int32_t *value, int32_t value_exponent) {
    const int width = model->head_width;
    int8_t bytes[WIDEST_HEAD];
    for (int head = 0; head < model->key_value_heads; head++, key += width, value += width) {
        const size_t slot = (size_t)head * (size_t)capacity, at = slot + (size_t)position;
        const dyadic_scale k = quantize_integer_head(key, width, bytes);
        int8_t *keys = kv->keys + (slot + (size_t)(position / 16) * 16) * (size_t)width + position % 16;
        for (int d = 0; d < width; d++) keys[(size_t)d * 16] = bytes[d];
        const int32_t mantissa = (k.mantissa * model->attention_scale + (1 << 14)) >> 15;
        kv->key_scales[at] = packed_scale(mantissa, scale_exponent(k, key_exponent) + model->attention_exponent + 15);
        const dyadic_scale v = quantize_integer_head(value, width, kv->values + at * (size_t)model->value_stride);
        kv->value_scales[at] = packed_scale(v.mantissa, scale_exponent(v, value_exponent));
    }
}

/// Logits of 16 positions from `block` * 16 on, in powers of two times 2^16, at most 2^TOP.
INLINE i32x16 block_logits(
    const fettle_integer_model *model, const int8_t *keys, const uint32_t *scales, int block, const int32_t *query,
    int32_t exponent) {
    const int width = model->head_width;
    i32x16 sum = {0};
    for (int d = 0; d < width; d++) {
        sum += load_i8_as_i32(keys + ((size_t)block * (size_t)width + (size_t)d) * 16) * query[d];
    }
    const i32x16 packed = load_i32x16(scales + block * 16);
    const i64x16 product = widen(sum) * widen((i32x16)((u32x16)packed >> 16));
    const i32x16 down = -(((packed << 16) >> 16) + (exponent + 16));
    const i64x16 right = widen(at_most(at_least(down, (i32x16){0}), (i32x16){0} + 62));
    const i64x16 left = widen(at_most(at_least(-down, (i32x16){0}), (i32x16){0} + TOP));
    const i64x16 limit = ((i64x16){0} + ((int64_t)1 << TOP)) >> left;
    return narrow(__builtin_elementwise_max(__builtin_elementwise_min(product >> right, limit), -limit) << left);
}

/// Weights of the first `limit` positions, times 2^15 where the largest is, in place of logits; later ones become 0.
/// Returns their sum.
INLINE int64_t soften(int32_t *weights, int limit) {
    i32x16 top = (i32x16){0} + INT32_MIN;
    const i32x16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    for (int i = 0; i < limit; i += 16) {
        top = at_least(top, pick((i32x16)(lanes + i < limit), load_i32x16(weights + i), (i32x16){0} + INT32_MIN));
    }
    const int32_t largest = __builtin_reduce_max(top);
    i64x16 sum = {0};
    for (int i = 0; i < limit; i += 16) {
        const i32x16 seen = (i32x16)(lanes + i < limit);
        const i32x16 power = power_of_two(pick(seen, load_i32x16(weights + i) - largest, (i32x16){0})) & seen;
        store_i32x16(weights + i, power);
        sum += widen(power);
    }
    return __builtin_reduce_add(sum);
}

/// Attention of one query row over the first `limit` positions of head `head`. `scratch` holds head_width numbers of 64
/// bits, then as many of 32 bits, then a number for each position. Returns the result's exponent.
static int32_t attend_row(
    const fettle_integer_model *model, const fettle_integer_kv *kv, int32_t capacity, int head, const int32_t *query,
    int32_t exponent, int limit, void *scratch, int32_t *result) {
    enum { UNIT = 20 };  // bits after the point of a result before its exponent
    const int width = model->head_width, stride = model->value_stride;
    int64_t *total = scratch;
    int32_t *small = (int32_t *)(total + stride), *weights = small + stride;
    const size_t slot = (size_t)head * (size_t)capacity;

    uint32_t amax = 0;
    for (int d = 0; d < width; d++) {
        const uint32_t magnitude = (uint32_t)(query[d] < 0 ? -query[d] : query[d]);
        amax = magnitude > amax ? magnitude : amax;
    }
    const int down = bit_length(amax) - QUERY_BITS;
    for (int d = 0; d < width; d++) small[d] = (int32_t)shifted_one(query[d], down);
    for (int block = 0; block * 16 < limit; block++) {
        const i32x16 logits = block_logits(
            model, kv->keys + slot * (size_t)width, kv->key_scales + slot, block, small, exponent + down);
        store_i32x16(weights + block * 16, logits);
    }
    const int64_t sum = soften(weights, limit);

    const uint32_t *scales = kv->value_scales + slot;
    int32_t common = INT16_MIN;
    for (int i = 0; i < limit; i++) {
        const int32_t own = (int16_t)(scales[i] & 0xffff);
        common = own > common ? own : common;
    }
    for (int d = 0; d < stride; d++) total[d] = 0;
    const int8_t *values = kv->values + slot * (size_t)stride;
    for (int start = 0; start < limit; start += RUN) {
        const int end = limit - start < RUN ? limit : start + RUN;
        for (int i = start; i < end; i++) {
            const int by = 15 + common - (int16_t)(scales[i] & 0xffff);
            weights[i] = (int32_t)shifted_one((int64_t)weights[i] * (int64_t)(scales[i] >> 16), by);
        }
        for (int d = 0; d < stride; d += 16) {
            i32x16 part = {0};
            for (int i = start; i < end; i++) part += load_i8_as_i32(values + (size_t)i * (size_t)stride + d) * weights[i];
            i64x16 t;
            memcpy(&t, total + d, sizeof t);
            t += widen(part);
            memcpy(total + d, &t, sizeof t);
        }
    }
    const int bits = bit_length((uint64_t)sum), spare = bits > 23 ? bits - 23 : 0;
    const int64_t inverse = ((int64_t)1 << (bits + 30)) / sum;
    for (int d = 0; d < width; d++) {
        result[d] = (int32_t)shifted_one(shifted_one(total[d], spare) * inverse, bits + 30 - spare - UNIT);
    }
    return common + 15 - UNIT;
}
