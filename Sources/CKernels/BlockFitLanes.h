// Blocks in lanes: 16 blocks (or sub-blocks) are fitted at once, each in a lane of its own. Only sums over a
// super-block cross lanes, and those in one fixed order, so a result does not depend on the instruction set.
#ifndef FETTLE_BLOCK_FIT_LANES_H
#define FETTLE_BLOCK_FIT_LANES_H

#include "FitVector.h"

enum { LONGEST_BLOCK = 32 };

// Weights and importances of 16 lanes, and what does not change while they are fitted.
typedef struct {
    f32x16 *weights;
    f32x16 *importance;  // at most about 1
    f32x16 total;                      // the sum of a lane's importances
    f32x16 low, high;                  // the extremes of a lane's weights
    int length;
} lane_tile;

typedef struct {
    f32x16 weights[LONGEST_BLOCK], importance[LONGEST_BLOCK];
} lane_storage;

INLINE f32x16 clamped(f32x16 a, float low, float high) { return smaller(larger(a, splat(low)), splat(high)); }

// 1 / a, or 0 where a is too small to be the scale of anything.
INLINE f32x16 reciprocal(f32x16 a) { return inverse(choose(magnitude(a) >= 0x1p-40f, a, splat(0))); }

// To half precision and back.
INLINE f32x16 half_rounded(f32x16 a) {
    return (f32x16)((i32x16)half_value(half_bits(magnitude(a))) | ((i32x16)a & (int32_t)0x80000000));
}

// How far apart half-precision numbers are around a.
INLINE f32x16 half_spacing(f32x16 a) {
    return larger((f32x16)((i32x16)a & 0x7f800000) * 0x1p-10f, splat(0x1p-24f));
}

#define EXCHANGE_1 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define EXCHANGE_2 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13
#define EXCHANGE_4 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11
#define EXCHANGE_8 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7

// The sum over each run of `run` lanes (1, 8 or 16), in every lane of it.
INLINE f32x16 run_sum(f32x16 a, int run) {
    if (run == 1) return a;
    a += __builtin_shufflevector(a, a, EXCHANGE_1);
    a += __builtin_shufflevector(a, a, EXCHANGE_2);
    a += __builtin_shufflevector(a, a, EXCHANGE_4);
    return run == 8 ? a : a + __builtin_shufflevector(a, a, EXCHANGE_8);
}

// The maximum over each run of `run` lanes, in every lane of it.
INLINE f32x16 run_maximum(f32x16 a, int run) {
    if (run == 1) return a;
    a = larger(a, __builtin_shufflevector(a, a, EXCHANGE_1));
    a = larger(a, __builtin_shufflevector(a, a, EXCHANGE_2));
    a = larger(a, __builtin_shufflevector(a, a, EXCHANGE_4));
    return run == 8 ? a : larger(a, __builtin_shufflevector(a, a, EXCHANGE_8));
}

// Lane l takes `length` weights from l x length on; a run of lanes shares the scale of its importances, the largest of which
// becomes 1.
INLINE void load_tile(lane_tile *tile, const float *weights, const float *importance, int length, int run) {
    f32x16 largest = splat(0);
    tile->length = length;
    for (int i = 0; i < length; i++) {
        for (int lane = 0; lane < LANES; lane++) {
            tile->weights[i][lane] = weights[lane * length + i];
            tile->importance[i][lane] = importance[lane * length + i];
        }
        largest = larger(largest, tile->importance[i]);
        tile->low = i == 0 ? tile->weights[i] : smaller(tile->low, tile->weights[i]);
        tile->high = i == 0 ? tile->weights[i] : larger(tile->high, tile->weights[i]);
    }
    largest = run_maximum(largest, run);
    tile->total = splat(0);
    for (int i = 0; i < length; i++) {
        tile->importance[i] /= largest;
        tile->total += tile->importance[i];
    }
}

#endif
