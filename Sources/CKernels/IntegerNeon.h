// What the integer kernels of Arm's instruction sets share: a vector is 4 rows, and 8-bit codes are moved to -128...127,
// since Arm's dot products take signed bytes.
#define LANES 4
#define PANEL 8
#define SOME 4
#define BLOCKS 1
#define QUERY_ROWS 4
#define SUMS 4
#define EVERY_RANGE(EACH) EACH(7) EACH(8)

#include "IntegerLanes.h"

INLINE f32v half_to_float(u16v h) { return (f32v)vcvt_f32_f16((float16x4_t)h); }
INLINE f32x16 half_to_float_16(u16x16 h) {
    const f32v a = half_to_float(__builtin_shufflevector(h, h, 0, 1, 2, 3));
    const f32v b = half_to_float(__builtin_shufflevector(h, h, 4, 5, 6, 7));
    const f32v c = half_to_float(__builtin_shufflevector(h, h, 8, 9, 10, 11));
    const f32v d = half_to_float(__builtin_shufflevector(h, h, 12, 13, 14, 15));
    return __builtin_shufflevector(
        __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7), __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7),
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}

INLINE u16x16 float_to_half_16(f32x16 v) {
    uint16_t halves[16];
    float numbers[16];
    memcpy(numbers, &v, sizeof numbers);
    UNROLL for (int i = 0; i < 16; i += 4) {
        vst1_u16(halves + i, vreinterpret_u16_f16(vcvt_f16_f32(vld1q_f32(numbers + i))));
    }
    return load_u16x16(halves);
}

INLINE u8v look_up_16(u8v table, u8v code) { return (u8v)vqtbl1q_u8((uint8x16_t)table, (uint8x16_t)code); }

#include "IntegerUnpack.h"

INLINE int32_t dot_offset(const int range) { return range == 8 ? 128 : 0; }

/// The weights of a step as signed bytes.
INLINE int8x16_t signed_step(
    const dot_input in, const int b, const int packing, const int range, const int book, const int step) {
    u8v w = unpack_step(in.tile + (size_t)b * in.next, packing, step, in.part);
    if (book) w = look_up(in.tables, w, packing);
    if (range == 8) w ^= 0x80;
    return (int8x16_t)w;
}

#define OPAQUE(v) __asm__ volatile("" : "+w"(v))

/// One token: the four columns of a step are repeated for the four rows.
INLINE void dot_one(
    i32v *sum, const dot_input in, const int side, const int packing, const int range, const int book, const int first,
    const int steps) {
    UNROLL for (int s = first; s < first + steps; s++) {
        const int8x16_t four = vreinterpretq_s8_s32(vdupq_n_s32(load_i32(in.x + s * in.stride)));
        UNROLL for (int b = 0; b < side; b++) {
            sum[b] = (i32v)vdotq_s32((int32x4_t)sum[b], signed_step(in, b, packing, range, book, s), four);
        }
    }
}
