// The integer kernels in plain C: the oracle of the others, and what runs where nothing wider exists.
#define LANES 16
#define PANEL 4
#define SOME 1
#define PRODUCTS_PER_CODE 1
#define BLOCKS 1
#define QUERY_ROWS 4
#define SUMS 4
#define EVERY_RANGE(EACH) EACH(8)

#include "IntegerTable.h"
#include "IntegerLanes.h"

INLINE f32x16 half_to_float_16(u16x16 h) {
    u32x16 bits = __builtin_convertvector(h, u32x16);
    u32x16 magnitude = (bits & 0x7fff) << 13;
    f32x16 finite = (f32x16)magnitude * 0x1p112f;  // moves the exponent's bias, subnormals included
    u32x16 special = magnitude | 0x7f800000;
    u32x16 is_special = (u32x16)((bits & 0x7c00) == 0x7c00);
    return (f32x16)((is_special & special) | (~is_special & (u32x16)finite) | ((bits & 0x8000) << 16));
}
INLINE f32v half_to_float(u16v h) { return half_to_float_16(h); }

INLINE u16x16 float_to_half_16(f32x16 v) {
    const u32x16 sign = ((u32x16)v >> 16) & 0x8000, magnitude = (u32x16)v & 0x7fffffff;
    // Subnormal halves are multiples of 2^-24, the spacing of floats at 0.5; normal ones drop 13 bits.
    const u32x16 small = (u32x16)((f32x16)magnitude + 0.5f) - 0x3f000000;
    const u32x16 normal = (magnitude + 0xfff + ((magnitude >> 13) & 1) - (112u << 23)) >> 13;
    u32x16 is_small = (u32x16)(magnitude < 0x38800000), is_large = (u32x16)(magnitude >= 0x477ff000);
    u32x16 large = 0x7c00 | ((u32x16)(magnitude > 0x7f800000) & 0x200);
    u32x16 half = (is_large & large) | (~is_large & ((is_small & small) | (~is_small & normal)));
    return __builtin_convertvector(half | sign, u16x16);
}

INLINE u8v look_up_16(u8v table, u8v code) {
    for (int i = 0; i < LANES * 4; i++) code[i] = table[code[i]];
    return code;
}

#include "IntegerUnpack.h"

INLINE int32_t dot_offset(const int range) { (void)range; return 0; }

typedef int16_t i16v __attribute__((vector_size(LANES * 4)));
typedef uint32_t u32v __attribute__((vector_size(LANES * 4)));

INLINE i32v dot_step(i32v sum, u8v w, const int8_t *four) {
    // Columns 0 and 2, then 1 and 3, as 16-bit numbers: a product of a code and an activation fits.
    const i16v even = (i16v)((u32v)w & 0x00ff00ff), odd = (i16v)(((u32v)w >> 8) & 0x00ff00ff);
    const uint32_t x02 = (uint16_t)four[0] | (uint32_t)(uint16_t)four[2] << 16;
    const uint32_t x13 = (uint16_t)four[1] | (uint32_t)(uint16_t)four[3] << 16;
    const i32v a = (i32v)(even * (i16v)((u32v){0} + x02)), b = (i32v)(odd * (i16v)((u32v){0} + x13));
    return sum + ((i32v)((u32v)a << 16) >> 16) + (a >> 16) + ((i32v)((u32v)b << 16) >> 16) + (b >> 16);
}

#define OPAQUE(v) __asm__ volatile("" : "+m"(v))
INLINE i32v dot_registers(i32v sum, u8v w, i32v x) { return dot_step(sum, w, (const int8_t *)&x); }

static void dot_tile(
    i32v *sum, int side, int count, const dot_input in, int packing, int range, int book, int first, int steps) {
    (void)side;
    (void)range;
    for (int s = first; s < first + steps; s++) {
        u8v w = unpack_step(in.tile, packing, s, in.part);
        if (book) w = look_up(in.tables, w, packing);
        for (int m = 0; m < count; m++) sum[m] = dot_step(sum[m], w, in.x + s * in.stride + m * 4);
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

const fettle_integer_table fettle_integer_scalar = TABLE;
