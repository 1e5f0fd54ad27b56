// Blocks with a scale and a minimum: weight = scale x code + minimum, codes from 0 to `highest`.
#ifndef FETTLE_BLOCK_FIT_AFFINE_H
#define FETTLE_BLOCK_FIT_AFFINE_H

#include "AffineSearch.h"

// For the half-precision scale, the best half-precision minimum, and both where they beat `best`.
INLINE void try_half_scale(const lane_tile *tile, float highest, f32x16 scale, f32x16 minimum, affine_fit *best) {
    affine_sums sums = sum_affine(tile, highest, scale, minimum);
    f32x16 refitted = half_rounded(minimum + sums.rest / tile->total);
    keep_better_affine(best, scale, refitted, affine_error(tile, highest, scale, refitted));
    f32x16 rounded = half_rounded(minimum);
    keep_better_affine(best, scale, rounded, affine_error(tile, highest, scale, rounded));
}

// Weights that lie on a grid already leave an error of roundings alone, yet their minimum may have been put a number of
// codes away from its place, where half precision does not hold it. Tries every shift in such lanes.
INLINE void recover_shift(const lane_tile *tile, float highest, f32x16 scale, f32x16 minimum, affine_fit *best) {
    f32x16 deviation = tile->high - tile->low;
    i32x16 suspicious = (best->error > 0) & (best->error < 1e-5f * deviation * deviation * tile->total);
    int any = 0;
    for (int lane = 0; lane < LANES; lane++) any |= suspicious[lane];
    if (!any) return;
    f32x16 rounded_scale = half_rounded(scale);
    for (float shift = -highest; shift <= highest; shift += 1) {
        f32x16 shifted = half_rounded(minimum + scale * shift);
        f32x16 error = affine_error(tile, highest, rounded_scale, shifted);
        keep_better_affine(best, rounded_scale, shifted, choose(suspicious, error, best->error));
    }
}

INLINE void fit_affine_blocks(const lane_tile *tile, const affine_grid *grid, const fettle_block_fit *fit) {
    affine_fit real = best_affine(tile, grid);
    affine_fit refitted = real;
    affine_fit best = {half_rounded(real.scale), half_rounded(real.minimum), splat(0)};
    best.error = affine_error(tile, grid->highest, best.scale, best.minimum);
    for (int round = 0; round < 2; round++) {
        f32x16 spacing = half_spacing(refitted.scale);
        for (int step = -1; step <= 1; step++) {
            f32x16 scale = half_rounded(refitted.scale + spacing * (float)step);
            try_half_scale(tile, grid->highest, scale, refitted.minimum, &best);
        }
        refitted = best;
        refitted.error = splat(__builtin_inff());
        try_refitted_affine(tile, grid->highest, false, best.scale, best.minimum, &refitted);
    }
    recover_shift(tile, grid->highest, real.scale, real.minimum, &best);
    f32x16 to_codes = reciprocal(best.scale);
    for (int i = 0; i < tile->length; i++) {
        f32x16 code = affine_code(tile->weights[i], to_codes, best.minimum, grid->highest);
        for (int lane = 0; lane < LANES; lane++) fit->codes[lane * tile->length + i] = (uint8_t)code[lane];
    }
    store_halves(best.scale, fit->scales, 1, LANES);
    store_halves(best.minimum, fit->minimums, 1, LANES);
}

#endif
