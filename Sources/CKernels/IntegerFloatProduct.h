// Products of half-precision weights with float inputs. Column c of every step has its own sum, taken in order of steps;
// a row's result is (c0 + c1) + (c2 + c3).

/// Rows 4 * quarter ... 4 * (quarter + quarters) - 1 of a block times `count` tokens.
INLINE void float_quarters(
    const uint8_t *tiles, const float *x, int columns, const int quarter, const int quarters, const int count,
    f32x16 (*acc)[4]) {
    UNROLL for (int m = 0; m < count; m++) {
        UNROLL for (int q = 0; q < quarters; q++) acc[m][q] = (f32x16){0};
    }
    for (int step = 0; step < columns / 4; step++) {
        f32x16 w[4];
        UNROLL for (int q = 0; q < quarters; q++) {
            w[q] = half_to_float_16(load_u16x16(tiles + (size_t)step * 128 + (quarter + q) * 32));
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

static void product_float(
    const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, float *y, size_t stride) {
    enum { TOKENS = 4 };
    for (int block = first; block < last; block++) {
        const uint8_t *tiles = matrix->blocks + (size_t)block * matrix->block_bytes + matrix->tiles_at;
        const int rows = matrix->rows - block * 16;
        int token = 0;
        for (; token + TOKENS <= input->tokens; token += TOKENS) {
            const float *x = input->floats + (size_t)token * (size_t)input->columns;
            for (int quarter = 0; quarter < 4; quarter++) {
                f32x16 acc[TOKENS][4];
                float_quarters(tiles, x, matrix->columns, quarter, 1, TOKENS, acc);
                for (int m = 0; m < TOKENS; m++) {
                    float *target = y + (size_t)(token + m) * stride + (size_t)block * 16 + quarter * 4;
                    store_quarter(acc[m][0], rows - quarter * 4, target);
                }
            }
        }
        for (; token < input->tokens; token++) {
            const float *x = input->floats + (size_t)token * (size_t)input->columns;
            f32x16 acc[1][4];
            float_quarters(tiles, x, matrix->columns, 0, 4, 1, acc);
            for (int quarter = 0; quarter < 4; quarter++) {
                float *target = y + (size_t)token * stride + (size_t)block * 16 + quarter * 4;
                store_quarter(acc[0][quarter], rows - quarter * 4, target);
            }
        }
    }
}
