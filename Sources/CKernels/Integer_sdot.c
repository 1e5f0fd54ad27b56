// The integer kernels with Arm's sdot: four products of signed bytes, summed in 32 bits.
#if defined(__aarch64__)

#define PRODUCTS_PER_CODE 1

#include <arm_neon.h>

#include "IntegerTable.h"
#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)
#include "IntegerNeon.h"

INLINE i32v dot_registers(i32v sum, u8v w, i32v x) {
    return (i32v)vdotq_s32((int32x4_t)sum, (int8x16_t)w, (int8x16_t)x);
}

INLINE void dot_tile(
    i32v *sum, const int side, const int count, const dot_input in, const int packing, const int range, const int book,
    const int first, const int steps) {
    if (count == 1) {
        dot_one(sum, in, side, packing, range, book, first, steps);
        return;
    }
    UNROLL for (int s = first; s < first + steps; s++) {
        const int8x16_t w = signed_step(in, 0, packing, range, book, s);
        // A vector holds this step's columns of four tokens.
#define TOKEN(m) \
    if (m < count) { \
        sum[m] = (i32v)vdotq_laneq_s32((int32x4_t)sum[m], w, vld1q_s8(in.x + s * in.stride + m / 4 * 16), m % 4); \
    }
        TOKEN(0) TOKEN(1) TOKEN(2) TOKEN(3) TOKEN(4) TOKEN(5) TOKEN(6) TOKEN(7)
#undef TOKEN
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

const fettle_integer_table fettle_integer_sdot = TABLE;

#endif
