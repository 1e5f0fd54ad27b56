// Codes of a codebook whose indices are entropy-coded. Sixteen weights of a row are rounded at a time; sums are in double, in the
// order of rows and columns, on every processor.
#ifndef FETTLE_FIT_SHARED_H
#define FETTLE_FIT_SHARED_H

#include "FitCheapest.h"
#include "FitSearch.h"

void ENTRY(encode_shared)(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, uint8_t *codes, double *sums, double (*fits)[3]) {
    const code_book book = {points->points, points->lengths, points->count};
    size_t groups = rows->columns / group;
    for (size_t index = 0; index < groups; index++) {
        f32x16 group_scales = load_halves(scales + index, groups, rows->rows);
        f32x16 inverses = inverse(group_scales);
        for (int row = 0; row < rows->rows; row++) {
            const float *weights = rows->weights + (size_t)row * rows->stride;
            float scale = group_scales[row], inverse_scale = inverses[row];
            float importance = scale * scale * (row_importance ? row_importance[row] : 1);
            double lean = 0, square = 0, cost = 0;
            for (size_t first = index * group; first < (index + 1) * group; first += LANES) {
                f32x16 x, v = splat(importance);
                memcpy(&x, weights + first, sizeof x);
                x *= inverse_scale;
                if (rows->importance) {
                    f32x16 own;
                    memcpy(&own, rows->importance + first, sizeof own);
                    v *= own;
                }
                const i32x16 chosen = cheapest_codes(book, nearest_code(points->nearest_codes, x), x, v);
                if (codes) {
                    const u8x16 bytes = __builtin_convertvector(chosen, u8x16);
                    memcpy(codes + (size_t)row * rows->columns + first, &bytes, sizeof bytes);
                }
                for (int lane = 0; lane < LANES; lane++) {
                    const int code = chosen[lane];
                    const float own = x[lane], weight = v[lane];
                    double *slot = sums + 4 * (size_t)code;
                    slot[0] += 1;
                    slot[1] += weight;
                    slot[2] += (double)weight * own;
                    slot[3] += (double)weight * own * own;
                    const double pull = (double)weight * points->points[code];
                    lean += pull * own;
                    square += pull * points->points[code];
                    const double distance = (double)own - points->points[code];
                    cost += weight * distance * distance + points->lengths[code];
                }
            }
            fits[(size_t)row * groups + index][0] = lean;
            fits[(size_t)row * groups + index][1] = square;
            fits[(size_t)row * groups + index][2] = cost;
        }
    }
}

#endif
