// Vector types and loads that the bodies of the integer kernels share. LANES rows are worked on at once; the including
// file defines LANES, PANEL, half_to_float and the dot products of its instruction set.
#include <stdint.h>
#include <string.h>

#include "CacheLine.h"

#pragma STDC FP_CONTRACT OFF
#pragma clang diagnostic ignored "-Wpsabi"  // vectors wider than the machine's pass only between inlined functions

#define INLINE static inline __attribute__((always_inline))
#define UNROLL _Pragma("clang loop unroll(full)")

typedef uint8_t u8v __attribute__((vector_size(LANES * 4)));  // LANES rows x 4 columns
typedef int32_t i32v __attribute__((vector_size(LANES * 4)));
typedef float f32v __attribute__((vector_size(LANES * 4)));
typedef uint16_t u16v __attribute__((vector_size(LANES * 2)));

typedef float f32x16 __attribute__((vector_size(64)));
typedef int32_t i32x16 __attribute__((vector_size(64)));
typedef uint32_t u32x16 __attribute__((vector_size(64)));
typedef uint16_t u16x16 __attribute__((vector_size(32)));
typedef int16_t i16x16 __attribute__((vector_size(32)));
typedef int16_t i16x32 __attribute__((vector_size(64)));
typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef int8_t i8x32 __attribute__((vector_size(32)));
typedef float f32x4 __attribute__((vector_size(16)));

enum { PARTS = 16 / LANES };

INLINE u8v load_u8v(const uint8_t *p) { u8v v; memcpy(&v, p, sizeof v); return v; }
INLINE f32v load_f32v(const void *p) { f32v v; memcpy(&v, p, sizeof v); return v; }
INLINE u16v load_u16v(const void *p) { u16v v; memcpy(&v, p, sizeof v); return v; }
INLINE int32_t load_i32(const void *p) { int32_t v; memcpy(&v, p, sizeof v); return v; }
INLINE f32x16 load_f32x16(const void *p) { f32x16 v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_f32x16(void *p, f32x16 v) { memcpy(p, &v, sizeof v); }
INLINE u16x16 load_u16x16(const void *p) { u16x16 v; memcpy(&v, p, sizeof v); return v; }
INLINE i32x16 load_i32x16(const void *p) { i32x16 v; memcpy(&v, p, sizeof v); return v; }
INLINE void store_i32x16(void *p, i32x16 v) { memcpy(p, &v, sizeof v); }
/// Loads the lines of `bytes` bytes at `p`, one after the other. What is read side by side (scales, and the tiles behind them) is one
/// stream to the processor if its lines were first loaded in the order in which they lie.
INLINE void load_lines(const uint8_t *p, size_t bytes) {
    for (size_t at = 0; at < bytes; at += LINE) load_line(p + at);
}
INLINE f32x16 choose(i32x16 condition, f32x16 yes, f32x16 no) {
    return (f32x16)((condition & (i32x16)yes) | (~condition & (i32x16)no));
}
