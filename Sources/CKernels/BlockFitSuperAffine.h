// Super-blocks whose sub-blocks have a scale and a minimum: weight = scale x level x code - minimum scale x minimum
// level, two half-precision scales for a run of lanes, two unsigned integer levels for each lane (q4_k, q5_k, q2_k).
#ifndef FETTLE_BLOCK_FIT_SUPER_AFFINE_H
#define FETTLE_BLOCK_FIT_SUPER_AFFINE_H

#include "BlockFitAffine.h"

// A sub-block's codes and the highest level. Starts put the largest scale and minimum at first_level and so on.
typedef struct {
    affine_grid codes;
    float highest_level, first_level, step, last_level;
    int run;
} super_affine_grid;

// The two super-scales (the same in a run of lanes), the levels of each lane, and the error of each run.
typedef struct {
    f32x16 scale, minimum_scale, level, minimum_level, error;
} super_affine_fit;

// Levels for two super-scales: of those next to the ideal of each lane, the pair with the least true error. For each
// level of the scale the minimum is refitted to the codes that it gives.
INLINE void try_super_scales(
    const lane_tile *tile, const super_affine_grid *grid, f32x16 scale, f32x16 minimum_scale, affine_fit ideal,
    super_affine_fit *best) {
    float highest = grid->codes.highest;
    f32x16 per_minimum = reciprocal(minimum_scale);
    f32x16 middle = nearest(clamped(ideal.scale * reciprocal(scale), 0, grid->highest_level));
    f32x16 first_minimum = nearest(clamped(-ideal.minimum * per_minimum, 0, grid->highest_level));
    f32x16 level = middle, minimum_level = first_minimum, error = splat(__builtin_inff());
    for (int step = -1; step <= 1; step++) {
        f32x16 tried = clamped(middle + (float)step, 0, grid->highest_level);
        f32x16 step_scale = scale * tried;
        affine_sums sums = sum_affine(tile, highest, step_scale, -(minimum_scale * first_minimum));
        f32x16 minimum = sums.rest / tile->total - minimum_scale * first_minimum;
        f32x16 second_minimum = nearest(clamped(-minimum * per_minimum, 0, grid->highest_level));
        f32x16 second_error = affine_error(tile, highest, step_scale, -(minimum_scale * second_minimum));
        i32x16 first_better = sums.error <= second_error;
        f32x16 step_error = choose(first_better, sums.error, second_error);
        i32x16 better = step_error < error;
        level = choose(better, tried, level);
        minimum_level = choose(better, choose(first_better, first_minimum, second_minimum), minimum_level);
        error = choose(better, step_error, error);
    }
    f32x16 total = run_sum(error, grid->run);
    i32x16 better = total < best->error;
    best->scale = choose(better, scale, best->scale);
    best->minimum_scale = choose(better, minimum_scale, best->minimum_scale);
    best->level = choose(better, level, best->level);
    best->minimum_level = choose(better, minimum_level, best->minimum_level);
    best->error = choose(better, total, best->error);
}

// Least squares over both super-scales for the codes and levels of `best`, the neighbours in half precision, and levels
// again.
INLINE void refine_super_scales(
    const lane_tile *tile, const super_affine_grid *grid, affine_fit ideal, super_affine_fit *best) {
    f32x16 minimum = -(best->minimum_scale * best->minimum_level);
    affine_sums sums = sum_affine(tile, grid->codes.highest, best->scale * best->level, minimum);
    // With x = level x code and y = -minimum level: sums of p x^2, p x y, p y^2, p r x, p r y.
    f32x16 xx = run_sum(sums.square * best->level * best->level, grid->run);
    f32x16 xy = -run_sum(sums.mass * best->level * best->minimum_level, grid->run);
    f32x16 yy = run_sum(tile->total * best->minimum_level * best->minimum_level, grid->run);
    f32x16 rx = run_sum(sums.lean * best->level, grid->run);
    f32x16 ry = -run_sum(sums.rest * best->minimum_level, grid->run);
    f32x16 determinant = xx * yy - xy * xy;
    f32x16 per_determinant = inverse(choose(determinant > 1e-5f * xx * yy, determinant, splat(0)));
    f32x16 scale = best->scale + (rx * yy - ry * xy) * per_determinant;
    f32x16 minimum_scale = best->minimum_scale + (ry * xx - rx * xy) * per_determinant;
    for (int step = -1; step <= 1; step++) {
        f32x16 near = half_rounded(scale + half_spacing(scale) * (float)step);
        try_super_scales(tile, grid, near, half_rounded(minimum_scale), ideal, best);
    }
}

// Super-blocks in both runs of eight lanes, or one in all sixteen. Scales go to `scales` and `minimums`, one for each
// run.
INLINE void fit_super_affine_blocks(
    const lane_tile *tile, const super_affine_grid *grid, uint8_t *codes, uint16_t *scales, uint16_t *minimums,
    int8_t *levels, uint8_t *minimum_levels) {
    affine_fit ideal = best_affine(tile, &grid->codes);
    f32x16 largest = run_maximum(ideal.scale, grid->run);
    f32x16 largest_minimum = run_maximum(-ideal.minimum, grid->run);
    super_affine_fit best = {splat(0), splat(0), splat(0), splat(0), splat(__builtin_inff())};
    for (float top = grid->first_level; top <= grid->last_level; top += grid->step) {
        for (float minimum_top = grid->first_level; minimum_top <= grid->last_level; minimum_top += grid->step) {
            f32x16 minimum_scale = half_rounded(largest_minimum / minimum_top);
            try_super_scales(tile, grid, half_rounded(largest / top), minimum_scale, ideal, &best);
        }
    }
    for (int round = 0; round < 3; round++) refine_super_scales(tile, grid, ideal, &best);
    f32x16 to_codes = reciprocal(best.scale * best.level);
    f32x16 minimum = -(best.minimum_scale * best.minimum_level);
    for (int i = 0; i < tile->length; i++) {
        f32x16 code = affine_code(tile->weights[i], to_codes, minimum, grid->codes.highest);
        for (int lane = 0; lane < LANES; lane++) codes[lane * tile->length + i] = (uint8_t)code[lane];
    }
    for (int lane = 0; lane < LANES; lane++) {
        levels[lane] = (int8_t)best.level[lane];
        minimum_levels[lane] = (uint8_t)best.minimum_level[lane];
        if (lane % grid->run != 0) continue;
        store_halves(splat(best.scale[lane]), scales++, 1, 1);
        store_halves(splat(best.minimum_scale[lane]), minimums++, 1, 1);
    }
}

#endif
