// The 512 intervals of fettle_fit_table, of half a unit each.
#ifndef FETTLE_FIT_INTERVAL_H
#define FETTLE_FIT_INTERVAL_H

#include <stddef.h>

/// The interval of x in -128..<128, the first or the last of what lies beyond.
static inline size_t interval_of(float x) {
    const float interval = 2 * x + 256;
    return (size_t)(interval < 0 ? 0 : interval > 511 ? 511 : interval);
}

#endif
