// The integer kernels with AVX-512 and VNNI: vpdpbusd sums four products of unsigned codes and signed activations in 32
// bits, exactly.
#if defined(__x86_64__)

#define LANES 16
#define PANEL 6
#define SOME 2
#define PRODUCTS_PER_CODE 1
#define BLOCKS 2
#define QUERY_ROWS 8
#define SUMS 16
#define EVERY_RANGE(EACH) EACH(8)

#include <immintrin.h>

#include "IntegerTable.h"
#pragma clang attribute push( \
    __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni,avx2,fma,f16c"))), apply_to = function)
#include "IntegerLanes.h"

INLINE f32x16 half_to_float_16(u16x16 h) { return (f32x16)_mm512_cvtph_ps((__m256i)h); }
INLINE f32v half_to_float(u16v h) { return half_to_float_16(h); }

INLINE u16x16 float_to_half_16(f32x16 v) { return (u16x16)_mm512_cvtps_ph((__m512)v, _MM_FROUND_TO_NEAREST_INT); }

INLINE u8v look_up_16(u8v table, u8v code) { return (u8v)_mm512_shuffle_epi8((__m512i)table, (__m512i)code); }

#include "IntegerUnpack.h"

INLINE int32_t dot_offset(const int range) { (void)range; return 0; }

INLINE i32v broadcast(const int8_t *x) { return (i32v){0} + load_i32(x); }
INLINE i32v dot_step(i32v sum, u8v w, i32v x) {
    return (i32v)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x);
}

#define OPAQUE(v) __asm__ volatile("" : "+v"(v))
INLINE i32v dot_registers(i32v sum, u8v w, i32v x) { return dot_step(sum, w, x); }

INLINE void dot_tile(
    i32v *sum, const int side, const int count, const dot_input in, const int packing, const int range, const int book,
    const int first, const int steps) {
    (void)range;
    if (count == 1 && packing == 4 && !book && steps == 8) {
        // High halves of a byte stay where they are, and their sum, sixteen times too large, is shifted: not each line of them.
        i32v high = {0};
        UNROLL for (int s = 0; s < 4; s++) {
            const u8v w = load_u8v(in.tile + s * LINE);
            sum[0] = dot_step(sum[0], w & 15, broadcast(in.x + s * in.stride));
            high = dot_step(high, w & 0xf0, broadcast(in.x + (s + 4) * in.stride));
        }
        sum[0] += high >> 4;
        return;
    }
    i32v odd = {0};  // one token: two chains hide the instruction's latency
    UNROLL for (int s = first; s < first + steps; s++) {
        u8v w[BLOCKS];
        UNROLL for (int b = 0; b < side; b++) {
            w[b] = unpack_step(in.tile + (size_t)b * in.next, packing, s, in.part);
            if (book) w[b] = look_up(in.tables, w[b], packing);
        }
        const int8_t *x = in.x + s * in.stride;
        if (count == 1 && (s & 1)) {
            odd = dot_step(odd, w[0], broadcast(x));
            continue;
        }
        UNROLL for (int m = 0; m < count; m++) {
            const i32v four = broadcast(x + m * 4);
            UNROLL for (int b = 0; b < side; b++) sum[b * count + m] = dot_step(sum[b * count + m], w[b], four);
        }
    }
    if (count == 1) sum[0] += odd;
}

#include "IntegerProducts.h"
#include "IntegerFloatProduct.h"
#include "IntegerQuantize.h"
#include "IntegerElementwise.h"
#define DOT_PAIRS
/// As an instruction of its own: the compiler makes a product and a sum of the intrinsic, which take twice the issue slots.
INLINE i32x16 dot_pairs(i32x16 sum, i16x32 values, int32_t pair) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(sum) : "v"(values), "v"(_mm512_set1_epi32(pair)));
    return sum;
}
#include "CachePairs.h"
#include "CacheStore.h"
#include "HalfCache.h"
#include "IntegerAttention.h"
#define SHIFTED_DOWN
/// v / 2^by rounded down: the instruction takes what is beyond 31 for 31.
INLINE i32v shifted_down(i32v v, i32v by) { return (i32v)_mm512_srav_epi32((__m512i)v, (__m512i)by); }
#define TIMES_SMALL
/// a * b / 2^15 rounded half up, where neither is below 0 or above 2^15 - 1: lanes of 16 bits, the upper ones 0.
INLINE i32x16 times_small(i32x16 a, i32x16 b) { return (i32x16)_mm512_mulhrs_epi16((__m512i)a, (__m512i)b); }
#include "IntegerOnly.h"
#include "IntegerProbes.h"
#include "IntegerTableBody.h"
#pragma clang attribute pop

const fettle_integer_table fettle_integer_avx512 = TABLE;

#endif
