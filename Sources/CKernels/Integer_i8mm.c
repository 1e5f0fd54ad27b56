// The integer kernels with Arm's smmla: a product of two rows by two tokens over eight columns. Single tokens take sdot.
#if defined(__aarch64__)

#define PRODUCTS_PER_CODE 2  // smmla multiplies each code with two tokens

#include <arm_neon.h>

#include "IntegerTable.h"
#pragma clang attribute push(__attribute__((target("dotprod,i8mm"))), apply_to = function)
#include "IntegerNeon.h"

INLINE int8x16_t low_pairs(int8x16_t a, int8x16_t b) {
    return vreinterpretq_s8_s32(vzip1q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}

INLINE int8x16_t high_pairs(int8x16_t a, int8x16_t b) {
    return vreinterpretq_s8_s32(vzip2q_s32(vreinterpretq_s32_s8(a), vreinterpretq_s32_s8(b)));
}

INLINE i32v dot_registers(i32v sum, u8v w, i32v x) {
    return (i32v)vmmlaq_s32((int32x4_t)sum, (int8x16_t)w, (int8x16_t)x);
}

INLINE void dot_tile(
    i32v *sum, const int side, const int count, const dot_input in, const int packing, const int range, const int book,
    const int first, const int steps) {
    if (count == 1) {
        dot_one(sum, in, side, packing, range, book, first, steps);
        return;
    }
    // Rows 0 and 1, rows 2 and 3, of two tokens each: [row][token].
    int32x4_t low[PANEL / 2], high[PANEL / 2];
    UNROLL for (int p = 0; p < count / 2; p++) low[p] = high[p] = vdupq_n_s32(0);
    UNROLL for (int s = first; s < first + steps; s += 2) {
        const int8x16_t a = signed_step(in, 0, packing, range, book, s);
        const int8x16_t b = signed_step(in, 0, packing, range, book, s + 1);
        const int8x16_t rows01 = low_pairs(a, b), rows23 = high_pairs(a, b);
        UNROLL for (int p = 0; p < count / 2; p += 2) {
            const int8x16_t u = vld1q_s8(in.x + s * in.stride + 8 * p), v = vld1q_s8(in.x + (s + 1) * in.stride + 8 * p);
            const int8x16_t tokens01 = low_pairs(u, v), tokens23 = high_pairs(u, v);
            low[p] = vmmlaq_s32(low[p], rows01, tokens01);
            high[p] = vmmlaq_s32(high[p], rows23, tokens01);
            low[p + 1] = vmmlaq_s32(low[p + 1], rows01, tokens23);
            high[p + 1] = vmmlaq_s32(high[p + 1], rows23, tokens23);
        }
    }
    UNROLL for (int p = 0; p < count / 2; p++) {
        sum[2 * p] += (i32v)vuzp1q_s32(low[p], high[p]);
        sum[2 * p + 1] += (i32v)vuzp2q_s32(low[p], high[p]);
    }
}

#include "IntegerProducts.h"
#include "IntegerFloatProduct.h"
#include "IntegerQuantize.h"
#include "IntegerElementwise.h"
#include "CachePairs.h"
#include "CacheStore.h"
#include "HalfCache.h"
#include "IntegerAttention.h"
#include "IntegerProbes.h"
#include "IntegerOnly.h"
#include "IntegerTableBody.h"
#pragma clang attribute pop

const fettle_integer_table fettle_integer_i8mm = TABLE;

#endif
