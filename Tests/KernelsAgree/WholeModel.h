// Integer-only execution of whole random models: the logits of each token, in prefill and one by one, on one thread and on
// two.
#include "Draws.h"
#include "IntegerOnlyKernels.h"

enum {
    LAYERS = 2, WIDTH = 96, FEED_FORWARD = 160, HEADS = 4, KEY_VALUE_HEADS = 2, HEAD_WIDTH = 24, VOCABULARY = 70,
    CHUNK = 9, POSITIONS = 48, TOKENS = 29, STRIDE = 32,
};

/// Random weights of any format that integer-only execution has, for inputs with a scale for each token or for 32 columns.
static fettle_integer_matrix integer_matrix(int rows, int columns) {
    const int books = below(3) ? 0 : 1 + below(2), group = below(2) ? 32 : columns;
    const fettle_scale_kind scales = below(4) ? FETTLE_SCALE_FLOAT16 : FETTLE_SCALE_TENSOR;
    const fettle_offset_kind offsets = books || below(2) ? FETTLE_OFFSET_CONSTANT : FETTLE_OFFSET_ZERO_POINTS;
    fettle_integer_matrix m = {
        .matrix = make_matrix(
            rows, columns, 2 + below(7), scales == FETTLE_SCALE_TENSOR ? columns : group, scales, offsets, books, 0),
        .tensor_scale = 0x2666, .input_group = below(2) ? 32 : columns,
    };
    fettle_integer_prepare(&m, room((size_t)(rows + 15) / 16 * 16));
    return m;
}

static fettle_integer_norm integer_norm(void) {
    int16_t *values = room(WIDTH * sizeof(int16_t));
    for (int i = 0; i < WIDTH; i++) values[i] = (int16_t)(below(32767) - 16383);
    return (fettle_integer_norm){values, -14};
}

static fettle_integer_model integer_model(int window) {
    fettle_integer_layer *layers = room(LAYERS * sizeof *layers);
    for (int i = 0; i < LAYERS; i++) {
        layers[i] = (fettle_integer_layer){
            .query = integer_matrix(HEADS * HEAD_WIDTH, WIDTH),
            .key = integer_matrix(KEY_VALUE_HEADS * HEAD_WIDTH, WIDTH),
            .value = integer_matrix(KEY_VALUE_HEADS * HEAD_WIDTH, WIDTH),
            .attention_output = integer_matrix(WIDTH, HEADS * HEAD_WIDTH),
            .gate = integer_matrix(FEED_FORWARD, WIDTH), .up = integer_matrix(FEED_FORWARD, WIDTH),
            .down = integer_matrix(WIDTH, FEED_FORWARD), .attention_norm = integer_norm(),
            .feed_forward_norm = integer_norm(),
        };
    }
    int16_t *rotary = room(POSITIONS * HEAD_WIDTH * sizeof(int16_t));
    // Cosine and sine of 2^14 times what a turn may be at most.
    for (int i = 0; i < POSITIONS * HEAD_WIDTH; i++) rotary[i] = (int16_t)(below(2 * 11585) - 11585);
    const size_t places = CHUNK + FETTLE_WIDEST_PANEL, scratch = fettle_integer_scratch(
        FEED_FORWARD, CHUNK, HEAD_WIDTH, POSITIONS);
    return (fettle_integer_model){
        .layers = layers, .embedding = integer_matrix(VOCABULARY, WIDTH), .head = integer_matrix(VOCABULARY, WIDTH),
        .output_norm = integer_norm(), .rotary = rotary, .layer_count = LAYERS, .width = WIDTH,
        .feed_forward = FEED_FORWARD, .heads = HEADS, .key_value_heads = KEY_VALUE_HEADS, .head_width = HEAD_WIDTH,
        .value_stride = STRIDE, .widest = FEED_FORWARD, .chunk = CHUNK, .epsilon = 1 << 29, .epsilon_exponent = -46,
        .attention_scale = 19298, .attention_exponent = -16, .window = window, .adjacent = below(2),
        .buffers = {
            .residual = room(CHUNK * WIDTH * 4), .rows = room(CHUNK * FEED_FORWARD * 4), .update = room(CHUNK * WIDTH * 4),
            .products = room(CHUNK * 2 * FEED_FORWARD * 4), .exponents = room(2 * CHUNK * 4),
            .head_exponents = room(CHUNK * HEADS * 4), .inputs = room(places * FEED_FORWARD),
            .input_shifts = room(places * FEED_FORWARD / 32 * 4), .input_sums = room(places * FEED_FORWARD / 32 * 4),
            .input_scales = room(2 * CHUNK * 4), .scratch = room(2 * scratch), .scratch_bytes = scratch,
        },
    };
}

/// Logits, their exponents and the best of each token, for tokens that run together as `steps` says until there are no more.
static void run_model(
    fettle_isa isa, fettle_pool *pool, const fettle_integer_model *model, const int32_t *tokens, const int *steps,
    int32_t *results) {
    enum { SLOTS = KEY_VALUE_HEADS * POSITIONS };
    fettle_integer_kv kv[LAYERS];
    for (int i = 0; i < LAYERS; i++) {
        kv[i] = (fettle_integer_kv){room(SLOTS * HEAD_WIDTH), room(SLOTS * STRIDE), room(SLOTS * 4), room(SLOTS * 4)};
    }
    for (int position = 0, count; position < TOKENS; position += count, steps++) {
        count = *steps < TOKENS - position ? *steps : TOKENS - position;
        int32_t *row = results + position * (VOCABULARY + 2);
        int32_t logits[CHUNK * VOCABULARY], exponents[CHUNK];
        const int32_t best = fettle_integer_run(
            isa, pool, model, kv, POSITIONS, tokens + position, count, position, 0, count, logits, exponents);
        for (int t = 0; t < count; t++, row += VOCABULARY + 2) {
            memcpy(row, logits + t * VOCABULARY, VOCABULARY * 4);
            row[VOCABULARY] = exponents[t];
            row[VOCABULARY + 1] = 0;
            for (int i = 1; i < VOCABULARY; i++) {
                if (row[i] > row[row[VOCABULARY + 1]]) row[VOCABULARY + 1] = i;
            }
        }
        if (best != row[-1]) printf("best of the logits is %d, not %d\n", row[-1], best), failures++;
    }
    for (int i = 0; i < LAYERS; i++) free(kv[i].keys), free(kv[i].values), free(kv[i].key_scales), free(kv[i].value_scales);
}

static void whole_models(void) {
    static const int together[] = {9, 9, 9, 9}, mixed[] = {7, 1, 4, 1, 1, 9, 9}, alone[TOKENS] = {
        1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    };
    const size_t bytes = TOKENS * (VOCABULARY + 2) * sizeof(int32_t);
    int32_t *expected = room(bytes), *found = room(bytes), tokens[TOKENS];
    fettle_pool *pool = fettle_pool_create(2);
    for (int round = 0; round < 8; round++) {
        const fettle_integer_model model = integer_model(round % 2 ? 11 : 0);
        for (int i = 0; i < TOKENS; i++) tokens[i] = below(VOCABULARY);
        EVERY_SET(isa) {
            int32_t *first = isa == FETTLE_SCALAR ? expected : found;
            run_model(isa, NULL, &model, tokens, together, first);
            compare(isa, expected, first, bytes, "a whole model");
            run_model(isa, pool, &model, tokens, mixed, found);
            compare(FETTLE_I8MM + 1, expected, found, bytes, "a model in chunks of all sizes on two threads");
            run_model(isa, NULL, &model, tokens, alone, found);
            compare(FETTLE_I8MM + 1, expected, found, bytes, "a model token by token");
        }
    }
    fettle_pool_destroy(pool);
    free(expected), free(found);
}
