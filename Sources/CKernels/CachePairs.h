// Products of 16-bit numbers with a cache of int8 or int4 numbers, exact in 32 bits. Numbers that are summed lie side by
// side: those of two columns of a key, those of two positions of a value. A unit of the cache is 32 bytes, a pair for each
// of 16 lanes; a byte of int4 has a number of one pair in its lower half and one of a second pair in its upper half.

#ifndef DOT_PAIRS
/// sum + the products of each lane's two numbers with those of `pair`.
INLINE i32x16 dot_pairs(i32x16 sum, i16x32 values, int32_t pair) {
    const i32x16 both = (i32x16)values;
    return sum + ((both << 16) >> 16) * (int32_t)(int16_t)pair + (both >> 16) * (pair >> 16);
}
#endif

/// The pairs of a unit: one for each lane, or two of int4.
INLINE void load_unit(const uint8_t *p, const int int4, i16x32 *pairs) {
    i8x32 bytes;
    memcpy(&bytes, p, sizeof bytes);
    pairs[0] = __builtin_convertvector(bytes, i16x32);
    if (!int4) return;
    pairs[1] = pairs[0] >> 4;
    pairs[0] = (pairs[0] << 12) >> 12;
}

/// Rows of 16-bit numbers that share a key/value head, in pairs.
typedef struct {
    const int16_t *numbers;
    size_t stride;  // numbers from one row's to the next
} pair_rows;

INLINE int32_t pair_at(pair_rows rows, int row, int pair) {
    return load_i32(rows.numbers + (size_t)row * rows.stride + 2 * (size_t)pair);
}

/// sum[row][block] = products of `count` queries with the keys of `blocks` blocks of 16 positions. Keys lie as [block][width
/// / 2][16 positions][2], int4 as [block][width / 4][16 positions][2] with columns 4 u + i and 4 u + 2 + i in a byte.
INLINE void key_sums(
    const uint8_t *keys, int width, pair_rows queries, const int count, const int blocks, const int int4, i32x16 *sum) {
    const int pairs = int4 ? 2 : 1, units = width / (2 * pairs);
    UNROLL for (int i = 0; i < count * blocks; i++) sum[i] = (i32x16){0};
    for (int unit = 0; unit < units; unit++) {
        i16x32 k[4][2];
        UNROLL for (int b = 0; b < blocks; b++) {
            load_unit(keys + ((size_t)b * (size_t)units + (size_t)unit) * 32, int4, k[b]);
        }
        UNROLL for (int i = 0; i < pairs; i++) {
            UNROLL for (int r = 0; r < count; r++) {
                const int32_t pair = pair_at(queries, r, unit * pairs + i);
                UNROLL for (int b = 0; b < blocks; b++) {
                    sum[r * blocks + b] = dot_pairs(sum[r * blocks + b], k[b][i], pair);
                }
            }
        }
    }
}

/// sum[row][slice] += weighted values of positions 2 first..<2 last for `units` units of columns: slices of 16, two in a unit of
/// int4. Values lie as [positions / 2][stride][2], int4 as [positions / 2][stride / 32][16][2] with columns 32 u + i and
/// 32 u + 16 + i in a byte; `pair_bytes` is what two positions take.
INLINE void value_sums(
    const uint8_t *values, size_t pair_bytes, pair_rows weights, int first, int last, const int count, const int units,
    const int int4, i32x16 *sum) {
    const int pairs = int4 ? 2 : 1, slices = units * pairs;
    for (int position = first; position < last; position++) {
        i16x32 v[4][2];
        UNROLL for (int u = 0; u < units; u++) {
            load_unit(values + (size_t)position * pair_bytes + (size_t)u * 32, int4, v[u]);
        }
        UNROLL for (int r = 0; r < count; r++) {
            const int32_t pair = pair_at(weights, r, position);
            UNROLL for (int i = 0; i < slices; i++) {
                sum[r * slices + i] = dot_pairs(sum[r * slices + i], v[i / pairs][i % pairs], pair);
            }
        }
    }
}

/// Blocks or slices that are worked on side by side with `count` rows: as many sums as the registers hold.
INLINE int sums_side_by_side(const int count) {
    const int room = SUMS / count;
    return count == 1 || room >= 4 ? 4 : room >= 2 ? 2 : 1;
}

/// Calls `EACH(n)` for n = QUERY_ROWS, 4, 3, 2 and 1: the numbers of rows that functions are made for.
#define EVERY_ROW_COUNT(EACH) \
    EACH(QUERY_ROWS) \
    if (QUERY_ROWS > 4) EACH(4) \
    EACH(3) \
    EACH(2) \
    EACH(1)
