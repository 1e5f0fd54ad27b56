// Holds every instruction set that this processor has against the scalar kernels of the integer runtime, bit for bit, on
// random and on extreme inputs, and prints a digest of the scalar results: machines of different architectures must
// print the same one. For processors that the Swift tests cannot run on (scripts/arm.sh).
#include "Draws.h"
#include "WholeModel.h"

// MARK: Products

typedef enum { RANDOM, ZEROS, EXTREMES, SPREAD } input_style;

static void fill_inputs(float *x, size_t count, input_style style) {
    for (size_t i = 0; i < count; i++) {
        switch (style) {
        case RANDOM: x[i] = number(3); break;
        case ZEROS: x[i] = below(64) ? 0 : -0.0f; break;
        case EXTREMES: x[i] = below(2) ? 2.5f : -2.5f; break;
        case SPREAD: x[i] = number(1) * (below(50) ? 1e-3f : 1e4f); break;
        }
    }
}

/// A quantized input with all its buffers.
typedef struct {
    fettle_input input;
    size_t places;
} quantized;

static quantized make_input(
    fettle_isa isa, const float *x, int tokens, int columns, fettle_input_kind kind, int scale_columns, int sum_columns) {
    const int per_token = fettle_places_per_token(kind);
    quantized q = {.places = (size_t)(tokens * per_token) + FETTLE_WIDEST_PANEL};
    q.input = (fettle_input){
        .values = room(q.places * (size_t)columns), .scales = room(q.places * (size_t)(columns / 32 + 1) * 4),
        .sums = room(q.places * (size_t)(columns / 16) * 4), .floats = (float *)(uintptr_t)x, .kind = kind,
        .tokens = tokens, .columns = columns, .scale_columns = scale_columns, .sum_columns = sum_columns,
        .panel = fettle_panel(isa, tokens * per_token),
    };
    if (kind == FETTLE_INPUT_FLOAT) return q;
    for (int token = 0; token < tokens; token++) {
        fettle_quantize(isa, x + (size_t)token * (size_t)columns, token, 0, columns, &q.input);
    }
    fettle_zero_absent(&q.input);
    return q;
}

static void drop_input(quantized q) {
    free(q.input.values);
    free(q.input.scales);
    free(q.input.sums);
}

static void check_product(
    const fettle_matrix *m, int tokens, fettle_input_kind kind, int scale_columns, int sum_columns, input_style style,
    const char *what) {
    const size_t columns = (size_t)m->columns, count = (size_t)tokens * (size_t)m->rows;
    float *x = room((size_t)tokens * columns * 4), *expected = room(count * 4), *found = room(count * 4);
    fill_inputs(x, (size_t)tokens * columns, style);
    EVERY_SET(isa) {
        const quantized q = make_input(isa, x, tokens, m->columns, kind, scale_columns, sum_columns);
        void *scratch = room(fettle_packed_product_scratch(m->columns, tokens));
        float *y = isa == FETTLE_SCALAR ? expected : found;
        const int blocks = (m->rows + 15) / 16, middle = blocks / 2;
        fettle_packed_product(isa, m, &q.input, 0, middle, scratch, y, (size_t)m->rows);
        fettle_packed_product(isa, m, &q.input, middle, blocks, scratch, y, (size_t)m->rows);
        char text[200];
        snprintf(
            text, sizeof text, "%s: %d x %d, %d bits, groups of %d, scales %d, offsets %d, %d tokens, input %d of %d",
            what, m->rows, m->columns, m->bits, m->group, m->scales, m->offsets, tokens, kind, scale_columns);
        compare(isa, expected, y, count * 4, text);
        free(scratch);
        drop_input(q);
    }
    free(x);
    free(expected);
    free(found);
}

static const int token_counts[] = {1, 2, 3, 4, 5, 7, 8, 9, 11, 12, 13, 16, 24, 25, 31, 33};

static int any_tokens(void) { return token_counts[below((int)(sizeof token_counts / sizeof *token_counts))]; }

static void products(void) {
    for (int bits = 2; bits <= 8; bits++) {
        for (int round = 0; round < 48; round++) {
            const int columns = (int[]){32, 64, 96, 256, 576}[below(5)];
            const int scales = below(3), offsets = round % 3, books = round % 4 == 3 ? 1 + below(2) : 0;
            int group = (int[]){32, 64, columns}[below(3)];
            if (scales == FETTLE_SCALE_TENSOR || columns % group) group = columns;
            int per_scale = (int[]){32, 64, columns}[below(3)];
            if (columns % per_scale || (group % per_scale && per_scale % group)) per_scale = columns;
            const fettle_matrix m = make_matrix(
                1 + below(49), columns, bits, group, (fettle_scale_kind)scales,
                books ? FETTLE_OFFSET_CONSTANT : (fettle_offset_kind)offsets, books, round % 5 == 0);
            const fettle_input_kind kind = below(2) ? FETTLE_INPUT_INT8 : FETTLE_INPUT_Q8_0;
            check_product(&m, any_tokens(), kind, per_scale, 32, (input_style)below(4), "product");
            check_product(&m, any_tokens(), FETTLE_INPUT_FLOAT, columns, columns, RANDOM, "float input");
            check_product(&m, any_tokens(), FETTLE_INPUT_INT16, columns, 32, (input_style)below(4), "int16 input");
            drop_matrix(m);
        }
        for (int round = 0; round < 4; round++) {
            const fettle_matrix m = make_matrix(
                17, 512, bits, 16, FETTLE_SCALE_FLOAT32, (fettle_offset_kind)(round % 3), 0, round == 3);
            check_product(&m, any_tokens(), FETTLE_INPUT_Q8_K, 256, 16, (input_style)below(4), "groups of 16");
            drop_matrix(m);
        }
    }
    const fettle_matrix half = make_matrix(33, 96, 16, 96, FETTLE_SCALE_TENSOR, FETTLE_OFFSET_CONSTANT, 0, 0);
    uint8_t *bytes = (uint8_t *)(uintptr_t)half.blocks;
    for (size_t i = 1; i < half.block_bytes * 3; i += 2) bytes[i] &= 0xbb;  // no infinities, no NaNs
    check_product(&half, 9, FETTLE_INPUT_FLOAT, 96, 96, RANDOM, "half-precision weights");
    check_product(&half, 1, FETTLE_INPUT_FLOAT, 96, 96, RANDOM, "half-precision weights");
    drop_matrix(half);
}

/// The longest rows that the runtime accepts: 255 * 127 * 66,304 is the last multiple of 32 columns below 2^31.
static void longest_rows(void) {
    for (int offsets = 0; offsets < 3; offsets++) {
        for (int books = 0; books < (offsets == 0 ? 2 : 1); books++) {
            const fettle_matrix m = make_matrix(
                16, 66304, 8, 66304, FETTLE_SCALE_FLOAT32, (fettle_offset_kind)offsets, books, 1);
            for (int tokens = 1; tokens <= 2; tokens++) {
                float *x = room((size_t)tokens * 66304 * 4);
                check_product(&m, tokens, FETTLE_INPUT_INT8, 66304, 32, EXTREMES, "longest rows");
                check_product(&m, tokens, FETTLE_INPUT_INT16, 66304, 32, EXTREMES, "longest rows");
                free(x);
            }
            drop_matrix(m);
        }
    }
}

// MARK: Steps between products

static void elementwise(void) {
    enum { WIDTH = 1536 };
    float a[WIDTH], b[WIDTH], c[WIDTH], residual[2][WIDTH], norms[2][WIDTH], gated[2][WIDTH];
    for (int round = 0; round < 16; round++) {
        fill_inputs(a, WIDTH, round % 2 ? SPREAD : RANDOM);
        fill_inputs(b, WIDTH, round % 3 ? RANDOM : EXTREMES);
        for (int i = 0; i < WIDTH; i++) c[i] = number(round < 8 ? 4 : 120);
        const int width = 32 * (1 + below(WIDTH / 32));
        const size_t bytes = (size_t)width * 4;
        EVERY_SET(isa) {
            const int slot = isa != FETTLE_SCALAR;
            memcpy(residual[slot], a, sizeof a);
            fettle_add_norm(isa, residual[slot], round % 4 ? b : NULL, c, 1e-5f, width, norms[slot]);
            compare(isa, residual[0], residual[slot], bytes, "residual");
            compare(isa, norms[0], norms[slot], bytes, "norm");
            fettle_gate(isa, c, b, width, gated[slot]);
            compare(isa, gated[0], gated[slot], bytes, "gate");
        }
    }
}

static fettle_kv make_cache(int heads, int width, int capacity, fettle_kv_format format) {
    const int unit = format == FETTLE_KV_INT4 ? 32 : 16, stride = (width + unit - 1) / unit * unit;
    const size_t slots = (size_t)heads * (size_t)capacity;
    return (fettle_kv){
        .keys = room(slots * (size_t)width * 2), .values = room(slots * (size_t)stride * 2),
        .key_scales = room(slots * 4), .value_scales = room(slots * 4), .capacity = capacity, .heads = heads,
        .head_width = width, .value_stride = stride, .format = format,
    };
}

static void attention(void) {
    enum { HEADS = 2, CAPACITY = 112, FILLED = 100 };
    for (int round = 0; round < 24; round++) {
        const int width = (int[]){64, 8, 24, 128}[round / 3 % 4];
        const fettle_kv_format format = (fettle_kv_format)(round % 3);
        const size_t numbers = (size_t)HEADS * (size_t)width;
        float *keys = room(FILLED * numbers * 4), *values = room(FILLED * numbers * 4);
        const size_t rows = FETTLE_QUERY_ROWS * (size_t)width;
        float *queries = room(rows * 4), *results[2] = {room(rows * 4), room(rows * 4)};
        fill_inputs(keys, FILLED * numbers, RANDOM);
        fill_inputs(values, FILLED * numbers, round % 2 ? RANDOM : SPREAD);
        fill_inputs(queries, rows, RANDOM);
        fettle_kv first = {0};
        EVERY_SET(isa) {
            fettle_kv kv = make_cache(HEADS, width, CAPACITY, format);
            kv.window = round < 12 ? 0 : (int[]){1, 20, 33}[round % 3];
            for (int position = 0; position < FILLED; position++) {
                const size_t at = (size_t)position * numbers;
                fettle_kv_store(isa, &kv, position, keys + at, values + at);
            }
            if (isa == FETTLE_SCALAR) first = kv;
            const size_t slots = HEADS * CAPACITY;
            compare(isa, first.keys, kv.keys, fettle_kv_bytes(format, slots * (size_t)width), "stored keys");
            compare(
                isa, first.values, kv.values, fettle_kv_bytes(format, slots * (size_t)kv.value_stride),
                "stored values");
            float *result = results[isa != FETTLE_SCALAR];
            float *scratch = room(fettle_attend_cache_scratch(width, CAPACITY) * 4);
            const float *q[FETTLE_QUERY_ROWS];
            float *r[FETTLE_QUERY_ROWS];
            for (int i = 0; i < FETTLE_QUERY_ROWS; i++) q[i] = queries + i * width, r[i] = result + i * width;
            for (int count = 1; count <= FETTLE_QUERY_ROWS; count++) {
                const int32_t limits[FETTLE_QUERY_ROWS] = {90, 96, 97, 98, 98, 99, FILLED, 3};
                fettle_attend_cache(isa, &kv, 1, q, limits, count, scratch, r);
                compare(isa, results[0], result, (size_t)count * (size_t)width * 4, "attention");
            }
            free(scratch);
            if (isa == FETTLE_SCALAR) continue;
            free(kv.keys), free(kv.values), free(kv.key_scales), free(kv.value_scales);
        }
        free(first.keys), free(first.values), free(first.key_scales), free(first.value_scales);
        free(keys), free(values), free(queries), free(results[0]), free(results[1]);
    }
}

int main(void) {
    whole_models();
    products();
    longest_rows();
    elementwise();
    attention();
    EVERY_SET(isa) printf("instruction set %d\n", isa);
    printf("%d comparisons, %d differ\n", compared, failures);
    printf("digest %016" PRIx64 "\n", digest);
    return failures != 0;
}
