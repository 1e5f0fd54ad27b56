#include "FloatKernels.h"

#include "FloatTable.h"

static const fettle_float_table *table(fettle_isa isa) {
#if defined(__x86_64__)
    if (isa == FETTLE_AVX2) return &fettle_float_avx2;
    if (isa == FETTLE_AVX512) return &fettle_float_avx512;
#endif
    return &fettle_float_scalar;
}

long fettle_product_workspace(void) {
    return fettle_float_scalar.product_workspace;
}

void fettle_multiply(fettle_isa isa, const fettle_product *product, float *workspace) {
    table(isa)->multiply(product, workspace);
}

long fettle_attention_workspace(long keys) {
    return fettle_float_scalar.product_workspace + fettle_float_scalar.attention_rows * keys;
}

void fettle_attend(fettle_isa isa, const fettle_attention *attention, float *output, float *workspace) {
    table(isa)->attend(attention, output, workspace);
}

void fettle_attend_backward(
    fettle_isa isa, const fettle_attention *attention, const float *output_gradient, float *query_gradient,
    float *key_gradient, float *value_gradient, float *workspace) {
    table(isa)->attend_backward(
        attention, output_gradient, query_gradient, key_gradient, value_gradient, workspace);
}

void fettle_exp(fettle_isa isa, const float *x, float *y, long count) {
    table(isa)->exponential(x, y, count);
}

void fettle_rms_norm(
    fettle_isa isa, const float *x, const float *weight, float *y, long rows, long columns, float epsilon) {
    table(isa)->rms_norm(x, weight, y, rows, columns, epsilon);
}

void fettle_rms_norm_backward(
    fettle_isa isa, const float *x, const float *weight, const float *y_gradient, float *x_gradient, long rows,
    long columns, float epsilon) {
    table(isa)->rms_norm_backward(x, weight, y_gradient, x_gradient, rows, columns, epsilon);
}

void fettle_softmax(fettle_isa isa, float *row, long count, float scale) {
    table(isa)->softmax(row, count, scale);
}

void fettle_log_likelihood_gradient(fettle_isa isa, float *row, long count, long label) {
    table(isa)->log_likelihood_gradient(row, count, label);
}

double fettle_log_sum_exp(fettle_isa isa, const float *row, long count) {
    return table(isa)->log_sum_exp(row, count);
}

long fettle_sample(fettle_isa isa, const float *row, long count, float scale, double unit) {
    return table(isa)->sample(row, count, scale, unit);
}

void fettle_silu_product(fettle_isa isa, const float *gate_up, float *y, long rows, long columns) {
    table(isa)->silu_product(gate_up, y, rows, columns);
}

void fettle_silu_product_backward(
    fettle_isa isa, const float *gate_up, const float *y_gradient, float *gate_up_gradient, long rows, long columns) {
    table(isa)->silu_product_backward(gate_up, y_gradient, gate_up_gradient, rows, columns);
}

void fettle_rotate(
    fettle_isa isa, float *row, const float *cosine, const float *sine, long heads, long head_width, bool adjacent,
    bool backward) {
    table(isa)->rotate(row, cosine, sine, heads, head_width, adjacent, backward);
}

fettle_row_metrics fettle_compare_rows(
    fettle_isa isa, const float *reference, const float *candidate, long count, long target) {
    return table(isa)->compare_rows(reference, candidate, count, target);
}
