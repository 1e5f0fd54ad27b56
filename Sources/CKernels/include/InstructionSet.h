// The instruction sets that kernels exist for, and which of them this processor has.
#ifndef FETTLE_INSTRUCTION_SET_H
#define FETTLE_INSTRUCTION_SET_H

#include <stdbool.h>

typedef enum {
    FETTLE_SCALAR = 0,
    FETTLE_AVX2 = 1,  // AVX2, FMA, F16C
    FETTLE_AVX512 = 2,  // AVX-512 F, BW, VL, DQ and VNNI
    FETTLE_SDOT = 3,  // Arm's NEON with the dot product of signed bytes (Armv8.2)
    FETTLE_I8MM = 4,  // the same, and products of 2 x 8 by 8 x 2 bytes (Armv8.6)
} fettle_isa;

/// Whether this processor runs the kernels of `isa`. Scalar kernels run everywhere. Arm's sets have kernels of their own
/// for the integer runtime alone; the other kernels are the scalar ones, which compilers turn into NEON.
bool fettle_isa_supported(fettle_isa isa);

#endif
