// The integer kernels with AVX2, FMA and F16C. Pairs of products are summed in 16 bits by vpmaddubsw: codes of up to 7
// bits fit as they are; 8-bit ones are taken as signed numbers, their sign moved to the activation.
#if defined(__x86_64__)

#define LANES 8
#define PANEL 4
#define SOME 2
#define PRODUCTS_PER_CODE 1
#define BLOCKS 1
#define QUERY_ROWS 4
#define SUMS 4
#define EVERY_RANGE(EACH) EACH(4) EACH(5) EACH(6) EACH(7) EACH(8)

#include <immintrin.h>

#include "IntegerTable.h"
#pragma clang attribute push(__attribute__((target("avx2,fma,f16c"))), apply_to = function)
#include "IntegerLanes.h"

INLINE f32v half_to_float(u16v h) { return (f32v)_mm256_cvtph_ps((__m128i)h); }
INLINE f32x16 half_to_float_16(u16x16 h) {
    f32v low = half_to_float(__builtin_shufflevector(h, h, 0, 1, 2, 3, 4, 5, 6, 7));
    f32v high = half_to_float(__builtin_shufflevector(h, h, 8, 9, 10, 11, 12, 13, 14, 15));
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE u16x16 float_to_half_16(f32x16 v) {
    f32v low = __builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7);
    f32v high = __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15);
    u16v a = (u16v)_mm256_cvtps_ph((__m256)low, _MM_FROUND_TO_NEAREST_INT);
    u16v b = (u16v)_mm256_cvtps_ph((__m256)high, _MM_FROUND_TO_NEAREST_INT);
    return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE u8v look_up_16(u8v table, u8v code) { return (u8v)_mm256_shuffle_epi8((__m256i)table, (__m256i)code); }

#include "IntegerUnpack.h"

/// What vpmaddubsw's operand counts from: 8-bit values are moved to -128...127.
INLINE int32_t dot_offset(const int range) { return range == 8 ? 128 : 0; }

/// Steps whose 16-bit sums cannot overflow: 2 * 127 * (2^range - 1) each.
INLINE int steps_in_16_bits(const int range) { return range <= 4 ? 8 : range == 5 ? 4 : range == 6 ? 2 : 1; }

#define OPAQUE(v) __asm__ volatile("" : "+x"(v))
INLINE i32v dot_registers(i32v sum, u8v w, i32v x) {
    return (i32v)_mm256_add_epi16((__m256i)sum, _mm256_maddubs_epi16((__m256i)w, (__m256i)x));
}

INLINE void dot_tile(
    i32v *sum, const int side, const int count, const dot_input in, const int packing, const int range, const int book,
    const int first, const int steps) {
    const __m256i ones = _mm256_set1_epi16(1);
    const int run = steps_in_16_bits(range) < steps ? steps_in_16_bits(range) : steps;
    UNROLL for (int begin = first; begin < first + steps; begin += run) {
        __m256i pairs[PARTS * PANEL];
        UNROLL for (int s = begin; s < begin + run; s++) {
            UNROLL for (int b = 0; b < side; b++) {
                u8v w = unpack_step(in.tile + (size_t)b * in.next, packing, s, in.part);
                if (book) w = look_up(in.tables, w, packing);
                __m256i code = (__m256i)w, magnitude = code;
                if (range == 8) {
                    code = _mm256_xor_si256(code, _mm256_set1_epi8((char)0x80));
                    magnitude = _mm256_abs_epi8(code);
                }
                UNROLL for (int m = 0; m < count; m++) {
                    __m256i four = _mm256_set1_epi32(load_i32(in.x + s * in.stride + m * 4));
                    if (range == 8) four = _mm256_sign_epi8(four, code);
                    __m256i products = _mm256_maddubs_epi16(magnitude, four), *pair = &pairs[b * count + m];
                    *pair = s == begin ? products : _mm256_add_epi16(*pair, products);
                }
            }
        }
        UNROLL for (int m = 0; m < side * count; m++) sum[m] += (i32v)_mm256_madd_epi16(pairs[m], ones);
    }
}

#include "IntegerProducts.h"
#include "IntegerFloatProduct.h"
#include "IntegerQuantize.h"
#include "IntegerElementwise.h"
#define DOT_PAIRS
INLINE i32x16 dot_pairs(i32x16 sum, i16x32 values, int32_t pair) {
    __m256i half[2];
    memcpy(half, &values, sizeof half);
    half[0] = _mm256_madd_epi16(half[0], _mm256_set1_epi32(pair));
    half[1] = _mm256_madd_epi16(half[1], _mm256_set1_epi32(pair));
    i32x16 products;
    memcpy(&products, half, sizeof products);
    return sum + products;
}
#include "CachePairs.h"
#include "CacheStore.h"
#include "HalfCache.h"
#include "IntegerAttention.h"
#define SHIFTED_DOWN
/// v / 2^by rounded down: the instruction takes what is beyond 31 for 31.
INLINE i32v shifted_down(i32v v, i32v by) { return (i32v)_mm256_srav_epi32((__m256i)v, (__m256i)by); }
#include "IntegerOnly.h"
#include "IntegerProbes.h"
#include "IntegerTableBody.h"
#pragma clang attribute pop

const fettle_integer_table fettle_integer_avx2 = TABLE;

#endif
