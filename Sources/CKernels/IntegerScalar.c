// The integer kernels in plain C: the oracle of the others, and what runs where nothing wider exists.
#define LANES 16
#define PANEL 4
#define SOME 1
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

INLINE u8v look_up_16(u8v table, u8v code) {
    for (int i = 0; i < LANES * 4; i++) code[i] = table[code[i]];
    return code;
}

#include "IntegerUnpack.h"

INLINE int32_t dot_offset(const int range) { (void)range; return 0; }

static void dot_tile(
    i32v *sum, int count, const uint8_t *tile, int part, const lookup_tables *tables, int packing, int range, int book,
    int first, int steps, const int8_t *x, int stride) {
    (void)range;
    for (int s = first; s < first + steps; s++) {
        u8v w = unpack_step(tile, packing, s, part);
        if (book) w = look_up(tables, w, packing);
        for (int m = 0; m < count; m++) {
            const int8_t *four = x + s * stride + m * 4;
            for (int lane = 0; lane < LANES; lane++) {
                for (int c = 0; c < 4; c++) sum[m][lane] += w[4 * lane + c] * four[c];
            }
        }
    }
}

#include "IntegerFloatProduct.h"
#include "IntegerProducts.h"
#include "IntegerQuantize.h"
#include "IntegerTableBody.h"

const fettle_integer_table fettle_integer_scalar = TABLE;
