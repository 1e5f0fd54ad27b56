// Fixed-point numbers of integer-only execution: shifts that round half up, square roots, powers of two, quotients.

typedef int64_t i64x16 __attribute__((vector_size(128)));

enum {
    TOP = 30,  // numbers are at most 2^TOP
    HALF_BIAS = 25,  // a half-precision number is its 11-bit mantissa * 2^(exponent - HALF_BIAS)
};

INLINE int bit_length(uint64_t v) { return v == 0 ? 0 : 64 - __builtin_clzll(v); }

INLINE i64x16 widen(i32x16 v) { return __builtin_convertvector(v, i64x16); }
INLINE i32x16 narrow(i64x16 v) { return __builtin_convertvector(v, i32x16); }
INLINE i32x16 pick(i32x16 condition, i32x16 yes, i32x16 no) { return (condition & yes) | (~condition & no); }
INLINE i32x16 at_least(i32x16 v, i32x16 low) { return __builtin_elementwise_max(v, low); }
INLINE i32x16 at_most(i32x16 v, i32x16 high) { return __builtin_elementwise_min(v, high); }

/// v / 2^shift rounded half up; a negative shift multiplies. |v| <= 2^TOP, and so must the result be.
INLINE i32x16 shifted(i32x16 v, int shift) {
    if (shift <= 0) return v << (shift < -31 ? 31 : -shift);
    if (shift > 31) return (i32x16){0};
    return (v + (1 << (shift - 1))) >> shift;
}

INLINE int64_t shifted_one(int64_t v, int shift) {
    if (shift <= 0) return (int64_t)((uint64_t)v << (shift < -62 ? 62 : -shift));
    return shift > 62 ? 0 : (v + ((int64_t)1 << (shift - 1))) >> shift;
}

/// a * b / 2^shift rounded half up, through 64 bits; 1 <= shift.
INLINE i32x16 scaled(i32x16 a, i32x16 b, int shift) {
    const int by = shift > 62 ? 62 : shift;
    return narrow((widen(a) * widen(b) + ((int64_t)1 << (by - 1))) >> by);
}

INLINE uint32_t largest_magnitude_of(const int32_t *row, int count) {
    i32x16 largest = {0};
    for (int i = 0; i < count; i += 16) largest = at_least(largest, __builtin_elementwise_abs(load_i32x16(row + i)));
    return (uint32_t)__builtin_reduce_max(largest);
}

/// The largest integer whose square is at most `v`.
INLINE uint64_t square_root(uint64_t v) {
    uint64_t root = 0;
    for (uint64_t bit = (uint64_t)1 << 62; bit != 0; bit >>= 2) {
        if (v >= root + bit) {
            v -= root + bit;
            root = (root >> 1) + bit;
        } else {
            root >>= 1;
        }
    }
    return root;
}

/// a * b / 2^15 rounded half up, in 32 bits.
INLINE i32x16 times(i32x16 a, i32x16 b) { return (a * b + (1 << 14)) >> 15; }

#ifndef TIMES_SMALL
/// The same where neither is below 0 or above 2^15 - 1.
INLINE i32x16 times_small(i32x16 a, i32x16 b) { return times(a, b); }
#endif

/// v * factor / 2^15 rounded half up, for |factor| <= 2^15: the upper bits and the lower 15 apart, each in 32 bits.
INLINE i32x16 times_unit(i32x16 v, i32x16 factor) {
    return (v >> 15) * factor + (((v & 0x7fff) * factor + (1 << 14)) >> 15);
}

/// 2^(v / 2^16) for v <= 0, times 2^15, within 2^-14: a polynomial of fourth degree for the fraction.
INLINE i32x16 power_of_two(i32x16 v) {
    const i32x16 f = (v & 0xffff) >> 1;
    i32x16 p = times_small(f, (i32x16){0} + 445) + 1702;  // 2^f = 1 + f (c1 + f (c2 + f (c3 + f c4))), times 2^15
    p = times_small(f, p) + 7912;
    p = times_small(f, p) + 22709;
    p = times(f, p) + 32768;
    const i32x16 down = at_most(-(v >> 16), (i32x16){0} + 30);
    return (((p << 1) >> down) + 1) >> 1;
}

/// 2^31 / v for v in 2^15...2^16, within 2: Newton's iteration from a straight line.
INLINE i32x16 reciprocal(i32x16 v) {
    i32x16 y = 92521 - (i32x16)((u32x16)v * 15421 >> 14);  // v = d 2^16, and 1/d is near 48/17 - 32/17 d
    UNROLL for (int i = 0; i < 2; i++) {
        const i32x16 error = 65536 - (i32x16)((u32x16)v * (u32x16)y >> 15);  // v * y is 2^31 within 6 %
        y += (y * error) >> 16;
    }
    return y;
}
