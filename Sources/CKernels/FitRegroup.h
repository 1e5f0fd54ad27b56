// Groups rounded anew with other scales: a scale and the codes under it are moved together, which neither can do alone.
#ifndef FETTLE_FIT_REGROUP_H
#define FETTLE_FIT_REGROUP_H

#include "BlockFitLanes.h"
#include "FitCompensate.h"

enum { LONGEST_REGROUP = 128, REGROUP_SWEEPS = 2 };

// What is tried beside the scale at hand: grids without zero point or minimum have one point more on one side, so that the
// other sign is another grid.
static const float REGROUP_FACTORS[] = {0.88f, 0.92f, 0.95f, 0.98f, 1.02f, 1.05f, 1.09f, 1.14f, -0.94f, -1.0f, -1.06f};
enum { REGROUP_SAME_SIGN = 8, REGROUP_ALL = 11 };

// A group of columns in 16 rows: half the gradient of the error there, what its codes stand for, and those codes.
typedef struct {
    f32x16 gradient[LONGEST_REGROUP], values[LONGEST_REGROUP];
    i32x16 codes[LONGEST_REGROUP];
} regroup_state;

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

// Moves one column of a group to where `lanes` has its nearest point to `wanted`.
INLINE void regroup_column(
    const fettle_rounding *rounding, const float *moments, const rounding_lanes *lanes, f32x16 wanted, size_t column,
    regroup_state *state) {
    f32x16 point = {0};
    state->codes[column] =
        nearest_code(rounding, (wanted - lanes->minimum) * lanes->inverse_scale, lanes->offset, &point);
    f32x16 value = lanes->scale * point + lanes->minimum;
    f32x16 moved = value - state->values[column];
    state->values[column] = value;
    for (size_t other = 0; other < rounding->group; other++) state->gradient[other] -= moved * moments[other];
}

// Rounds the group from column `first` on with `lanes`, first near `before`, then by coordinate descent. Returns how much the
// error of the output grows.
INLINE f32x16 regroup(
    const fettle_rounding *rounding, const fettle_descent *run, size_t first, const rounding_lanes *lanes,
    const f32x16 *gradient, const f32x16 *before, regroup_state *state) {
    for (size_t column = 0; column < rounding->group; column++) {
        state->gradient[column] = gradient[first + column];
        state->values[column] = before[column];
    }
    for (int sweep = 0; sweep <= REGROUP_SWEEPS; sweep++) {
        for (size_t column = 0; column < rounding->group; column++) {
            const float *moments = run->moments + (first + column) * run->columns + first;
            f32x16 wanted = state->values[column];
            if (sweep > 0) wanted += state->gradient[column] / moments[column];
            regroup_column(rounding, moments, lanes, wanted, column, state);
        }
    }
    f32x16 gain = {0};
    for (size_t column = 0; column < rounding->group; column++) {
        gain += (state->values[column] - before[column]) * (gradient[first + column] + state->gradient[column]);
    }
    return -gain;
}

// Takes from `state`, which was rounded with `trial`, the lanes in which it is better than the best so far.
INLINE void keep_regrouped(
    size_t group, const regroup_state *state, const rounding_lanes *trial, f32x16 growth, f32x16 *least,
    rounding_lanes *lanes, regroup_state *best) {
    i32x16 better = growth < *least;
    *least = choose(better, growth, *least);
    lanes->scale = choose(better, trial->scale, lanes->scale);
    lanes->offset = choose(better, trial->offset, lanes->offset);
    for (size_t column = 0; column < group; column++) {
        best->values[column] = choose(better, state->values[column], best->values[column]);
        best->codes[column] = (better & state->codes[column]) | (~better & best->codes[column]);
    }
}

// Tries other scales, and where there are zero points those beside them, for each group, and keeps what leaves the least error.
INLINE void regroup_all(
    const fettle_rounding *rounding, const fettle_descent *run, int rows, f32x16 *gradient, uint8_t *codes) {
    size_t group = rounding->group;
    if (group > LONGEST_REGROUP) return;
    regroup_state state, best;
    f32x16 before[LONGEST_REGROUP];
    int tried = rounding->minimums || rounding->zero_points ? REGROUP_SAME_SIGN : REGROUP_ALL;
    float most = (float)rounding->highest;
    for (size_t slot = 0; slot < rounding->slots; slot++) {
        size_t first = slot * group;
        rounding_lanes own = load_rounding(rounding, rows, slot), lanes = own;
        load_points(rounding, run, rows, first, group, own.offset, codes, before);
        for (size_t column = 0; column < group; column++) {
            before[column] = own.scale * before[column] + own.minimum;
            best.values[column] = before[column];
            for (int row = 0; row < LANES; row++) {
                best.codes[column][row] = row < rows ? codes[(size_t)row * run->columns + first + column] : 0;
            }
        }
        f32x16 least = splat(0);
        for (int index = 0; index < tried; index++) {
            rounding_lanes trial = own;
            trial.scale = half_rounded(own.scale * REGROUP_FACTORS[index]);
            trial.inverse_scale = inverse(trial.scale);
            f32x16 growth = regroup(rounding, run, first, &trial, gradient, before, &state);
            keep_regrouped(group, &state, &trial, growth, &least, &lanes, &best);
        }
        for (int step = -2; rounding->zero_points && step <= 2; step++) {
            rounding_lanes trial = lanes;
            f32x16 units = clamped(own.offset / rounding->zero_unit + (float)step, 0, 255);
            trial.offset = clamped(units * rounding->zero_unit, 0, most);
            trial.inverse_scale = inverse(trial.scale);
            f32x16 growth = regroup(rounding, run, first, &trial, gradient, before, &state);
            keep_regrouped(group, &state, &trial, growth, &least, &lanes, &best);
        }
        for (int row = 0; row < rows; row++) {
            size_t index = (size_t)row * rounding->slots + slot;
            run->scales[index] = lanes.scale[row];
            if (run->zero_points) run->zero_points[index] = (uint8_t)(lanes.offset[row] / rounding->zero_unit);
        }
        for (size_t column = 0; column < group; column++) {
            f32x16 moved = best.values[column] - before[column];
            int changes = 0;
            for (int row = 0; row < rows; row++) {
                changes |= moved[row] != 0;
                codes[(size_t)row * run->columns + first + column] = (uint8_t)best.codes[column][row];
            }
            if (!changes) continue;
            const float *moments = run->moments + (first + column) * run->columns;
            for (size_t other = 0; other < run->columns; other++) gradient[other] -= moved * moments[other];
        }
    }
}

#endif
