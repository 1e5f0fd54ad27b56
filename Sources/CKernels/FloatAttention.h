// Attention of one head, a block of query rows at a time: the scores of a block are all that is ever held. Products
// over keys run on to the end of the block, where masked probabilities are 0 and change no sum.

enum { QUERY_BLOCK = 64 };

INLINE long visible_keys(const fettle_attention *t, long row) {
    return t->visible + row * t->visible_step;
}

// The probabilities of query rows first..<first + rows over `keys` keys.
static void probabilities(
    const fettle_attention *t, long first, long rows, long keys, float *scores, float *workspace) {
    fettle_product product = {
        .a = t->query + first * t->query_row, .a_row = t->query_row, .a_depth = 1,
        .b = t->key, .b_depth = 1, .b_column = t->key_row,
        .c = scores, .c_row = keys,
        .rows = rows, .columns = keys, .depth = t->head_width,
    };
    multiply(&product, workspace);
    for (long row = 0; row < rows; row++) {
        float *own = scores + row * keys;
        const long visible = visible_keys(t, first + row);
        const long hidden = t->window && visible > t->window ? visible - t->window : 0;
        softmax(own + hidden, visible - hidden, t->scale);
        memset(own, 0, (size_t)hidden * sizeof(float));
        memset(own + visible, 0, (size_t)(keys - visible) * sizeof(float));
    }
}

static void attend(const fettle_attention *t, float *output, float *workspace) {
    float *scores = workspace + 2 * STRIP * DEPTH_BLOCK;
    for (long first = 0; first < t->rows; first += QUERY_BLOCK) {
        long rows = t->rows - first < QUERY_BLOCK ? t->rows - first : QUERY_BLOCK;
        long keys = visible_keys(t, first + rows - 1);
        probabilities(t, first, rows, keys, scores, workspace);
        fettle_product product = {
            .a = scores, .a_row = keys, .a_depth = 1,
            .b = t->value, .b_depth = t->key_row, .b_column = 1,
            .c = output + first * t->output_row, .c_row = t->output_row,
            .rows = rows, .columns = t->head_width, .depth = keys,
        };
        multiply(&product, workspace);
    }
}

// With P the probabilities and G the gradient of the output: dV = P^T G, dP = G V^T, and through the softmax
// dS = scale * P (dP - sum of P dP along the row); dQ = dS K, dK = dS^T Q.
static void attend_backward(
    const fettle_attention *t, const float *output_gradient, float *query_gradient, float *key_gradient,
    float *value_gradient, float *workspace) {
    long most = visible_keys(t, t->rows - 1);
    float *scores = workspace + 2 * STRIP * DEPTH_BLOCK, *gradients = scores + QUERY_BLOCK * most;
    for (long first = 0; first < t->rows; first += QUERY_BLOCK) {
        long rows = t->rows - first < QUERY_BLOCK ? t->rows - first : QUERY_BLOCK;
        long keys = visible_keys(t, first + rows - 1);
        const float *gradient = output_gradient + first * t->output_row;
        probabilities(t, first, rows, keys, scores, workspace);
        fettle_product value_product = {
            .a = scores, .a_row = 1, .a_depth = keys,
            .b = gradient, .b_depth = t->output_row, .b_column = 1,
            .c = value_gradient, .c_row = t->key_row,
            .rows = keys, .columns = t->head_width, .depth = rows, .accumulates = true,
        };
        multiply(&value_product, workspace);
        fettle_product probability_product = {
            .a = gradient, .a_row = t->output_row, .a_depth = 1,
            .b = t->value, .b_depth = 1, .b_column = t->key_row,
            .c = gradients, .c_row = keys,
            .rows = rows, .columns = keys, .depth = t->head_width,
        };
        multiply(&probability_product, workspace);
        for (long row = 0; row < rows; row++) {
            softmax_backward(scores + row * keys, gradients + row * keys, keys, t->scale);
        }
        fettle_product query_product = {
            .a = gradients, .a_row = keys, .a_depth = 1,
            .b = t->key, .b_depth = t->key_row, .b_column = 1,
            .c = query_gradient + first * t->query_row, .c_row = t->query_row,
            .rows = rows, .columns = t->head_width, .depth = keys,
        };
        multiply(&query_product, workspace);
        fettle_product key_product = {
            .a = gradients, .a_row = 1, .a_depth = keys,
            .b = t->query + first * t->query_row, .b_depth = t->query_row, .b_column = 1,
            .c = key_gradient, .c_row = t->key_row,
            .rows = keys, .columns = t->head_width, .depth = rows, .accumulates = true,
        };
        multiply(&key_product, workspace);
    }
}
