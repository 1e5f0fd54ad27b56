// Scales and zero points of the integer grids: uniform (one offset for the matrix) and affine (a zero point for each scale).
#ifndef FETTLE_FIT_INTEGERS_H
#define FETTLE_FIT_INTEGERS_H

#include "AffineSearch.h"
#include "FitSearch.h"

// The search around the scale that clips nothing, by bits (2...8): from somewhat above it, where many short groups have a
// lucky fit, down to where clipping never pays. Half the steps would find 0.1 % less error in twice the time: refits lead from
// most assignments to the best one nearby.
static const fit_ladder SHORT_LADDERS[7] = {
    {1.20f, 0.930f, 0.28f}, {1.18f, 0.930f, 0.42f}, {1.18f, 0.940f, 0.54f}, {1.16f, 0.965f, 0.72f},
    {1.14f, 0.970f, 0.82f}, {1.20f, 0.985f, 0.85f}, {1.20f, 0.988f, 0.90f},
};
// Long groups have outliers far beyond the rest, and errors smooth in the scale: a wide ladder, then two finer ones.
static const fit_ladder LONG_LADDER = {1.05f, 0.92f, 0.04f};
static const fit_ladder FINE_LADDERS[2] = {{1.06f, 0.98f, 0.94f}, {1.012f, 0.996f, 0.988f}};

INLINE fit_ladder coarse_ladder(int bits, size_t columns) {
    return columns <= SHORT_GROUP ? SHORT_LADDERS[bits - 2] : LONG_LADDER;
}

// Rounding a scale to half precision moves the outer points of 6 bits and more by a good part of a step.
INLINE int half_reach(int bits) { return bits >= 7 ? 2 : bits >= 6 ? 1 : 0; }

INLINE f32x16 fit_uniform(const fit_group *group, const fettle_fit_grid *grid, int clip) {
    float low = (float)(grid->lowest - grid->offset), high = (float)(grid->highest - grid->offset);
    fit_points points = {splat(low), splat(high), NULL};
    f32x16 smallest = smaller(group->smallest, splat(0)), largest = larger(group->largest, splat(0));
    // The plain scale takes the largest weight to the longer side of the grid.
    f32x16 plain = choose(largest > -smallest, largest, smallest) / low;
    fit_best best = no_best();
    settle_half(&best, group, plain, 1, 0, points);
    if (!clip) {
        i32x16 sign = (i32x16)plain & (int32_t)0x80000000;
        return (f32x16)((i32x16)half_value(half_bits(magnitude(plain))) | sign);
    }
    fit_best coarse = no_best();
    fit_ladder ladder = coarse_ladder(grid->bits, group->columns);
    f32x16 base = larger(smallest / low, largest / high);
    consider_ladder(&coarse, group, base, ladder, &points);
    if (-low != high) {
        f32x16 mirrored = larger(-largest / low, -smallest / high);
        consider_ladder(&coarse, group, -mirrored, ladder, &points);
    }
    if (group->columns > SHORT_GROUP) {
        for (int fine = 0; fine < 2; fine++) {
            f32x16 center = coarse.refit;
            consider_ladder(&coarse, group, center, FINE_LADDERS[fine], &points);
        }
    }
    settle_half(&best, group, coarse.refit, 2, half_reach(grid->bits), points);
    return best.scale;
}

// Steps of a zero point of `bits` bits in one step of the grid: it fills a byte, as far as windows of few points still reach
// some way from zero.
INLINE float zero_steps(int bits) { return (float)(1 << fettle_zero_fraction(bits)); }

// A window that a byte holds: the scale a half, the minimum a whole number of parts of a step from -255 to 0.
INLINE f32x16 zero_point(f32x16 scale, f32x16 minimum, float steps) {
    return smaller(larger(nearest(-minimum * reciprocal(scale) * steps), splat(0)), splat(255));
}

INLINE void try_zero_point(
    const lane_tile *tile, float highest, float steps, f32x16 scale, f32x16 minimum, affine_fit *best, f32x16 *zero) {
    f32x16 own = zero_point(scale, minimum, steps), stored = -own / steps * scale;
    f32x16 error = affine_error(tile, highest, scale, stored);
    *zero = choose(error < best->error, own, *zero);
    keep_better_affine(best, scale, stored, error);
}

// Starts of the search, by bits.
static const float AFFINE_TOPS[7][3] = {
    {2, 0.5f, 6}, {5, 1, 12}, {12, 2, 22}, {26, 4, 42}, {56, 6, 74}, {120, 5, 140}, {248, 4, 264},
};

INLINE affine_grid affine_starts(int bits, size_t columns) {
    const float *tops = AFFINE_TOPS[bits - 2], highest = (float)((1 << bits) - 1);
    affine_grid grid = {highest, tops[0], tops[1], tops[2], true, 0};
    // Blocks of GGUF are 32 long.
    if (columns == 32 && bits <= 5) grid.gridded = highest;
    // Long groups have outliers far beyond the rest.
    if (columns > SHORT_GROUP) grid.last_top = highest * (bits <= 4 ? 3 : 1.5f);
    return grid;
}

// Returns the scale and sets *zero to the zero point.
INLINE f32x16 fit_affine(const fit_group *group, const fettle_fit_grid *grid, int clip, f32x16 *zero) {
    float highest = (float)(grid->highest - grid->lowest), steps = zero_steps(grid->bits);
    // Zero points are not negative: the sign of the scale turns the longer side of the weights to the points below zero.
    i32x16 turned = group->largest > -group->smallest;
    f32x16 sign = choose(turned, splat(-1), splat(1));
    lane_tile tile = {group->weights, group->importances, splat(0)};
    tile.length = (int)group->columns;
    tile.low = choose(turned, -group->largest, group->smallest);
    tile.high = choose(turned, -group->smallest, group->largest);
    for (int column = 0; column < tile.length; column++) {
        tile.weights[column] *= sign;
        tile.importance[column] = splat(group->importance[column]);
        tile.total += tile.importance[column];
    }
    // The plain window holds the whole range, and zero.
    f32x16 plain = half_rounded((larger(tile.high, splat(0)) - tile.low) / highest);
    f32x16 plain_zero = zero_point(plain, tile.low, steps);
    affine_fit best = {plain, -plain_zero / steps * plain, splat(0)};
    *zero = plain_zero;
    if (clip) {
        affine_grid starts = affine_starts(grid->bits, group->columns);
        best.error = affine_error(&tile, highest, best.scale, best.minimum);
        affine_fit real = best_affine(&tile, &starts);
        int reach = half_reach(grid->bits) > 1 ? half_reach(grid->bits) : 1;
        for (int round = 0; round < 2; round++) {
            f32x16 spacing = half_spacing(real.scale);
            for (int step = -reach; step <= reach; step++) {
                f32x16 scale = half_rounded(larger(real.scale + spacing * (float)step, splat(0)));
                affine_sums sums = sum_affine(&tile, highest, scale, real.minimum);
                try_zero_point(&tile, highest, steps, scale, real.minimum, &best, zero);
                try_zero_point(&tile, highest, steps, scale, real.minimum + sums.rest / tile.total, &best, zero);
            }
            real = best;
            real.error = splat(__builtin_inff());
            try_refitted_affine(&tile, highest, true, best.scale, best.minimum, &real);
        }
    }
    for (int column = 0; column < tile.length; column++) tile.weights[column] *= sign;
    return best.scale * sign;
}

#endif
