// The block fit for AVX-512.
#include "BlockFitEntry.h"

#if defined(__x86_64__)
#define BLOCK_FIT_ISA avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), apply_to = function)
#include "BlockFitBody.h"
#pragma clang attribute pop
#endif
