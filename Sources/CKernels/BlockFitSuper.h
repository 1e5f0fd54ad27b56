// Super-blocks whose sub-blocks have a scale alone: weight = scale x level x point, one half-precision scale for a
// run of lanes, a signed integer level for each lane (q6_k, q3_k).
#ifndef FETTLE_BLOCK_FIT_SUPER_H
#define FETTLE_BLOCK_FIT_SUPER_H

#include "BlockFitScale.h"

// A sub-block's points and the range of its levels. Starts put the largest sub-block scale at first_level and so on.
typedef struct {
    scale_grid points;
    float lowest_level, highest_level;
    float first_level, step, last_level;
    int run;
} super_grid;

// Super-scale (the same in a run of lanes), level of each lane, and the error of each run.
typedef struct {
    f32x16 scale, level, error;
} super_fit;

// Levels for a super-scale: of those next to the ideal scale of each lane, the one with the least true error.
INLINE void try_super_scale(
    const lane_tile *tile, const super_grid *grid, f32x16 scale, f32x16 ideal, super_fit *best) {
    f32x16 middle = nearest(clamped(ideal * reciprocal(scale), grid->lowest_level, grid->highest_level));
    f32x16 level = middle;
    f32x16 error = scale_error(tile, &grid->points, scale * middle);
    for (int step = -1; step <= 1; step += 2) {
        f32x16 other = clamped(middle + (float)step, grid->lowest_level, grid->highest_level);
        f32x16 other_error = scale_error(tile, &grid->points, scale * other);
        i32x16 better = other_error < error;
        level = choose(better, other, level);
        error = choose(better, other_error, error);
    }
    f32x16 total = run_sum(error, grid->run);
    i32x16 better = total < best->error;
    best->scale = choose(better, scale, best->scale);
    best->level = choose(better, level, best->level);
    best->error = choose(better, total, best->error);
}

INLINE void fit_super_block(
    const lane_tile *tile, const super_grid *grid, uint8_t *codes, uint16_t *scale, int8_t *levels) {
    f32x16 ideal = best_scale(tile, &grid->points);
    f32x16 largest = run_maximum(magnitude(ideal), grid->run);
    super_fit best = {splat(0), splat(0), splat(__builtin_inff())};
    for (float top = grid->first_level; top <= grid->last_level; top += grid->step) {
        f32x16 start = half_rounded(largest / top);
        try_super_scale(tile, grid, start, ideal, &best);
        try_super_scale(tile, grid, -start, ideal, &best);
    }
    for (int round = 0; round < 3; round++) {
        // Least squares: the super-scale for the points and levels so far, and each lane's ideal scale for its points.
        scale_sums sums = sum_scale(tile, &grid->points, best.scale * best.level);
        ideal = best.scale * best.level + sums.lean * inverse(sums.mass);
        f32x16 lean = run_sum(sums.lean * best.level, grid->run);
        f32x16 mass = run_sum(sums.mass * best.level * best.level, grid->run);
        f32x16 refitted = best.scale + lean * inverse(mass);
        for (int step = -1; step <= 1; step++) {
            f32x16 near = half_rounded(refitted + half_spacing(refitted) * (float)step);
            try_super_scale(tile, grid, near, ideal, &best);
        }
    }
    store_points(tile, &grid->points, best.scale * best.level, codes);
    store_halves(best.scale, scale, 1, 1);
    for (int lane = 0; lane < LANES; lane++) levels[lane] = (int8_t)best.level[lane];
}

#endif
