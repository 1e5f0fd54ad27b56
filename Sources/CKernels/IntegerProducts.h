// Products of packed weights with quantized inputs: one body for one token (codes are unpacked as they stream by) and
// for a panel of tokens (a row block is unpacked once, into a layout equal to that of 8-bit tiles, and used for all
// panels).

/// One row block's part against one panel.
typedef struct {
    fettle_scale_kind scale_kind;
    fettle_offset_kind offset_kind;
    float tensor_scale;
    const uint8_t *scales;  // of the row block
    const uint8_t *offsets;
    const uint8_t *tiles;
    const lookup_tables *tables;
    const int8_t *x;  // of the panel, as is all that follows
    const float *xscales;
    const int32_t *sums;  // per segment; for constant offsets already times (dot_offset - offset)
    int part;
    int segments;
    int segment_tiles;
    int segments_per_group;
    int segments_per_xscale;
    int panel;
} run;

INLINE f32v group_scale(const run *r, int group) {
    const size_t at = (size_t)group * 16 + (size_t)r->part * LANES;
    switch (r->scale_kind) {
    case FETTLE_SCALE_FLOAT16: return half_to_float(load_u16v(r->scales + 2 * at));
    case FETTLE_SCALE_FLOAT32: return load_f32v(r->scales + 4 * at);
    case FETTLE_SCALE_TENSOR: break;
    }
    return (f32v){0} + r->tensor_scale;
}

INLINE i32v zero_points(const run *r, int group) {
    typedef uint8_t points __attribute__((vector_size(LANES)));
    points p;
    memcpy(&p, r->offsets + (size_t)group * 16 + (size_t)r->part * LANES, sizeof p);
    return __builtin_convertvector(p, i32v);
}

/// What the sums of a segment start from.
INLINE void begin_segment(const run *r, int segment, int group, i32v *sum, const int count, const int range) {
    const int32_t *sums = r->sums + (size_t)segment * r->panel;
    switch (r->offset_kind) {
    case FETTLE_OFFSET_CONSTANT: {
        UNROLL for (int m = 0; m < count; m++) sum[m] = (i32v){0} + sums[m];
        break;
    }
    case FETTLE_OFFSET_ZERO_POINTS: {
        i32v factor = dot_offset(range) - zero_points(r, group);
        UNROLL for (int m = 0; m < count; m++) sum[m] = factor * sums[m];
        break;
    }
    case FETTLE_OFFSET_MINIMUMS: {
        UNROLL for (int m = 0; m < count; m++) sum[m] = (i32v){0} + dot_offset(range) * sums[m];
        break;
    }
    }
}

INLINE void end_segment(
    const run *r, int segment, int group, int xgroup, const i32v *sum, f32v *acc, const int count) {
    const float *xscales = r->xscales + (size_t)xgroup * r->panel;
    const f32v scale = group_scale(r, group);
    UNROLL for (int m = 0; m < count; m++) {
        f32v s = scale * xscales[m];
        acc[m] = __builtin_elementwise_fma(__builtin_convertvector(sum[m], f32v), s, acc[m]);
    }
    if (r->offset_kind != FETTLE_OFFSET_MINIMUMS) return;
    const int32_t *sums = r->sums + (size_t)segment * r->panel;
    const f32v minimum = load_f32v(r->offsets + 4 * ((size_t)group * 16 + (size_t)r->part * LANES));
    UNROLL for (int m = 0; m < count; m++) {
        acc[m] = __builtin_elementwise_fma(minimum * xscales[m], (f32v){0} + (float)sums[m], acc[m]);
    }
}

/// result[token] = the part's rows times the first `count` tokens of the panel. `packing` is the bits of the tiles'
/// layout, `range` the bits of a value after look-up, `half` whether a segment is half a tile, `constant` whether the
/// kind of offset is known to be constant, which leaves more registers.
INLINE void run_segments(
    const run *job, f32v *result, const int count, const int panel, const int packing, const int range, const int book,
    const int half, const int constant) {
    run own = *job;  // a copy of its own and sums of its own stay in registers
    const run *r = &own;
    f32v acc[PANEL];
    if (constant) own.offset_kind = FETTLE_OFFSET_CONSTANT;
    const uint8_t *tile = r->tiles;
    const int8_t *x = r->x;
    const int stride = panel * 4;
    int group = 0, in_group = 0, xgroup = 0, in_xgroup = 0;
    UNROLL for (int m = 0; m < count; m++) acc[m] = (f32v){0};
    for (int segment = 0; segment < r->segments; segment++) {
        i32v sum[PANEL];
        begin_segment(r, segment, group, sum, count, range);
        if (half) {
            if (segment & 1) {
                dot_tile(sum, count, tile, r->part, r->tables, packing, range, book, 4, 4, x, stride);
                tile += LINE * packing;
                x += 8 * stride;
            } else {
                dot_tile(sum, count, tile, r->part, r->tables, packing, range, book, 0, 4, x, stride);
            }
        } else {
            for (int t = 0; t < r->segment_tiles; t++) {
                dot_tile(sum, count, tile, r->part, r->tables, packing, range, book, 0, 8, x, stride);
                tile += LINE * packing;
                x += 8 * stride;
            }
        }
        end_segment(r, segment, group, xgroup, sum, acc, count);
        if (++in_group == r->segments_per_group) { in_group = 0; group++; }
        if (++in_xgroup == r->segments_per_xscale) { in_xgroup = 0; xgroup++; }
    }
    UNROLL for (int m = 0; m < count; m++) result[m] = acc[m];
}

// One token: a function for each packing.
#define ONE_TOKEN(bits) \
    static void one_##bits(const run *r, f32v *acc) { run_segments(r, acc, 1, 1, bits, bits, 0, 0, 0); } \
    static void half_##bits(const run *r, f32v *acc) { run_segments(r, acc, 1, 1, bits, bits, 0, 1, 0); } \
    static void book_##bits(const run *r, f32v *acc) { run_segments(r, acc, 1, 1, bits, 8, 1, 0, 1); } \
    static void unpack_##bits(const uint8_t *tiles, uint8_t *target, int count) { \
        for (int t = 0; t < count; t++) { \
            UNROLL for (int s = 0; s < 8; s++) { \
                UNROLL for (int p = 0; p < PARTS; p++) { \
                    u8v v = unpack_step(tiles + t * LINE * bits, bits, s, p); \
                    memcpy(target + t * LINE * 8 + s * LINE + p * LANES * 4, &v, sizeof v); \
                } \
            } \
        } \
    }
ONE_TOKEN(2) ONE_TOKEN(3) ONE_TOKEN(4) ONE_TOKEN(5) ONE_TOKEN(6) ONE_TOKEN(7) ONE_TOKEN(8)

typedef void (*run_function)(const run *, f32v *);
static const run_function one_token[3][7] = {
    {one_2, one_3, one_4, one_5, one_6, one_7, one_8},
    {half_2, half_3, half_4, half_5, half_6, half_7, half_8},
    {book_2, book_3, book_4, book_5, book_6, book_7, book_8},
};
static void (*const unpack_tiles[7])(const uint8_t *, uint8_t *, int) = {
    unpack_2, unpack_3, unpack_4, unpack_5, unpack_6, unpack_7, unpack_8,
};

// A panel: a function for each range that the dot product tells apart, for a whole panel and for parts of one.
#define PANEL_TOKENS(range) \
    static void panel_##range(const run *r, f32v *acc) { run_segments(r, acc, PANEL, PANEL, 8, range, 0, 0, 1); } \
    static void panel_any_##range(const run *r, f32v *acc) { run_segments(r, acc, PANEL, PANEL, 8, range, 0, 0, 0); } \
    static void panel_half_##range(const run *r, f32v *acc) { run_segments(r, acc, PANEL, PANEL, 8, range, 0, 1, 0); } \
    static void some_##range(const run *r, f32v *acc) { run_segments(r, acc, SOME, PANEL, 8, range, 0, 0, 0); } \
    static void some_half_##range(const run *r, f32v *acc) { run_segments(r, acc, SOME, PANEL, 8, range, 0, 1, 0); }
EVERY_RANGE(PANEL_TOKENS)

static run_function panel_function(int range, int some, int half, int constant) {
#define PICK(bits) \
    if (range <= bits) { \
        if (some) return half ? some_half_##bits : some_##bits; \
        return half ? panel_half_##bits : constant ? panel_##bits : panel_any_##bits; \
    }
    EVERY_RANGE(PICK)
#undef PICK
    return panel_any_8;
}

/// Sums per segment and, for constant offsets, times what each unit of the sum counts for.
static void segment_sums(const fettle_input *input, int segments, int per_segment, int32_t factor, int32_t *target) {
    const int panel = input->panel, panels = (input->tokens + panel - 1) / panel;
    const int32_t *source = input->sums;
    for (int i = 0; i < panels * segments; i++, target += panel) {
        int32_t sum[PANEL] = {0};
        for (int j = 0; j < per_segment; j++, source += panel) {
            for (int m = 0; m < panel; m++) sum[m] += source[m];
        }
        for (int m = 0; m < panel; m++) target[m] = sum[m] * factor;
    }
}

static void store_rows(const f32v *acc, int part, int rows, int tokens, float *y, size_t stride) {
    int count = rows - part * LANES;
    if (count <= 0) return;
    if (count > LANES) count = LANES;
    for (int m = 0; m < tokens; m++) {
        memcpy(y + (size_t)m * stride + part * LANES, &acc[m], (size_t)count * sizeof(float));
    }
}

/// Unpacks a row block, look-up included, and returns where it lies: 8-bit tiles serve as they are.
static const uint8_t *unpacked_block(
    const fettle_matrix *matrix, const uint8_t *tiles, const lookup_tables *tables, uint8_t *target) {
    const int count = matrix->columns / 32;
    if (matrix->bits == 8 && !matrix->codebooks) return tiles;
    unpack_tiles[matrix->bits - 2](tiles, target, count);
    if (matrix->codebooks) {
        for (size_t at = 0; at < (size_t)count * 8 * LINE; at += sizeof(u8v)) {
            u8v v = look_up(tables, load_u8v(target + at), matrix->bits);
            memcpy(target + at, &v, sizeof v);
        }
    }
    return target;
}

static void product_int8(
    const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, void *scratch, float *y,
    size_t stride) {
    const int columns = matrix->columns, panel = input->panel;
    const int segment = matrix->group < input->scale_columns ? matrix->group : input->scale_columns;
    const int segments = columns / segment, half = segment < 32, range = matrix->codebooks ? 8 : matrix->bits;
    const int constant = matrix->offsets == FETTLE_OFFSET_CONSTANT;
    const int offset = matrix->codebooks ? 128 : matrix->offset;
    uint8_t *codes = scratch;
    int32_t *sums = (int32_t *)(codes + (size_t)columns * 16);
    segment_sums(input, segments, segment / input->sum_columns, constant ? dot_offset(range) - offset : 1, sums);

    lookup_tables tables;
    run r = {
        .scale_kind = matrix->scales, .offset_kind = matrix->offsets, .tensor_scale = matrix->tensor_scale,
        .tables = &tables, .segments = segments, .segment_tiles = segment / 32, .panel = panel,
        .segments_per_group = matrix->group / segment, .segments_per_xscale = input->scale_columns / segment,
    };
    if (matrix->codebooks) load_tables(&tables, matrix->codebooks, matrix->bits);
    for (int block = first; block < last; block++) {
        const uint8_t *bytes = matrix->blocks + (size_t)block * matrix->block_bytes;
        const int rows = matrix->rows - block * 16;
        if (matrix->codebook_stride) {
            load_tables(&tables, matrix->codebooks + (size_t)block * matrix->codebook_stride, matrix->bits);
        }
        r.scales = bytes;
        r.offsets = bytes + matrix->offsets_at;
        r.tiles = bytes + matrix->tiles_at;
        r.x = input->values;
        r.xscales = input->scales;
        r.sums = sums;
        if (panel == 1) {
            const run_function function = one_token[matrix->codebooks ? 2 : half][matrix->bits - 2];
            for (r.part = 0; r.part < PARTS; r.part++) {
                f32v acc[1];
                function(&r, acc);
                store_rows(acc, r.part, rows, 1, y + (size_t)block * 16, stride);
            }
            continue;
        }
        r.tiles = unpacked_block(matrix, r.tiles, &tables, codes);
        for (int token = 0; token < input->tokens; token += panel) {
            const int tokens = input->tokens - token < panel ? input->tokens - token : panel;
            const run_function function = panel_function(range, tokens <= SOME, half, constant);
            for (r.part = 0; r.part < PARTS; r.part++) {
                f32v acc[PANEL];
                function(&r, acc);
                store_rows(acc, r.part, rows, tokens, y + (size_t)token * stride + (size_t)block * 16, stride);
            }
            r.x += (size_t)panel * columns;
            r.xscales += (size_t)panel * (columns / input->scale_columns);
            r.sums += (size_t)panel * segments;
        }
    }
}
