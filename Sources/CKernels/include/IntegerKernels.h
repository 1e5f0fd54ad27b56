// Kernels of the integer runtime: int8 activations times packed weights (layout R16), and the float steps between them.
//
// Every kernel computes the same bits on each instruction set, for one token and for many, and for any split of the row
// blocks among threads: integer sums are exact, and float operations have one written order.
#ifndef FETTLE_INTEGER_KERNELS_H
#define FETTLE_INTEGER_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "InstructionSet.h"
#include "ZeroPoint.h"

enum {
    FETTLE_ROW_BLOCK = 16,  // rows of a block: the lanes of layout R16
    FETTLE_WIDEST_PANEL = 8,  // tokens of the widest panel that a kernel takes at once
    FETTLE_WIDEST_BLOCKS = 2,  // row blocks that a kernel takes at once, at most
    FETTLE_QUERY_ROWS = 8,  // rows that attention takes at once, at most
    FETTLE_FLOAT16_BITS = 16,  // fettle_matrix.bits of unquantized half precision
};

typedef enum {
    FETTLE_SCALE_TENSOR = 0,  // one for the matrix
    FETTLE_SCALE_FLOAT16 = 1,  // half precision, one for each row and group
    FETTLE_SCALE_FLOAT32 = 2,
} fettle_scale_kind;

typedef enum {
    FETTLE_OFFSET_CONSTANT = 0,  // weight = scale * (code - offset)
    FETTLE_OFFSET_ZERO_POINTS = 1,  // weight = scale * (code - zero point of row and group / 2^fettle_zero_fraction)
    FETTLE_OFFSET_MINIMUMS = 2,  // weight = scale * code + minimum of row and group
} fettle_offset_kind;

/// A packed weight matrix. Pointers borrow the owner's bytes.
typedef struct {
    const uint8_t *blocks;  // row block 0
    int32_t shares;  // 0 or 1: row blocks lie one after the other; else those of each of so many equal shares do
    size_t share_bytes;  // from a share's first row block to the next share's
    const int8_t *codebooks;  // 2^bits entries for the matrix or for each row block; NULL where codes are arithmetic
    size_t codebook_stride;  // bytes from one row block's codebook to the next; 0 for one shared by all
    size_t block_bytes;
    size_t offsets_at;  // where the offsets begin in a row block; scales are at 0
    size_t tiles_at;
    int32_t rows;
    int32_t columns;  // a multiple of 32
    int32_t group;  // columns that share a scale: 16, or a multiple of 32; `columns` for channel and tensor
    int32_t bits;  // 2...8, or FETTLE_FLOAT16_BITS
    int32_t offset;  // of kind CONSTANT; 0 where there is a codebook
    fettle_scale_kind scales;
    fettle_offset_kind offsets;
    float tensor_scale;
} fettle_matrix;

typedef enum {
    FETTLE_INPUT_FLOAT = 0,
    FETTLE_INPUT_INT8 = 1,  // scale = amax / 127
    FETTLE_INPUT_Q8_0 = 2,  // the same, the scale rounded to half precision as ggml does (q8_0, q8_1)
    FETTLE_INPUT_Q8_K = 3,  // ggml's q8_K: scale = -extreme / 127, the signed value of largest magnitude
    FETTLE_INPUT_INT16 = 4,  // scale = amax / 32512 for a token's numbers 255 * high + low, both of -127...127
} fettle_input_kind;

/// The input of a product: `tokens` rows of `columns` numbers. Quantized inputs lie in panels of `panel` places, so
/// that a kernel reads the four columns of each place of a panel side by side; absent places of the last panel are
/// zeros. A token takes one place, int16 two: its high halves as int8 numbers with 255 times the scale, then the low ones.
typedef struct {
    int8_t *values;  // [panel][columns / 4][place][4]
    float *scales;  // [panel][columns / scale_columns][place]
    int32_t *sums;  // [panel][columns / sum_columns][place]: sums of the int8 values
    float *floats;  // kind FLOAT: [token][columns]
    fettle_input_kind kind;
    int32_t tokens;
    int32_t columns;
    int32_t scale_columns;  // columns that share a scale; int16: all
    int32_t sum_columns;  // 16 or 32
    int32_t panel;  // places; int16: an even number
    float frozen_scale;  // kind INT8: the scale of every token but the first of a sequence; 0: each has its own
    int32_t position;  // of token 0; the first of a sequence stands at every multiple of `sequence`
    int32_t sequence;
} fettle_input;

/// Places that a token takes.
static inline int32_t fettle_places_per_token(fettle_input_kind kind) { return kind == FETTLE_INPUT_INT16 ? 2 : 1; }

/// Places that the tokens of an input take.
static inline int32_t fettle_places(const fettle_input *input) {
    return input->tokens * fettle_places_per_token(input->kind);
}

/// Places of a panel that the kernels of `isa` want for an input of `places` places; 1 for one place, else an even number.
int32_t fettle_panel(fettle_isa isa, int32_t places);

/// Quantizes columns first..<last (whole scales) of `row` (input->columns numbers) into the place of token `token` of
/// `input`. int8: q = x * (127 / amax) rounded to the nearest, halves to even, -127...127; a group whose amax is below
/// 2^-100 is 0. With a frozen scale q = x * (1 / scale): what is beyond +-127 of it is cut off. The first token of a sequence,
/// which gathers what heads do not need and is a thousand times as large as others, keeps a scale of its own. int16 takes whole
/// rows: q = x * (32512 / amax), whose high half is q / 255 rounded to the nearest, so that both halves are int8 without -128.
void fettle_quantize(
    fettle_isa isa, const float *row, int32_t token, int32_t first, int32_t last, const fettle_input *input);

/// Zeros the places of the last panel that no token takes.
void fettle_zero_absent(const fettle_input *input);

/// Where the row blocks first..<last begin, and how many bytes of them lie there one after the other.
const uint8_t *fettle_row_blocks(const fettle_matrix *matrix, int32_t first, int32_t last, size_t *bytes);

/// Bytes of `scratch` that fettle_packed_product needs, 64-byte aligned, for inputs of up to `tokens` tokens.
size_t fettle_packed_product_scratch(int32_t columns, int32_t tokens);

/// y[token][row] = sum over columns of weight * input, for the rows of blocks first..<last; `stride` floats from one
/// token's results to the next's. Per segment (the columns that share a weight scale and an input scale):
///     acc = fma(float(isum - offset * xsum), wscale * xscale, acc), then for minimums acc = fma(minimum * xscale,
///     xsum, acc).
/// int16: what the high halves make, plus what the low ones make.
void fettle_packed_product(
    fettle_isa isa, const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, void *scratch,
    float *y, size_t stride);

/// Writes the weights of one row as float32: an embedding look-up.
void fettle_matrix_row(const fettle_matrix *matrix, int32_t row, float *target);

/// residual += update (where not NULL); target = residual / sqrt(mean square + epsilon) * gamma. `width` is a multiple
/// of 16.
void fettle_add_norm(
    fettle_isa isa, float *residual, const float *update, const float *gamma, float epsilon, int32_t width,
    float *target);

/// target = gate * sigmoid(gate) * up (SwiGLU). `count` is a multiple of 16.
void fettle_gate(fettle_isa isa, const float *gate, const float *up, int32_t count, float *target);

/// Cosines and sines of position * frequency for each of `pairs` pairs, in double precision with a polynomial of our
/// own.
void fettle_rotary_angles(int32_t position, const double *frequencies, int32_t pairs, float *cosines, float *sines);

/// Rotates the pairs of each of `heads` heads of `width` columns: (0, 1), (2, 3), ... if `adjacent`, else (i, i + width
/// / 2).
void fettle_rotate_pairs(
    float *rows, int32_t heads, int32_t width, bool adjacent, const float *cosines, const float *sines);

typedef enum {
    FETTLE_KV_FLOAT16 = 0,
    FETTLE_KV_INT8 = 1,  // scale = amax / 127 of each position and head
    FETTLE_KV_INT4 = 2,  // rotated by the Walsh-Hadamard transform; scale = -extreme / 8
} fettle_kv_format;

/// Bytes of `numbers` cached numbers.
static inline size_t fettle_kv_bytes(fettle_kv_format format, size_t numbers) {
    return format == FETTLE_KV_FLOAT16 ? 2 * numbers : format == FETTLE_KV_INT8 ? numbers : numbers / 2;
}

/// Keys and values of one layer. Pointers borrow the owner's bytes.
typedef struct {
    uint8_t *keys;  // half precision: [head][capacity / 16][head_width][16 positions]; others as CachePairs.h says
    uint8_t *values;  // half precision: [head][capacity][value_stride]
    float *key_scales;  // int8 and int4: [head][capacity]
    float *value_scales;
    int32_t capacity;  // positions, a multiple of 16
    int32_t heads;
    int32_t head_width;  // at most 1024; int8: even, int4: a multiple of 4
    int32_t value_stride;  // head_width rounded up to a multiple of 16, int4: of 32
    int32_t window;  // positions that a row sees at most, its own the last; 0: all
    fettle_kv_format format;
} fettle_kv;

/// Stores the keys and values (heads x head_width numbers each) of one position.
void fettle_kv_store(fettle_isa isa, const fettle_kv *kv, int32_t position, const float *key, const float *value);

/// Floats of `scratch` that fettle_attend_cache needs.
size_t fettle_attend_cache_scratch(int32_t head_width, int32_t capacity);

/// Attention of up to FETTLE_QUERY_ROWS query rows (head_width numbers each, not yet scaled) that share key/value head `head`; row r
/// sees the first limits[r] positions, of them the last `window`. results[r] receives head_width numbers.
void fettle_attend_cache(
    fettle_isa isa, const fettle_kv *kv, int32_t head, const float *const *queries, const int32_t *limits,
    int32_t count, float *scratch, float *const *results);

/// Multiply-adds of bytes in registers, `rounds` times some; returns the number of operations, a multiply-add being two.
int64_t fettle_probe_products(fettle_isa isa, int64_t rounds);

/// Reads `bytes` (in whole 256) once. The result depends on all of them.
uint64_t fettle_probe_read(fettle_isa isa, const uint8_t *memory, size_t bytes);

#endif
