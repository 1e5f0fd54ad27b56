// Scores and weighted values of a half-precision cache. A score is one chain of fma over the head's columns, a result one
// chain over positions, so that rows give the same bits alone and together.

/// Scores of `count` rows at `blocks` blocks of 16 positions from `block` on.
INLINE void half_scores(
    const fettle_kv *kv, const uint8_t *keys, int block, const float *q, const int count, const int blocks,
    float *scores, size_t stride) {
    const size_t width = (size_t)kv->head_width;
    f32x16 sum[QUERY_ROWS * 4];
    UNROLL for (int i = 0; i < count * blocks; i++) sum[i] = (f32x16){0};
    for (size_t d = 0; d < width; d++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            const size_t at = ((size_t)(block + b) * width + d) * 16;
            const f32x16 k = half_to_float_16(load_u16x16(keys + 2 * at));
            UNROLL for (int r = 0; r < count; r++) {
                f32x16 *s = &sum[r * blocks + b];
                *s = __builtin_elementwise_fma(k, (f32x16){0} + q[(size_t)r * width + d], *s);
            }
        }
    }
    UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            store_f32x16(scores + (size_t)r * stride + (size_t)(block + b) * 16, sum[r * blocks + b]);
        }
    }
}

/// sum[row][slice] = weighted values for `slices` slices of 16 columns from `slice` on.
INLINE void half_values(
    const fettle_kv *kv, const uint8_t *values, int slice, const int slices, const float *weights, size_t stride,
    int limit, const int count, f32x16 *sum) {
    UNROLL for (int i = 0; i < count * slices; i++) sum[i] = (f32x16){0};
    for (int position = 0; position < limit; position++) {
        const size_t at = (size_t)position * (size_t)kv->value_stride + (size_t)slice * 16;
        UNROLL for (int i = 0; i < slices; i++) {
            const f32x16 v = half_to_float_16(load_u16x16(values + 2 * (at + (size_t)i * 16)));
            UNROLL for (int r = 0; r < count; r++) {
                const f32x16 weight = (f32x16){0} + weights[(size_t)r * stride + (size_t)position];
                sum[r * slices + i] = __builtin_elementwise_fma(v, weight, sum[r * slices + i]);
            }
        }
    }
}
