#include "IntegerKernels.h"

#include <string.h>

#include "IntegerCode.h"
#include "IntegerTable.h"

#pragma STDC FP_CONTRACT OFF

const fettle_integer_table *fettle_integer_kernels(fettle_isa isa) {
#if defined(__x86_64__)
    switch (isa) {
    case FETTLE_AVX512: return &fettle_integer_avx512;
    case FETTLE_AVX2: return &fettle_integer_avx2;
    default: break;
    }
#elif defined(__aarch64__)
    if (isa == FETTLE_SDOT) return &fettle_integer_sdot;
    if (isa == FETTLE_I8MM) return &fettle_integer_i8mm;
#else
    (void)isa;
#endif
    return &fettle_integer_scalar;
}

int32_t fettle_panel(fettle_isa isa, int32_t places) {
    return places <= 1 ? 1 : fettle_integer_kernels(isa)->panel;
}

void fettle_quantize(
    fettle_isa isa, const float *row, int32_t token, int32_t first, int32_t last, const fettle_input *input) {
    fettle_integer_kernels(isa)->quantize(row, token, first, last, input);
}

void fettle_zero_absent(const fettle_input *input) {
    const int32_t places = fettle_places(input), panel = input->panel, used = places % panel, columns = input->columns;
    if (used == 0) return;
    const size_t index = (size_t)(places / panel) * (size_t)panel;
    int8_t *values = input->values + index * (size_t)columns;
    float *scales = input->scales + index * (size_t)(columns / input->scale_columns);
    int32_t *sums = input->sums + index * (size_t)(columns / input->sum_columns);
    for (int32_t slot = used; slot < panel; slot++) {
        for (int32_t i = 0; i < columns / 4; i++) memset(values + ((size_t)i * (size_t)panel + (size_t)slot) * 4, 0, 4);
        for (int32_t i = 0; i < columns / input->scale_columns; i++) scales[i * panel + slot] = 0;
        for (int32_t i = 0; i < columns / input->sum_columns; i++) sums[i * panel + slot] = 0;
    }
}

size_t fettle_packed_product_scratch(int32_t columns, int32_t tokens) {
    // The codes of the row blocks that are multiplied side by side, and sums for each segment (at least 16 columns) of
    // whole panels of places, two for each token; with float inputs the row block's weights instead of the sums.
    const size_t places = 2 * (size_t)tokens + FETTLE_WIDEST_PANEL - 1;
    const size_t blocks = FETTLE_WIDEST_BLOCKS;
    const size_t sums = (size_t)columns / 16 * sizeof(int32_t) * places;
    const size_t weights = (size_t)columns * 16 * sizeof(float);
    return ((size_t)columns * 16 * blocks + (sums > weights ? sums : weights) + 63) / 64 * 64;
}

const uint8_t *fettle_row_blocks(const fettle_matrix *matrix, int32_t first, int32_t last, size_t *bytes) {
    *bytes = first < last ? (size_t)(adjoining_end(matrix, first, last) - first) * matrix->block_bytes : 0;
    return row_block(matrix, first);
}

void fettle_packed_product(
    fettle_isa isa, const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, void *scratch,
    float *y, size_t stride) {
    fettle_integer_kernels(isa)->product(matrix, input, first, last, scratch, y, stride);
}

void fettle_add_norm(
    fettle_isa isa, float *residual, const float *update, const float *gamma, float epsilon, int32_t width,
    float *target) {
    fettle_integer_kernels(isa)->add_norm(residual, update, gamma, epsilon, width, target);
}

void fettle_gate(fettle_isa isa, const float *gate, const float *up, int32_t count, float *target) {
    fettle_integer_kernels(isa)->gate(gate, up, count, target);
}

void fettle_kv_store(fettle_isa isa, const fettle_kv *kv, int32_t position, const float *key, const float *value) {
    fettle_integer_kernels(isa)->kv_store(kv, position, key, value);
}

size_t fettle_attend_cache_scratch(int32_t head_width, int32_t capacity) {
    return FETTLE_QUERY_ROWS * ((size_t)head_width + (size_t)capacity);
}

void fettle_attend_cache(
    fettle_isa isa, const fettle_kv *kv, int32_t head, const float *const *queries, const int32_t *limits,
    int32_t count, float *scratch, float *const *results) {
    fettle_integer_kernels(isa)->attend(kv, head, queries, limits, count, scratch, results);
}

int64_t fettle_probe_products(fettle_isa isa, int64_t rounds) {
    return fettle_integer_kernels(isa)->probe_products(rounds);
}

uint64_t fettle_probe_read(fettle_isa isa, const uint8_t *memory, size_t bytes) {
    return fettle_integer_kernels(isa)->probe_read(memory, bytes);
}

static float half_at(const uint8_t *bytes) {
    uint16_t half;
    memcpy(&half, bytes, sizeof half);
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, bits;
    float value;
    memcpy(&value, &magnitude, sizeof value);
    value *= 0x1p112f;
    memcpy(&bits, &value, sizeof bits);
    if ((half & 0x7c00) == 0x7c00) bits = magnitude | 0x7f800000;
    bits |= (uint32_t)(half & 0x8000) << 16;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static float float_at(const uint8_t *bytes) {
    float value;
    memcpy(&value, bytes, sizeof value);
    return value;
}

void fettle_matrix_row(const fettle_matrix *matrix, int32_t row, float *target) {
    const int lane = row % 16;
    const uint8_t *block = row_block(matrix, row / 16);
    const uint8_t *tiles = block + matrix->tiles_at, *offsets = block + matrix->offsets_at;
    if (matrix->bits == FETTLE_FLOAT16_BITS) {
        for (int column = 0; column < matrix->columns; column++) {
            target[column] = half_at(tiles + (size_t)(column / 4) * 128 + (size_t)(lane * 4 + column % 4) * 2);
        }
        return;
    }
    const int8_t *codebook = matrix->codebooks;
    if (codebook) codebook += (size_t)(row / 16) * matrix->codebook_stride;
    for (int column = 0; column < matrix->columns; column++) {
        const size_t at = (size_t)(column / matrix->group) * 16 + (size_t)lane;
        float scale = matrix->tensor_scale;
        if (matrix->scales == FETTLE_SCALE_FLOAT16) scale = half_at(block + 2 * at);
        if (matrix->scales == FETTLE_SCALE_FLOAT32) scale = float_at(block + 4 * at);
        const int code = fettle_code_at(tiles, matrix->bits, lane, column);
        switch (matrix->offsets) {
        case FETTLE_OFFSET_CONSTANT:
            target[column] = scale * (float)(codebook ? codebook[code] : code - matrix->offset);
            break;
        case FETTLE_OFFSET_ZERO_POINTS: {
            const float unit = 1.0f / (float)(1 << fettle_zero_fraction(matrix->bits));
            target[column] = scale * ((float)code - (float)offsets[at] * unit);
            break;
        }
        case FETTLE_OFFSET_MINIMUMS: target[column] = scale * (float)code + float_at(offsets + 4 * at); break;
        }
    }
}
