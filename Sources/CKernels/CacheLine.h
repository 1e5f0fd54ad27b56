// Loads that bring lines into the cache and do nothing else.
#ifndef FETTLE_CACHE_LINE_H
#define FETTLE_CACHE_LINE_H

#include <stdint.h>

enum { LINE = 64 };  // bytes; in a tile of layout R16 a line holds one step: 16 rows x 4 columns

/// Loads the line at `p`. A load of all of it, and no prefetch: on Zen 4 neither prefetches nor loads of single bytes lead the
/// processor's own prefetcher on.
static inline void load_line(const uint8_t *p) {
    typedef int32_t line __attribute__((vector_size(LINE), aligned(1)));
    (void)*(const volatile line *)p;
}

#endif
