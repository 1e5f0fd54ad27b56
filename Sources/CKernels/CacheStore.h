// Keys and values into the cache: half precision, int8, or int4 after a rotation.

INLINE f32x16 load_some(const float *p, int count) {
    if (count >= 16) return load_f32x16(p);  // a copy of a known size is no call
    f32x16 v = {0};
    memcpy(&v, p, (size_t)count * sizeof(float));
    return v;
}

INLINE void store_some(float *p, f32x16 v, int count) {
    if (count >= 16) store_f32x16(p, v);
    else if (count > 0) memcpy(p, &v, (size_t)count * sizeof(float));
}

INLINE float largest_of_row(const float *row, int count) {
    f32x16 largest = {0};
    for (int i = 0; i < count; i += 16) {
        largest = larger(largest, __builtin_elementwise_abs(load_some(row + i, count - i)));
    }
    return largest_lane(largest);
}

/// Adds and subtracts what lies `by` lanes apart.
#define BUTTERFLY(v, by, ...) \
    __builtin_shufflevector(v, v, __VA_ARGS__) + choose((lanes & by) == 0, v, -v)

/// The orthonormal Walsh-Hadamard transform of each run of columns whose length is the largest power of two that divides
/// `width`, at most 256. It is its own inverse, leaves dot products as they are and spreads outliers over the columns, so
/// that 4 bits hold them (QuaRot, arXiv 2404.00456).
INLINE void rotate_head(float *row, int width) {
    const i32x16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    int run = width & -width;
    run = run > 256 ? 256 : run;
    const float scale = 1.0f / __builtin_sqrtf((float)run);
    for (int i = 0; i < width; i += 16) {
        f32x16 v = load_some(row + i, width - i);
        v = BUTTERFLY(v, 1, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
        v = BUTTERFLY(v, 2, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
        if (run > 4) v = BUTTERFLY(v, 4, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
        if (run > 8) v = BUTTERFLY(v, 8, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
        store_some(row + i, v * scale, width - i);
    }
    for (int by = 16; by < run; by *= 2) {
        for (int i = 0; i < width; i += 16) {
            if (i & by) continue;
            const f32x16 a = load_f32x16(row + i), b = load_f32x16(row + i + by);
            store_f32x16(row + i, a + b);
            store_f32x16(row + i + by, a - b);
        }
    }
}
#undef BUTTERFLY

/// Quantizes a head's `width` numbers into `target`, zeros up to `padded` (whole 16), and returns the scale. int8: amax is
/// 127; int4: the extreme is -8, so that all 16 codes are used.
INLINE float quantize_head(const float *row, int width, int padded, const int int4, int8_t *target) {
    const float amax = largest_of_row(row, width);
    float scale = 0, inverse = 0;
    if (amax >= 0x1p-100f) {
        const float most = int4 ? extreme(row, width, amax) : amax, unit = int4 ? -8.0f : 127.0f;
        inverse = unit / most;
        scale = most / unit;
    }
    const float low = int4 ? -8.0f : -127.0f, high = int4 ? 7.0f : 127.0f;
    for (int i = 0; i < padded; i += 16) {
        f32x16 q = i < width ? round_to_even(load_some(row + i, width - i) * inverse) : (f32x16){0};
        q = choose(q > low, q, (f32x16){0} + low);  // a NaN compares false
        q = choose(q < high, q, (f32x16){0} + high);
        const i8x16 bytes = __builtin_convertvector(__builtin_convertvector(q, i32x16), i8x16);
        memcpy(target + i, &bytes, sizeof bytes);
    }
    return scale;
}

enum { WIDEST = 1024 };

/// Keys and values of one head in half precision.
INLINE void store_halves(const fettle_kv *kv, size_t slot, int position, const float *key, const float *value) {
    const int width = kv->head_width;
    const size_t key_at = (slot + (size_t)(position / 16) * 16) * (size_t)width + (size_t)(position % 16);
    const size_t value_at = (slot + (size_t)position) * (size_t)kv->value_stride;
    for (int i = 0; i < width; i += 16) {
        const u16x16 halves = float_to_half_16(load_some(key + i, width - i));
        for (int c = 0; c < 16 && i + c < width; c++) {
            memcpy(kv->keys + 2 * (key_at + (size_t)(i + c) * 16), (const uint16_t *)&halves + c, 2);
        }
        const u16x16 value_halves = float_to_half_16(load_some(value + i, width - i));
        memcpy(kv->values + 2 * (value_at + (size_t)i), &value_halves, sizeof value_halves);
    }
}

/// Where a key's or a value's bytes of one position lie: 2 adjoining ones in each unit of 32 bytes for keys, every second for
/// values. Puts `count` bytes, `run` at a time.
INLINE void scatter(uint8_t *target, size_t step, const int run, const int8_t *bytes, int count) {
    for (int i = 0; i < count; i += run, target += step) memcpy(target, bytes + i, (size_t)run);
}

/// Two int4 numbers in a byte, `apart` from each other, for each of the first `apart` of every 2 * `apart` numbers.
INLINE void join_halves(int8_t *numbers, int count, const int apart) {
    int8_t *target = numbers;
    for (int i = 0; i < count; i += 2 * apart) {
        for (int j = 0; j < apart; j++) *target++ = (int8_t)((numbers[i + j] & 15) | numbers[i + j + apart] << 4);
    }
}

static void kv_store(const fettle_kv *kv, int32_t position, const float *key, const float *value) {
    const int width = kv->head_width, int4 = kv->format == FETTLE_KV_INT4;
    for (int head = 0; head < kv->heads; head++, key += width, value += width) {
        const size_t slot = (size_t)head * (size_t)kv->capacity, at = slot + (size_t)position;
        if (kv->format == FETTLE_KV_FLOAT16) {
            store_halves(kv, slot, position, key, value);
            continue;
        }
        float row[WIDEST];
        int8_t numbers[WIDEST + 32];
        const size_t block = slot + (size_t)(position / 16) * 16, pair = slot + (size_t)(position / 2) * 2;
        uint8_t *keys = kv->keys + fettle_kv_bytes(kv->format, block * (size_t)width) + position % 16 * 2;
        uint8_t *values = kv->values + fettle_kv_bytes(kv->format, pair * (size_t)kv->value_stride) + position % 2;
        memcpy(row, key, (size_t)width * sizeof(float));
        if (int4) rotate_head(row, width);
        kv->key_scales[at] = quantize_head(row, width, (width + 15) / 16 * 16, int4, numbers);
        if (int4) join_halves(numbers, width, 2);
        scatter(keys, 32, 2, numbers, (int)fettle_kv_bytes(kv->format, (size_t)width));
        memcpy(row, value, (size_t)width * sizeof(float));
        if (int4) rotate_head(row, width);
        kv->value_scales[at] = quantize_head(row, width, kv->value_stride, int4, numbers);
        if (int4) join_halves(numbers, kv->value_stride, 16);
        scatter(values, 2, 1, numbers, (int)fettle_kv_bytes(kv->format, (size_t)kv->value_stride));
    }
}
