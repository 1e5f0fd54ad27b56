// The instruction sets that kernels exist for, and which of them this processor has.
#ifndef FETTLE_INSTRUCTION_SET_H
#define FETTLE_INSTRUCTION_SET_H

#include <stdbool.h>

typedef enum {
    FETTLE_SCALAR = 0,
    FETTLE_AVX2 = 1,  // AVX2, FMA, F16C
    FETTLE_AVX512 = 2,  // AVX-512 F, BW, VL, DQ and VNNI
} fettle_isa;

/// Whether this processor runs the kernels of `isa`. Scalar kernels run everywhere.
bool fettle_isa_supported(fettle_isa isa);

#endif
