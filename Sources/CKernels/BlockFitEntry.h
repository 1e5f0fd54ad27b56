// The one entry point of each instruction set.
#ifndef FETTLE_BLOCK_FIT_ENTRY_H
#define FETTLE_BLOCK_FIT_ENTRY_H

#include "BlockFitKernels.h"

#define BLOCK_FIT_NAME(isa) fettle_fit_blocks_##isa
#define BLOCK_FIT_ENTRY(isa)  \
    void BLOCK_FIT_NAME(isa)( \
        fettle_block_type type, const float *weights, const float *importance, const fettle_block_fit *fit)

BLOCK_FIT_ENTRY(scalar);
BLOCK_FIT_ENTRY(avx2);
BLOCK_FIT_ENTRY(avx512);

#endif
