// Products of packed weights with quantized inputs: one body for one token (codes are unpacked as they stream by) and
// for a panel of tokens (a row block is unpacked once, into a layout equal to that of 8-bit tiles, and used for all
// panels).

/// The part of one row block, or of two that are multiplied side by side, against one panel.
typedef struct {
    fettle_scale_kind scale_kind;
    fettle_offset_kind offset_kind;
    float tensor_scale;
    const uint8_t *scales;  // of the row block
    const uint8_t *offsets;
    const uint8_t *tiles;
    size_t next_block;  // bytes from these scales and offsets to those of a second row block
    size_t next_tiles;
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

INLINE f32v group_scale(const run *r, int group, const int block) {
    const size_t at = (size_t)group * 16 + (size_t)r->part * LANES;
    const uint8_t *scales = r->scales + (size_t)block * r->next_block;
    switch (r->scale_kind) {
    case FETTLE_SCALE_FLOAT16: return half_to_float(load_u16v(scales + 2 * at));
    case FETTLE_SCALE_FLOAT32: return load_f32v(scales + 4 * at);
    case FETTLE_SCALE_TENSOR: break;
    }
    return (f32v){0} + r->tensor_scale;
}

INLINE const uint8_t *offsets_of(const run *r, const int block) {
    return r->offsets + (size_t)block * r->next_block;
}

INLINE i32v zero_points(const run *r, int group, const int block) {
    typedef uint8_t points __attribute__((vector_size(LANES)));
    points p;
    memcpy(&p, offsets_of(r, block) + (size_t)group * 16 + (size_t)r->part * LANES, sizeof p);
    return __builtin_convertvector(p, i32v);
}

/// What the sums of a segment start from.
INLINE void begin_segment(
    const run *r, int segment, int group, const int block, i32v *sum, const int count, const int range) {
    const int32_t *sums = r->sums + (size_t)segment * r->panel;
    switch (r->offset_kind) {
    case FETTLE_OFFSET_CONSTANT: {
        UNROLL for (int m = 0; m < count; m++) sum[m] = (i32v){0} + sums[m];
        break;
    }
    case FETTLE_OFFSET_ZERO_POINTS: {
        i32v factor = dot_offset(range) - zero_points(r, group, block);
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
    const run *r, int segment, int group, int xgroup, const int block, const i32v *sum, f32v *acc, const int count) {
    const float *xscales = r->xscales + (size_t)xgroup * r->panel;
    const f32v scale = group_scale(r, group, block);
    UNROLL for (int m = 0; m < count; m++) {
        f32v s = scale * xscales[m];
        acc[m] = __builtin_elementwise_fma(__builtin_convertvector(sum[m], f32v), s, acc[m]);
    }
    if (r->offset_kind != FETTLE_OFFSET_MINIMUMS) return;
    const int32_t *sums = r->sums + (size_t)segment * r->panel;
    const f32v minimum = load_f32v(
        offsets_of(r, block) + 4 * ((size_t)group * 16 + (size_t)r->part * LANES));
    UNROLL for (int m = 0; m < count; m++) {
        acc[m] = __builtin_elementwise_fma(minimum * xscales[m], (f32v){0} + (float)sums[m], acc[m]);
    }
}

/// result[block][token] = the part's rows times the first `count` tokens of the panel, for one or two row blocks.
/// `packing` is the bits of the tiles' layout, `range` the bits of a value after look-up, `half` whether a segment is half a tile, `constant` whether the
/// kind of offset is known to be constant, which leaves more registers.
INLINE void run_segments(
    const run *job, f32v *result, const int blocks, const int count, const int panel, const int packing,
    const int range, const int book, const int half, const int constant) {
    run own = *job;  // a copy of its own and sums of its own stay in registers
    const run *r = &own;
    f32v acc[2 * PANEL];
    if (constant) own.offset_kind = FETTLE_OFFSET_CONSTANT;
    const uint8_t *tile = r->tiles;
    const int8_t *x = r->x;
    const int stride = panel * 4;
    // A segment is a whole weight group, or a whole input group, or both; the larger group counts its segments.
    const int ratio = r->segments_per_group * r->segments_per_xscale;
    int larger = 0, in_larger = 0;
    UNROLL for (int m = 0; m < blocks * count; m++) acc[m] = (f32v){0};
    for (int segment = 0; segment < r->segments; segment++) {
        i32v sum[2 * PANEL];
        const int group = r->segments_per_group == 1 ? segment : larger;
        const int xgroup = r->segments_per_xscale == 1 ? segment : larger;
        UNROLL for (int b = 0; b < blocks; b++) {
            begin_segment(r, segment, group, b, sum + b * count, count, range);
        }
        const int first = half && (segment & 1) ? 4 : 0;
        for (int t = 0; t < (half ? 1 : r->segment_tiles); t++) {
            const dot_input input = {tile, r->next_tiles, r->part, r->tables, x, stride};
            if (!half) dot_tile(sum, blocks, count, input, packing, range, book, 0, 8);
            else if (first) dot_tile(sum, blocks, count, input, packing, range, book, 4, 4);
            else dot_tile(sum, blocks, count, input, packing, range, book, 0, 4);
            if (half && !first) continue;
            tile += LINE * packing;
            x += 8 * stride;
        }
        UNROLL for (int b = 0; b < blocks; b++) {
            end_segment(r, segment, group, xgroup, b, sum + b * count, acc + b * count, count);
        }
        if (++in_larger == ratio) { in_larger = 0; larger++; }
    }
    UNROLL for (int m = 0; m < blocks * count; m++) result[m] = acc[m];
}

// One token: a function for each packing.
#define ONE_TOKEN(bits) \
    static void one_##bits(const run *r, f32v *acc) { run_segments(r, acc, 1, 1, 1, bits, bits, 0, 0, 0); } \
    static void half_##bits(const run *r, f32v *acc) { run_segments(r, acc, 1, 1, 1, bits, bits, 0, 1, 0); } \
    static void book_##bits(const run *r, f32v *acc) { run_segments(r, acc, 1, 1, 1, bits, 8, 1, 0, 1); } \
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
/// Unpacks `count` tiles.
static void unpack_tiles(const uint8_t *tiles, int bits, uint8_t *target, int count) {
    switch (bits) {
#define CASE(bits) case bits: unpack_##bits(tiles, target, count); return;
        CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
    }
}

// A panel: a function for each range that the dot product tells apart, for BLOCKS row blocks and for a last one, for a
// whole panel and for parts of one.
#define PANEL_TOKENS(range) \
    static void pair_##range(const run *r, f32v *acc) { \
        run_segments(r, acc, BLOCKS, PANEL, PANEL, 8, range, 0, 0, 1); \
    } \
    static void pair_any_##range(const run *r, f32v *acc) { \
        run_segments(r, acc, BLOCKS, PANEL, PANEL, 8, range, 0, 0, 0); \
    } \
    static void panel_##range(const run *r, f32v *acc) { run_segments(r, acc, 1, PANEL, PANEL, 8, range, 0, 0, 0); } \
    static void half_panel_##range(const run *r, f32v *acc) { \
        run_segments(r, acc, 1, PANEL, PANEL, 8, range, 0, 1, 0); \
    } \
    static void some_##range(const run *r, f32v *acc) { run_segments(r, acc, 1, SOME, PANEL, 8, range, 0, 0, 0); } \
    static void half_some_##range(const run *r, f32v *acc) { run_segments(r, acc, 1, SOME, PANEL, 8, range, 0, 1, 0); }
EVERY_RANGE(PANEL_TOKENS)

static run_function panel_function(int blocks, int range, int some, int half, int constant) {
#define PICK(bits) \
    if (range <= bits) { \
        if (blocks > 1) return constant ? pair_##bits : pair_any_##bits; \
        if (some) return half ? half_some_##bits : some_##bits; \
        return half ? half_panel_##bits : panel_##bits; \
    }
    EVERY_RANGE(PICK)
#undef PICK
    return panel_8;
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
    unpack_tiles(tiles, matrix->bits, target, count);
    if (matrix->codebooks) {
        for (size_t at = 0; at < (size_t)count * 8 * LINE; at += sizeof(u8v)) {
            u8v v = look_up(tables, load_u8v(target + at), matrix->bits);
            memcpy(target + at, &v, sizeof v);
        }
    }
    return target;
}

/// Where each row block has a codebook of its own, takes this block's.
static void load_block_tables(const fettle_matrix *matrix, int block, lookup_tables *tables) {
    if (!matrix->codebook_stride) return;
    load_tables(tables, matrix->codebooks + (size_t)block * matrix->codebook_stride, matrix->bits);
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
    int32_t *sums = (int32_t *)(codes + (size_t)columns * 16 * BLOCKS);
    segment_sums(input, segments, segment / input->sum_columns, constant ? dot_offset(range) - offset : 1, sums);

    lookup_tables tables;
    run r = {
        .scale_kind = matrix->scales, .offset_kind = matrix->offsets, .tensor_scale = matrix->tensor_scale,
        .tables = &tables, .segments = segments, .segment_tiles = segment / 32, .panel = panel,
        .next_block = matrix->block_bytes, .segments_per_group = matrix->group / segment, .segments_per_xscale = input->scale_columns / segment,
    };
    if (matrix->codebooks) load_tables(&tables, matrix->codebooks, matrix->bits);
    for (int block = first, blocks; block < last; block += blocks) {
        const uint8_t *bytes = matrix->blocks + (size_t)block * matrix->block_bytes;
        const int rows = matrix->rows - block * 16;
        blocks = panel > 1 && !half && last - block >= BLOCKS ? BLOCKS : 1;
        r.scales = bytes;
        r.offsets = bytes + matrix->offsets_at;
        r.tiles = bytes + matrix->tiles_at;
        r.x = input->values;
        r.xscales = input->scales;
        r.sums = sums;
        if (panel == 1) {
            load_block_tables(matrix, block, &tables);
            const run_function function = one_token[matrix->codebooks ? 2 : half][matrix->bits - 2];
            // Scales and tiles are read side by side. Asked for in the order in which they lie, they are one stream.
            for (size_t at = 0; at < matrix->tiles_at; at += LINE) __builtin_prefetch(bytes + at);
            for (r.part = 0; r.part < PARTS; r.part++) {
                f32v acc[1];
                function(&r, acc);
                store_rows(acc, r.part, rows, 1, y + (size_t)block * 16, stride);
            }
            continue;
        }
        for (int b = 0; b < blocks; b++) {
            load_block_tables(matrix, block + b, &tables);
            const uint8_t *tiles = unpacked_block(
                matrix, bytes + (size_t)b * matrix->block_bytes + matrix->tiles_at, &tables,
                codes + (size_t)b * (size_t)columns * 16);
            if (b == 0) r.tiles = tiles;
            else r.next_tiles = (size_t)(tiles - r.tiles);
        }
        for (int token = 0; token < input->tokens; token += panel) {
            const int tokens = input->tokens - token < panel ? input->tokens - token : panel;
            const run_function function = panel_function(blocks, range, tokens <= SOME, half, constant);
            for (r.part = 0; r.part < PARTS; r.part++) {
                f32v acc[2 * PANEL];
                function(&r, acc);
                for (int b = 0; b < blocks; b++) {
                    store_rows(
                        acc + b * PANEL, r.part, rows - b * 16, tokens,
                        y + (size_t)token * stride + (size_t)(block + b) * 16, stride);
                }
            }
            r.x += (size_t)panel * columns;
            r.xscales += (size_t)panel * (columns / input->scale_columns);
            r.sums += (size_t)panel * segments;
        }
    }
}
