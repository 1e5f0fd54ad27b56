// The float kernels of one instruction set. Private: FloatKernels.c picks the table, Float_<isa>.c fill them. Included
// before any target attribute is pushed, so that the system's headers stay as they are.
#ifndef FETTLE_FLOAT_TABLE_H
#define FETTLE_FLOAT_TABLE_H

#include <math.h>
#include <string.h>

#include "FloatKernels.h"

typedef struct {
    void (*multiply)(const fettle_product *, float *);
    void (*attend)(const fettle_attention *, float *, float *);
    void (*attend_backward)(const fettle_attention *, const float *, float *, float *, float *, float *);
    void (*exponential)(const float *, float *, long);
    void (*rms_norm)(const float *, const float *, float *, long, long, float);
    void (*rms_norm_backward)(const float *, const float *, const float *, float *, long, long, float);
    void (*softmax)(float *, long, float);
    void (*log_likelihood_gradient)(float *, long, long);
    double (*log_sum_exp)(const float *, long);
    long (*sample)(const float *, long, float, double);
    void (*silu_product)(const float *, float *, long, long);
    void (*silu_product_backward)(const float *, const float *, float *, long, long);
    void (*rotate)(float *, const float *, const float *, long, long, bool, bool);
    fettle_row_metrics (*compare_rows)(const float *, const float *, long, long);
    long product_workspace;
    long attention_rows;
} fettle_float_table;

extern const fettle_float_table fettle_float_scalar;
#if defined(__x86_64__)
extern const fettle_float_table fettle_float_avx2;
extern const fettle_float_table fettle_float_avx512;
#endif

#endif
