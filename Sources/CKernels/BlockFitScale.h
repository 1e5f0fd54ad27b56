// Blocks with a scale alone: weight = scale x point, the points evenly spaced or those of a table.
#ifndef FETTLE_BLOCK_FIT_SCALE_H
#define FETTLE_BLOCK_FIT_SCALE_H

#include "BlockFitLanes.h"

// The points of a block type and where its search starts. Constant at every call, so that what is inlined is unrolled.
typedef struct {
    float lowest, highest;  // evenly spaced points are the integers between
    float zero;             // the code of point 0
    const float *table;     // or 16 points, ascending; NULL for even spacing
    // Starts: the largest magnitude is put at each of first_top, first_top + step, ... up to last_top.
    float first_top, step, last_top;
    bool both_signs;        // whether a negative scale makes a difference
} scale_grid;

// The point nearest to a.
INLINE f32x16 nearest_point(f32x16 a, const scale_grid *grid) {
    if (!grid->table) return nearest(clamped(a, grid->lowest, grid->highest));
    f32x16 point = splat(grid->table[0]);
    for (int i = 1; i < 16; i++) {
        point = choose(a > 0.5f * (grid->table[i - 1] + grid->table[i]), splat(grid->table[i]), point);
    }
    return point;
}

// With r = weight - scale x point and p the importance: sums of p r^2, p r point, p point^2.
typedef struct {
    f32x16 error, lean, mass;
} scale_sums;

INLINE scale_sums sum_scale(const lane_tile *tile, const scale_grid *grid, f32x16 scale) {
    f32x16 to_points = reciprocal(scale);
    scale_sums sums = {splat(0), splat(0), splat(0)};
    for (int i = 0; i < tile->length; i++) {
        f32x16 point = nearest_point(tile->weights[i] * to_points, grid);
        f32x16 rest = tile->weights[i] - scale * point;
        f32x16 weighted = tile->importance[i] * rest;
        sums.error += weighted * rest;
        sums.lean += weighted * point;
        sums.mass += tile->importance[i] * point * point;
    }
    return sums;
}

INLINE f32x16 scale_error(const lane_tile *tile, const scale_grid *grid, f32x16 scale) {
    f32x16 to_points = reciprocal(scale);
    f32x16 error = splat(0);
    for (int i = 0; i < tile->length; i++) {
        f32x16 rest = tile->weights[i] - scale * nearest_point(tile->weights[i] * to_points, grid);
        error += tile->importance[i] * rest * rest;
    }
    return error;
}

// Where `scale` with its points refitted by least squares beats `best`, takes it.
INLINE void try_refitted(
    const lane_tile *tile, const scale_grid *grid, f32x16 scale, f32x16 *best, f32x16 *best_error) {
    scale_sums sums = sum_scale(tile, grid, scale);
    f32x16 change = sums.lean * inverse(sums.mass);
    f32x16 error = sums.error - change * sums.lean;
    i32x16 better = error < *best_error;
    *best = choose(better, scale + change, *best);
    *best_error = choose(better, error, *best_error);
}

enum { ZOOM_STEPS = 4 };

// The best unrounded scale: many starts, each refitted once, then a closer look around the best of them.
INLINE f32x16 best_scale(const lane_tile *tile, const scale_grid *grid) {
    f32x16 peak = larger(magnitude(tile->low), magnitude(tile->high));
    f32x16 best = peak * (1.0f / grid->highest);
    f32x16 best_error = scale_error(tile, grid, best);
    for (float top = grid->first_top; top <= grid->last_top; top += grid->step) {
        f32x16 scale = peak / top;
        try_refitted(tile, grid, scale, &best, &best_error);
        if (grid->both_signs) try_refitted(tile, grid, -scale, &best, &best_error);
    }
    // A start is a step of the top away from the next; the zoom covers that distance on both sides.
    f32x16 centre = best;
    float reach = grid->step / grid->highest;
    for (int step = -ZOOM_STEPS; step <= ZOOM_STEPS; step++) {
        if (step == 0) continue;
        float factor = 1 + reach * (float)step / ZOOM_STEPS;
        try_refitted(tile, grid, centre * factor, &best, &best_error);
    }
    return best;
}

enum { ROUNDS = 2 };

// The best scale that half precision holds, judged by the error that it then truly has.
INLINE f32x16 best_half_scale(const lane_tile *tile, const scale_grid *grid) {
    f32x16 refitted = best_scale(tile, grid);
    f32x16 best = half_rounded(refitted);
    f32x16 best_error = scale_error(tile, grid, best);
    for (int round = 0; round < ROUNDS; round++) {
        f32x16 spacing = half_spacing(refitted);
        for (int step = -1; step <= 1; step++) {
            f32x16 scale = half_rounded(refitted + spacing * (float)step);
            f32x16 error = scale_error(tile, grid, scale);
            i32x16 better = error < best_error;
            best = choose(better, scale, best);
            best_error = choose(better, error, best_error);
        }
        scale_sums sums = sum_scale(tile, grid, best);
        refitted = best + sums.lean * inverse(sums.mass);
    }
    return best;
}

// Codes of the points nearest to the weights. Lane l's go to l x length and after.
INLINE void store_points(const lane_tile *tile, const scale_grid *grid, f32x16 scale, uint8_t *codes) {
    f32x16 to_points = reciprocal(scale);
    for (int i = 0; i < tile->length; i++) {
        f32x16 point = nearest_point(tile->weights[i] * to_points, grid);
        f32x16 code = point + grid->zero;
        if (grid->table) {
            code = splat(0);
            for (int j = 0; j < 15; j++) code += choose(point > grid->table[j], splat(1), splat(0));
        }
        for (int lane = 0; lane < LANES; lane++) codes[lane * tile->length + i] = (uint8_t)code[lane];
    }
}

INLINE void fit_scale_blocks(const lane_tile *tile, const scale_grid *grid, const fettle_block_fit *fit) {
    f32x16 scale = best_half_scale(tile, grid);
    store_points(tile, grid, scale, fit->codes);
    store_halves(scale, fit->scales, 1, LANES);
}

#endif
