// Codes of a codebook whose indices are entropy-coded. Sixteen weights of a row are rounded at a time; sums are
// in the same order on every processor.
#ifndef FETTLE_FIT_SHARED_H
#define FETTLE_FIT_SHARED_H

#include "FitCheapest.h"

// A row's columns first...last - 1, which share a scale.
typedef struct {
    const fettle_fit_rows *rows;
    int row;
    size_t first, last, slot;  // slot: the scale's place in [row][group]
    float inverse_scale, importance;
    code_book book;
    const uint8_t *nearest_codes;
} shared_run;

// Sixteen weights in units of their scale, and what their errors count.
typedef struct {
    f32x16 x, v;
} shared_lanes;

INLINE shared_lanes load_shared(const shared_run *run, size_t first) {
    shared_lanes lanes = {{0}, splat(run->importance)};
    memcpy(&lanes.x, run->rows->weights + (size_t)run->row * run->rows->stride + first, sizeof lanes.x);
    lanes.x *= run->inverse_scale;
    if (run->rows->importance) {
        f32x16 own;
        memcpy(&own, run->rows->importance + first, sizeof own);
        lanes.v *= own;
    }
    return lanes;
}

INLINE double lane_sum(f32x16 lanes) {
    double sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}

// Calls `body`, which is inlined, for each group of each row.
INLINE void each_run(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, void (*body)(const shared_run *run, const void *target), const void *target) {
    shared_run run = {.rows = rows, .nearest_codes = points->nearest_codes};
    run.book = (code_book){points->points, points->lengths, points->count};
    size_t groups = rows->columns / group;
    for (size_t index = 0; index < groups; index++) {
        f32x16 group_scales = load_halves(scales + index, groups, rows->rows);
        f32x16 inverses = inverse(group_scales);
        run.first = index * group;
        run.last = run.first + group;
        for (run.row = 0; run.row < rows->rows; run.row++) {
            run.slot = (size_t)run.row * groups + index;
            run.inverse_scale = inverses[run.row];
            run.importance = group_scales[run.row] * group_scales[run.row] * (row_importance ? row_importance[run.row] : 1);
            body(&run, target);
        }
    }
}

// Where codes and their sums go.
typedef struct {
    uint8_t *codes;
    double *sums;
    double (*fits)[3];
} shared_target;

INLINE void encode_run(const shared_run *run, const void *context) {
    const shared_target *target = context;
    f32x16 lean = {0}, square = {0}, error = {0};
    for (size_t first = run->first; first < run->last; first += LANES) {
        const shared_lanes own = load_shared(run, first);
        f32x16 point = {0};
        const i32x16 chosen = cheapest_codes(run->book, run->nearest_codes, own.x, own.v, &point);
        if (target->codes) {
            const u8x16 bytes = __builtin_convertvector(chosen, u8x16);
            memcpy(target->codes + (size_t)run->row * run->rows->columns + first, &bytes, sizeof bytes);
        }
        lean += own.v * point * own.x;
        square += own.v * point * point;
        error += own.v * (own.x - point) * (own.x - point);
        for (int lane = 0; lane < LANES; lane++) {
            double *slot = target->sums + 3 * (size_t)chosen[lane];
            slot[0] += 1;
            slot[1] += own.v[lane];
            slot[2] += (double)own.v[lane] * own.x[lane];
        }
    }
    double *fit = target->fits[run->slot];
    fit[0] = lane_sum(lean);
    fit[1] = lane_sum(square);
    fit[2] = lane_sum(error);
}

INLINE void cost_run(const shared_run *run, const void *context) {
    double *const *costs = context;
    f32x16 sum = {0};
    for (size_t first = run->first; first < run->last; first += LANES) {
        const shared_lanes own = load_shared(run, first);
        f32x16 least = splat(__builtin_inff());
        for (int code = 0; code < run->book.count; code++) {
            least = smaller(code_costs(run->book, code, own.x, own.v), least);
        }
        sum += least;
    }
    (*costs)[run->slot] = lane_sum(sum);
}

void ENTRY(encode_shared)(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, uint8_t *codes, double *sums, double (*fits)[3]) {
    const shared_target target = {codes, sums, fits};
    each_run(rows, row_importance, group, scales, points, encode_run, &target);
}

void ENTRY(shared_costs)(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, double *costs) {
    each_run(rows, row_importance, group, scales, points, cost_run, &costs);
}

#endif
