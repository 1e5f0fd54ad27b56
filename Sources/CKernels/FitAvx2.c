// The fit kernels for AVX2.
#include "FitEntries.h"

#if defined(__x86_64__)
#define ENTRY(name) fettle_fit_##name##_avx2
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "FitBody.h"
#pragma clang attribute pop
#endif
