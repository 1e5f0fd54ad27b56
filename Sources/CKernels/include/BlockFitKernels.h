// Fits the parameters and codes of GGUF's block types to weights: the search behind Quantization/Blocks.
#ifndef FETTLE_BLOCK_FIT_KERNELS_H
#define FETTLE_BLOCK_FIT_KERNELS_H

#include <stdint.h>

#include "InstructionSet.h"

typedef enum {
    FETTLE_BLOCK_Q8_0,
    FETTLE_BLOCK_Q4_0,
    FETTLE_BLOCK_Q5_0,
    FETTLE_BLOCK_IQ4_NL,
    FETTLE_BLOCK_Q4_1,
    FETTLE_BLOCK_Q5_1,
    FETTLE_BLOCK_Q6_K,
    FETTLE_BLOCK_Q3_K,
    FETTLE_BLOCK_Q4_K,
    FETTLE_BLOCK_Q5_K,
    FETTLE_BLOCK_Q2_K,
} fettle_block_type;

/// Weights that one call fits: 16 blocks of 32, or 2 super-blocks of 256.
enum { FETTLE_BLOCK_TILE = 512 };

/// What was fitted. Pointers that a type has no use for may be NULL; half-precision numbers are bit patterns.
typedef struct {
    uint8_t *codes;           // FETTLE_BLOCK_TILE, in the order of the weights; that of 0 is 8, 16, 32, 4 or (q8_0) 128
    uint16_t *scales;         // 16; of a K type, the scales of its 2 super-blocks
    uint16_t *minimums;       // 16; of a K type, the scales of its minimums
    int8_t *scale_levels;     // K types: one for each sub-block, 16 or 32 in all
    uint8_t *minimum_levels;  // q4_k, q5_k, q2_k: likewise
} fettle_block_fit;

/// Fits FETTLE_BLOCK_TILE weights of magnitude at most 65504, minimising the sum of importance x (weight - decoded)^2 with
/// every parameter rounded as the file stores it. Importances lie in 2^-60...1. The same bytes on every instruction set.
void fettle_fit_blocks(
    fettle_isa isa, fettle_block_type type, const float *weights, const float *importance, fettle_block_fit fit);

#endif
