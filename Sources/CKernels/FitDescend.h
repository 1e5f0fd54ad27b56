// Coordinate descent over the codes and scales of a matrix: column after column, each code is moved to where the error of the
// output is least with all others as they are (QuantEase, Behdin et al., 2023); between sweeps so is each scale.
#ifndef FETTLE_FIT_DESCEND_H
#define FETTLE_FIT_DESCEND_H

#include "BlockFitLanes.h"
#include "FitCompensate.h"

// What codes stand for before scaling.
INLINE f32x16 points_of(const fettle_rounding *rounding, i32x16 codes, f32x16 offset) {
    if (!rounding->nearest_codes) return __builtin_convertvector(codes, f32x16) - offset;
    f32x16 point = {0};
    for (int lane = 0; lane < LANES; lane++) point[lane] = rounding->points[codes[lane]];
    return point;
}

// What the codes of some columns stand for, one vector for each column.
INLINE void load_points(
    const fettle_rounding *rounding, const fettle_descent *run, int rows, size_t first, size_t count, f32x16 offset,
    const uint8_t *codes, f32x16 *points) {
    for (size_t column = 0; column < count; column++) {
        i32x16 code = {0};
        for (int row = 0; row < rows; row++) code[row] = codes[(size_t)row * run->columns + first + column];
        points[column] = points_of(rounding, code, offset);
    }
}

// Columns whose moves reach the gradients of the others together.
enum { DESCENT_RUN = 32 };

// Takes from the gradients of the columns first...last - 1 what `count` columns' moves leave; `moved` is minus the moves.
INLINE void spread(
    const fettle_descent *run, f32x16 *gradient, const f32x16 *moved, const size_t *which, size_t count, size_t first,
    size_t last) {
    enum { AT_ONCE = 4 };
    size_t other = first;
    for (; other + AT_ONCE <= last; other += AT_ONCE) {
        const float *moments = run->moments + other * run->columns;
        f32x16 sums[AT_ONCE];
        for (int i = 0; i < AT_ONCE; i++) sums[i] = gradient[other + i];
        for (size_t k = 0; k < count; k++) {
            for (int i = 0; i < AT_ONCE; i++) {
                sums[i] = __builtin_elementwise_fma(splat(moments[i * run->columns + which[k]]), moved[k], sums[i]);
            }
        }
        for (int i = 0; i < AT_ONCE; i++) gradient[other + i] = sums[i];
    }
    for (; other < last; other++) {
        const float *moments = run->moments + other * run->columns;
        for (size_t k = 0; k < count; k++) {
            gradient[other] = __builtin_elementwise_fma(splat(moments[which[k]]), moved[k], gradient[other]);
        }
    }
}

// The half-precision number near old + gain / curvature, where that helps; else the old one.
INLINE f32x16 half_step(f32x16 old, f32x16 gain, f32x16 curvature) {
    f32x16 step = half_rounded(old + gain * inverse(curvature)) - old;
    return choose((2 * gain - step * curvature) * step > 0, step, splat(0));
}

// Moves scales and minimums to where the error is least with the codes as they are.
INLINE void refit_scales(
    const fettle_rounding *rounding, const fettle_descent *run, int rows, f32x16 *gradient, f32x16 *points,
    const uint8_t *codes) {
    for (size_t slot = 0; slot < rounding->slots; slot++) {
        size_t first = slot * rounding->group;
        rounding_lanes lanes = load_rounding(rounding, rows, slot);
        load_points(rounding, run, rows, first, rounding->group, lanes.offset, codes, points);
        // Sums over the group: of gradients times points, and of gradients; of moments times points on both sides, on one
        // side, and on none.
        f32x16 lean = {0}, rest = {0}, square = {0}, cross = {0};
        float total = 0;
        for (size_t column = 0; column < rounding->group; column++) {
            const float *moments = run->moments + (first + column) * run->columns + first;
            f32x16 seen = {0};
            for (size_t other = 0; other < rounding->group; other++) {
                seen += moments[other] * points[other];
                total += moments[other];
            }
            lean += gradient[first + column] * points[column];
            rest += gradient[first + column];
            square += seen * points[column];
            cross += seen;
        }
        f32x16 step = half_step(lanes.scale, lean, square), shift = {0};
        if (run->minimums) shift = half_step(lanes.minimum, rest - step * cross, splat(total));
        for (int row = 0; row < rows; row++) {
            size_t index = (size_t)row * rounding->slots + slot;
            run->scales[index] = lanes.scale[row] + step[row];
            if (run->minimums) run->minimums[index] = lanes.minimum[row] + shift[row];
        }
        for (size_t part = 0; part < rounding->group; part += DESCENT_RUN) {
            size_t which[DESCENT_RUN], count = 0;
            for (; count < DESCENT_RUN && part + count < rounding->group; count++) {
                which[count] = first + part + count;
                points[part + count] = -(step * points[part + count] + shift);
            }
            spread(run, gradient, points + part, which, count, 0, run->columns);
        }
    }
}

void ENTRY(descend)(
    const fettle_rounding *rounding, const fettle_descent *run, int rows, const float *gradients, float *scratch,
    uint8_t *codes) {
    // Half the gradient of the error: residuals times moments.
    f32x16 *gradient = (f32x16 *)scratch, *points = gradient + run->columns;
    fettle_rounding own = *rounding;
    if (run->scales) own.scales = run->scales;
    if (run->minimums) own.minimums = run->minimums;
    for (size_t column = 0; column < run->columns; column++) {
        gradient[column] = splat(0);
        for (int row = 0; row < rows; row++) gradient[column][row] = gradients[(size_t)row * run->columns + column];
    }
    for (int sweep = 0; sweep < run->sweeps; sweep++) {
        if (sweep > 0 && run->scales) refit_scales(&own, run, rows, gradient, points, codes);
        rounding_lanes lanes = {{0}, {0}, {0}, {0}};
        for (size_t first = 0; first < run->columns; first += DESCENT_RUN) {
            size_t end = first + DESCENT_RUN < run->columns ? first + DESCENT_RUN : run->columns;
            size_t which[DESCENT_RUN], count = 0;
            for (size_t column = first; column < end; column++) {
                if (column % own.group == 0) lanes = load_rounding(&own, rows, column / own.group);
                const float *moments = run->moments + column * run->columns;
                i32x16 old = {0};
                for (int row = 0; row < rows; row++) old[row] = codes[(size_t)row * run->columns + column];
                f32x16 before = points_of(&own, old, lanes.offset), point = before;
                f32x16 wanted = before + gradient[column] / moments[column] * lanes.inverse_scale;
                i32x16 code = rounded_code(&own, column, wanted, lanes.offset, &point);
                int changes = 0;
                for (int row = 0; row < rows; row++) {
                    changes |= code[row] != old[row];
                    codes[(size_t)row * run->columns + column] = (uint8_t)code[row];
                }
                if (!changes) continue;
                points[count] = (before - point) * lanes.scale;
                which[count] = column;
                spread(run, gradient, points + count, which + count, 1, first, end);
                count++;
            }
            spread(run, gradient, points, which, count, 0, first);
            spread(run, gradient, points, which, count, end, run->columns);
        }
    }
}

#endif
