#include "InstructionSet.h"

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
    }
    return false;
#else
    return isa == FETTLE_SCALAR;
#endif
}
