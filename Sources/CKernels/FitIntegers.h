// Scales and zero points of the integer grids: uniform (one offset for the matrix) and affine (a zero point for each scale).
#ifndef FETTLE_FIT_INTEGERS_H
#define FETTLE_FIT_INTEGERS_H

#include "FitSearch.h"

// How far below the scale that clips nothing the search goes, by bits (2...8), and in which steps. A weight at point p changes
// its point when the scale moves by 1 / 2p, so that these steps meet nearly every assignment of a short group.
static const fit_ladder SHORT_LADDERS[7] = {
    {1.25f, 0.980f, 0.25f}, {1.17f, 0.985f, 0.35f}, {1.08f, 0.990f, 0.50f}, {1.04f, 0.990f, 0.60f},
    {1.02f, 0.992f, 0.70f}, {1.01f, 0.994f, 0.80f}, {1.00f, 0.996f, 0.88f},
};
// Long groups have outliers far beyond the rest, and errors smooth in the scale: a wide ladder, then a fine one.
static const fit_ladder LONG_LADDER = {1.05f, 0.95f, 0.04f};
static const fit_ladder FINE_LADDER = {1.045f, 0.994f, 0.955f};

INLINE fit_ladder coarse_ladder(int bits, size_t columns) {
    return columns <= SHORT_GROUP ? SHORT_LADDERS[bits - 2] : LONG_LADDER;
}

// Rounding a scale to half precision moves the outer points of 6 bits and more by a good part of a step.
INLINE int half_reach(int bits) { return bits >= 6 ? 2 : 1; }

INLINE f32x16 fit_uniform(const fit_group *group, const fettle_fit_grid *grid, int clip) {
    float low = (float)(grid->lowest - grid->offset), high = (float)(grid->highest - grid->offset);
    fit_points points = {splat(low), splat(high), NULL};
    // The plain scale takes the largest weight to the longer side of the grid.
    i32x16 positive = group->largest > -group->smallest;
    f32x16 plain = choose(positive, group->largest, group->smallest) / low;
    fit_best best = no_best();
    settle_half(&best, group, plain, 0, points);
    if (!clip) {
        i32x16 sign = (i32x16)plain & (int32_t)0x80000000;
        return (f32x16)((i32x16)half_value(half_bits(magnitude(plain))) | sign);
    }
    fit_best coarse = no_best();
    fit_ladder ladder = coarse_ladder(grid->bits, group->columns);
    f32x16 base = larger(group->smallest / low, group->largest / high);
    consider_ladder(&coarse, group, base, ladder, &points);
    if (-low != high) {
        f32x16 mirrored = larger(-group->largest / low, -group->smallest / high);
        consider_ladder(&coarse, group, -mirrored, ladder, &points);
    }
    if (group->columns > SHORT_GROUP) {
        f32x16 center = coarse.refit;
        consider_ladder(&coarse, group, center, FINE_LADDER, &points);
    }
    settle_half(&best, group, coarse.refit, half_reach(grid->bits), points);
    return best.scale;
}

INLINE f32x16 clamp_low(f32x16 low) { return smaller(larger(low, splat(-255)), splat(0)); }

// Tries windows of points `low`...`low + span` moved by -reach...reach.
INLINE void consider_windows(
    fit_best *best, const fit_group *group, f32x16 scale, f32x16 low, float span, int reach) {
    for (int shift = -reach; shift <= reach; shift++) {
        f32x16 moved = clamp_low(low + (float)shift);
        fit_points points = {moved, moved + span, NULL};
        consider(best, group, scale, &points);
    }
}

// Returns the scale and sets *low to minus the zero point.
INLINE f32x16 fit_affine(const fit_group *group, const fettle_fit_grid *grid, int clip, f32x16 *low) {
    float span = (float)(grid->highest - grid->lowest);
    // Zero points are not negative: the sign of the scale turns the longer side of the weights to the points below zero.
    i32x16 turned = group->largest > -group->smallest;
    f32x16 sign = choose(turned, splat(-1), splat(1));
    f32x16 smallest = choose(turned, -group->largest, group->smallest);
    f32x16 largest = choose(turned, -group->smallest, group->largest);
    f32x16 base = (largest - smallest) / span;
    f32x16 plain_low = clamp_low(nearest(smallest * inverse(base)));
    fit_points plain_points = {plain_low, plain_low + span, NULL};
    fit_best best = no_best();
    if (!clip) {
        *low = plain_low;
        return half_value(half_bits(base)) * sign;
    }
    settle_half(&best, group, base * sign, 0, plain_points);
    fit_best coarse = no_best();
    fit_ladder ladder = coarse_ladder(grid->bits, group->columns);
    f32x16 center = 0.5f * (largest + smallest);
    for (float t = ladder.from; t >= ladder.to; t *= ladder.ratio) {
        f32x16 scale = base * t;
        f32x16 middle = larger(splat(-1e4f), smaller(splat(1e4f), center * inverse(scale)));
        consider_windows(&coarse, group, scale * sign, nearest(middle - 0.5f * span), span, 1);
    }
    for (int round = 0; round < 2; round++) consider_windows(&coarse, group, coarse.refit, coarse.low, span, 1);
    if (group->columns > SHORT_GROUP) {
        fit_points points = {coarse.low, coarse.low + span, NULL};
        f32x16 start = coarse.refit;
        consider_ladder(&coarse, group, start, FINE_LADDER, &points);
    }
    fit_points points = {coarse.low, coarse.low + span, NULL};
    settle_half(&best, group, coarse.refit, half_reach(grid->bits), points);
    *low = best.low;
    return best.scale;
}

#endif
