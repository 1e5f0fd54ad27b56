#include "FloatTable.h"

#if defined(__x86_64__)
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#define TABLE fettle_float_avx2
#define LANES 8
#define TILE_ROWS 6
#include "FloatBody.h"
#pragma clang attribute pop
#endif
