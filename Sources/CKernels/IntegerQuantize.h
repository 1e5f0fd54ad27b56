// Activations to int8: one token's row into its place in a panel.

// Adding and subtracting 1.5 * 2^23 rounds to the nearest integer, halves to even, on every instruction set.
INLINE f32x16 round_to_even(f32x16 v) { return (v + 12582912.0f) - 12582912.0f; }

/// The half-precision number nearest to `v` >= 0, as a float; what lies beyond the largest becomes infinity.
INLINE float round_to_half(float v) {
    if (v < 0x1p-14f) return (v + 0.5f) - 0.5f;  // subnormal halves are multiples of 2^-24, the spacing at 0.5
    if (v >= 65520.0f) return __builtin_inff();
    uint32_t bits;
    memcpy(&bits, &v, sizeof bits);
    bits = (bits + 0xfff + ((bits >> 13) & 1)) & ~0x1fffu;
    memcpy(&v, &bits, sizeof v);
    return v;
}

/// Lane by lane; a NaN in `b` is passed over.
INLINE f32x16 larger(f32x16 a, f32x16 b) { return choose(b > a, b, a); }

/// The largest lane of `v`, which has no NaN.
INLINE float largest_lane(f32x16 v) {
    v = larger(v, __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7));
    v = larger(v, __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11));
    v = larger(v, __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));
    v = larger(v, __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14));
    return v[0];
}

INLINE float largest_magnitude(const float *x, int count) {
    f32x16 largest = {0};
    for (int i = 0; i < count; i += 16) largest = larger(largest, __builtin_elementwise_abs(load_f32x16(x + i)));
    return largest_lane(largest);
}

/// The first number of magnitude `amax`, with its sign.
INLINE float extreme(const float *x, int count, float amax) {
    for (int i = 0; i < count; i++) {
        if (x[i] == amax || x[i] == -amax) return x[i];
    }
    return amax;
}

/// Numbers of a token's row in 255 parts of int8 and one: the high halves go into one place, the low ones into the next.
static void quantize_halves(const float *row, int32_t token, const fettle_input *input) {
    const float most = 32512;  // 127 * 255 + 127
    const int columns = input->columns, panel = input->panel, slot = 2 * token % panel, summed = input->sum_columns;
    const size_t index = (size_t)(2 * token / panel) * (size_t)panel;
    int8_t *values = input->values + index * (size_t)columns + slot * 4;
    float *scales = input->scales + index + slot;
    int32_t *sums = input->sums + index * (size_t)(columns / summed) + slot;
    const float amax = largest_magnitude(row, columns), inverse = amax >= 0x1p-100f ? most / amax : 0;
    scales[1] = amax >= 0x1p-100f ? amax / most : 0;
    scales[0] = 255 * scales[1];
    for (int begin = 0; begin < columns; begin += summed, sums += panel) {
        i32x16 sum[2] = {0};
        for (int i = begin; i < begin + summed; i += 16, values += 16 * panel) {
            f32x16 q = round_to_even(load_f32x16(row + i) * inverse);
            q = choose(q > -most, q, (f32x16){0} - most);  // a NaN compares false and becomes -most
            q = choose(q < most, q, (f32x16){0} + most);
            const f32x16 high = round_to_even(q * (1.0f / 255));
            const i32x16 halves[2] = {
                __builtin_convertvector(high, i32x16), __builtin_convertvector(q - high * 255.0f, i32x16),
            };
            UNROLL for (int h = 0; h < 2; h++) {
                const i8x16 bytes = __builtin_convertvector(halves[h], i8x16);
                UNROLL for (int c = 0; c < 4; c++) {
                    memcpy(values + 4 * (panel * c + h), (const int8_t *)&bytes + 4 * c, 4);
                }
                sum[h] += halves[h];
            }
        }
        UNROLL for (int h = 0; h < 2; h++) sums[h] = __builtin_reduce_add(sum[h]);
    }
}

static void quantize(const float *row, int32_t token, int32_t first, int32_t last, const fettle_input *input) {
    if (input->kind == FETTLE_INPUT_INT16) {
        quantize_halves(row, token, input);
        return;
    }
    const int columns = input->columns, panel = input->panel, slot = token % panel, group = input->scale_columns;
    const int summed = input->sum_columns;
    const size_t index = (size_t)(token / panel) * (size_t)panel;
    int8_t *values = input->values + (index * (size_t)columns + (size_t)first * (size_t)panel) + slot * 4;
    float *scales = input->scales + (index * (size_t)(columns / group) + (size_t)(first / group * panel)) + slot;
    int32_t *sums = input->sums + (index * (size_t)(columns / summed) + (size_t)(first / summed * panel)) + slot;
    const int frozen = input->frozen_scale > 0 && (input->position + token) % input->sequence != 0;
    for (int start = first; start < last; start += group, scales += panel) {
        const float amax = frozen ? 0 : largest_magnitude(row + start, group);
        float scale = 0, inverse = 0;
        if (frozen) {
            scale = input->frozen_scale;
            inverse = 1.0f / scale;
        } else if (amax >= 0x1p-100f) {
            if (input->kind == FETTLE_INPUT_Q8_K) {
                inverse = -127.0f / extreme(row + start, group, amax);
                scale = 1.0f / inverse;
            } else {
                inverse = 127.0f / amax;
                scale = amax / 127.0f;
                if (input->kind == FETTLE_INPUT_Q8_0) scale = round_to_half(scale);
            }
        }
        *scales = scale;
        for (int begin = start; begin < start + group; begin += summed, sums += panel) {
            i32x16 sum = {0};
            for (int i = begin; i < begin + summed; i += 16, values += 16 * panel) {
                f32x16 q = round_to_even(load_f32x16(row + i) * inverse);
                q = choose(q > -127.0f, q, (f32x16){0} - 127.0f);  // a NaN compares false and becomes -127
                q = choose(q < 127.0f, q, (f32x16){0} + 127.0f);
                const i32x16 integers = __builtin_convertvector(q, i32x16);
                const i8x16 bytes = __builtin_convertvector(integers, i8x16);
                if (panel == 1) {
                    memcpy(values, &bytes, sizeof bytes);
                } else {
                    UNROLL for (int c = 0; c < 4; c++) memcpy(values + 4 * panel * c, (const int8_t *)&bytes + 4 * c, 4);
                }
                sum += integers;
            }
            *sums = __builtin_reduce_add(sum);
        }
    }
}
