// Sends each fit to the kernels of the instruction set asked for.
#include "FitEntries.h"

#if defined(__x86_64__)
#define DISPATCH(isa, name, ...)                                         \
    switch (isa) {                                                       \
    case FETTLE_AVX512: fettle_fit_##name##_avx512(__VA_ARGS__); return; \
    case FETTLE_AVX2: fettle_fit_##name##_avx2(__VA_ARGS__); return;     \
    default: fettle_fit_##name##_scalar(__VA_ARGS__); return;            \
    }
#else
#define DISPATCH(isa, name, ...) \
    (void)isa;                   \
    fettle_fit_##name##_scalar(__VA_ARGS__);
#endif

void fettle_fit_integers(
    fettle_isa isa, const fettle_fit_rows *rows, fettle_fit_grid grid, size_t group, int clip, float *scratch,
    uint16_t *scales, uint8_t *zero_points) {
    DISPATCH(isa, integers, rows, &grid, group, clip, scratch, scales, zero_points)
}

void fettle_fit_table(
    fettle_isa isa, const fettle_fit_rows *rows, const float *table, size_t group, int wide, float *scratch,
    uint16_t *scales) {
    DISPATCH(isa, table, rows, table, group, wide, scratch, scales)
}

void fettle_fit_encode_integers(
    fettle_isa isa, const fettle_fit_rows *rows, fettle_fit_grid grid, size_t group, float *scratch,
    const uint16_t *scales, const uint8_t *zero_points, uint8_t *codes) {
    DISPATCH(isa, encode_integers, rows, &grid, group, scratch, scales, zero_points, codes)
}

void fettle_fit_encode_table(
    fettle_isa isa, const fettle_fit_rows *rows, const uint8_t *nearest_codes, size_t group, float *scratch,
    const uint16_t *scales, uint8_t *codes) {
    DISPATCH(isa, encode_table, rows, nearest_codes, group, scratch, scales, codes)
}

void fettle_fit_encode_shared(
    fettle_isa isa, const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, uint8_t *codes, double *sums, double (*fits)[3]) {
    DISPATCH(isa, encode_shared, rows, row_importance, group, scales, points, codes, sums, fits)
}

void fettle_fit_shared_costs(
    fettle_isa isa, const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, double *costs) {
    DISPATCH(isa, shared_costs, rows, row_importance, group, scales, points, costs)
}

void fettle_compensate(
    fettle_isa isa, const fettle_rounding *rounding, const fettle_compensation *run, int rows, float *weights,
    float *errors, uint8_t *codes) {
    DISPATCH(isa, compensate, rounding, run, rows, weights, errors, codes)
}

void fettle_descend(
    fettle_isa isa, const fettle_rounding *rounding, const fettle_descent *run, int rows, const float *gradients,
    float *scratch, uint8_t *codes) {
    DISPATCH(isa, descend, rounding, run, rows, gradients, scratch, codes)
}
