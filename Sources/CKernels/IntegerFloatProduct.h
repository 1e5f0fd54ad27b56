// Products with float inputs, of half-precision weights as they are and of quantized ones once a row block is decoded
// to float32. Column c of every step has its own sum, taken in order of steps; a row's result is (c0 + c1) + (c2 + c3).

/// Decodes a row block whose codes lie unpacked at `codes` (codebook values moved to 0...255) into [step][row][column
/// of 4].
static void decode_block(const fettle_matrix *matrix, const uint8_t *bytes, const uint8_t *codes, float *target) {
    const uint8_t *offsets = bytes + matrix->offsets_at;
    const int constant = matrix->codebooks ? 128 : matrix->offset;
    const float unit = 1.0f / (float)(1 << fettle_zero_fraction(matrix->bits));
    for (int group = 0; group < matrix->columns / matrix->group; group++) {
        float scales[16], minimums[16], scale[64], minimum[64];
        float offset[64];
        for (int lane = 0; lane < 16; lane++) {
            scales[lane] = matrix->tensor_scale;
            minimums[lane] = 0;
        }
        const size_t first = (size_t)group * 16;
        if (matrix->scales == FETTLE_SCALE_FLOAT16) {
            store_f32x16(scales, half_to_float_16(load_u16x16(bytes + 2 * first)));
        }
        if (matrix->scales == FETTLE_SCALE_FLOAT32) memcpy(scales, bytes + 4 * first, sizeof scales);
        if (matrix->offsets == FETTLE_OFFSET_MINIMUMS) memcpy(minimums, offsets + 4 * first, sizeof minimums);
        for (int i = 0; i < 64; i++) {
            scale[i] = scales[i / 4];
            minimum[i] = minimums[i / 4];
            offset[i] = matrix->offsets == FETTLE_OFFSET_CONSTANT ? (float)constant
                : matrix->offsets == FETTLE_OFFSET_ZERO_POINTS ? (float)offsets[first + (size_t)i / 4] * unit : 0;
        }
        for (int step = 0; step < matrix->group / 4; step++, codes += 64, target += 64) {
            for (int i = 0; i < 64; i++) target[i] = scale[i] * ((float)codes[i] - offset[i]) + minimum[i];
        }
    }
}

/// Rows 4 * quarter ... 4 * (quarter + quarters) - 1 of a block times `count` tokens.
INLINE void float_quarters(
    const void *weights, const int half, const float *x, int columns, const int quarter, const int quarters,
    const int count, f32x16 (*acc)[4]) {
    UNROLL for (int m = 0; m < count; m++) {
        UNROLL for (int q = 0; q < quarters; q++) acc[m][q] = (f32x16){0};
    }
    for (int step = 0; step < columns / 4; step++) {
        f32x16 w[4];
        UNROLL for (int q = 0; q < quarters; q++) {
            const size_t at = (size_t)step * 64 + (size_t)(quarter + q) * 16;
            w[q] = half ? half_to_float_16(load_u16x16((const uint16_t *)weights + at))
                : load_f32x16((const float *)weights + at);
        }
        UNROLL for (int m = 0; m < count; m++) {
            f32x4 four;
            memcpy(&four, x + (size_t)m * (size_t)columns + step * 4, sizeof four);
            f32x16 all = __builtin_shufflevector(four, four, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3);
            UNROLL for (int q = 0; q < quarters; q++) acc[m][q] = __builtin_elementwise_fma(w[q], all, acc[m][q]);
        }
    }
}

INLINE void store_quarter(f32x16 acc, int rows, float *y) {
    for (int row = 0; row < 4 && row < rows; row++) {
        y[row] = (acc[4 * row] + acc[4 * row + 1]) + (acc[4 * row + 2] + acc[4 * row + 3]);
    }
}

/// One row block times every token.
INLINE void float_block(
    const void *weights, const int half, const fettle_input *input, int rows, float *y, size_t stride) {
    enum { TOKENS = 4 };
    const int columns = input->columns;
    int token = 0;
    for (; token + TOKENS <= input->tokens; token += TOKENS) {
        const float *x = input->floats + (size_t)token * (size_t)columns;
        for (int quarter = 0; quarter < 4; quarter++) {
            f32x16 acc[TOKENS][4];
            float_quarters(weights, half, x, columns, quarter, 1, TOKENS, acc);
            for (int m = 0; m < TOKENS; m++) {
                store_quarter(acc[m][0], rows - quarter * 4, y + (size_t)(token + m) * stride + quarter * 4);
            }
        }
    }
    for (; token < input->tokens; token++) {
        f32x16 acc[1][4];
        float_quarters(weights, half, input->floats + (size_t)token * (size_t)columns, columns, 0, 4, 1, acc);
        for (int quarter = 0; quarter < 4; quarter++) {
            store_quarter(acc[0][quarter], rows - quarter * 4, y + (size_t)token * stride + quarter * 4);
        }
    }
}

static void product_float(
    const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, void *scratch, float *y,
    size_t stride) {
    float *weights = scratch;
    uint8_t *codes = (uint8_t *)(weights + (size_t)matrix->columns * 16);
    lookup_tables tables;
    if (matrix->codebooks) load_tables(&tables, matrix->codebooks, matrix->bits);
    for (int block = first; block < last; block++) {
        const uint8_t *bytes = row_block(matrix, block);
        const uint8_t *tiles = bytes + matrix->tiles_at;
        const int rows = matrix->rows - block * 16;
        float *target = y + (size_t)block * 16;
        if (matrix->bits == FETTLE_FLOAT16_BITS) {
            float_block(tiles, 1, input, rows, target, stride);
            continue;
        }
        if (matrix->codebook_stride) {
            load_tables(&tables, matrix->codebooks + (size_t)block * matrix->codebook_stride, matrix->bits);
        }
        decode_block(matrix, bytes, unpacked_block(matrix, tiles, &tables, codes), weights);
        float_block(weights, 0, input, rows, target, stride);
    }
}
