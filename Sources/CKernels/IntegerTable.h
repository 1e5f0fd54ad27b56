// The kernels of one instruction set, as the dispatcher sees them.
#ifndef FETTLE_INTEGER_TABLE_H
#define FETTLE_INTEGER_TABLE_H

#include "IntegerOnlyKernels.h"

typedef struct {
    int32_t panel;  // tokens of a panel when there are several
    void (*quantize)(const float *row, int32_t token, int32_t first, int32_t last, const fettle_input *input);
    void (*product)(
        const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, void *scratch, float *y,
        size_t stride);
    void (*add_norm)(
        float *residual, const float *update, const float *gamma, float epsilon, int32_t width, float *target);
    void (*gate)(const float *gate, const float *up, int32_t count, float *target);
    void (*kv_store)(const fettle_kv *kv, int32_t position, const float *key, const float *value);
    void (*attend)(
        const fettle_kv *kv, int32_t head, const float *const *queries, const int32_t *limits, int32_t count,
        float *scratch, float *const *results);
    int64_t (*probe_products)(int64_t rounds);
    uint64_t (*probe_read)(const uint8_t *memory, size_t bytes);
    int32_t (*run_integer)(
        fettle_pool *pool, const fettle_integer_model *model, const fettle_integer_kv *kv, int32_t capacity,
        const int32_t *tokens, int32_t count, int32_t position, int32_t first, int32_t last,
        int32_t *logits, int32_t *exponents);
} fettle_integer_table;

extern const fettle_integer_table fettle_integer_scalar;
extern const fettle_integer_table fettle_integer_avx2;
extern const fettle_integer_table fettle_integer_avx512;
extern const fettle_integer_table fettle_integer_sdot;
extern const fettle_integer_table fettle_integer_i8mm;

/// Where a row block lies.
static inline const uint8_t *row_block(const fettle_matrix *m, int block) {
    if (m->shares <= 1) return m->blocks + (size_t)block * m->block_bytes;
    const int of_share = (m->rows + 15) / 16 / m->shares;
    return m->blocks + (size_t)(block / of_share) * m->share_bytes + (size_t)(block % of_share) * m->block_bytes;
}

/// The end of the row blocks, of those before `last`, that lie one after the other from `block` on.
static inline int adjoining_end(const fettle_matrix *m, int block, int last) {
    if (m->shares <= 1) return last;
    const int of_share = (m->rows + 15) / 16 / m->shares;
    const int end = (block / of_share + 1) * of_share;
    return end < last ? end : last;
}

const fettle_integer_table *fettle_integer_kernels(fettle_isa isa);

#endif
