// The choice among codes of different lengths.
#ifndef FETTLE_FIT_CHEAPEST_H
#define FETTLE_FIT_CHEAPEST_H

#include "FitVector.h"

/// Points whose codes differ in length.
typedef struct {
    const int8_t *points;  // ascending
    const float *lengths;  // not negative
    int count;
} code_book;

enum { FEW_CODES = 32 };

// The code with the least importance * (x - point)^2 + length, of several the nearest, then the next one below it: outwards from the
// nearest point, as long as the distance alone costs less than what is known.
INLINE int cheapest_code(code_book book, int nearest, float x, float importance) {
    int best = nearest;
    float distance = x - (float)book.points[nearest];
    float least = importance * distance * distance + book.lengths[nearest];
    for (int code = nearest - 1; code >= 0; code--) {
        distance = x - (float)book.points[code];
        float error = importance * distance * distance;
        if (error >= least) break;
        if (error + book.lengths[code] < least) best = code, least = error + book.lengths[code];
    }
    for (int code = nearest + 1; code < book.count; code++) {
        distance = x - (float)book.points[code];
        float error = importance * distance * distance;
        if (error >= least) break;
        if (error + book.lengths[code] < least) best = code, least = error + book.lengths[code];
    }
    return best;
}

// The same for 16 weights. All of few codes are tried, which takes no branches.
INLINE i32x16 cheapest_codes(code_book book, i32x16 nearest, f32x16 x, f32x16 importance) {
    i32x16 best = nearest;
    if (book.count > FEW_CODES) {
        for (int lane = 0; lane < LANES; lane++) best[lane] = cheapest_code(book, nearest[lane], x[lane], importance[lane]);
        return best;
    }
    f32x16 least = splat(__builtin_inff());
    for (int code = 0; code < book.count; code++) {
        const f32x16 distance = x - splat((float)book.points[code]);
        const f32x16 cost = importance * distance * distance + splat(book.lengths[code]);
        // Up to the nearest code a later one of the same cost is the better one, beyond it the earlier one.
        const i32x16 is_better = (cost < least) | ((cost == least) & (code <= nearest));
        least = choose(is_better, cost, least);
        best = (is_better & code) | (~is_better & best);
    }
    return best;
}

#endif
