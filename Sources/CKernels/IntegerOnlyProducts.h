// Products of packed weights with int8 inputs, rescaled in integers: a segment's 32-bit sum times the 11-bit mantissa of its
// scale, moved to the row's exponent; at the end times the 16-bit mantissa of the token's scale.

/// What one product does with its sums, for all rows and tokens.
typedef struct {
    int segment;  // columns that share a weight scale and an input shift
    int segments;
    int narrowing;  // bits that a sum gives up so that its product with a mantissa fits 32 bits; -1: one segment, 64 bits
    int headroom;  // bits that a product gives up so that the row's sum fits; of the 64-bit product where there is one segment
} integer_rescaling;

INLINE integer_rescaling rescaling_of(const fettle_integer_matrix *m) {
    const int columns = m->matrix.columns;
    const int segment = m->matrix.group < m->input_group ? m->matrix.group : m->input_group;
    integer_rescaling r = {.segment = segment, .segments = columns / segment};
    if (r.segments == 1) {
        r.narrowing = -1;
        r.headroom = bit_length((uint64_t)columns * 255 * 127) + 11 + 16 - TOP;
        if (r.headroom < 1) r.headroom = 1;
    } else {
        r.narrowing = bit_length((uint64_t)(segment / 32) - 1);
        r.headroom = bit_length((uint64_t)r.segments - 1) + 1;
    }
    return r;
}

/// What is added to the exponent of a token's input scale to give that of its results.
INLINE int32_t result_exponent(const fettle_integer_matrix *m) {
    const integer_rescaling r = rescaling_of(m);
    const int narrowed = r.narrowing < 0 ? 0 : r.narrowing + 16;
    return m->exponent - HALF_BIAS + r.headroom + narrowed - zero_fraction(&m->matrix);
}

/// The part of one row block, or of two that are multiplied side by side, against one panel.
typedef struct {
    const fettle_integer_matrix *matrix;
    integer_rescaling rescaling;
    const uint8_t *scales;
    const int32_t *dyadic;  // of a panel: what `tabulate` made of the scales
    const uint8_t *offsets;
    const int8_t *row_exponents;
    const uint8_t *tiles;
    size_t next_block;  // bytes from these scales and offsets to those of a second row block
    size_t next_tiles;
    const lookup_tables *tables;
    const int8_t *x;
    const int32_t *shifts;  // per 32 columns
    const int32_t *sums;  // of the inputs per segment; for constant offsets times what each unit counts for
    const int32_t *mantissas;  // of the panel's tokens
    int part;
    int panel;
} integer_job;

typedef uint8_t bytes_of_lanes __attribute__((vector_size(LANES)));
typedef int8_t signed_lanes __attribute__((vector_size(LANES)));
typedef int64_t i64v __attribute__((vector_size(LANES * 8)));

/// Mantissas of the scales of a group, and the shifts that bring products with them to their rows' exponents.
INLINE void dyadic_scales(const integer_job *job, int block, int group, i32v *mantissa, i32v *down) {
    i32v bits = (i32v){0} + job->matrix->tensor_scale;
    if (job->matrix->matrix.scales == FETTLE_SCALE_FLOAT16) {
        const size_t at = (size_t)group * 16 + (size_t)job->part * LANES;
        bits = __builtin_convertvector(load_u16v(job->scales + (size_t)block * job->next_block + 2 * at), i32v);
    }
    const i32v raw = (bits >> 10) & 31, normal = (i32v)(raw > 0);
    const i32v magnitude = (bits & 0x3ff) | (normal & 0x400), negative = (i32v)((bits & 0x8000) != 0);
    *mantissa = (magnitude ^ negative) - negative;
    signed_lanes own;
    memcpy(&own, job->row_exponents + block * 16 + job->part * LANES, sizeof own);
    *down = __builtin_convertvector(own, i32v) - ((normal & raw) | (~normal & 1)) + job->rescaling.headroom;
}

/// The mantissas and shifts of every group: [block][group][mantissas, shifts][16 rows].
static void tabulate(integer_job *job, int blocks, int32_t *table) {
    const int groups = job->matrix->matrix.columns / job->matrix->matrix.group;
    job->dyadic = table;
    for (int i = 0; i < blocks * groups; i++, table += 32) {
        for (job->part = 0; job->part < PARTS; job->part++) {
            i32v mantissa, down;
            dyadic_scales(job, i / groups, i % groups, &mantissa, &down);
            memcpy(table + job->part * LANES, &mantissa, sizeof mantissa);
            memcpy(table + 16 + job->part * LANES, &down, sizeof down);
        }
    }
}

#ifndef SHIFTED_DOWN
/// v / 2^by rounded down, for every by >= 0.
INLINE i32v shifted_down(i32v v, i32v by) { return v >> __builtin_elementwise_min(by, (i32v){0} + 31); }
#endif

INLINE i32v load_lanes(const int32_t *p) { i32v v; memcpy(&v, p, sizeof v); return v; }

/// The zero points that codes count from.
INLINE i32v points_of(const integer_job *job, int block, int group) {
    bytes_of_lanes points;
    const size_t at = (size_t)group * 16 + (size_t)job->part * LANES;
    memcpy(&points, job->offsets + (size_t)block * job->next_block + at, sizeof points);
    return __builtin_convertvector(points, i32v);
}

/// The last step of a row: 64-bit products with the mantissas of the tokens, brought to the matrix's exponent.
INLINE void finish_rows(const integer_job *job, const i64v *wide, int block, int headroom, i32v *result, const int count) {
    signed_lanes own;
    memcpy(&own, job->row_exponents + block * 16 + job->part * LANES, sizeof own);
    const i32v down = job->matrix->exponent - __builtin_convertvector(own, i32v) + headroom;
    const i64v by = __builtin_convertvector(__builtin_elementwise_min(down, (i32v){0} + 62), i64v);
    const i64v half_unit = ((i64v){0} + 1) << (by - 1);
    UNROLL for (int m = 0; m < count; m++) {
        result[m] = __builtin_convertvector((wide[m] * (int64_t)job->mantissas[m] + half_unit) >> by, i32v);
    }
}

/// The dot products of a segment with the tokens of the panel.
INLINE void sum_segment(
    const integer_job *job, int segment, i32v *sum, const int blocks, const int count, const int panel,
    const int packing, const int range, const int book, const int constant) {
    const int tiles = job->rescaling.segment / 32, first = segment * tiles, stride = panel * 4;
    const int32_t *sums = job->sums + segment * panel;
    UNROLL for (int b = 0; b < blocks; b++) {
        if (constant) {
            UNROLL for (int m = 0; m < count; m++) sum[b * count + m] = (i32v){0} + sums[m];
        } else {
            UNROLL for (int m = 0; m < count; m++) sum[b * count + m] = (i32v){0} + dot_offset(range) * sums[m];
        }
    }
    for (int t = first; t < first + tiles; t++) {
        const dot_input input = {
            job->tiles + (size_t)t * LINE * packing, job->next_tiles, job->part, job->tables,
            job->x + (size_t)t * 8 * stride, stride,
        };
        dot_tile(sum, blocks, count, input, packing, range, book, 0, 8);
    }
    if (constant) return;
    const int fraction = zero_fraction(&job->matrix->matrix);
    UNROLL for (int b = 0; b < blocks; b++) {
        const i32v points = points_of(job, b, first * 32 / job->matrix->matrix.group);
        UNROLL for (int m = 0; m < count; m++) {
            sum[b * count + m] = (sum[b * count + m] << fraction) - points * sums[m];
        }
    }
}

/// result[block][token] = the part's rows times the first `count` tokens of the panel, for one or two row blocks.
INLINE void run_rows(
    const integer_job *job, i32v *result, const int blocks, const int count, const int panel, const int packing,
    const int range, const int book, const int constant) {
    const integer_rescaling r = job->rescaling;
    const int tiles = r.segment / 32, segments_of_group = job->matrix->matrix.group / r.segment;
    const int groups = job->matrix->matrix.columns / job->matrix->matrix.group;
    i32v acc[BLOCKS * PANEL];
    i64v wide[PANEL];
    // Each shift of a segment rounds down, by half a unit on average.
    UNROLL for (int i = 0; i < blocks * count; i++) acc[i] = (i32v){0} + r.segments / 2;
    for (int segment = 0; segment < r.segments; segment++) {
        const int group = segment / segments_of_group;
        i32v sum[BLOCKS * PANEL];
        sum_segment(job, segment, sum, blocks, count, panel, packing, range, book, constant);
        if (r.narrowing > 0) {
            const int32_t half = 1 << (r.narrowing - 1);
            UNROLL for (int i = 0; i < blocks * count; i++) sum[i] = (sum[i] + half) >> r.narrowing;
        }
        UNROLL for (int b = 0; b < blocks; b++) {
            i32v mantissa, down;
            if (panel > 1) {
                const int32_t *at = job->dyadic + (b * groups + group) * 32 + job->part * LANES;
                mantissa = load_lanes(at);
                down = load_lanes(at + 16);
            } else {
                dyadic_scales(job, b, group, &mantissa, &down);
            }
            if (r.narrowing < 0) {
                UNROLL for (int m = 0; m < count; m++) {
                    wide[m] = __builtin_convertvector(sum[b * count + m], i64v) * __builtin_convertvector(mantissa, i64v);
                }
                finish_rows(job, wide, b, r.headroom, result + b * count, count);
                continue;
            }
            UNROLL for (int m = 0; m < count; m++) {
                const i32v by = down + job->shifts[segment * tiles * panel + m];
                acc[b * count + m] += shifted_down(sum[b * count + m] * mantissa, by);
            }
        }
    }
    if (r.narrowing < 0) return;
    UNROLL for (int b = 0; b < blocks; b++) {
        UNROLL for (int m = 0; m < count; m++) wide[m] = __builtin_convertvector(acc[b * count + m], i64v);
        finish_rows(job, wide, b, 16, result + b * count, count);
    }
}

#define ONE_ROW(bits) \
    static void rows_##bits(const integer_job *job, i32v *result) { \
        run_rows(job, result, 1, 1, 1, bits, bits, 0, 1); \
    } \
    static void point_rows_##bits(const integer_job *job, i32v *result) { \
        run_rows(job, result, 1, 1, 1, bits, bits, 0, 0); \
    } \
    static void book_rows_##bits(const integer_job *job, i32v *result) { run_rows(job, result, 1, 1, 1, bits, 8, 1, 1); }
ONE_ROW(2) ONE_ROW(3) ONE_ROW(4) ONE_ROW(5) ONE_ROW(6) ONE_ROW(7) ONE_ROW(8)
#define PANEL_ROWS(range) \
    static void pair_rows_##range(const integer_job *job, i32v *result) { \
        run_rows(job, result, BLOCKS, PANEL, PANEL, 8, range, 0, 1); \
    } \
    static void panel_rows_##range(const integer_job *job, i32v *result) { \
        run_rows(job, result, 1, PANEL, PANEL, 8, range, 0, 1); \
    } \
    static void point_panel_rows_##range(const integer_job *job, i32v *result) { \
        run_rows(job, result, 1, PANEL, PANEL, 8, range, 0, 0); \
    }
EVERY_RANGE(PANEL_ROWS)

/// One part of one or two row blocks against one panel, by the packing of the codes.
static void run_job(const integer_job *job, i32v *result, int blocks, int range) {
    const fettle_matrix *m = &job->matrix->matrix;
    const int points = m->offsets == FETTLE_OFFSET_ZERO_POINTS;
    if (job->panel == 1) {
#define CASE(bits) \
    case bits: \
        if (m->codebooks) book_rows_##bits(job, result); \
        else if (points) point_rows_##bits(job, result); \
        else rows_##bits(job, result); \
        return;
        switch (m->bits) { CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) }
#undef CASE
        return;
    }
#define PICK(bits) \
    if (range <= bits) { \
        if (points) point_panel_rows_##bits(job, result); \
        else if (blocks > 1) pair_rows_##bits(job, result); \
        else panel_rows_##bits(job, result); \
        return; \
    }
    EVERY_RANGE(PICK)
#undef PICK
}

/// The sums of the inputs of each segment [panel][segment][panel token], times `factor`.
static void sum_inputs(const integer_input *input, int segment, int32_t factor, int32_t *target) {
    const int panel = input->panel, segments = input->columns / segment;
    const int panels = (input->tokens + panel - 1) / panel;
    const int32_t *source = input->sums;
    for (int i = 0; i < panels * segments; i++, target += panel) {
        memset(target, 0, (size_t)panel * sizeof *target);
        for (int t = 0; t < segment / 32; t++, source += panel) {
            for (int m = 0; m < panel; m++) target[m] += source[m] * factor;
        }
    }
}

/// The rows of one or two blocks for the tokens of a panel.
INLINE void store_results(
    const integer_job *job, const i32v *result, int blocks, int block, int tokens, int count, int32_t *y) {
    const int rows = job->matrix->matrix.rows;
    for (int b = 0; b < blocks; b++) {
        const int first = (block + b) * 16 + job->part * LANES;
        const int some = rows - first < 0 ? 0 : rows - first > LANES ? LANES : rows - first;
        if (some == LANES) {  // a size that is known takes no call
            for (int t = 0; t < tokens; t++) memcpy(y + (size_t)t * (size_t)rows + first, &result[b * count + t], sizeof *result);
            continue;
        }
        for (int t = 0; t < tokens; t++) {
            memcpy(y + (size_t)t * (size_t)rows + first, &result[b * count + t], (size_t)some * sizeof(int32_t));
        }
    }
}

/// y[token][row] for the row blocks first..<last, in units of 2^(result_exponent + the token's exponent).
static void integer_product(
    const fettle_integer_matrix *matrix, const integer_input *input, int first, int last, uint8_t *scratch, int32_t *y) {
    const fettle_matrix *m = &matrix->matrix;
    const int panel = input->panel, columns = m->columns, range = m->codebooks ? 8 : m->bits;
    const int points = m->offsets == FETTLE_OFFSET_ZERO_POINTS;
    lookup_tables tables;
    integer_job job = {
        .matrix = matrix, .rescaling = rescaling_of(matrix), .tables = &tables, .panel = panel,
        .next_block = m->block_bytes,
    };
    int32_t *dyadic = (int32_t *)(scratch + (size_t)columns * 16 * BLOCKS);
    int32_t *sums = dyadic + (size_t)columns * BLOCKS;
    const int32_t offset = m->codebooks ? 128 : m->offset;
    sum_inputs(input, job.rescaling.segment, points ? 1 : dot_offset(range) - offset, sums);
    if (m->codebooks) load_tables(&tables, m->codebooks, m->bits);
    for (int block = first, blocks; block < last; block += blocks) {
        blocks = panel > 1 && !points && adjoining_end(m, block, last) - block >= BLOCKS ? BLOCKS : 1;
        const uint8_t *bytes = row_block(m, block);
        job.scales = bytes;
        job.offsets = bytes + m->offsets_at;
        job.row_exponents = matrix->row_exponents + (size_t)block * 16;
        job.tiles = bytes + m->tiles_at;
        if (panel == 1) {
            load_block_tables(m, block, &tables);
            load_lines(bytes, m->tiles_at);
        } else {
            tabulate(&job, blocks, dyadic);
            for (int b = 0; b < blocks; b++) {
                load_block_tables(m, block + b, &tables);
                const uint8_t *tiles = unpacked_block(
                    m, bytes + (size_t)b * m->block_bytes + m->tiles_at, &tables, scratch + (size_t)b * (size_t)columns * 16);
                if (b == 0) job.tiles = tiles; else job.next_tiles = (size_t)(tiles - job.tiles);
            }
        }
        for (int token = 0; token < input->tokens; token += panel) {
            const int tokens = input->tokens - token < panel ? input->tokens - token : panel;
            job.x = input->values + (size_t)token * (size_t)columns;
            job.shifts = input->shifts + (size_t)token * (size_t)(columns / 32);
            job.sums = sums + (size_t)token * (size_t)job.rescaling.segments;
            int32_t mantissas[PANEL] = {0};
            memcpy(mantissas, input->mantissas + token, (size_t)tokens * sizeof(int32_t));
            job.mantissas = mantissas;
            for (job.part = 0; job.part < PARTS; job.part++) {
                i32v result[BLOCKS * PANEL];
                run_job(&job, result, blocks, range);
                store_results(&job, result, blocks, block, tokens, panel, y + (size_t)token * (size_t)m->rows);
            }
        }
    }
}
