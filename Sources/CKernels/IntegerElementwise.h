// The float steps between products: sums in 16 lanes, whatever the width of the machine's vectors.

/// (l0 + l8) + (l4 + l12) ... : the lanes' sum in one fixed order.
INLINE float sum_lanes(f32x16 v) {
    float lanes[16];
    store_f32x16(lanes, v);
    for (int width = 8; width >= 1; width /= 2) {
        for (int i = 0; i < width; i++) lanes[i] += lanes[i + width];
    }
    return lanes[0];
}

/// e^x within 2 units in the last place for x in -87...0; smaller x give e^-87.
INLINE f32x16 exponential(f32x16 x) {
    x = choose(x > -87.0f, x, (f32x16){0} - 87.0f);
    x = choose(x < 88.0f, x, (f32x16){0} + 88.0f);
    const f32x16 n = round_to_even(x * 1.44269504f);
    // ln 2 in two parts: n times the first is exact.
    f32x16 r = __builtin_elementwise_fma(n, (f32x16){0} - 0.693359375f, x);
    r = __builtin_elementwise_fma(n, (f32x16){0} + 2.12194440e-4f, r);
    // The polynomial of Cephes' expf.
    f32x16 p = (f32x16){0} + 1.9875691500e-4f;
    p = __builtin_elementwise_fma(p, r, (f32x16){0} + 1.3981999507e-3f);
    p = __builtin_elementwise_fma(p, r, (f32x16){0} + 8.3334519073e-3f);
    p = __builtin_elementwise_fma(p, r, (f32x16){0} + 4.1665795894e-2f);
    p = __builtin_elementwise_fma(p, r, (f32x16){0} + 1.6666665459e-1f);
    p = __builtin_elementwise_fma(p, r, (f32x16){0} + 5.0000001201e-1f);
    p = __builtin_elementwise_fma(p, r * r, r + 1.0f);
    const i32x16 exponent = (__builtin_convertvector(n, i32x16) + 127) << 23;
    return p * (f32x16)exponent;
}

static void add_norm(
    float *residual, const float *update, const float *gamma, float epsilon, int32_t width, float *target) {
    f32x16 squares = {0};
    for (int i = 0; i < width; i += 16) {
        f32x16 v = load_f32x16(residual + i);
        if (update) {
            v += load_f32x16(update + i);
            store_f32x16(residual + i, v);
        }
        squares = __builtin_elementwise_fma(v, v, squares);
    }
    const float factor = 1.0f / __builtin_sqrtf(sum_lanes(squares) / (float)width + epsilon);
    for (int i = 0; i < width; i += 16) {
        store_f32x16(target + i, load_f32x16(residual + i) * factor * load_f32x16(gamma + i));
    }
}

static void gate(const float *gate, const float *up, int32_t count, float *target) {
    for (int i = 0; i < count; i += 16) {
        const f32x16 g = load_f32x16(gate + i);
        // exponential() is made for arguments up to 0, so the sigmoid is taken of -|g|: s(g) = 1 - s(-g).
        const f32x16 e = exponential(-__builtin_elementwise_abs(g));
        const f32x16 sigmoid = choose(g >= 0.0f, (f32x16){0} + 1.0f, e) / (e + 1.0f);
        store_f32x16(target + i, g * sigmoid * load_f32x16(up + i));
    }
}
