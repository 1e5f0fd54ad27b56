// What a codebook whose indices are entropy-coded is fitted with. Sums in double, in the order of rows and columns, on every
// processor.
#include "FitCheapest.h"
#include "FitInterval.h"
#include "FitKernels.h"
#include "FitVector.h"

void fettle_fit_counts(const fettle_fit_rows *rows, size_t group, const uint16_t *scales, double *counts) {
    size_t groups = rows->columns / group;
    for (size_t index = 0; index < groups; index++) {
        f32x16 inverses = inverse(load_halves(scales + index, groups, rows->rows));
        for (int row = 0; row < rows->rows; row++) {
            const float *weights = rows->weights + (size_t)row * rows->stride;
            for (size_t column = index * group; column < (index + 1) * group; column++)
                counts[interval_of(weights[column] * inverses[row])] += 1;
        }
    }
}

void fettle_fit_encode_shared(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, uint8_t *codes, double *sums, double (*fits)[3]) {
    size_t groups = rows->columns / group;
    for (size_t index = 0; index < groups; index++) {
        f32x16 group_scales = load_halves(scales + index, groups, rows->rows);
        f32x16 inverses = inverse(group_scales);
        for (int row = 0; row < rows->rows; row++) {
            const float *weights = rows->weights + (size_t)row * rows->stride;
            float scale = group_scales[row], inverse_scale = inverses[row];
            float importance = scale * scale * (row_importance ? row_importance[row] : 1);
            double lean = 0, square = 0, cost = 0;
            for (size_t column = index * group; column < (index + 1) * group; column++) {
                float x = weights[column] * inverse_scale;
                float weight = rows->importance ? importance * rows->importance[column] : importance;
                int nearest = points->nearest_codes[interval_of(x)];
                int code = cheapest_code(points->points, points->lengths, points->count, nearest, x, weight);
                if (codes) codes[(size_t)row * rows->columns + column] = (uint8_t)code;
                double *slot = sums + 4 * (size_t)code;
                slot[0] += 1;
                slot[1] += weight;
                slot[2] += (double)weight * x;
                slot[3] += (double)weight * x * x;
                const double pull = (double)weight * points->points[code];
                lean += pull * x;
                square += pull * points->points[code];
                const double distance = (double)x - points->points[code];
                cost += weight * distance * distance + points->lengths[code];
            }
            fits[(size_t)row * groups + index][0] = lean;
            fits[(size_t)row * groups + index][1] = square;
            fits[(size_t)row * groups + index][2] = cost;
        }
    }
}
