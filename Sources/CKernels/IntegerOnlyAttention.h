// Attention over an int8 cache in integers: scores in 32 bits, softmax by powers of two with 15 bits, normalized after the
// weighted sum (a softmax rounded to 8 bits before it costs 0.01 nats).

enum {
    QUERY_BITS = 13,  // of a query's number: 2^13 * 2^7 * WIDEST fits 32 bits
};

/// Mantissa and exponent of a scale in one word.
INLINE uint32_t packed_scale(int32_t mantissa, int32_t exponent) {
    return (uint32_t)mantissa << 16 | (uint32_t)(uint16_t)(int16_t)exponent;
}

/// The largest magnitude of a head's numbers, which may be no whole vectors.
INLINE uint32_t largest_of_head(const int32_t *row, int width) {
    uint32_t largest = 0;
    for (int i = 0; i < width; i++) {
        const uint32_t magnitude = (uint32_t)(row[i] < 0 ? -row[i] : row[i]);
        largest = magnitude > largest ? magnitude : largest;
    }
    return largest;
}

/// Quantizes a head's numbers to int8, zeros up to a multiple of 16.
INLINE dyadic_scale quantize_integer_head(const int32_t *row, int width, int8_t *target) {
    const uint32_t amax = largest_of_head(row, width);
    const dyadic_scale scale = amax == 0 ? (dyadic_scale){0} : scale_for(amax);
    for (int i = 0; i < width; i += 16) {
        i32x16 v = {0};
        memcpy(&v, row + i, width - i < 16 ? (size_t)(width - i) * sizeof(int32_t) : sizeof v);
        const i8x16 bytes = __builtin_convertvector(quantized(v, scale), i8x16);
        memcpy(target + i, &bytes, sizeof bytes);
    }
    return scale;
}

/// Stores the keys and values (heads x head_width numbers each) of one position. Numbers that are summed lie in pairs:
/// those of two columns of a key, those of two positions of a value.
static void store_position(
    const fettle_integer_model *model, const fettle_integer_kv *kv, int32_t capacity, int32_t position,
    const int32_t *key, int32_t key_exponent, const int32_t *value, int32_t value_exponent) {
    const int width = model->head_width, stride = model->value_stride;
    int8_t bytes[WIDEST];
    for (int head = 0; head < model->key_value_heads; head++, key += width, value += width) {
        const size_t slot = (size_t)head * (size_t)capacity, at = slot + (size_t)position;
        const dyadic_scale k = quantize_integer_head(key, width, bytes);
        int8_t *keys = kv->keys + (slot + (size_t)(position / 16) * 16) * (size_t)width + position % 16 * 2;
        scatter((uint8_t *)keys, 32, 2, bytes, width);
        const int32_t mantissa = (k.mantissa * model->attention_scale + (1 << 14)) >> 15;
        kv->key_scales[at] = packed_scale(mantissa, scale_exponent(k, key_exponent) + model->attention_exponent + 15);
        const dyadic_scale v = quantize_integer_head(value, width, bytes);
        int8_t *values = kv->values + (slot + (size_t)(position / 2) * 2) * (size_t)stride + position % 2;
        scatter((uint8_t *)values, 2, 1, bytes, width);
        kv->value_scales[at] = packed_scale(v.mantissa, scale_exponent(v, value_exponent));
    }
}

/// One query row of several that share a key/value head, and its part of the scratch space.
typedef struct {
    const int32_t *query;
    int32_t exponent;
    span seen;
    int32_t *result;
    int32_t *result_exponent;
    int16_t *narrow;  // the query's numbers in QUERY_BITS bits
    int32_t *weights;  // logits of the positions, then weights, then these in 16 bits
    int64_t *total;
    int64_t sum;
} attention_row;

INLINE void prepare_row(attention_row *row, int width) {
    const int down = bit_length(largest_of_head(row->query, width)) - QUERY_BITS;
    for (int d = 0; d < width; d++) row->narrow[d] = (int16_t)shifted_one(row->query[d], down);
    row->exponent += down;
}

/// Logits in powers of two times 2^16, at most 2^TOP, from sums of products and the scales of their positions.
INLINE i32x16 logits_of(i32x16 sum, const uint32_t *scales, int32_t exponent) {
    const i32x16 packed = load_i32x16(scales);
    const i64x16 product = widen(sum) * widen((i32x16)((u32x16)packed >> 16));
    const i32x16 down = -(((packed << 16) >> 16) + (exponent + 16));
    if (!__builtin_reduce_or((i32x16)(down < 0))) {
        const i64x16 most = (i64x16){0} + ((int64_t)1 << TOP);
        const i64x16 fewer = product >> widen(at_most(down, (i32x16){0} + 62));
        return narrow(__builtin_elementwise_max(__builtin_elementwise_min(fewer, most), -most));
    }
    const i64x16 right = widen(at_most(at_least(down, (i32x16){0}), (i32x16){0} + 62));
    const i64x16 left = widen(at_most(at_least(-down, (i32x16){0}), (i32x16){0} + TOP));
    const i64x16 limit = ((i64x16){0} + ((int64_t)1 << TOP)) >> left;
    return narrow(__builtin_elementwise_max(__builtin_elementwise_min(product >> right, limit), -limit) << left);
}

/// Logits of `count` rows at `blocks` blocks of positions from `block` on.
INLINE void score_blocks(
    attention_row *rows, pair_rows queries, const int count, int block, const int blocks, int width,
    const int8_t *keys, const uint32_t *scales) {
    i32x16 sum[QUERY_ROWS * 4];
    key_sums((const uint8_t *)keys + (size_t)block * 16 * (size_t)width, width, queries, count, blocks, 0, sum);
    UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int b = 0; b < blocks; b++) {
            const int at = (block + b) * 16;
            store_i32x16(rows[r].weights + at, logits_of(sum[r * blocks + b], scales + at, rows[r].exponent));
        }
    }
}

/// Whether all of the 16 positions from `position` on are seen.
INLINE int is_whole(span seen, int position) { return position >= seen.first && position + 16 <= seen.limit; }

/// Which of them are.
INLINE i32x16 seen_lanes(span seen, int position) {
    const i32x16 at = (i32x16){0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + position;
    return (i32x16)(at >= seen.first) & (i32x16)(at < seen.limit);
}

/// Turns the logits of the positions that are seen into weights, times 2^15 where the largest is; the others before
/// `longest` become 0. Returns the sum.
INLINE int64_t soften(int32_t *weights, span seen, int longest) {
    i32x16 top = (i32x16){0} + INT32_MIN;
    for (int i = seen.first / 16 * 16; i < seen.limit; i += 16) {
        const i32x16 logits = load_i32x16(weights + i);
        top = at_least(top, is_whole(seen, i) ? logits : pick(seen_lanes(seen, i), logits, (i32x16){0} + INT32_MIN));
    }
    const int32_t largest = __builtin_reduce_max(top);
    i64x16 sum = {0};
    for (int i = 0; i < longest;) {
        // As many as 32 bits hold the sums of.
        const int end = longest - i < 1 << 19 ? longest : i + (1 << 19);
        i32x16 part = {0};
        for (; i < end; i += 16) {
            i32x16 power;
            if (is_whole(seen, i)) {
                power = power_of_two(load_i32x16(weights + i) - largest);
            } else {
                const i32x16 is_seen = seen_lanes(seen, i);
                power = power_of_two(pick(is_seen, load_i32x16(weights + i) - largest, (i32x16){0})) & is_seen;
            }
            store_i32x16(weights + i, power);
            part += power;
        }
        sum += widen(part);
    }
    return __builtin_reduce_add(sum);
}

/// Takes the scales of the values into the weights, at the exponent `common`, and narrows these to 16 bits in their own
/// memory.
INLINE void narrow_weights(int32_t *weights, const uint32_t *scales, int longest, int32_t common) {
    for (int i = 0; i < longest; i += 16) {
        const i32x16 packed = load_i32x16(scales + i);
        // At most 2^15 * 2^15.02, brought to 2^14.02. A position that is not there may have any exponent, and weight 0.
        const i32x16 by = at_most(at_least(16 + common - ((packed << 16) >> 16), (i32x16){0} + 16), (i32x16){0} + 31);
        const i32x16 product = load_i32x16(weights + i) * (i32x16)((u32x16)packed >> 16);
        const i16x16 narrow_ones = __builtin_convertvector(((product >> (by - 1)) + 1) >> 1, i16x16);
        memcpy((int16_t *)weights + i, &narrow_ones, sizeof narrow_ones);
    }
}

/// Weighted sums of the values of the first `longest` positions for `slices` slices of columns from `slice` on.
INLINE void sum_slices(
    attention_row *rows, pair_rows weights, const int count, int longest, int stride, int slice, const int slices,
    const int8_t *values) {
    i64x16 total[QUERY_ROWS * 4];
    UNROLL for (int i = 0; i < count * slices; i++) total[i] = (i64x16){0};
    for (int start = 0; start < longest; start += RUN) {
        const int end = longest - start < RUN ? longest : start + RUN;
        i32x16 part[QUERY_ROWS * 4];
        UNROLL for (int i = 0; i < count * slices; i++) part[i] = (i32x16){0};
        value_sums(
            (const uint8_t *)values + (size_t)slice * 32, 2 * (size_t)stride, weights, start / 2, (end + 1) / 2, count,
            slices, 0, part);
        UNROLL for (int i = 0; i < count * slices; i++) total[i] += widen(part[i]);
    }
    UNROLL for (int r = 0; r < count; r++) {
        UNROLL for (int i = 0; i < slices; i++) {
            memcpy(rows[r].total + (slice + i) * 16, &total[r * slices + i], sizeof total[0]);
        }
    }
}

/// Divides by the sum of the weights.
INLINE void finish_row(attention_row *row, int width, int32_t common) {
    enum { UNIT = 20 };  // bits after the point of a result before its exponent
    const int bits = bit_length((uint64_t)row->sum), spare = bits > 23 ? bits - 23 : 0;
    const int64_t inverse = ((int64_t)1 << (bits + 30)) / row->sum;
    for (int d = 0; d < width; d++) {
        const int64_t total = shifted_one(row->total[d], spare);
        row->result[d] = (int32_t)shifted_one(total * inverse, bits + 30 - spare - UNIT);
    }
    *row->result_exponent = common + 16 - UNIT;
}

INLINE void attend_some(
    const fettle_integer_model *model, const fettle_integer_kv *kv, int32_t capacity, int head, attention_row *rows,
    const int count) {
    const int width = model->head_width, stride = model->value_stride;
    const size_t slot = (size_t)head * (size_t)capacity;
    int longest = 0, earliest = rows[0].seen.first;
    for (int r = 0; r < count; r++) {
        longest = rows[r].seen.limit > longest ? rows[r].seen.limit : longest;
        earliest = rows[r].seen.first < earliest ? rows[r].seen.first : earliest;
        prepare_row(&rows[r], width);
    }
    const int side = sums_side_by_side(count), blocks = (longest + 15) / 16, slices = stride / 16;
    const pair_rows queries = {rows[0].narrow, (size_t)stride};
    const int8_t *keys = kv->keys + slot * (size_t)width;
    int block = earliest / 16;
    for (; block + side <= blocks; block += side) {
        score_blocks(rows, queries, count, block, side, width, keys, kv->key_scales + slot);
    }
    for (; block < blocks; block++) score_blocks(rows, queries, count, block, 1, width, keys, kv->key_scales + slot);
    // From here on positions count from the first block that a row sees.
    const int begin = earliest / 16 * 16;
    const uint32_t *scales = kv->value_scales + slot + begin;
    const int8_t *values = kv->values + (slot + (size_t)begin) * (size_t)stride;
    int32_t common[QUERY_ROWS];
    longest -= begin;
    for (int r = 0; r < count; r++) {
        int32_t *row = rows[r].weights + begin;
        const span seen = {rows[r].seen.first - begin, rows[r].seen.limit - begin};
        rows[r].sum = soften(row, seen, longest);
        common[r] = INT16_MIN;
        for (int i = seen.first; i < seen.limit; i++) {
            const int32_t own = (int16_t)(scales[i] & 0xffff);
            common[r] = own > common[r] ? own : common[r];
        }
        narrow_weights(row, scales, longest, common[r]);
    }
    const pair_rows weights = {(const int16_t *)(rows[0].weights + begin), 2 * (size_t)capacity};
    int slice = 0;
    for (; slice + side <= slices; slice += side) {
        sum_slices(rows, weights, count, longest, stride, slice, side, values);
    }
    for (; slice < slices; slice++) sum_slices(rows, weights, count, longest, stride, slice, 1, values);
    for (int r = 0; r < count; r++) finish_row(&rows[r], width, common[r]);
}

/// Attention of up to QUERY_ROWS query rows over head `head`. Numbers of each row
/// lie value_stride apart, weights `capacity`.
static void attend_integer_rows(
    const fettle_integer_model *model, const fettle_integer_kv *kv, int32_t capacity, int head, attention_row *rows,
    int count) {
#define SOME_ROWS(some) \
    while (count >= some) { \
        attend_some(model, kv, capacity, head, rows, some); \
        rows += some; \
        count -= some; \
    }
    EVERY_ROW_COUNT(SOME_ROWS)
#undef SOME_ROWS
}
