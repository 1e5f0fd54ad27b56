// One code of layout R16 by itself.
#ifndef FETTLE_INTEGER_CODE_H
#define FETTLE_INTEGER_CODE_H

#include <stddef.h>
#include <stdint.h>

/// The code in layout R16 at (lane, column) of the row block whose tiles begin at `tiles`.
static inline int fettle_code_at(const uint8_t *tiles, int bits, int lane, int column) {
    const uint8_t *plane = tiles + (size_t)(column / 32) * 64 * (size_t)bits;
    const int step = column % 32 / 4, at = lane * 4 + column % 4;
    if (bits == 8) return plane[step * 64 + at];
    int code = 0, shift = 0;
    if (bits & 4) {
        code = (plane[(step & 3) * 64 + at] >> (4 * (step / 4))) & 15;
        plane += 4 * 64;
        shift = 4;
    }
    if (bits & 2) {
        code |= ((plane[(step & 1) * 64 + at] >> (2 * (step / 2))) & 3) << shift;
        plane += 2 * 64;
        shift += 2;
    }
    if (bits & 1) code |= ((plane[at] >> step) & 1) << shift;
    return code;
}

#endif
