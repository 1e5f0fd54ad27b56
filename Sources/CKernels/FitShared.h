// Codes of a codebook whose indices are entropy-coded. Sixteen weights of a row are rounded at a time; sums are
// in the same order on every processor.
#ifndef FETTLE_FIT_SHARED_H
#define FETTLE_FIT_SHARED_H

#include "FitCheapest.h"

// Sixteen weights of a row in units of its scale, and what their errors count.
typedef struct {
    f32x16 x, v;
} shared_lanes;

INLINE shared_lanes load_shared(const fettle_fit_rows *rows, int row, size_t first, float inverse_scale, float importance) {
    shared_lanes lanes = {{0}, splat(importance)};
    memcpy(&lanes.x, rows->weights + (size_t)row * rows->stride + first, sizeof lanes.x);
    lanes.x *= inverse_scale;
    if (rows->importance) {
        f32x16 own;
        memcpy(&own, rows->importance + first, sizeof own);
        lanes.v *= own;
    }
    return lanes;
}

INLINE double lane_sum(f32x16 lanes) {
    double sum = 0;
    for (int lane = 0; lane < LANES; lane++) sum += lanes[lane];
    return sum;
}

void ENTRY(encode_shared)(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, uint8_t *codes, double *sums, double (*fits)[3]) {
    const code_book book = {points->points, points->lengths, points->count};
    size_t groups = rows->columns / group;
    for (size_t index = 0; index < groups; index++) {
        f32x16 group_scales = load_halves(scales + index, groups, rows->rows);
        f32x16 inverses = inverse(group_scales);
        for (int row = 0; row < rows->rows; row++) {
            float importance = group_scales[row] * group_scales[row] * (row_importance ? row_importance[row] : 1);
            f32x16 lean = {0}, square = {0}, error = {0};
            for (size_t first = index * group; first < (index + 1) * group; first += LANES) {
                const shared_lanes own = load_shared(rows, row, first, inverses[row], importance);
                f32x16 point = {0};
                const i32x16 chosen = cheapest_codes(book, points->nearest_codes, own.x, own.v, &point);
                if (codes) {
                    const u8x16 bytes = __builtin_convertvector(chosen, u8x16);
                    memcpy(codes + (size_t)row * rows->columns + first, &bytes, sizeof bytes);
                }
                lean += own.v * point * own.x;
                square += own.v * point * point;
                error += own.v * (own.x - point) * (own.x - point);
                for (int lane = 0; lane < LANES; lane++) {
                    double *slot = sums + 3 * (size_t)chosen[lane];
                    slot[0] += 1;
                    slot[1] += own.v[lane];
                    slot[2] += (double)own.v[lane] * own.x[lane];
                }
            }
            double *fit = fits[(size_t)row * groups + index];
            fit[0] = lane_sum(lean);
            fit[1] = lane_sum(square);
            fit[2] = lane_sum(error);
        }
    }
}

void ENTRY(shared_costs)(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, double *costs) {
    size_t groups = rows->columns / group;
    for (size_t index = 0; index < groups; index++) {
        f32x16 group_scales = load_halves(scales + index, groups, rows->rows);
        f32x16 inverses = inverse(group_scales);
        for (int row = 0; row < rows->rows; row++) {
            float importance = group_scales[row] * group_scales[row] * (row_importance ? row_importance[row] : 1);
            f32x16 sum = {0};
            for (size_t first = index * group; first < (index + 1) * group; first += LANES) {
                const shared_lanes own = load_shared(rows, row, first, inverses[row], importance);
                f32x16 least = splat(__builtin_inff());
                for (int code = 0; code < points->count; code++) {
                    const f32x16 distance = own.x - splat((float)points->points[code]);
                    least = smaller(own.v * distance * distance + splat(points->lengths[code]), least);
                }
                sum += least;
            }
            costs[(size_t)row * groups + index] = lane_sum(sum);
        }
    }
}

#endif
