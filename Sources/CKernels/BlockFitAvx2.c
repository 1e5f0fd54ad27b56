// The block fit for AVX2.
#include "BlockFitEntry.h"

#if defined(__x86_64__)
#define BLOCK_FIT_ISA avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "BlockFitBody.h"
#pragma clang attribute pop
#endif
