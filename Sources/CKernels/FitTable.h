// Scales of grids whose points stand in a table: codebooks and powers of two.
#ifndef FETTLE_FIT_TABLE_H
#define FETTLE_FIT_TABLE_H

#include "FitSearch.h"

// Around the scale that takes the largest weight to the outermost point. Points are sparse out there, so that scales well
// above that one compete.
static const fit_ladder SHORT_TABLE_LADDER = {1.40f, 0.93f, 0.50f};
static const fit_ladder LONG_TABLE_LADDER = {1.40f, 0.90f, 0.04f};
// Around the present scale.
static const fit_ladder TABLE_FINE_LADDER = {1.045f, 0.98f, 0.96f};

// The scale of each lane, starting from `present`: near it, or with `wide` over both signs and the whole ladder.
INLINE f32x16 fit_table(const fit_group *group, const float *table, f32x16 present, int wide) {
    fit_points points = {{0}, {0}, table};
    fit_best best = no_best();
    settle_half(&best, group, present, 1, 0, points);
    fit_best coarse = no_best();
    if (wide) {
        fit_ladder ladder = group->columns <= SHORT_GROUP ? SHORT_TABLE_LADDER : LONG_TABLE_LADDER;
        float outermost = table[TABLE_INTERVALS - 1] > -table[0] ? table[TABLE_INTERVALS - 1] : -table[0];
        f32x16 base = larger(group->largest, -group->smallest) / (outermost > 0 ? outermost : 1);
        consider_ladder(&coarse, group, base, ladder, &points);
        consider_ladder(&coarse, group, -base, ladder, &points);
        present = coarse.refit;
    }
    consider_ladder(&coarse, group, present, TABLE_FINE_LADDER, &points);
    settle_half(&best, group, coarse.refit, 2, 0, points);
    return best.scale;
}

#endif
