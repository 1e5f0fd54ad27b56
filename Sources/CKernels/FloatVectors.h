// Vectors of 16 floats and what is computed lane by lane in them. Private to the Float*_<isa>.c files; the compiler
// splits the vectors into what the instruction set has, which changes no lane's result.
#include "FloatTable.h"

#pragma STDC FP_CONTRACT OFF
// How a wide vector is passed does not matter: every function that takes one is inlined.
#pragma clang diagnostic ignored "-Wpsabi"

typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef float f32x8 __attribute__((ext_vector_type(8)));
typedef float f32x16 __attribute__((ext_vector_type(16)));
typedef int32_t i32x16 __attribute__((ext_vector_type(16)));
typedef double f64x8 __attribute__((ext_vector_type(8)));
typedef double f64x4 __attribute__((ext_vector_type(4)));

#define INLINE static inline __attribute__((always_inline))

INLINE f32x16 load16(const float *source) {
    f32x16 result;
    memcpy(&result, source, sizeof result);
    return result;
}

INLINE void store16(float *target, f32x16 value) {
    memcpy(target, &value, sizeof value);
}

// The first `count` < 16 numbers, `fill` behind them.
INLINE f32x16 load_part(const float *source, long count, float fill) {
    f32x16 result = fill;
    memcpy(&result, source, (size_t)count * sizeof(float));
    return result;
}

INLINE void store_part(float *target, f32x16 value, long count) {
    memcpy(target, &value, (size_t)count * sizeof(float));
}

INLINE f32x16 choose(i32x16 mask, f32x16 yes, f32x16 no) {
    return (f32x16)(((i32x16)yes & mask) | ((i32x16)no & ~mask));
}

INLINE f32x16 larger(f32x16 a, f32x16 b) {
    return choose(a > b, a, b);
}

INLINE float sum16(f32x16 v) {
    f32x8 eight = v.lo + v.hi;
    f32x4 four = eight.lo + eight.hi;
    return (four.x + four.z) + (four.y + four.w);
}

INLINE double sum8(f64x8 v) {
    f64x4 four = v.lo + v.hi;
    return (four.x + four.z) + (four.y + four.w);
}

INLINE float max16(f32x16 v) {
    float result = v[0];
    for (int lane = 1; lane < 16; lane++) result = v[lane] > result ? v[lane] : result;
    return result;
}

// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2; coefficients of Cephes' expf. The power of two is applied
// in two halves, so that results below the normal range are rounded once.
INLINE f32x16 exp16(f32x16 x) {
    const float magic = 0x1.8p23f;  // a float this large has no fraction: adding it rounds to an integer
    x = choose(x > 89.0f, (f32x16)89.0f, x);
    x = choose(x < -104.0f, (f32x16)-104.0f, x);
    f32x16 shifted = __builtin_elementwise_fma(x, (f32x16)1.44269504088896341f, (f32x16)magic);
    f32x16 n = shifted - magic;
    f32x16 r = __builtin_elementwise_fma(n, (f32x16)-0.693359375f, x);
    r = __builtin_elementwise_fma(n, (f32x16)2.12194440e-4f, r);
    f32x16 p = 1.9875691500e-4f;
    p = __builtin_elementwise_fma(p, r, (f32x16)1.3981999507e-3f);
    p = __builtin_elementwise_fma(p, r, (f32x16)8.3334519073e-3f);
    p = __builtin_elementwise_fma(p, r, (f32x16)4.1665795894e-2f);
    p = __builtin_elementwise_fma(p, r, (f32x16)1.6666665459e-1f);
    p = __builtin_elementwise_fma(p, r, (f32x16)5.0000001201e-1f);
    f32x16 y = __builtin_elementwise_fma(p, r * r, r) + 1.0f;
    i32x16 exponent = (i32x16)shifted - (i32x16)(f32x16)magic;
    i32x16 half = exponent >> 1;
    f32x16 low = (f32x16)((half + 127) << 23);
    f32x16 high = (f32x16)((exponent - half + 127) << 23);
    return y * low * high;
}

INLINE float row_max(const float *row, long count) {
    f32x16 largest = -INFINITY;
    long i = 0;
    for (; i + 16 <= count; i += 16) largest = larger(load16(row + i), largest);
    if (i < count) largest = larger(load_part(row + i, count - i, -INFINITY), largest);
    return max16(largest);
}
