// Kernels that fit grids to weights and pack the result in layout R16 (Quantization/Packing/R16Layout.swift).
#ifndef FETTLE_FIT_KERNELS_H
#define FETTLE_FIT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "InstructionSet.h"
#include "ZeroPoint.h"

/// Up to 16 rows of a weight matrix, and what they count.
typedef struct {
    const float *weights;  // finite
    size_t stride;  // numbers from one row to the next
    int rows;  // 1...16
    size_t columns;
    const float *importance;  // weight of each column in the error, finite and not negative; NULL for all the same
} fettle_fit_rows;

/// A grid of integers: code c stands for scale * (c - offset).
typedef struct {
    int bits;  // 2...8
    int lowest, highest;  // codes that may be used
    int offset;  // of every code; unused where there are zero points
} fettle_fit_grid;

/// Floats of scratch, 64-byte aligned, that a fit of groups of `group` columns needs.
static inline size_t fettle_fit_scratch(size_t group) { return group * 33; }

/// Fits a half-precision scale to each row and group of `group` columns (which divides the columns), so that
/// sum of importance * (weight - scale * (code - offset))^2 is least; and a zero point instead of the offset, if `zero_points`
/// is not NULL. Without `clip` the scale is the plain one of the largest weight, or of the range. Results are [row][group].
void fettle_fit_integers(
    fettle_isa isa, const fettle_fit_rows *rows, fettle_fit_grid grid, size_t group, int clip, float *scratch,
    uint16_t *scales, uint8_t *zero_points);

/// Fits scales for points that stand in a table, starting from those given: near them, or with `wide` everywhere.
/// table[i] is the point nearest to every x in [(i - 256) / 2, (i - 255) / 2), i = 0...511.
void fettle_fit_table(
    fettle_isa isa, const fettle_fit_rows *rows, const float *table, size_t group, int wide, float *scratch,
    uint16_t *scales);

/// Rounds weights to the codes of their nearest points, [row][column]. `zero_points` is NULL for a constant offset.
void fettle_fit_encode_integers(
    fettle_isa isa, const fettle_fit_rows *rows, fettle_fit_grid grid, size_t group, float *scratch,
    const uint16_t *scales, const uint8_t *zero_points, uint8_t *codes);

/// Rounds weights to the codes of their nearest table points; nearest_codes is as `table` of fettle_fit_table.
void fettle_fit_encode_table(
    fettle_isa isa, const fettle_fit_rows *rows, const uint8_t *nearest_codes, size_t group, float *scratch,
    const uint16_t *scales, uint8_t *codes);

/// How weights of up to 16 rows are rounded: code c stands for scale * (c - offset) + minimum, or scale * points[c] + minimum.
typedef struct {
    int lowest, highest;  // codes that may be used
    int offset;  // of every code, where there are no zero points
    size_t slots;  // scales of a row
    size_t group;  // columns that share a scale
    const float *scales;  // [row][slot]
    const float *minimums;  // likewise; NULL for 0
    const uint8_t *zero_points;  // likewise, in units of zero_unit; NULL for `offset`
    float zero_unit;
    const uint8_t *nearest_codes;  // NULL, or the codes of the nearest points, in the intervals of fettle_fit_table
    const int8_t *points;
    const float *lengths;  // NULL, or what each code up to `highest` costs beside the error; not negative, points ascending then
    const float *importance;  // with lengths: of each column of the matrix, what its error (weight / scale - point)^2 counts
} fettle_rounding;

/// A run of columns that are rounded one after the other.
typedef struct {
    size_t first, columns;  // the first column's place among those that the scales are for, and how many
    size_t stride;  // floats from one column to the next in weights and errors: a multiple of 16
    const float *factor;  // row i, from the diagonal on, of the upper factor U of the inverse second moments, H^-1 = U^T U
    size_t factor_stride;
    size_t code_stride;  // codes from one row to the next
} fettle_compensation;

/// Rounds a run of columns of up to 16 rows (weights[column][row], 64-byte aligned) to codes[row][column]. The error of a
/// column, divided by its U_ii, times row i of U is taken from the columns after it; errors[column][row] is minus that
/// quotient, so that U's later columns times it can be added to the weights beyond the run.
void fettle_compensate(
    fettle_isa isa, const fettle_rounding *rounding, const fettle_compensation *run, int rows, float *weights,
    float *errors, uint8_t *codes);

/// Sweeps over the columns of whole rows.
typedef struct {
    size_t columns;  // of the matrix, and from one row of codes and gradients to the next
    const float *moments;  // H, the second moments of the inputs [column][column], its diagonal positive
    int sweeps;
    float *scales;  // NULL, or a copy of the rounding's, half-precision numbers that are moved too
    float *minimums;  // likewise
} fettle_descent;

/// Moves the codes of up to 16 rows [row][column], one at a time, to where (w - q) H (w - q)^T is least with the others as they
/// are, and scales between the sweeps. gradients is (w - q) H [row][column] for the codes given; scratch has room for 32 numbers
/// of each column, 64-byte aligned.
void fettle_descend(
    fettle_isa isa, const fettle_rounding *rounding, const fettle_descent *run, int rows, const float *gradients,
    float *scratch, uint8_t *codes);

/// Adds the rows to a histogram over weight / scale, in the intervals of fettle_fit_table: for each of 512 intervals the sums
/// of v, v * x and v * x^2, where v = importance * row importance * scale^2, and where `counts` is not NULL the number of weights.
/// row_importance is NULL for all the same.
void fettle_fit_intervals(
    const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales, double *sums,
    double *counts);

/// Points whose codes differ in length.
typedef struct {
    int count;  // 1...256
    const int8_t *points;  // ascending
    const float *lengths;  // what each code costs, in units of the error; not negative
    const uint8_t *nearest_codes;  // in the intervals of fettle_fit_table
} fettle_shared_points;

/// Rounds weights to the codes with the least v * (weight / scale - point)^2 + length, of several the lowest, [row][column] (or
/// counts them only, where `codes` is NULL), and adds for each code its number and the sums of v and v * x, v and x as in
/// fettle_fit_intervals. `fits`, [row][group], get the sums of v * x * point and of v * point^2, whose quotient is what the scale
/// has to be multiplied by, and of v * (x - point)^2. A group is a multiple of 16.
void fettle_fit_encode_shared(
    fettle_isa isa, const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, uint8_t *codes, double *sums, double (*fits)[3]);

/// What these codes cost, lengths included: `costs` are [row][group].
void fettle_fit_shared_costs(
    fettle_isa isa, const fettle_fit_rows *rows, const float *row_importance, size_t group, const uint16_t *scales,
    const fettle_shared_points *points, double *costs);

/// Widens *smallest...*largest to the weights that count in the error.
void fettle_fit_extremes(
    const fettle_fit_rows *rows, const float *row_importance, float *smallest, float *largest);

/// Adds the rows to a histogram over `bins` equal parts of smallest...largest: sums of the importance and of importance *
/// weight for each.
void fettle_fit_summary(
    const fettle_fit_rows *rows, const float *row_importance, float smallest, float largest, size_t bins, double *sums);

/// Packs the codes of up to 16 rows, `stride` bytes apart, into columns / 32 tiles of 64 * bits bytes. Rows from `rows` to 16
/// become zeros. bits is 2...8, columns a multiple of 32.
void fettle_pack_tiles(
    const uint8_t *codes, size_t stride, int rows, size_t columns, int bits, uint8_t *tiles);

/// The inverse of fettle_pack_tiles.
void fettle_unpack_tiles(
    const uint8_t *tiles, int rows, size_t columns, int bits, uint8_t *codes, size_t stride);

/// Packs up to 16 rows of half-precision weights, `stride` numbers apart, into columns / 32 tiles of 1024 bytes.
void fettle_pack_half_tiles(const uint16_t *weights, size_t stride, int rows, size_t columns, uint8_t *tiles);

/// The inverse of fettle_pack_half_tiles.
void fettle_unpack_half_tiles(const uint8_t *tiles, int rows, size_t columns, uint16_t *weights, size_t stride);

#endif
