#include "FloatTable.h"

#if defined(__x86_64__)
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), apply_to = function)
#define TABLE fettle_float_avx512
#define LANES 16
#define TILE_ROWS 8
#include "FloatBody.h"
#pragma clang attribute pop
#endif
