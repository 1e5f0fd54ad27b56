// The entry points of each instruction set, for FitDispatch.c.
#ifndef FETTLE_FIT_ENTRIES_H
#define FETTLE_FIT_ENTRIES_H

#include <string.h>

#include "FitKernels.h"

#define FIT_ENTRIES(isa)                                                                                            \
    void fettle_fit_integers_##isa(                                                                                 \
        const fettle_fit_rows *, const fettle_fit_grid *, size_t, int, float *, uint16_t *, uint8_t *);             \
    void fettle_fit_table_##isa(const fettle_fit_rows *, const float *, size_t, int, float *, uint16_t *);          \
    void fettle_fit_encode_integers_##isa(                                                                          \
        const fettle_fit_rows *, const fettle_fit_grid *, size_t, float *, const uint16_t *, const uint8_t *,       \
        uint8_t *);                                                                                                 \
    void fettle_fit_encode_table_##isa(                                                                             \
        const fettle_fit_rows *, const uint8_t *, size_t, float *, const uint16_t *, uint8_t *);       \
    void fettle_fit_encode_shared_##isa(                                                                            \
        const fettle_fit_rows *, const float *, size_t, const uint16_t *, const fettle_shared_points *, uint8_t *,  \
        double *, double (*)[3]);                                                                                   \
    void fettle_fit_shared_costs_##isa(                                                                             \
        const fettle_fit_rows *, const float *, size_t, const uint16_t *, const fettle_shared_points *, double *);  \
    void fettle_fit_compensate_##isa(                                                                               \
        const fettle_rounding *, const fettle_compensation *, int, float *, float *, uint8_t *);                    \
    void fettle_fit_descend_##isa(                                                                                  \
        const fettle_rounding *, const fettle_descent *, int, const float *, float *, uint8_t *);

FIT_ENTRIES(scalar)
#if defined(__x86_64__)
FIT_ENTRIES(avx2)
FIT_ENTRIES(avx512)
#endif

#endif
