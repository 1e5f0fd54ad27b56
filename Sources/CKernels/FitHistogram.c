// Weighted histograms that whole-tensor fits work on. Sums in double, in the order of rows and columns, on every processor.
#include "FitInterval.h"
#include "FitKernels.h"
#include "FitVector.h"

static double weight_of(const fettle_fit_rows *rows, const float *row_importance, int row, size_t column) {
    double importance = rows->importance ? rows->importance[column] : 1;
    return row_importance ? importance * row_importance[row] : importance;
}

void fettle_fit_intervals(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales, double *sums,
    double *counts) {
    size_t groups = rows->columns / group;
    for (size_t index = 0; index < groups; index++) {
        f32x16 group_scales = load_halves(scales + index, groups, rows->rows);
        f32x16 inverses = inverse(group_scales);
        for (int row = 0; row < rows->rows; row++) {
            const float *weights = rows->weights + (size_t)row * rows->stride;
            double square = (double)group_scales[row] * group_scales[row];
            float inverse_scale = inverses[row];
            for (size_t column = index * group; column < (index + 1) * group; column++) {
                float x = weights[column] * inverse_scale;
                double weight = weight_of(rows, row_importance, row, column) * square;
                size_t interval = interval_of(x);
                double *slot = sums + 3 * interval;
                slot[0] += weight;
                slot[1] += weight * x;
                slot[2] += weight * x * x;
                if (counts) counts[interval] += 1;
            }
        }
    }
}

void fettle_fit_extremes(
    const fettle_fit_rows *rows, const float *row_importance, float *smallest, float *largest) {
    for (int row = 0; row < rows->rows; row++) {
        if (row_importance && row_importance[row] == 0) continue;
        const float *weights = rows->weights + (size_t)row * rows->stride;
        for (size_t column = 0; column < rows->columns; column++) {
            if (rows->importance && rows->importance[column] == 0) continue;
            if (weights[column] < *smallest) *smallest = weights[column];
            if (weights[column] > *largest) *largest = weights[column];
        }
    }
}

void fettle_fit_summary(
    const fettle_fit_rows *rows, const float *row_importance, float smallest, float largest, size_t bins, double *sums) {
    float per_unit = largest > smallest ? (float)bins / (largest - smallest) : 0;
    for (int row = 0; row < rows->rows; row++) {
        const float *weights = rows->weights + (size_t)row * rows->stride;
        for (size_t column = 0; column < rows->columns; column++) {
            float place = (weights[column] - smallest) * per_unit;
            place = place < 0 ? 0 : place > (float)(bins - 1) ? (float)(bins - 1) : place;
            double weight = weight_of(rows, row_importance, row, column);
            double *slot = sums + 2 * (size_t)place;
            slot[0] += weight;
            slot[1] += weight * weights[column];
        }
    }
}
