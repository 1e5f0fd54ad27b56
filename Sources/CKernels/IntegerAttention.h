// Attention over a cache of half-precision or int8 keys and values. A score is one chain of fma over the head's
// columns, a result one chain over positions, so that rows give the same bits alone and together.

INLINE f32x16 load_some(const float *p, int count) {
    if (count >= 16) return load_f32x16(p);  // a copy of a known size is no call
    f32x16 v = {0};
    memcpy(&v, p, (size_t)count * sizeof(float));
    return v;
}

INLINE f32x16 load_cached(const uint8_t *p, size_t at, const int int8) {
    if (!int8) return half_to_float_16(load_u16x16(p + 2 * at));
    i8x16 v;
    memcpy(&v, p + at, sizeof v);
    return __builtin_convertvector(v, f32x16);
}

/// Quantizes a head's `width` numbers into `target`, zeros up to a multiple of 16, and returns the scale.
INLINE float quantize_head(const float *row, int width, int8_t *target) {
    f32x16 largest = {0};
    for (int i = 0; i < width; i += 16) {
        largest = larger(largest, __builtin_elementwise_abs(load_some(row + i, width - i)));
    }
    const float amax = largest_lane(largest), inverse = amax >= 0x1p-100f ? 127.0f / amax : 0;
    for (int i = 0; i < width; i += 16) {
        f32x16 q = round_to_even(load_some(row + i, width - i) * inverse);
        q = choose(q > -127.0f, q, (f32x16){0} - 127.0f);
        q = choose(q < 127.0f, q, (f32x16){0} + 127.0f);
        i8x16 bytes = __builtin_convertvector(__builtin_convertvector(q, i32x16), i8x16);
        memcpy(target + i, &bytes, sizeof bytes);
    }
    return inverse > 0 ? amax / 127.0f : 0;
}

static void kv_store(const fettle_kv *kv, int32_t position, const float *key, const float *value) {
    enum { WIDEST = 1024 };
    const int width = kv->head_width, block = position / 16, lane = position % 16;
    for (int head = 0; head < kv->heads; head++, key += width, value += width) {
        const size_t slot = (size_t)head * (size_t)kv->capacity;
        const size_t key_at = (slot + (size_t)block * 16) * (size_t)width + (size_t)lane;
        const size_t value_at = (slot + (size_t)position) * (size_t)kv->value_stride;
        if (kv->int8) {
            int8_t bytes[WIDEST];
            kv->key_scales[slot + (size_t)position] = quantize_head(key, width, bytes);
            for (int d = 0; d < width; d++) kv->keys[key_at + (size_t)d * 16] = (uint8_t)bytes[d];
            kv->value_scales[slot + (size_t)position] = quantize_head(value, width, (int8_t *)kv->values + value_at);
            continue;
        }
        for (int i = 0; i < width; i += 16) {
            const u16x16 halves = float_to_half_16(load_some(key + i, width - i));
            for (int c = 0; c < 16 && i + c < width; c++) {
                memcpy(kv->keys + 2 * (key_at + (size_t)(i + c) * 16), (const uint16_t *)&halves + c, 2);
            }
            const u16x16 value_halves = float_to_half_16(load_some(value + i, width - i));
            memcpy(kv->values + 2 * (value_at + (size_t)i), &value_halves, sizeof value_halves);
        }
    }
}

/// Scores of `count` rows at `blocks` blocks of 16 positions from `block` on.
INLINE void score_blocks(
    const fettle_kv *kv, const uint8_t *keys, const float *key_scales, int block, const float *q, const int count,
    const int blocks, float *scores, size_t stride, const int int8) {
    const size_t width = (size_t)kv->head_width;
    f32x16 sum[QUERY_ROWS][4];
    UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int b = 0; b < blocks; b++) sum[r][b] = (f32x16){0};
    }
    for (size_t d = 0; d < width; d++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            const f32x16 k = load_cached(keys, (((size_t)(block + b)) * width + d) * 16, int8);
            UNROLL for (int r = 0; r < count; r++) {
                sum[r][b] = __builtin_elementwise_fma(k, (f32x16){0} + q[(size_t)r * width + d], sum[r][b]);
            }
        }
    }
    UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            if (int8) sum[r][b] *= load_f32x16(key_scales + (block + b) * 16);
            store_f32x16(scores + (size_t)r * stride + (size_t)(block + b) * 16, sum[r][b]);
        }
    }
}

/// Turns one row's scores into weights e^(score - max), 0 from `limit` on, and returns 1 / their sum.
INLINE float softmax_weights(float *scores, int limit, int padded, const float *value_scales, const int int8) {
    const i32x16 lane = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const f32x16 lowest = (f32x16){0} - __builtin_inff();
    f32x16 most = lowest, sum = {0};
    for (int i = 0; i < limit; i += 16) {
        f32x16 s = choose(lane + i < limit, load_f32x16(scores + i), lowest);
        most = larger(most, s);
    }
    const float largest = largest_lane(most);
    for (int i = 0; i < padded; i += 16) {
        f32x16 weight = choose(lane + i < limit, exponential(load_f32x16(scores + i) - largest), (f32x16){0});
        sum += weight;
        if (int8) weight = choose(lane + i < limit, weight * load_f32x16(value_scales + i), (f32x16){0});
        store_f32x16(scores + i, weight);
    }
    return 1.0f / sum_lanes(sum);
}

/// results[row][16 * slice...] for `slices` slices of 16 columns from `slice` on.
INLINE void weigh_values(
    const fettle_kv *kv, const uint8_t *values, int slice, const int slices, const float *weights, size_t stride,
    int limit, const int count, const float *factors, float *const *results, const int int8) {
    f32x16 sum[QUERY_ROWS][4];
    UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int i = 0; i < slices; i++) sum[r][i] = (f32x16){0};
    }
    for (int position = 0; position < limit; position++) {
        const size_t at = (size_t)position * (size_t)kv->value_stride + (size_t)slice * 16;
        UNROLL for (int i = 0; i < slices; i++) {
            const f32x16 v = load_cached(values, at + (size_t)i * 16, int8);
            UNROLL for (int r = 0; r < count; r++) {
                const f32x16 weight = (f32x16){0} + weights[(size_t)r * stride + (size_t)position];
                sum[r][i] = __builtin_elementwise_fma(v, weight, sum[r][i]);
            }
        }
    }
    UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int i = 0; i < slices; i++) {
            const f32x16 v = sum[r][i] * factors[r];
            const int first = (slice + i) * 16, left = kv->head_width - first;
            if (left >= 16) store_f32x16(results[r] + first, v);
            else memcpy(results[r] + first, &v, (size_t)left * sizeof(float));
        }
    }
}

/// `count` (1 or QUERY_ROWS) query rows against one key/value head.
INLINE void attend_rows(
    const fettle_kv *kv, int32_t head, const float *const *queries, const int32_t *limits, const int count,
    float *scratch, float *const *results, const int int8) {
    const size_t width = (size_t)kv->head_width, slot = (size_t)head * (size_t)kv->capacity;
    const size_t element = int8 ? 1 : 2, stride = (size_t)kv->capacity;
    const uint8_t *keys = kv->keys + slot * width * element;
    const uint8_t *values = kv->values + slot * (size_t)kv->value_stride * element;
    const float *key_scales = int8 ? kv->key_scales + slot : NULL;
    const float *value_scales = int8 ? kv->value_scales + slot : NULL;
    const float root = 1.0f / __builtin_sqrtf((float)kv->head_width);
    // Vectors of sums: what the registers hold beside one row's operands.
    const int side = count == 1 ? 4 : SUMS / count;
    float *q = scratch, *scores = scratch + FETTLE_QUERY_ROWS * width;
    int longest = 0;
    for (int r = 0; r < count; r++) {
        for (size_t d = 0; d < width; d++) q[(size_t)r * width + d] = queries[r][d] * root;
        if (limits[r] > longest) longest = limits[r];
    }
    const int blocks = (longest + 15) / 16;
    int block = 0;
    for (; block + side <= blocks; block += side) {
        score_blocks(kv, keys, key_scales, block, q, count, side, scores, stride, int8);
    }
    for (; block < blocks; block++) score_blocks(kv, keys, key_scales, block, q, count, 1, scores, stride, int8);
    float factors[QUERY_ROWS];
    for (int r = 0; r < count; r++) {
        factors[r] = softmax_weights(scores + (size_t)r * stride, limits[r], blocks * 16, value_scales, int8);
    }
    const int slices = kv->value_stride / 16;
    int slice = 0;
    for (; slice + side <= slices; slice += side) {
        weigh_values(kv, values, slice, side, scores, stride, longest, count, factors, results, int8);
    }
    for (; slice < slices; slice++) {
        weigh_values(kv, values, slice, 1, scores, stride, longest, count, factors, results, int8);
    }
}

static void attend(
    const fettle_kv *kv, int32_t head, const float *const *queries, const int32_t *limits, int32_t count,
    float *scratch, float *const *results) {
    int r = 0;
    for (; r + QUERY_ROWS <= count; r += QUERY_ROWS) {
        if (kv->int8) attend_rows(kv, head, queries + r, limits + r, QUERY_ROWS, scratch, results + r, 1);
        else attend_rows(kv, head, queries + r, limits + r, QUERY_ROWS, scratch, results + r, 0);
    }
    for (; r < count; r++) {
        if (kv->int8) attend_rows(kv, head, queries + r, limits + r, 1, scratch, results + r, 1);
        else attend_rows(kv, head, queries + r, limits + r, 1, scratch, results + r, 0);
    }
}
