// Scales and zero points of the integer grids: uniform (one offset for the matrix) and affine (a zero point for each scale).
#ifndef FETTLE_FIT_INTEGERS_H
#define FETTLE_FIT_INTEGERS_H

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

// The candidates of one scale: windows around the middle of the range.
INLINE void consider_middle(
    fit_best *best, const fit_group *group, f32x16 scale, f32x16 sign, f32x16 middle, float span) {
    f32x16 place = smaller(larger(middle * inverse(scale), splat(-1e4f)), splat(1e4f));
    consider_windows(best, group, scale * sign, nearest(place - 0.5f * span), span, 1);
}

// Returns the scale and sets *low to minus the zero point.
INLINE f32x16 fit_affine(const fit_group *group, const fettle_fit_grid *grid, int clip, f32x16 *low) {
    float span = (float)(grid->highest - grid->lowest);
    // Zero points are not negative: the sign of the scale turns the longer side of the weights to the points below zero.
    i32x16 turned = group->largest > -group->smallest;
    f32x16 sign = choose(turned, splat(-1), splat(1));
    f32x16 smallest = choose(turned, -group->largest, group->smallest);
    f32x16 largest = choose(turned, -group->smallest, group->largest);
    // The plain window holds the whole range, and zero.
    f32x16 plain = (larger(largest, splat(0)) - smallest) / span;
    f32x16 plain_low = clamp_low(nearest(smallest * inverse(plain)));
    if (!clip) {
        *low = plain_low;
        return half_value(half_bits(plain)) * sign;
    }
    fit_best best = no_best();
    fit_points plain_points = {plain_low, plain_low + span, NULL};
    settle_half(&best, group, plain * sign, 1, 0, plain_points);
    fit_best coarse = no_best();
    fit_ladder ladder = coarse_ladder(grid->bits, group->columns);
    // A window away from zero reaches its far end with point -255.
    f32x16 base = larger((largest - smallest) / span, -smallest / 255);
    f32x16 middle = 0.5f * (largest + smallest);
    for (float t = ladder.from; t >= ladder.to; t *= ladder.ratio)
        consider_middle(&coarse, group, base * t, sign, middle, span);
    if (group->columns > SHORT_GROUP) {
        for (int fine = 0; fine < 2; fine++) {
            f32x16 center = coarse.refit, center_low = coarse.low;
            fit_ladder finer = FINE_LADDERS[fine];
            for (float t = finer.from; t >= finer.to; t *= finer.ratio)
                consider_windows(&coarse, group, center * t, center_low, span, 1);
        }
    }
    consider_windows(&coarse, group, coarse.refit, coarse.low, span, 1);
    fit_points points = {coarse.low, coarse.low + span, NULL};
    settle_half(&best, group, coarse.refit, 2, half_reach(grid->bits), points);
    *low = best.low;
    return best.scale;
}

#endif
