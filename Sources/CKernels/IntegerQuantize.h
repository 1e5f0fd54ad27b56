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

INLINE float largest_magnitude(const float *x, int count) {
    f32x16 largest = {0};
    for (int i = 0; i < count; i += 16) {
        largest = __builtin_elementwise_max(largest, __builtin_elementwise_abs(load_f32x16(x + i)));
    }
    return __builtin_reduce_max(largest);
}

/// The first number of magnitude `amax`, with its sign.
INLINE float extreme(const float *x, int count, float amax) {
    for (int i = 0; i < count; i++) {
        if (x[i] == amax || x[i] == -amax) return x[i];
    }
    return amax;
}

static void quantize(const float *row, int32_t token, const fettle_input *input) {
    const int columns = input->columns, panel = input->panel, slot = token % panel, group = input->scale_columns;
    const size_t index = (size_t)(token / panel) * (size_t)panel;
    int8_t *values = input->values + index * (size_t)columns + slot * 4;
    float *scales = input->scales + index * (size_t)(columns / group) + slot;
    int32_t *sums = input->sums + index * (size_t)(columns / input->sum_columns) + slot;
    for (int start = 0; start < columns; start += group) {
        const float amax = largest_magnitude(row + start, group);
        float scale = 0, inverse = 0;
        if (amax >= 0x1p-100f) {
            if (input->kind == FETTLE_INPUT_Q8_K) {
                inverse = -127.0f / extreme(row + start, group, amax);
                scale = 1.0f / inverse;
            } else {
                inverse = 127.0f / amax;
                scale = amax / 127.0f;
                if (input->kind == FETTLE_INPUT_Q8_0) scale = round_to_half(scale);
            }
        }
        scales[(size_t)(start / group) * (size_t)panel] = scale;
        int32_t sum = 0;
        for (int i = start; i < start + group; i += 16) {
            f32x16 q = round_to_even(load_f32x16(row + i) * inverse);
            q = choose(q > -127.0f, q, (f32x16){0} - 127.0f);  // a NaN compares false and becomes -127
            q = choose(q < 127.0f, q, (f32x16){0} + 127.0f);
            i32x16 integers = __builtin_convertvector(q, i32x16);
            i8x16 bytes = __builtin_convertvector(integers, i8x16);
            for (int c = 0; c < 4; c++) {
                memcpy(values + (size_t)(i / 4 + c) * (size_t)panel * 4, (int8_t *)&bytes + 4 * c, 4);
            }
            sum += __builtin_reduce_add(integers);
            if ((i + 16) % input->sum_columns == 0) {
                sums[(size_t)(i / input->sum_columns) * (size_t)panel] = sum;
                sum = 0;
            }
        }
    }
}
