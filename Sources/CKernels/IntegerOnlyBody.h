// One chunk of tokens through the whole model as one region: every thread takes its own tokens, row blocks and attention
// rows, and meets the others at barriers.

typedef struct {
    const fettle_integer_model *model;
    const fettle_integer_kv *kv;
    fettle_pool *pool;
    int32_t capacity, count, position, first, last;
    const int32_t *tokens;
    int32_t *logits, *logit_exponents;
    int32_t panel;
} integer_chunk;

typedef struct {
    const integer_chunk *chunk;
    int thread, threads;
} integer_share;

INLINE int share_begin(const integer_share *s, int count) { return (int)((int64_t)count * s->thread / s->threads); }
INLINE int share_end(const integer_share *s, int count) { return (int)((int64_t)count * (s->thread + 1) / s->threads); }
INLINE void meet(const integer_share *s) {
    if (s->threads > 1) fettle_pool_barrier(s->chunk->pool);
}

/// The weights of one row: an embedding look-up. Returns their exponent.
static int32_t embedding_row(const fettle_integer_matrix *matrix, int32_t row, int32_t *target) {
    enum { SPARE = 8 };
    const fettle_matrix *m = &matrix->matrix;
    const int lane = row % 16;
    const uint8_t *block = row_block(m, row / 16);
    const int8_t *codebook = m->codebooks;
    if (codebook) codebook += (size_t)(row / 16) * m->codebook_stride;
    const int32_t exponent = matrix->row_exponents[row];
    for (int column = 0; column < m->columns; column++) {
        const size_t at = (size_t)(column / m->group) * 16 + (size_t)lane;
        int32_t bits = matrix->tensor_scale;
        if (m->scales == FETTLE_SCALE_FLOAT16) {
            uint16_t half;
            memcpy(&half, block + 2 * at, sizeof half);
            bits = half;
        }
        const int code = fettle_code_at(block + m->tiles_at, m->bits, lane, column);
        const int offset = m->offsets == FETTLE_OFFSET_ZERO_POINTS ? block[m->offsets_at + at] : m->offset;
        const int value = codebook ? codebook[code] : (code << zero_fraction(m)) - offset;
        const int raw = (bits >> 10) & 31, mantissa = (bits & 0x3ff) | (raw > 0 ? 0x400 : 0);
        const int product = (bits & 0x8000 ? -value : value) * mantissa * (1 << SPARE);
        target[column] = (int32_t)shifted_one(product, exponent - (raw > 0 ? raw : 1));
    }
    return exponent - HALF_BIAS - SPARE - zero_fraction(m);
}

INLINE integer_input input_of(const integer_chunk *c, const fettle_integer_matrix *matrix, int tokens) {
    const fettle_integer_buffers *b = &c->model->buffers;
    return (integer_input){
        .values = b->inputs, .shifts = b->input_shifts, .sums = b->input_sums, .mantissas = b->input_scales,
        .exponents = b->input_scales + c->model->chunk, .tokens = tokens, .columns = matrix->matrix.columns,
        .panel = tokens == 1 ? 1 : c->panel, .group = matrix->input_group == 32 ? 32 : matrix->matrix.columns,
    };
}

/// Quantizes this thread's rows, each at its exponent, and waits for the others.
static void quantize_rows(const integer_share *s, const fettle_integer_matrix *matrix, int tokens) {
    const fettle_integer_buffers *b = &s->chunk->model->buffers;
    const integer_input input = input_of(s->chunk, matrix, tokens);
    const int32_t *exponents = b->exponents + s->chunk->model->chunk;
    for (int t = share_begin(s, tokens); t < share_end(s, tokens); t++) {
        quantize_row(b->rows + (size_t)t * (size_t)input.columns, exponents[t], t, &input);
    }
    if (s->thread == 0) clear_absent(&input);
    meet(s);
}

/// One product of the rows, which are quantized for `quantized`; where that is another way than its own, they are again.
static void multiply(
    const integer_share *s, const fettle_integer_matrix *matrix, const fettle_integer_matrix *quantized, int tokens,
    int32_t *target) {
    if (matrix->input_group != quantized->input_group) {
        meet(s);
        quantize_rows(s, matrix, tokens);
    }
    const fettle_integer_buffers *b = &s->chunk->model->buffers;
    const integer_input input = input_of(s->chunk, matrix, tokens);
    const int blocks = (matrix->matrix.rows + 15) / 16;
    integer_product(
        matrix, &input, share_begin(s, blocks), share_end(s, blocks), b->scratch + (size_t)s->thread * b->scratch_bytes,
        target);
}

/// The exponent of a product's results for a token, whose input is still there.
INLINE int32_t exponent_of(const integer_chunk *c, const fettle_integer_matrix *matrix, int token) {
    return result_exponent(matrix) + c->model->buffers.input_scales[c->model->chunk + token];
}

/// Adds what `update` (NULL: nothing) made to the residual stream and normalizes it into the rows, for tokens first..<last.
static void normalize_rows(
    const integer_share *s, const fettle_integer_matrix *update, const fettle_integer_norm *norm, int first,
    int last) {
    const integer_chunk *c = s->chunk;
    const fettle_integer_buffers *b = &c->model->buffers;
    const size_t width = (size_t)c->model->width;
    int32_t *exponents = b->exponents, *row_exponents = b->exponents + c->model->chunk;
    const int tokens = last - first;
    for (int i = share_begin(s, tokens); i < share_end(s, tokens); i++) {
        const int t = first + i;
        int32_t *residual = b->residual + (size_t)t * width;
        if (update) {
            add_update(residual, exponents + t, b->update + (size_t)t * width, exponent_of(c, update, t), c->model->width);
        }
        row_exponents[i] = normalize(residual, exponents[t], norm, c->model, b->rows + (size_t)i * width);
    }
}

static void embed(const integer_share *s) {
    const integer_chunk *c = s->chunk;
    const fettle_integer_buffers *b = &c->model->buffers;
    for (int t = share_begin(s, c->count); t < share_end(s, c->count); t++) {
        b->exponents[t] = embedding_row(
            &c->model->embedding, c->tokens[t], b->residual + (size_t)t * (size_t)c->model->width);
    }
}

/// Query rows that share a key/value head, ROWS at a time, dealt to the threads in turn.
static void attend_heads(
    const integer_share *s, const fettle_integer_kv *kv, const int32_t *query, const fettle_integer_matrix *made) {
    enum { ROWS = FETTLE_QUERY_ROWS };
    const integer_chunk *c = s->chunk;
    const fettle_integer_model *m = c->model;
    const fettle_integer_buffers *b = &m->buffers;
    const int group = m->heads / m->key_value_heads, all = c->count * group, batches = (all + ROWS - 1) / ROWS;
    const size_t stride = (size_t)m->value_stride;
    uint8_t *scratch = b->scratch + (size_t)s->thread * b->scratch_bytes;
    attention_row rows[ROWS];
    for (int r = 0; r < ROWS; r++) {
        rows[r].total = (int64_t *)scratch + (size_t)r * stride;
        rows[r].narrow = (int16_t *)(scratch + ROWS * stride * sizeof(int64_t)) + (size_t)r * stride;
        rows[r].weights = (int32_t *)(scratch + ROWS * stride * (sizeof(int64_t) + sizeof(int16_t)))
            + (size_t)r * (size_t)c->capacity;
    }
    for (int i = s->thread; i < batches * m->key_value_heads; i += s->threads) {
        const int head = i / batches, first = i % batches * ROWS, count = all - first < ROWS ? all - first : ROWS;
        for (int r = 0; r < count; r++) {
            const int t = (first + r) / group, member = head * group + (first + r) % group;
            const size_t at = ((size_t)t * (size_t)m->heads + (size_t)member) * (size_t)m->head_width;
            rows[r].query = query + at;
            rows[r].exponent = exponent_of(c, made, t) + 1;
            rows[r].seen = seen_positions(c->position + t + 1, m->window);
            rows[r].result = b->rows + at;
            rows[r].result_exponent = b->head_exponents + (size_t)t * (size_t)m->heads + (size_t)member;
        }
        attend_integer_rows(m, kv, c->capacity, head, rows, count);
    }
}

/// `count` numbers by 2^shift less.
INLINE void bring_down(int32_t *row, int count, int shift) {
    int i = 0;
    for (; i + 16 <= count; i += 16) store_i32x16(row + i, shifted(load_i32x16(row + i), shift));
    for (; i < count; i++) row[i] = (int32_t)shifted_one(row[i], shift);
}

static void attention(const integer_share *s, int index) {
    const integer_chunk *c = s->chunk;
    const fettle_integer_model *m = c->model;
    const fettle_integer_layer *layer = m->layers + index;
    const fettle_integer_kv *kv = c->kv + index;
    const fettle_integer_buffers *b = &m->buffers;
    const size_t queries = (size_t)m->heads * (size_t)m->head_width;
    const size_t keys = (size_t)m->key_value_heads * (size_t)m->head_width;
    int32_t *query = b->products, *key = query + (size_t)c->count * queries, *value = key + (size_t)c->count * keys;
    quantize_rows(s, &layer->query, c->count);
    multiply(s, &layer->query, &layer->query, c->count, query);
    multiply(s, &layer->key, &layer->query, c->count, key);
    multiply(s, &layer->value, &layer->key, c->count, value);
    meet(s);
    for (int t = share_begin(s, c->count); t < share_end(s, c->count); t++) {
        const int position = c->position + t;
        const int16_t *angles = m->rotary + (size_t)position * (size_t)m->head_width;
        rotate(query + (size_t)t * queries, m->heads, m, angles);
        rotate(key + (size_t)t * keys, m->key_value_heads, m, angles);
        store_position(
            m, kv, c->capacity, position, key + (size_t)t * keys, exponent_of(c, &layer->key, t) + 1,
            value + (size_t)t * keys, exponent_of(c, &layer->value, t));
    }
    meet(s);
    attend_heads(s, kv, query, &layer->query);
    meet(s);
    int32_t *row_exponents = b->exponents + m->chunk;
    for (int t = share_begin(s, c->count); t < share_end(s, c->count); t++) {
        const int32_t *own = b->head_exponents + (size_t)t * (size_t)m->heads;
        int32_t common = own[0];
        for (int head = 1; head < m->heads; head++) common = own[head] > common ? own[head] : common;
        for (int head = 0; head < m->heads; head++) {
            int32_t *row = b->rows + (size_t)t * queries + (size_t)head * (size_t)m->head_width;
            bring_down(row, m->head_width, common - own[head]);
        }
        row_exponents[t] = common;
    }
    quantize_rows(s, &layer->attention_output, c->count);
    multiply(s, &layer->attention_output, &layer->attention_output, c->count, b->update);
    meet(s);
}

static void feed_forward(const integer_share *s, int index) {
    const integer_chunk *c = s->chunk;
    const fettle_integer_model *m = c->model;
    const fettle_integer_layer *layer = m->layers + index;
    const fettle_integer_buffers *b = &m->buffers;
    const size_t width = (size_t)m->feed_forward;
    int32_t *gate = b->products, *up = gate + (size_t)c->count * width;
    normalize_rows(s, &layer->attention_output, &layer->feed_forward_norm, 0, c->count);
    quantize_rows(s, &layer->gate, c->count);
    multiply(s, &layer->gate, &layer->gate, c->count, gate);
    multiply(s, &layer->up, &layer->gate, c->count, up);
    meet(s);
    for (int t = share_begin(s, c->count); t < share_end(s, c->count); t++) {
        const size_t at = (size_t)t * width;
        b->exponents[m->chunk + t] = gate_row(
            gate + at, exponent_of(c, &layer->gate, t), up + at, exponent_of(c, &layer->up, t), m->feed_forward,
            b->rows + at);
    }
    quantize_rows(s, &layer->down, c->count);
    multiply(s, &layer->down, &layer->down, c->count, b->update);
    meet(s);
}

static void output(const integer_share *s) {
    const integer_chunk *c = s->chunk;
    const fettle_integer_model *m = c->model;
    const int wanted = c->last - c->first;
    const fettle_integer_matrix *update = m->layer_count == 0 ? NULL : &m->layers[m->layer_count - 1].down;
    normalize_rows(s, update, &m->output_norm, c->first, c->last);
    meet(s);  // the exponents of the last product are read
    quantize_rows(s, &m->head, wanted);
    multiply(s, &m->head, &m->head, wanted, c->logits);
    for (int t = share_begin(s, wanted); t < share_end(s, wanted); t++) {
        c->logit_exponents[t] = exponent_of(c, &m->head, t);
    }
}

static void run_chunk(void *context, int thread, int threads) {
    const integer_chunk *c = context;
    const integer_share share = {c, thread, threads};
    embed(&share);
    for (int layer = 0; layer < c->model->layer_count; layer++) {
        const fettle_integer_matrix *update = layer == 0 ? NULL : &c->model->layers[layer - 1].down;
        normalize_rows(&share, update, &c->model->layers[layer].attention_norm, 0, c->count);
        attention(&share, layer);
        feed_forward(&share, layer);
    }
    if (c->first < c->last) output(&share);
}

/// The index of the largest number, the lowest of several.
static int32_t index_of_largest(const int32_t *values, int count) {
    int32_t best = 0;
    for (int i = 1; i < count; i++) {
        if (values[i] > values[best]) best = i;
    }
    return best;
}

static int32_t run_integer(
    fettle_pool *pool, const fettle_integer_model *model, const fettle_integer_kv *kv, int32_t capacity,
    const int32_t *tokens, int32_t count, int32_t position, int32_t first, int32_t last,
    int32_t *logits, int32_t *exponents) {
    integer_chunk chunk = {
        .model = model, .kv = kv, .pool = pool, .capacity = capacity, .count = count, .position = position,
        .first = first, .last = last, .tokens = tokens, .logits = logits, .logit_exponents = exponents, .panel = PANEL,
    };
    if (pool) fettle_pool_run(pool, run_chunk, &chunk); else run_chunk(&chunk, 0, 1);
    if (first >= last) return -1;
    const int vocabulary = model->head.matrix.rows;
    return index_of_largest(logits + (size_t)(last - 1 - first) * (size_t)vocabulary, vocabulary);
}
