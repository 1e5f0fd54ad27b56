// The choice among codes of different lengths.
#ifndef FETTLE_FIT_CHEAPEST_H
#define FETTLE_FIT_CHEAPEST_H

#include "FitSearch.h"

/// Points whose codes differ in length.
typedef struct {
    const int8_t *points;  // ascending
    const float *lengths;  // not negative
    int count;
} code_book;

enum { FEW_CODES = 32 };

// What codes cost 16 weights: importance * (x - point)^2 + length.
INLINE f32x16 code_costs(code_book book, int code, f32x16 x, f32x16 importance) {
    const f32x16 distance = x - splat((float)book.points[code]);
    return importance * distance * distance + splat(book.lengths[code]);
}

// The code with the least importance * (x - point)^2 + length, of several the lowest: outwards from the nearest point, as long as the
// distance alone costs less than what is known.
INLINE int cheapest_code(code_book book, int nearest, float x, float importance) {
    int best = nearest;
    float distance = x - (float)book.points[nearest];
    float least = importance * distance * distance + book.lengths[nearest];
    for (int code = nearest - 1; code >= 0; code--) {
        distance = x - (float)book.points[code];
        float error = importance * distance * distance;
        if (error > least) break;
        if (error + book.lengths[code] <= least) best = code, least = error + book.lengths[code];
    }
    for (int code = nearest + 1; code < book.count; code++) {
        distance = x - (float)book.points[code];
        float error = importance * distance * distance;
        if (error >= least) break;
        if (error + book.lengths[code] < least) best = code, least = error + book.lengths[code];
    }
    return best;
}

// The same for 16 weights, and *point, what the codes stand for. All of few codes are tried, which takes no branches; of others the
// search begins at those of `nearest_codes`.
INLINE i32x16 cheapest_codes(
    code_book book, const uint8_t *nearest_codes, f32x16 x, f32x16 importance, f32x16 *point) {
    i32x16 best = {0};
    if (book.count > FEW_CODES) {
        const i32x16 nearest = nearest_code(nearest_codes, x);
        for (int lane = 0; lane < LANES; lane++) {
            best[lane] = cheapest_code(book, nearest[lane], x[lane], importance[lane]);
            (*point)[lane] = book.points[best[lane]];
        }
        return best;
    }
    f32x16 least = splat(__builtin_inff());
    for (int code = 0; code < book.count; code++) {
        const f32x16 cost = code_costs(book, code, x, importance);
        const i32x16 is_better = cost < least;
        least = choose(is_better, cost, least);
        *point = choose(is_better, splat((float)book.points[code]), *point);
        best = (is_better & code) | (~is_better & best);
    }
    return best;
}

#endif
