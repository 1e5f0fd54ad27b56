// The search for a scale and a minimum: weight = scale x code + minimum, codes from 0 to `highest`. 16 groups of weights at
// once, for blocks and for affine grids.
#ifndef FETTLE_AFFINE_SEARCH_H
#define FETTLE_AFFINE_SEARCH_H

#include "BlockFitLanes.h"

// With r = weight - decoded and p the importance: sums of p r^2, p r, p r code, p code, p code^2.
typedef struct {
    f32x16 error, rest, lean, mass, square;
} affine_sums;

INLINE f32x16 affine_code(f32x16 weight, f32x16 to_codes, f32x16 minimum, float highest) {
    return nearest(clamped((weight - minimum) * to_codes, 0, highest));
}

INLINE affine_sums sum_affine(const lane_tile *tile, float highest, f32x16 scale, f32x16 minimum) {
    f32x16 to_codes = reciprocal(scale);
    affine_sums sums = {splat(0), splat(0), splat(0), splat(0), splat(0)};
    for (int i = 0; i < tile->length; i++) {
        f32x16 code = affine_code(tile->weights[i], to_codes, minimum, highest);
        f32x16 rest = tile->weights[i] - (scale * code + minimum);
        f32x16 weighted = tile->importance[i] * rest;
        f32x16 mass = tile->importance[i] * code;
        sums.error += weighted * rest;
        sums.rest += weighted;
        sums.lean += weighted * code;
        sums.mass += mass;
        sums.square += mass * code;
    }
    return sums;
}

INLINE f32x16 affine_error(const lane_tile *tile, float highest, f32x16 scale, f32x16 minimum) {
    f32x16 to_codes = reciprocal(scale);
    f32x16 error = splat(0);
    for (int i = 0; i < tile->length; i++) {
        f32x16 code = affine_code(tile->weights[i], to_codes, minimum, highest);
        f32x16 rest = tile->weights[i] - (scale * code + minimum);
        error += tile->importance[i] * rest * rest;
    }
    return error;
}

// Scale and minimum of each lane, and their error.
typedef struct {
    f32x16 scale, minimum, error;
} affine_fit;

INLINE void keep_better_affine(affine_fit *best, f32x16 scale, f32x16 minimum, f32x16 error) {
    i32x16 better = error < best->error;
    best->scale = choose(better, scale, best->scale);
    best->minimum = choose(better, minimum, best->minimum);
    best->error = choose(better, error, best->error);
}

// Least squares over scale and minimum for the codes that (scale, minimum) gives; where `only_negative`, a minimum
// above 0 is held at 0. Takes the result where it beats `best`.
INLINE void try_refitted_affine(
    const lane_tile *tile, float highest, bool only_negative, f32x16 scale, f32x16 minimum, affine_fit *best) {
    affine_sums sums = sum_affine(tile, highest, scale, minimum);
    f32x16 determinant = sums.square * tile->total - sums.mass * sums.mass;
    // Equal codes leave the scale undetermined but for rounding errors: only the minimum moves then.
    f32x16 usable = choose(determinant > 1e-5f * sums.square * tile->total, determinant, splat(0));
    f32x16 per_determinant = inverse(usable);
    f32x16 scale_change = (sums.lean * tile->total - sums.rest * sums.mass) * per_determinant;
    f32x16 minimum_change = (sums.rest - sums.mass * scale_change) / tile->total;
    f32x16 error = sums.error - scale_change * sums.lean - minimum_change * sums.rest;
    if (only_negative) {
        i32x16 held = minimum + minimum_change > 0;
        // With the minimum at 0 a rest grows by the old minimum: the sums for that, then the scale alone.
        f32x16 lean = sums.lean + minimum * sums.mass;
        f32x16 held_change = lean * inverse(sums.square);
        f32x16 moved = sums.error + 2 * minimum * sums.rest + minimum * minimum * tile->total;
        f32x16 held_error = moved - held_change * lean;
        scale_change = choose(held, held_change, scale_change);
        minimum_change = choose(held, -minimum, minimum_change);
        error = choose(held, held_error, error);
    }
    keep_better_affine(best, scale + scale_change, minimum + minimum_change, error);
}

// Where a search starts: the range of the weights is `first_top` codes wide, then `step` more, up to `last_top`; and, for
// weights that were on a grid before, which may use any number of its codes, 1, 2, ... up to `gridded`.
typedef struct {
    float highest, first_top, step, last_top;
    bool only_negative;
    float gridded;
} affine_grid;

INLINE void try_start(const lane_tile *tile, const affine_grid *grid, float top, float place, affine_fit *best) {
    f32x16 range = tile->high - tile->low;
    f32x16 scale = range / top;
    f32x16 minimum = tile->low + (range - scale * grid->highest) * place;
    if (grid->only_negative) minimum = smaller(minimum, splat(0));
    try_refitted_affine(tile, grid->highest, grid->only_negative, scale, minimum, best);
}

// Scales around that of `centre`, in parts of a code over the whole range, and minimums, in parts of a code.
INLINE void try_neighbours(
    const lane_tile *tile, const affine_grid *grid, affine_fit centre, float reach, affine_fit *best) {
    for (int wider = -2; wider <= 2; wider++) {
        f32x16 scale = centre.scale * (1 + 0.8f * reach * (float)wider / grid->highest);
        f32x16 middle = centre.minimum + 0.5f * grid->highest * (centre.scale - scale);
        for (int higher = -1; higher <= 1; higher++) {
            f32x16 minimum = middle + centre.scale * (0.3f * reach * (float)higher);
            try_refitted_affine(tile, grid->highest, grid->only_negative, scale, minimum, best);
        }
    }
}

// The best unrounded scale and minimum. The error has many local minima: many starts, each refitted, then three times
// a closer look around the best so far, then alternating assignment and least squares. Measured on SmolLM2's
// matrices, this comes within 1 % of a search from 700 starts.
INLINE affine_fit best_affine(const lane_tile *tile, const affine_grid *grid) {
    affine_fit best = {(tile->high - tile->low) * (1 / grid->highest), tile->low, splat(0)};
    if (grid->only_negative) best.minimum = smaller(best.minimum, splat(0));
    best.error = affine_error(tile, grid->highest, best.scale, best.minimum);
    for (float top = 1; top <= grid->gridded; top += 1) try_start(tile, grid, top, 0, &best);
    // The low end at code 0, the high end at the highest code, and between, with more and more weights clipped.
    for (float top = grid->first_top; top <= grid->last_top; top += grid->step) {
        for (float place = 0; place <= 1; place += 0.25f) try_start(tile, grid, top, place, &best);
    }
    for (float reach = 1; reach >= 0.25f; reach *= 0.5f) try_neighbours(tile, grid, best, reach, &best);
    for (int round = 0; round < 4; round++) {
        try_refitted_affine(tile, grid->highest, grid->only_negative, best.scale, best.minimum, &best);
    }
    return best;
}

#endif
