// Rounding with error compensation: what a column loses, the columns after it take over (GPTQ, Frantar et al., 2022).
#ifndef FETTLE_FIT_COMPENSATE_H
#define FETTLE_FIT_COMPENSATE_H

#include "FitCheapest.h"

// The parameters of one scale in each lane.
typedef struct {
    f32x16 scale, inverse_scale, minimum, offset;
} rounding_lanes;

INLINE rounding_lanes load_rounding(const fettle_rounding *rounding, int rows, size_t slot) {
    rounding_lanes lanes = {{0}, {0}, {0}, splat((float)rounding->offset)};
    for (int row = 0; row < rows; row++) {
        size_t index = (size_t)row * rounding->slots + slot;
        lanes.scale[row] = rounding->scales[index];
        if (rounding->minimums) lanes.minimum[row] = rounding->minimums[index];
        if (rounding->zero_points) lanes.offset[row] = (float)rounding->zero_points[index] * rounding->zero_unit;
    }
    lanes.inverse_scale = inverse(lanes.scale);
    return lanes;
}

// The codes nearest to x = (weight - minimum) / scale, or the cheapest ones for `column`, and *point, what they stand for.
INLINE i32x16 rounded_code(
    const fettle_rounding *rounding, size_t column, f32x16 x, f32x16 offset, f32x16 *point) {
    if (!rounding->nearest_codes) {
        *point = rounded_point(x, offset, rounding->lowest, rounding->highest);
        return __builtin_convertvector(*point + offset, i32x16);
    }
    if (rounding->lengths) {
        const code_book book = {rounding->points, rounding->lengths, rounding->highest + 1};
        return cheapest_codes(book, rounding->nearest_codes, x, splat(rounding->importance[column]), point);
    }
    const i32x16 code = nearest_code(rounding->nearest_codes, x);
    for (int lane = 0; lane < LANES; lane++) (*point)[lane] = rounding->points[code[lane]];
    return code;
}

void ENTRY(compensate)(
    const fettle_rounding *rounding, const fettle_compensation *run, int rows, float *weights, float *errors,
    uint8_t *codes) {
    rounding_lanes lanes = {{0}, {0}, {0}, {0}};
    for (size_t column = 0; column < run->columns; column++) {
        size_t place = run->first + column;
        if (column == 0 || place % rounding->group == 0) lanes = load_rounding(rounding, rows, place / rounding->group);
        f32x16 *target = (f32x16 *)(weights + column * run->stride);
        f32x16 point = {0};
        i32x16 code = rounded_code(rounding, place, (*target - lanes.minimum) * lanes.inverse_scale, lanes.offset, &point);
        for (int row = 0; row < rows; row++) codes[(size_t)row * run->code_stride + column] = (uint8_t)code[row];
        const float *factor = run->factor + column * run->factor_stride;
        f32x16 error = (*target - (lanes.scale * point + lanes.minimum)) / factor[column];
        *(f32x16 *)(errors + column * run->stride) = -error;
        for (size_t later = column + 1; later < run->columns; later++) {
            f32x16 *next = (f32x16 *)(weights + later * run->stride);
            *next = *next - error * factor[later];
        }
    }
}

#endif
