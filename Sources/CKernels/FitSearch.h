// The search for the scale of a group, 16 rows at once: error sums of a candidate, least-squares refits, and the choice of
// the half-precision scale with the least true error.
#ifndef FETTLE_FIT_SEARCH_H
#define FETTLE_FIT_SEARCH_H

#include "FitKernels.h"
#include "FitVector.h"

// A group of columns of 16 rows: weights[column] holds a lane for each row.
typedef struct {
    f32x16 *weights;
    float *importance;  // mean 1
    f32x16 *importances;  // room for one of each column in every lane
    size_t columns;
    f32x16 smallest, largest;  // of the columns that have importance
    f32x16 energy;  // sum of importance * weight^2
} fit_group;

// Points that weights are rounded to: the integers low...high, or where `table` is not NULL the entry nearest to each of 512
// intervals (x in [(i - 256) / 2, (i - 255) / 2) is interval i).
typedef struct {
    f32x16 low, high;
    const float *table;
} fit_points;

// Sums over a group of importance * (residual^2, residual * point, point^2).
typedef struct {
    f32x16 rr, rp, pp;
} fit_sums;

// The best candidate so far in each lane.
typedef struct {
    f32x16 error, scale;
    f32x16 refit;  // the scale that fits the same points by least squares
} fit_best;

enum { TABLE_INTERVALS = 512, SHORT_GROUP = 256 };

INLINE i32x16 table_interval(f32x16 x) {
    return __builtin_convertvector(smaller(larger(2.0f * x + 256.0f, splat(0)), splat(511)), i32x16);
}

// The codes of the points nearest to x, from a table of the intervals.
INLINE i32x16 nearest_code(const uint8_t *nearest_codes, f32x16 x) {
    i32x16 interval = table_interval(x), code = {0};
    for (int lane = 0; lane < LANES; lane++) code[lane] = nearest_codes[interval[lane]];
    return code;
}

// Of the points code - offset, codes from lowest to highest, the one nearest to x. An offset need not be whole.
INLINE f32x16 rounded_point(f32x16 x, f32x16 offset, int lowest, int highest) {
    f32x16 part = offset - nearest(offset);
    return nearest(smaller(larger(x, (float)lowest - offset), (float)highest - offset) + part) - part;
}

INLINE f32x16 nearest_point(f32x16 x, const fit_points *points) {
    if (!points->table) return nearest(smaller(larger(x, points->low), points->high));
    union {
        i32x16 vector;
        int32_t lane[LANES];
    } interval = {table_interval(x)};
    union {
        f32x16 vector;
        float lane[LANES];
    } point;
    for (int lane = 0; lane < LANES; lane++) point.lane[lane] = points->table[interval.lane[lane]];
    return point.vector;
}

// Residuals, and not products of weights and points: at 8 bits those would cancel to noise.
INLINE fit_sums error_sums(const fit_group *group, f32x16 scale, const fit_points *points) {
    f32x16 inverse_scale = inverse(scale);
    fit_sums total = {{0}, {0}, {0}};
    for (size_t first = 0; first < group->columns;) {
        // Fixed blocks keep the rounding of long sums small.
        size_t last = first + 256 < group->columns ? first + 256 : group->columns;
        fit_sums sums = {{0}, {0}, {0}};
        for (; first < last; first++) {
            f32x16 weight = group->weights[first];
            f32x16 point = nearest_point(weight * inverse_scale, points);
            f32x16 residual = weight - scale * point;
            f32x16 weighted = residual * group->importance[first];
            sums.rr += weighted * residual;
            sums.rp += weighted * point;
            sums.pp += (point * group->importance[first]) * point;
        }
        total.rr += sums.rr;
        total.rp += sums.rp;
        total.pp += sums.pp;
    }
    return total;
}

// Sums over a group of importance * (weight * point, point^2), and the error that a refit leaves of `energy`, the sum of
// importance * weight^2: half the work of error_sums, but differences that cancel from 6 bits on.
INLINE f32x16 refit_error(const fit_group *group, f32x16 scale, const fit_points *points, f32x16 *refit) {
    f32x16 inverse_scale = inverse(scale);
    f32x16 wp = {0}, pp = {0};
    for (size_t column = 0; column < group->columns; column++) {
        f32x16 point = nearest_point(group->weights[column] * inverse_scale, points);
        f32x16 weighted = point * group->importance[column];
        wp += weighted * group->weights[column];
        pp += weighted * point;
    }
    *refit = wp * inverse(pp);
    return group->energy - wp * *refit;
}

INLINE f32x16 refit_step(const fit_sums *sums) { return sums->rp * inverse(sums->pp); }

INLINE void keep_better(fit_best *best, f32x16 error, f32x16 scale, f32x16 refit) {
    i32x16 better = error < best->error;
    best->error = choose(better, error, best->error);
    best->scale = choose(better, scale, best->scale);
    best->refit = choose(better, refit, best->refit);
}

INLINE fit_best no_best(void) { return (fit_best){splat(__builtin_inff()), {0}, {0}}; }

// Judges a candidate by the error after a least-squares refit of its scale.
INLINE void consider(fit_best *best, const fit_group *group, f32x16 scale, const fit_points *points) {
    f32x16 refit;
    f32x16 error = refit_error(group, scale, points, &refit);
    keep_better(best, error, scale, refit);
}

// Candidates scale = base * t for t = from, from * ratio, ... down to `to`.
typedef struct {
    float from, ratio, to;
} fit_ladder;

INLINE void consider_ladder(
    fit_best *best, const fit_group *group, f32x16 base, fit_ladder ladder, const fit_points *points) {
    for (float t = ladder.from; t >= ladder.to; t *= ladder.ratio) consider(best, group, base * t, points);
}

// Rounds `start` to half precision, tries `reach` neighbours on each side, refits from the best and does it again, `rounds`
// times in all. Keeps the least true error over everything tried, `best` included.
INLINE void settle_half(
    fit_best *best, const fit_group *group, f32x16 start, int rounds, int reach, fit_points points) {
    f32x16 next = start;
    for (int round = 0; round < rounds; round++) {
        fit_best local = no_best();
        i32x16 sign = (i32x16)next & (int32_t)0x80000000;
        i32x16 center = half_bits(magnitude(next));
        for (int step = -reach; step <= reach; step++) {
            i32x16 bits = center + step;
            bits = bits & (bits > 0);
            bits = (bits & (bits <= LARGEST_HALF)) | (LARGEST_HALF & (bits > LARGEST_HALF));
            f32x16 scale = (f32x16)((i32x16)half_value(bits) | sign);
            fit_sums sums = error_sums(group, scale, &points);
            keep_better(&local, sums.rr, scale, scale + refit_step(&sums));
        }
        keep_better(best, local.error, local.scale, local.refit);
        next = local.refit;
    }
}

#endif
