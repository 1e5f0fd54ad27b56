// Attention over the cache. Products with int8 and int4 numbers are exact sums of integers: queries and softmax weights take
// 14 bits and a sign for them, as a score's sum and RUN positions' fit 32 bits.

enum {
    SIGNED_14 = 16383,  // * 127 * WIDEST fits 32 bits
    RUN = 512,  // positions whose weighted values are summed in 32 bits
};

/// The numbers of a row, scaled to +-SIGNED_14, in its own memory. Returns what one counts.
INLINE float narrow_row(float *row, int count, float largest) {
    const float inverse = largest >= 0x1p-100f ? (float)SIGNED_14 / largest : 0;
    for (int i = 0; i < count; i += 16) {
        f32x16 q = round_to_even(load_some(row + i, count - i) * inverse);
        q = choose(q > -(float)SIGNED_14, q, (f32x16){0} - (float)SIGNED_14);  // a NaN compares false
        q = choose(q < (float)SIGNED_14, q, (f32x16){0} + (float)SIGNED_14);
        const i16x16 numbers = __builtin_convertvector(__builtin_convertvector(q, i32x16), i16x16);
        memcpy((int16_t *)row + i, &numbers, sizeof numbers);
    }
    return largest / (float)SIGNED_14;
}

/// Scores of `count` rows of 16-bit queries at `blocks` blocks of 16 positions from `block` on.
INLINE void quantized_scores(
    const uint8_t *keys, const float *key_scales, int width, int block, pair_rows queries, const float *units,
    const int count, const int blocks, const int int4, float *scores, size_t stride) {
    i32x16 sum[QUERY_ROWS * 4];
    const size_t block_bytes = (size_t)width * 16 / (int4 ? 2 : 1);
    key_sums(keys + (size_t)block * block_bytes, width, queries, count, blocks, int4, sum);
    UNROLL for (int b = 0; b < blocks; b++) {
        const f32x16 scales = load_f32x16(key_scales + (block + b) * 16);
        UNROLL for (int r = 0; r < count; r++) {
            store_f32x16(
                scores + (size_t)r * stride + (size_t)(block + b) * 16,
                __builtin_convertvector(sum[r * blocks + b], f32x16) * (scales * units[r]));
        }
    }
}

/// sum[row][slice] = weighted values of `longest` positions for `units` units of columns.
INLINE void quantized_values(
    const uint8_t *values, size_t pair_bytes, pair_rows weights, int longest, const int count, const int units,
    const int int4, f32x16 *sum) {
    const int all = count * units * (int4 ? 2 : 1);
    UNROLL for (int i = 0; i < all; i++) sum[i] = (f32x16){0};
    for (int start = 0; start < longest; start += RUN) {
        const int end = longest - start < RUN ? longest : start + RUN;
        i32x16 part[QUERY_ROWS * 4];
        UNROLL for (int i = 0; i < all; i++) part[i] = (i32x16){0};
        value_sums(values, pair_bytes, weights, start / 2, (end + 1) / 2, count, units, int4, part);
        UNROLL for (int i = 0; i < all; i++) sum[i] += __builtin_convertvector(part[i], f32x16);
    }
}

/// What the weights of a row add up to, and the largest of them after the values' scales.
typedef struct {
    float sum, largest;
} weight_range;

/// The positions that a row sees.
typedef struct {
    int first, limit;
} span;

INLINE span seen_positions(int limit, int window) { return (span){window && limit > window ? limit - window : 0, limit}; }

/// e^(score - top) for 16 positions from `i` on, those that are not seen 0 unless all are known to be.
INLINE f32x16 weights_at(const float *scores, int i, span seen, float top, const int whole) {
    const i32x16 position = (i32x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + i;
    const f32x16 weight = exponential(load_f32x16(scores + i) - top);
    return whole ? weight : choose((position >= seen.first) & (position < seen.limit), weight, (f32x16){0});
}

/// Turns one row's scores into weights e^(score - max), times the values' scales where they have some. From `begin`, a multiple of
/// 16, on; 0 where nothing is seen.
INLINE weight_range softmax_weights(
    float *scores, int begin, span seen, int padded, const float *value_scales, const int scaled) {
    const int inner = (seen.first + 15) / 16 * 16, whole = seen.limit / 16 * 16;
    f32x16 most = (f32x16){0} - __builtin_inff(), sum = {0}, largest = {0};
    for (int i = inner; i < whole; i += 16) most = larger(most, load_f32x16(scores + i));
    float top = largest_lane(most);
    for (int i = seen.first; i < inner && i < seen.limit; i++) top = scores[i] > top ? scores[i] : top;
    for (int i = whole > inner ? whole : inner; i < seen.limit; i++) top = scores[i] > top ? scores[i] : top;
    int i = begin;
    for (; i + 16 <= seen.first; i += 16) store_f32x16(scores + i, (f32x16){0});
    while (i < padded) {
        for (; i >= inner && i < whole; i += 16) {
            f32x16 weight = weights_at(scores, i, seen, top, 1);
            sum += weight;
            if (scaled) weight *= load_f32x16(value_scales + i);
            if (scaled) largest = larger(largest, __builtin_elementwise_abs(weight));
            store_f32x16(scores + i, weight);
        }
        if (i >= padded) break;
        f32x16 weight = weights_at(scores, i, seen, top, 0);
        sum += weight;
        // A scale that is not there may be no number.
        if (scaled) weight = choose(weight > 0.0f, weight * load_f32x16(value_scales + i), (f32x16){0});
        if (scaled) largest = larger(largest, __builtin_elementwise_abs(weight));
        store_f32x16(scores + i, weight);
        i += 16;
    }
    return (weight_range){sum_lanes(sum), scaled ? largest_lane(largest) : 0};
}

/// `count` query rows against one key/value head.
INLINE void attend_rows(
    const fettle_kv *kv, int32_t head, const float *const *queries, const int32_t *limits, const int count,
    float *scratch, float *const *results, const fettle_kv_format format) {
    const int width = kv->head_width, quantized = format != FETTLE_KV_FLOAT16, int4 = format == FETTLE_KV_INT4;
    const size_t slot = (size_t)head * (size_t)kv->capacity, stride = (size_t)kv->capacity;
    const uint8_t *keys = kv->keys + fettle_kv_bytes(format, slot * (size_t)width);
    const uint8_t *values = kv->values + fettle_kv_bytes(format, slot * (size_t)kv->value_stride);
    const float *key_scales = quantized ? kv->key_scales + slot : NULL;
    const float *value_scales = quantized ? kv->value_scales + slot : NULL;
    const float root = 1.0f / __builtin_sqrtf((float)width);
    const int side = sums_side_by_side(count);
    float *q = scratch, *scores = scratch + FETTLE_QUERY_ROWS * (size_t)width, units[QUERY_ROWS], factors[QUERY_ROWS];
    int longest = 0, earliest = limits[0];
    for (int r = 0; r < count; r++) {
        float *row = q + (size_t)r * (size_t)width;
        for (int d = 0; d < width; d++) row[d] = queries[r][d] * root;
        if (int4) rotate_head(row, width);
        if (quantized) units[r] = narrow_row(row, width, largest_of_row(row, width));
        if (limits[r] > longest) longest = limits[r];
        const int first = seen_positions(limits[r], kv->window).first;
        if (first < earliest) earliest = first;
    }
    const pair_rows pairs = {(const int16_t *)q, 2 * (size_t)width};
    const int blocks = (longest + 15) / 16;
    // Sums of values begin where they would without a window, so that rows give the same bits alone and together.
    const int begin = earliest / RUN * RUN, padded = blocks * 16 - begin;
#define SCORES(of) \
    if (quantized) quantized_scores(keys, key_scales, width, block, pairs, units, count, of, int4, scores, stride); \
    else half_scores(kv, keys, block, q, count, of, scores, stride)
    int block = earliest / 16;
    for (; block + side <= blocks; block += side) { SCORES(side); }
    for (; block < blocks; block++) { SCORES(1); }
#undef SCORES
    for (int r = 0; r < count; r++) {
        float *row = scores + (size_t)r * stride;
        const span seen = seen_positions(limits[r], kv->window);
        const weight_range range = softmax_weights(row, begin, seen, blocks * 16, value_scales, quantized);
        factors[r] = (quantized ? narrow_row(row + begin, padded, range.largest) : 1.0f) / range.sum;
    }
    scores += begin;
    longest -= begin;
    values += fettle_kv_bytes(format, (size_t)begin * (size_t)kv->value_stride);
    const pair_rows weights = {(const int16_t *)scores, 2 * stride};
    const int slices = kv->value_stride / 16, together = int4 && side == 1 ? 2 : side;
    f32x16 sum[QUERY_ROWS * 4];
#define VALUES(of) \
    do { \
        if (quantized) { \
            quantized_values( \
                values + (size_t)slice * 32 / (int4 ? 2 : 1), fettle_kv_bytes(format, 2 * (size_t)kv->value_stride), \
                weights, longest, count, int4 ? of / 2 : of, int4, sum); \
        } else { \
            half_values(kv, values, slice, of, scores, stride, longest, count, sum); \
        } \
        UNROLL for (int r = 0; r < count; r++) { \
            UNROLL for (int i = 0; i < of; i++) { \
                const int first = (slice + i) * 16; \
                store_some(results[r] + first, sum[r * of + i] * factors[r], width - first); \
            } \
        } \
    } while (0)
    int slice = 0;
    for (; slice + together <= slices; slice += together) VALUES(together);
    if (int4) for (; slice < slices; slice += 2) VALUES(2);
    else for (; slice < slices; slice++) VALUES(1);
#undef VALUES
    if (int4) for (int r = 0; r < count; r++) rotate_head(results[r], width);
}

static void attend(
    const fettle_kv *kv, int32_t head, const float *const *queries, const int32_t *limits, int32_t count,
    float *scratch, float *const *results) {
    int r = 0;
// A loop for each format apart: with the format told apart inside of one, prefill takes a sixth longer (AVX-512).
#define ROWS_IN(format, some) \
    for (; r + some <= count; r += some) { \
        attend_rows(kv, head, queries + r, limits + r, some, scratch, results + r, format); \
    }
#define HALF(some) ROWS_IN(FETTLE_KV_FLOAT16, some)
#define INT8(some) ROWS_IN(FETTLE_KV_INT8, some)
#define INT4(some) ROWS_IN(FETTLE_KV_INT4, some)
    switch (kv->format) {
    case FETTLE_KV_FLOAT16: EVERY_ROW_COUNT(HALF); return;
    case FETTLE_KV_INT8: EVERY_ROW_COUNT(INT8); return;
    case FETTLE_KV_INT4: EVERY_ROW_COUNT(INT4); return;
    }
#undef HALF
#undef INT8
#undef INT4
#undef ROWS_IN
}
