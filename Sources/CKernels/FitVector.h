// Vectors of 16 lanes for the fit kernels, a lane being a row. The same operations in the same order on every instruction
// set, no fused multiply-add among them (baseline x86-64 has none), so that every result is the same bits everywhere.
#ifndef FETTLE_FIT_VECTOR_H
#define FETTLE_FIT_VECTOR_H

#include <stddef.h>
#include <stdint.h>

#pragma STDC FP_CONTRACT OFF
// Every function here is inlined: no vector ever crosses a call, whose convention would depend on the instruction set.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float f32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));

#define INLINE static inline __attribute__((always_inline))

enum { LANES = 16 };

INLINE f32x16 splat(float value) { return value - (f32x16){0}; }

// Where the mask (0 or -1 in each lane) is set, a, else b.
INLINE f32x16 choose(i32x16 mask, f32x16 a, f32x16 b) {
    return (f32x16)((mask & (i32x16)a) | (~mask & (i32x16)b));
}

INLINE f32x16 smaller(f32x16 a, f32x16 b) { return choose(a < b, a, b); }
INLINE f32x16 larger(f32x16 a, f32x16 b) { return choose(b < a, a, b); }
INLINE f32x16 magnitude(f32x16 a) { return (f32x16)((i32x16)a & 0x7fffffff); }

// The nearest integer, ties to even, for |a| < 2^22: the sum has no bits left for a fraction.
INLINE f32x16 nearest(f32x16 a) { return (a + 12582912.0f) - 12582912.0f; }

// 1 / a, and 0 for 0.
INLINE f32x16 inverse(f32x16 a) {
    i32x16 zero = a == 0;
    return choose(zero, splat(0), 1.0f / choose(zero, splat(1), a));
}

enum { LARGEST_HALF = 0x7bff };

// The bits of the nearest half, ties to even, for a >= 0; the largest finite one where a is beyond it.
INLINE i32x16 half_bits(f32x16 a) {
    i32x16 bits = (i32x16)a;
    i32x16 normal = ((bits + 0xfff + ((bits >> 13) & 1)) >> 13) - (112 << 10);
    // The last place of 0.5 is 2^-24, as that of a subnormal half.
    i32x16 subnormal = (i32x16)(a + 0.5f) - (i32x16)splat(0.5f);
    i32x16 small = a < 0x1p-14f;
    i32x16 result = (small & subnormal) | (~small & normal);
    i32x16 beyond = a > 65504.0f;
    return (beyond & LARGEST_HALF) | (~beyond & result);
}

// The number of a half without sign.
INLINE f32x16 half_value(i32x16 bits) {
    f32x16 normal = (f32x16)((bits << 13) + (112 << 23));
    f32x16 subnormal = __builtin_convertvector(bits, f32x16) * 0x1p-24f;
    return choose(bits < 0x400, subnormal, normal);
}

// Loads 16 halves, `stride` apart; lanes from `rows` on are 0.
INLINE f32x16 load_halves(const uint16_t *halves, size_t stride, int rows) {
    i32x16 bits = {0};
    for (int row = 0; row < rows; row++) bits[row] = halves[(size_t)row * stride];
    f32x16 value = half_value(bits & 0x7fff);
    return (f32x16)((i32x16)value | ((bits & 0x8000) << 16));
}

// Stores numbers that are halves already.
INLINE void store_halves(f32x16 value, uint16_t *halves, size_t stride, int rows) {
    i32x16 bits = half_bits(magnitude(value)) | (((i32x16)value >> 16) & 0x8000);
    for (int row = 0; row < rows; row++) halves[(size_t)row * stride] = (uint16_t)bits[row];
}

#endif
