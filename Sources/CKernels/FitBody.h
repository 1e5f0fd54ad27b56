// The entry points of one instruction set, by row block. Included by FitScalar.c, FitAvx2.c and FitAvx512.c, which define
// ENTRY(name).
#include "FitCompensate.h"
#include "FitDescend.h"
#include "FitIntegers.h"
#include "FitShared.h"
#include "FitTable.h"

// Brings columns first..<first + columns of a row block into lanes, and their importance to mean 1, so that sums neither
// overflow nor vanish. Without importance, or where it is all zero, every column counts the same.
INLINE fit_group load_group(const fettle_fit_rows *rows, size_t first, size_t columns, float *scratch) {
    f32x16 infinity = splat(__builtin_inff());
    f32x16 *vectors = (f32x16 *)scratch;
    fit_group group = {vectors, scratch + 2 * columns * LANES, vectors + columns, columns, infinity, -infinity, {0}};
    if (rows->rows < LANES) memset(scratch, 0, columns * LANES * sizeof(float));
    for (int row = 0; row < rows->rows; row++) {
        const float *weights = rows->weights + (size_t)row * rows->stride + first;
        for (size_t column = 0; column < columns; column++) scratch[column * LANES + row] = weights[column];
    }
    double sum = 0;
    if (rows->importance) for (size_t column = 0; column < columns; column++) sum += rows->importance[first + column];
    for (size_t column = 0; column < columns; column++) {
        float importance = sum > 0 ? (float)(rows->importance[first + column] / sum * (double)columns) : 1;
        group.importance[column] = importance;
        if (importance == 0) continue;
        group.smallest = smaller(group.smallest, group.weights[column]);
        group.largest = larger(group.largest, group.weights[column]);
        group.energy += group.weights[column] * importance * group.weights[column];
    }
    return group;
}

void ENTRY(integers)(
    const fettle_fit_rows *rows, const fettle_fit_grid *grid, size_t group_columns, int clip, float *scratch,
    uint16_t *scales, uint8_t *zero_points) {
    size_t groups = rows->columns / group_columns;
    for (size_t index = 0; index < groups; index++) {
        fit_group group = load_group(rows, index * group_columns, group_columns, scratch);
        if (!zero_points) {
            store_halves(fit_uniform(&group, grid, clip), scales + index, groups, rows->rows);
            continue;
        }
        f32x16 zero;
        store_halves(fit_affine(&group, grid, clip, &zero), scales + index, groups, rows->rows);
        for (int row = 0; row < rows->rows; row++) zero_points[(size_t)row * groups + index] = (uint8_t)zero[row];
    }
}

void ENTRY(table)(
    const fettle_fit_rows *rows, const float *table, size_t group_columns, int wide, float *scratch,
    uint16_t *scales) {
    size_t groups = rows->columns / group_columns;
    for (size_t index = 0; index < groups; index++) {
        fit_group group = load_group(rows, index * group_columns, group_columns, scratch);
        f32x16 present = load_halves(scales + index, groups, rows->rows);
        store_halves(fit_table(&group, table, present, wide), scales + index, groups, rows->rows);
    }
}

// Lanes of codes back to rows.
INLINE void store_codes(i32x16 codes, int rows, size_t stride, uint8_t *target) {
    u8x16 bytes = __builtin_convertvector(codes, u8x16);
    for (int row = 0; row < rows; row++) target[(size_t)row * stride] = bytes[row];
}

void ENTRY(encode_integers)(
    const fettle_fit_rows *rows, const fettle_fit_grid *grid, size_t group_columns, float *scratch,
    const uint16_t *scales, const uint8_t *zero_points, uint8_t *codes) {
    size_t groups = rows->columns / group_columns;
    for (size_t index = 0; index < groups; index++) {
        fit_group group = load_group(rows, index * group_columns, group_columns, scratch);
        f32x16 inverse_scale = inverse(load_halves(scales + index, groups, rows->rows));
        f32x16 offset = splat((float)grid->offset);
        if (zero_points)
            for (int row = 0; row < rows->rows; row++)
                offset[row] = (float)zero_points[(size_t)row * groups + index] / zero_steps(grid->bits);
        for (size_t column = 0; column < group_columns; column++) {
            f32x16 code = offset
                + rounded_point(group.weights[column] * inverse_scale, offset, grid->lowest, grid->highest);
            store_codes(
                __builtin_convertvector(code, i32x16), rows->rows, rows->columns,
                codes + index * group_columns + column);
        }
    }
}

void ENTRY(encode_table)(
    const fettle_fit_rows *rows, const uint8_t *nearest_codes, size_t group_columns, float *scratch,
    const uint16_t *scales, uint8_t *codes) {
    size_t groups = rows->columns / group_columns;
    for (size_t index = 0; index < groups; index++) {
        fit_group group = load_group(rows, index * group_columns, group_columns, scratch);
        f32x16 inverse_scale = inverse(load_halves(scales + index, groups, rows->rows));
        for (size_t column = 0; column < group_columns; column++) {
            i32x16 code = nearest_code(nearest_codes, group.weights[column] * inverse_scale);
            store_codes(code, rows->rows, rows->columns, codes + index * group_columns + column);
        }
    }
}
