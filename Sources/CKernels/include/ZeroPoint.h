// What a zero point of an affine grid counts in.
#ifndef FETTLE_ZERO_POINT_H
#define FETTLE_ZERO_POINT_H

/// Zero points of codes of `bits` bits are 8-bit numbers in units of 2^-fettle_zero_fraction(bits) of a step: weight = scale *
/// (code - zero point / 2^fraction). Whole steps leave a third more error; 2^-f of a step adds about 2^-2f of it. No more than
/// 4 bits of fraction: windows of few codes still reach some way from zero.
static inline int fettle_zero_fraction(int bits) { return bits <= 4 ? 4 : 8 - bits; }

#endif
