// Rotary position embedding (Su et al., 2021). Angles are taken in double precision, so that no libm decides their
// bits.
#include "IntegerKernels.h"

#pragma STDC FP_CONTRACT OFF

/// Sine and cosine of `x` >= 0 below 2^31, within 2^-50.
static void sine_and_cosine(double x, double *sine, double *cosine) {
    const int64_t quarters = (int64_t)(x * 0.63661977236758134308 + 0.5);
    const double n = (double)quarters;
    // pi/2 in three parts: n times each of the first two is exact.
    double r = x - n * 1.57079632673412561417;
    r = r - n * 6.07710050630396597660e-11;
    r = r - n * 2.02226624879595063154e-21;
    const double z = r * r;
    const double s = r + r * z * (-1.66666666666666324348e-01 + z * (8.33333333332248946124e-03
        + z * (-1.98412698298579493134e-04 + z * (2.75573137070700676789e-06
        + z * (-2.50507602534068634195e-08 + z * 1.58969099521155010221e-10)))));
    const double c = 1.0 - z * 0.5 + z * z * (4.16666666666666019037e-02 + z * (-1.38888888888741095749e-03
        + z * (2.48015872894767294178e-05 + z * (-2.75573143513906633035e-07
        + z * (2.08757232129817482790e-09 + z * -1.13596475577881948265e-11)))));
    switch (quarters & 3) {
    case 0: *sine = s; *cosine = c; break;
    case 1: *sine = c; *cosine = -s; break;
    case 2: *sine = -s; *cosine = -c; break;
    default: *sine = -c; *cosine = s; break;
    }
}

void fettle_rotary_angles(int32_t position, const double *frequencies, int32_t pairs, float *cosines, float *sines) {
    for (int32_t i = 0; i < pairs; i++) {
        double sine, cosine;
        sine_and_cosine((double)position * frequencies[i], &sine, &cosine);
        sines[i] = (float)sine;
        cosines[i] = (float)cosine;
    }
}

void fettle_rotate_pairs(
    float *rows, int32_t heads, int32_t width, bool adjacent, const float *cosines, const float *sines) {
    const int32_t pairs = width / 2, step = adjacent ? 2 : 1, apart = adjacent ? 1 : pairs;
    for (int32_t head = 0; head < heads; head++, rows += width) {
        for (int32_t i = 0; i < pairs; i++) {
            float *a = rows + i * step, *b = a + apart;
            const float x = *a, y = *b;
            *a = x * cosines[i] - y * sines[i];
            *b = x * sines[i] + y * cosines[i];
        }
    }
}
