#include "IntegerOnlyKernels.h"

#include <string.h>

#include "IntegerTable.h"

size_t fettle_integer_scratch(int32_t widest, int32_t chunk, int32_t head_width, int32_t capacity) {
    // The codes of the row blocks that are multiplied side by side, mantissas and shifts of their scales, and sums of the
    // inputs for each segment (at least 32 columns); or the sums, query and weights of attention rows.
    const size_t places = (size_t)chunk + FETTLE_WIDEST_PANEL - 1, columns = (size_t)widest;
    const size_t codes = columns * (16 + sizeof(int32_t)) * FETTLE_WIDEST_BLOCKS + places * columns / 32 * sizeof(int32_t);
    const size_t stride = (size_t)(head_width + 15) / 16 * 16;
    const size_t attention = FETTLE_QUERY_ROWS
        * (stride * (sizeof(int64_t) + sizeof(int16_t)) + (size_t)capacity * sizeof(int32_t));
    return ((codes > attention ? codes : attention) + 63) / 64 * 64;
}

void fettle_integer_prepare(fettle_integer_matrix *matrix, int8_t *row_exponents) {
    const fettle_matrix *m = &matrix->matrix;
    const int32_t blocks = (m->rows + 15) / 16, groups = m->columns / m->group;
    matrix->row_exponents = row_exponents;
    matrix->exponent = 1;
    for (int32_t row = 0; row < blocks * 16; row++) {
        const uint8_t *scales = row_block(m, row / 16);
        int32_t largest = 1;
        for (int32_t group = 0; group < groups; group++) {
            uint16_t half = (uint16_t)matrix->tensor_scale;
            if (m->scales == FETTLE_SCALE_FLOAT16) {
                memcpy(&half, scales + 2 * ((size_t)group * 16 + (size_t)(row % 16)), sizeof half);
            }
            const int32_t exponent = (half >> 10) & 31;
            largest = exponent > largest ? exponent : largest;
        }
        row_exponents[row] = (int8_t)largest;
        if (row < m->rows && largest > matrix->exponent) matrix->exponent = largest;
    }
}

int32_t fettle_integer_run(
    fettle_isa isa, fettle_pool *pool, const fettle_integer_model *model, const fettle_integer_kv *kv,
    int32_t capacity, const int32_t *tokens, int32_t count, int32_t position, int32_t first, int32_t last,
    int32_t *logits, int32_t *exponents) {
    return fettle_integer_kernels(isa)->run_integer(
        pool, model, kv, capacity, tokens, count, position, first, last, logits, exponents);
}
