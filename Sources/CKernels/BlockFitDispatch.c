// Sends a fit to the kernel of the instruction set asked for.
#include "BlockFitEntry.h"

void fettle_fit_blocks(
    fettle_isa isa, fettle_block_type type, const float *weights, const float *importance, fettle_block_fit fit) {
#if defined(__x86_64__)
    switch (isa) {
    case FETTLE_AVX512: fettle_fit_blocks_avx512(type, weights, importance, &fit); return;
    case FETTLE_AVX2: fettle_fit_blocks_avx2(type, weights, importance, &fit); return;
    default: break;
    }
#else
    (void)isa;
#endif
    fettle_fit_blocks_scalar(type, weights, importance, &fit);
}
