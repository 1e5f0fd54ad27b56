// The fit kernels for AVX-512.
#include "FitEntries.h"

#if defined(__x86_64__)
#define ENTRY(name) fettle_fit_##name##_avx512
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), apply_to = function)
#include "FitBody.h"
#pragma clang attribute pop
#endif
