// The choice among codes of different lengths.
#ifndef FETTLE_FIT_CHEAPEST_H
#define FETTLE_FIT_CHEAPEST_H

#include <stdint.h>

/// The code with the least importance * (x - point)^2 + length: outwards from the nearest point, as long as the distance alone costs
/// less than what is known.
static inline int cheapest_code(
    const int8_t *points, const float *lengths, int count, int nearest, float x, float importance) {
    int best = nearest;
    float distance = x - (float)points[nearest];
    float least = importance * distance * distance + lengths[nearest];
    for (int code = nearest - 1; code >= 0; code--) {
        distance = x - (float)points[code];
        float error = importance * distance * distance;
        if (error >= least) break;
        if (error + lengths[code] < least) best = code, least = error + lengths[code];
    }
    for (int code = nearest + 1; code < count; code++) {
        distance = x - (float)points[code];
        float error = importance * distance * distance;
        if (error >= least) break;
        if (error + lengths[code] < least) best = code, least = error + lengths[code];
    }
    return best;
}

#endif
