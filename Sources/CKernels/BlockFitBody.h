// The kernel of one instruction set: included with BLOCK_FIT_ISA defined and the set's attributes pushed.
#include "BlockFitSuper.h"
#include "BlockFitSuperAffine.h"

static const float nonlinear_points[16] = {
    -127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};

static const scale_grid q8_0_grid = {-127, 127, 128, NULL, 104, 1, 134, false};
static const scale_grid q4_0_grid = {-8, 7, 8, NULL, 4, 0.5f, 14, true};
static const scale_grid q5_0_grid = {-16, 15, 16, NULL, 8, 1, 26, true};
static const scale_grid iq4_nl_grid = {-127, 113, 0, nonlinear_points, 76, 12, 160, true};
static const affine_grid q4_1_grid = {15, 12, 2, 22, false, 15};
static const affine_grid q5_1_grid = {31, 26, 4, 42, false, 31};

static const super_grid q6_k_grid = {{-32, 31, 32, NULL, 24, 1, 44, true}, -128, 127, 116, 2, 128, 16};
static const super_grid q3_k_grid = {{-4, 3, 4, NULL, 2, 0.25f, 6, true}, -32, 31, 22, 1, 36, 16};
static const super_affine_grid q4_k_grid = {{15, 12, 2, 22, true, 15}, 63, 55, 4, 67, 8};
static const super_affine_grid q5_k_grid = {{31, 26, 4, 42, true, 31}, 63, 55, 4, 67, 8};
static const super_affine_grid q2_k_grid = {{3, 2, 0.5f, 6, true, 3}, 15, 10, 2, 18, 16};

// Both super-blocks of a tile, one after the other.
INLINE void fit_super_tile(
    const super_grid *grid, const float *weights, const float *importance, const fettle_block_fit *fit) {
    for (int block = 0; block < 2; block++) {
        lane_storage storage;
        lane_tile tile = {storage.weights, storage.importance};
        load_tile(&tile, weights + block * 256, importance + block * 256, 16, 16);
        fit_super_block(&tile, grid, fit->codes + block * 256, fit->scales + block, fit->scale_levels + block * 16);
    }
}

// Super-blocks of 8 sub-blocks of 32 side by side, those of 16 sub-blocks of 16 one after the other.
INLINE void fit_super_affine_tile(
    const super_affine_grid *grid, const float *weights, const float *importance, const fettle_block_fit *fit) {
    int length = grid->run == 8 ? 32 : 16;
    for (int first = 0; first < FETTLE_BLOCK_TILE; first += LANES * length) {
        lane_storage storage;
        lane_tile tile = {storage.weights, storage.importance};
        load_tile(&tile, weights + first, importance + first, length, grid->run);
        fit_super_affine_blocks(
            &tile, grid, fit->codes + first, fit->scales + first / 256, fit->minimums + first / 256,
            fit->scale_levels + first / length, fit->minimum_levels + first / length);
    }
}

BLOCK_FIT_ENTRY(BLOCK_FIT_ISA) {
    lane_storage storage;
    lane_tile tile = {storage.weights, storage.importance};
    if (type < FETTLE_BLOCK_Q6_K) load_tile(&tile, weights, importance, 32, 1);
    switch (type) {
    case FETTLE_BLOCK_Q8_0: fit_scale_blocks(&tile, &q8_0_grid, fit); return;
    case FETTLE_BLOCK_Q4_0: fit_scale_blocks(&tile, &q4_0_grid, fit); return;
    case FETTLE_BLOCK_Q5_0: fit_scale_blocks(&tile, &q5_0_grid, fit); return;
    case FETTLE_BLOCK_IQ4_NL: fit_scale_blocks(&tile, &iq4_nl_grid, fit); return;
    case FETTLE_BLOCK_Q4_1: fit_affine_blocks(&tile, &q4_1_grid, fit); return;
    case FETTLE_BLOCK_Q5_1: fit_affine_blocks(&tile, &q5_1_grid, fit); return;
    case FETTLE_BLOCK_Q6_K: fit_super_tile(&q6_k_grid, weights, importance, fit); return;
    case FETTLE_BLOCK_Q3_K: fit_super_tile(&q3_k_grid, weights, importance, fit); return;
    case FETTLE_BLOCK_Q4_K: fit_super_affine_tile(&q4_k_grid, weights, importance, fit); return;
    case FETTLE_BLOCK_Q5_K: fit_super_affine_tile(&q5_k_grid, weights, importance, fit); return;
    case FETTLE_BLOCK_Q2_K: fit_super_affine_tile(&q2_k_grid, weights, importance, fit); return;
    }
}
