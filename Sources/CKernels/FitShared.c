// What a codebook whose indices are entropy-coded is fitted with, beside FitShared.h. Sums in double, in the order of rows and
// columns, on every processor.
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
