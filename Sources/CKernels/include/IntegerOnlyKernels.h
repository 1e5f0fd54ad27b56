// Integer-only execution: from a token's id to the arg max of its logits no floating-point operation. Numbers are int32
// with a power-of-two exponent for each token: value * 2^exponent, |value| <= 2^30; scales are dyadic (a mantissa and an
// exponent). Every result is the same bits on each instruction set, for any number of threads, and for one token and many.
#ifndef FETTLE_INTEGER_ONLY_KERNELS_H
#define FETTLE_INTEGER_ONLY_KERNELS_H

#include "IntegerKernels.h"
#include "ThreadPool.h"

/// A packed matrix with half-precision scales, read as integers.
typedef struct {
    fettle_matrix matrix;  // offsets CONSTANT or ZERO_POINTS, scales TENSOR or FLOAT16
    const int8_t *row_exponents;  // rows padded to whole blocks: the largest exponent among a row's scales
    int32_t exponent;  // the largest of all rows
    int32_t tensor_scale;  // the bits of the scale of kind TENSOR
    int32_t input_group;  // columns of its input that share a scale: all, or 32
} fettle_integer_matrix;

/// Weights of a norm: value * 2^exponent.
typedef struct {
    const int16_t *values;
    int32_t exponent;
} fettle_integer_norm;

typedef struct {
    fettle_integer_matrix query, key, value, attention_output, gate, up, down;
    fettle_integer_norm attention_norm, feed_forward_norm;
} fettle_integer_layer;

/// Keys and values of one layer, int8 with a dyadic scale for each position and head: the mantissa in the upper half of
/// 32 bits, the exponent, signed, in the lower. The scale of a key also holds log2(e) / sqrt(head_width).
typedef struct {
    int8_t *keys;  // [head][capacity / 16][head_width / 2][16 positions][2]
    int8_t *values;  // [head][capacity / 2][value_stride][2]
    uint32_t *key_scales;  // [head][capacity]
    uint32_t *value_scales;
} fettle_integer_kv;

/// What a model needs to run, in memory that the caller owns. Arrays are for up to `chunk` tokens.
typedef struct {
    int32_t *residual;  // [token][width]
    int32_t *rows;  // inputs of products [token][widest]
    int32_t *update;  // [token][width]
    int32_t *products;  // queries, keys and values, or gate and up
    int32_t *exponents;  // [7][token]: residual, rows, update, and four of products
    int32_t *head_exponents;  // [token][heads]
    int8_t *inputs;  // quantized inputs [panel][widest / 4][panel token][4]
    int32_t *input_shifts;  // [panel][widest / 32][panel token]
    int32_t *input_sums;  // the same
    int32_t *input_scales;  // [2][token]: mantissas, exponents
    uint8_t *scratch;  // of each thread
    size_t scratch_bytes;
} fettle_integer_buffers;

typedef struct {
    const fettle_integer_layer *layers;
    fettle_integer_matrix embedding, head;
    fettle_integer_norm output_norm;
    fettle_integer_buffers buffers;
    const int16_t *rotary;  // [position][cosines, sines][head_width / 2], times 2^14
    int32_t layer_count, width, feed_forward, heads, key_value_heads, head_width, value_stride, widest, chunk;
    int32_t epsilon, epsilon_exponent;  // of the norms
    int32_t attention_scale, attention_exponent;  // log2(e) / sqrt(head_width), 15 bits
    int32_t window;  // positions that a token sees at most, its own the last; 0: all
    bool adjacent;  // rotary pairs (0, 1), (2, 3), ...
} fettle_integer_model;

/// Bytes of one thread's scratch.
size_t fettle_integer_scratch(int32_t widest, int32_t chunk, int32_t head_width, int32_t capacity);

/// Finds a matrix's exponents from the bits of its scales; `row_exponents` takes one for each row of its blocks.
void fettle_integer_prepare(fettle_integer_matrix *matrix, int8_t *row_exponents);

/// Runs up to `chunk` tokens after the `position` ones that the cache holds. `logits` receives those after tokens
/// first..<last [token][vocabulary], and `exponents` their exponents. Returns the id with the largest logit after the last
/// of these, the lowest of several, or -1 where there are none. Ids must be in the vocabulary, positions within `capacity`.
int32_t fettle_integer_run(
    fettle_isa isa, fettle_pool *pool, const fettle_integer_model *model, const fettle_integer_kv *kv,
    int32_t capacity, const int32_t *tokens, int32_t count, int32_t position, int32_t first, int32_t last,
    int32_t *logits, int32_t *exponents);

#endif
