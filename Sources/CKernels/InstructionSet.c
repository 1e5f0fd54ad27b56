#include "InstructionSet.h"

#if defined(__aarch64__) && defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

bool fettle_isa_supported(fettle_isa isa) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c");
    switch (isa) {
    case FETTLE_SCALAR: return true;
    case FETTLE_AVX2: return avx2;
    case FETTLE_AVX512:
        return avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw")
            && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq")
            && __builtin_cpu_supports("avx512vnni");
    case FETTLE_SDOT: case FETTLE_I8MM: break;
    }
    return false;
#elif defined(__aarch64__) && defined(__linux__)
    const bool dot = (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
    switch (isa) {
    case FETTLE_SCALAR: return true;
    case FETTLE_SDOT: return dot;
    case FETTLE_I8MM: return dot && (getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
    case FETTLE_AVX2: case FETTLE_AVX512: break;
    }
    return false;
#else
    return isa == FETTLE_SCALAR;
#endif
}
