// One instruction set's float kernels. The including file defines TABLE, LANES and TILE_ROWS.
#include "FloatVectors.h"
#include "FloatProduct.h"
#include "FloatRows.h"
#include "FloatAttention.h"
#include "FloatMetrics.h"

const fettle_float_table TABLE = {
    .multiply = multiply,
    .attend = attend,
    .attend_backward = attend_backward,
    .exponential = exponential,
    .rms_norm = rms_norm,
    .rms_norm_backward = rms_norm_backward,
    .softmax = softmax,
    .log_likelihood_gradient = log_likelihood_gradient,
    .log_sum_exp = log_sum_exp,
    .sample = sample,
    .silu_product = silu_product,
    .silu_product_backward = silu_product_backward,
    .rotate = rotate,
    .compare_rows = compare_rows,
    .product_workspace = 2 * STRIP * DEPTH_BLOCK,
    .attention_rows = 2 * QUERY_BLOCK,
};
