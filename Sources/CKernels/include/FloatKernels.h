// The float32 kernels. Every result is the same bits on each instruction set and however the work is divided: sums run
// in one fixed order, multiplications and additions fuse only where the code says so.
#ifndef FETTLE_FLOAT_KERNELS_H
#define FETTLE_FLOAT_KERNELS_H

#include <stdbool.h>
#include <stdint.h>

#include "InstructionSet.h"

/// A product C = A B of `rows` x `depth` by `depth` x `columns`, each operand with a stride for both of its axes.
/// One stride of A and one of B must be 1; columns of C are adjacent. An element of C is a sum over blocks of 192 of
/// the depth axis, each block a chain of fused multiply-adds from 0.
typedef struct {
    const float *_Nonnull a;
    const float *_Nonnull b;
    float *_Nonnull c;
    long rows, columns, depth;
    long a_row, a_depth;
    long b_depth, b_column;
    long c_row;
    bool accumulates;  // whether C is added to, block by block, instead of replaced
} fettle_product;

/// Floats of workspace that a product needs on each thread, at 64-byte alignment.
long fettle_product_workspace(void);

/// Computes the whole of `product` on the calling thread. Bits do not depend on how a caller cuts rows and columns.
void fettle_multiply(fettle_isa isa, const fettle_product *_Nonnull product, float *_Nonnull workspace);

/// Scaled dot-product attention of one head: output = softmax(scale * query key^T) value. Row i of the queries sees
/// the first `visible + i * visible_step` keys, of them the last `window` where that is
/// not 0. Rows of keys and values have the same stride.
typedef struct {
    const float *_Nonnull query;
    const float *_Nonnull key;
    const float *_Nonnull value;
    long rows, head_width;
    long query_row, key_row, output_row;
    long visible, visible_step, window;
    float scale;
} fettle_attention;

/// Floats of workspace that attention over `keys` keys needs on each thread, forward or backward, at 64-byte alignment.
long fettle_attention_workspace(long keys);

void fettle_attend(
    fettle_isa isa, const fettle_attention *_Nonnull attention, float *_Nonnull output, float *_Nonnull workspace);

/// The gradients of `fettle_attend`. `output_gradient` has the stride of the output; the gradient of the queries is
/// written with the stride of the queries, those of keys and values are added to, with the stride of the keys.
void fettle_attend_backward(
    fettle_isa isa, const fettle_attention *_Nonnull attention, const float *_Nonnull output_gradient,
    float *_Nonnull query_gradient, float *_Nonnull key_gradient, float *_Nonnull value_gradient,
    float *_Nonnull workspace);

/// y = exp(x) within 2 ulp, subnormals, infinities and NaN included.
void fettle_exp(fettle_isa isa, const float *_Nonnull x, float *_Nonnull y, long count);

/// y = weight * x / sqrt(mean(x^2) + epsilon), row by row (RMSNorm, arXiv 1910.07467).
void fettle_rms_norm(
    fettle_isa isa, const float *_Nonnull x, const float *_Nonnull weight, float *_Nonnull y, long rows, long columns,
    float epsilon);

/// Adds to `x_gradient` what `y_gradient` gives through `fettle_rms_norm` at x.
void fettle_rms_norm_backward(
    fettle_isa isa, const float *_Nonnull x, const float *_Nonnull weight, const float *_Nonnull y_gradient,
    float *_Nonnull x_gradient, long rows, long columns, float epsilon);

/// row = softmax(scale * row).
void fettle_softmax(fettle_isa isa, float *_Nonnull row, long count, float scale);

/// row = onehot(label) - softmax(row): the gradient of log p(label) by the logits.
void fettle_log_likelihood_gradient(fettle_isa isa, float *_Nonnull row, long count, long label);

/// log of the sum of exp(row).
double fettle_log_sum_exp(fettle_isa isa, const float *_Nonnull row, long count);

/// The index that `unit` in 0..<1 falls on when [0, 1) is cut into pieces as long as softmax(scale * row) says.
long fettle_sample(fettle_isa isa, const float *_Nonnull row, long count, float scale, double unit);

/// y = silu(gate) * up, silu(x) = x / (1 + exp(-x)); a row of `gate_up` holds the gate, then up (arXiv 2002.05202).
void fettle_silu_product(
    fettle_isa isa, const float *_Nonnull gate_up, float *_Nonnull y, long rows, long columns);

/// The gradient of `fettle_silu_product` by `gate_up`.
void fettle_silu_product_backward(
    fettle_isa isa, const float *_Nonnull gate_up, const float *_Nonnull y_gradient, float *_Nonnull gate_up_gradient,
    long rows, long columns);

/// Rotates the `heads` adjacent heads of one row by the angles of its position (rotary embedding, arXiv 2104.09864).
/// `cosine` and `sine` hold head_width / 2 numbers; `adjacent` pairs (0, 1), (2, 3), ..., otherwise (0, n/2), ....
/// With -sine it is its own gradient.
void fettle_rotate(
    fettle_isa isa, float *_Nonnull row, const float *_Nonnull cosine, const float *_Nonnull sine, long heads,
    long head_width, bool adjacent, bool backward);

/// How far one row of candidate logits is from the reference's.
typedef struct {
    double divergence;  // KL(reference || candidate), nats
    double reference_log_probability;  // of the target
    double candidate_log_probability;
    long reference_top;  // index of the largest logit, the lowest where several are
    long candidate_top;
} fettle_row_metrics;

/// Compares two rows of `count` logits; `target` is the token that came next.
fettle_row_metrics fettle_compare_rows(
    fettle_isa isa, const float *_Nonnull reference, const float *_Nonnull candidate, long count, long target);

#endif
