// Products of packed weights with quantized inputs: one body for one token (codes are unpacked as they stream by) and
// for a panel of tokens (a row block is unpacked once, into a layout equal to that of 8-bit tiles, and used for all
// panels).

enum { SIDES = BLOCKS > PARTS ? BLOCKS : PARTS };

/// The part of one row block, or of two that are multiplied side by side, against one panel.
typedef struct {
    fettle_scale_kind scale_kind;
    fettle_offset_kind offset_kind;
    float tensor_scale;
    float unit;  // what the sums of zero points count in: 2^-fraction, 1 for other offsets
    int fraction;
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

/// Lanes worked on side by side, number `b`: the lanes of row block b, or with `parts` those of part b of one row block.
typedef struct {
    const uint8_t *scales;
    const uint8_t *offsets;
    size_t first;  // lane
} lane_group;

INLINE lane_group lanes_of(const run *r, const int b, const int parts) {
    const size_t skipped = parts ? 0 : (size_t)b * r->next_block;
    return (lane_group){r->scales + skipped, r->offsets + skipped, (size_t)(parts ? b : r->part) * LANES};
}

INLINE f32v group_scale(const run *r, lane_group lanes, int group) {
    const size_t at = (size_t)group * 16 + lanes.first;
    switch (r->scale_kind) {
    case FETTLE_SCALE_FLOAT16: return half_to_float(load_u16v(lanes.scales + 2 * at));
    case FETTLE_SCALE_FLOAT32: return load_f32v(lanes.scales + 4 * at);
    case FETTLE_SCALE_TENSOR: break;
    }
    return (f32v){0} + r->tensor_scale;
}

INLINE i32v zero_points(lane_group lanes, int group) {
    typedef uint8_t points __attribute__((vector_size(LANES)));
    points p;
    memcpy(&p, lanes.offsets + (size_t)group * 16 + lanes.first, sizeof p);
    return __builtin_convertvector(p, i32v);
}

/// What the sums of a segment start from.
INLINE void begin_segment(
    const run *r, int segment, i32v *sum, const int count, const int range) {
    const int32_t *sums = r->sums + (size_t)segment * r->panel;
    switch (r->offset_kind) {
    case FETTLE_OFFSET_CONSTANT: {
        UNROLL for (int m = 0; m < count; m++) sum[m] = (i32v){0} + sums[m];
        break;
    }
    case FETTLE_OFFSET_ZERO_POINTS:
    case FETTLE_OFFSET_MINIMUMS: {
        UNROLL for (int m = 0; m < count; m++) sum[m] = (i32v){0} + dot_offset(range) * sums[m];
        break;
    }
    }
}

INLINE void end_segment(
    const run *r, lane_group lanes, int segment, int group, int xgroup, i32v *sum, f32v *acc, const int count) {
    const float *xscales = r->xscales + (size_t)xgroup * r->panel;
    const f32v scale = group_scale(r, lanes, group);
    if (r->offset_kind == FETTLE_OFFSET_ZERO_POINTS) {
        const int32_t *sums = r->sums + (size_t)segment * r->panel;
        const i32v points = zero_points(lanes, group);
        UNROLL for (int m = 0; m < count; m++) sum[m] = (sum[m] << r->fraction) - points * sums[m];
    }
    UNROLL for (int m = 0; m < count; m++) {
        f32v s = scale * xscales[m];
        acc[m] = __builtin_elementwise_fma(__builtin_convertvector(sum[m], f32v), s, acc[m]);
    }
    if (r->offset_kind != FETTLE_OFFSET_MINIMUMS) return;
    const int32_t *sums = r->sums + (size_t)segment * r->panel;
    const f32v minimum = load_f32v(lanes.offsets + 4 * ((size_t)group * 16 + lanes.first));
    UNROLL for (int m = 0; m < count; m++) {
        acc[m] = __builtin_elementwise_fma(minimum * xscales[m], (f32v){0} + (float)sums[m], acc[m]);
    }
}

/// What a function is made for. All are constants where it is called, so that nothing is left of what does not apply.
typedef struct {
    int side;  // lane groups side by side
    int parts;  // whether these are the parts of one row block, or row blocks
    int count;  // tokens, the first of the panel
    int panel;
    int packing;  // bits of the tiles' layout
    int range;  // bits of a value after look-up
    int book;  // whether codes are looked up while they stream by
    int half;  // whether a segment is half a tile
    int constant;  // whether the kind of offset is known to be constant, which leaves more registers
    int level;  // whether weights and inputs are known to have groups of the same size
    int plain;  // whether scales are known to be half precision and a segment a tile
} shape;

/// result[lane group][token] = the lanes' rows times the tokens.
INLINE void run_segments(const run *job, f32v *result, const shape made) {
    run own = *job;  // a copy of its own and sums of its own stay in registers
    const run *r = &own;
    f32v acc[SIDES * PANEL];
    if (made.constant) own.offset_kind = FETTLE_OFFSET_CONSTANT;
    if (made.plain) {
        own.scale_kind = FETTLE_SCALE_FLOAT16;
        own.segment_tiles = 1;
    }
    const uint8_t *tile = r->tiles;
    const int8_t *x = r->x;
    const int stride = made.panel * 4, count = made.count;
    // A segment is a whole weight group, or a whole input group, or both; the larger group counts its segments.
    const int ratio = r->segments_per_group * r->segments_per_xscale;
    int larger = 0, in_larger = 0;
    UNROLL for (int m = 0; m < made.side * count; m++) acc[m] = (f32v){0};
    for (int segment = 0; segment < r->segments; segment++) {
        i32v sum[SIDES * PANEL];
        const int group = made.level || r->segments_per_group == 1 ? segment : larger;
        const int xgroup = made.level || r->segments_per_xscale == 1 ? segment : larger;
        UNROLL for (int b = 0; b < made.side; b++) {
            begin_segment(r, segment, sum + b * count, count, made.range);
        }
        const int first = made.half && (segment & 1) ? 4 : 0;
        for (int t = 0; t < (made.half ? 1 : r->segment_tiles); t++) {
            const dot_input input = {
                tile, made.parts ? LANES * 4 : r->next_tiles, made.parts ? 0 : r->part, r->tables, x, stride,
            };
            if (!made.half) dot_tile(sum, made.side, count, input, made.packing, made.range, made.book, 0, 8);
            else if (first) dot_tile(sum, made.side, count, input, made.packing, made.range, made.book, 4, 4);
            else dot_tile(sum, made.side, count, input, made.packing, made.range, made.book, 0, 4);
            if (made.half && !first) continue;
            tile += LINE * made.packing;
            x += 8 * stride;
        }
        UNROLL for (int b = 0; b < made.side; b++) {
            end_segment(
                r, lanes_of(r, b, made.parts), segment, group, xgroup, sum + b * count, acc + b * count, count);
        }
        if (!made.level && ++in_larger == ratio) { in_larger = 0; larger++; }
    }
    UNROLL for (int m = 0; m < made.side * count; m++) result[m] = made.constant ? acc[m] : acc[m] * r->unit;
}

static void store_rows(const f32v *acc, int part, int rows, int tokens, float *y, size_t stride) {
    const int count = rows - part * LANES;
    y += part * LANES;
    if (count >= LANES) {
        for (int m = 0; m < tokens; m++) memcpy(y + (size_t)m * stride, &acc[m], sizeof acc[m]);
    } else if (count > 0) {
        for (int m = 0; m < tokens; m++) memcpy(y + (size_t)m * stride, &acc[m], (size_t)count * sizeof(float));
    }
}

/// Where each row block has a codebook of its own, takes this block's.
static void load_block_tables(const fettle_matrix *matrix, int block, lookup_tables *tables) {
    if (!matrix->codebook_stride) return;
    load_tables(tables, matrix->codebooks + (size_t)block * matrix->codebook_stride, matrix->bits);
}

/// Row blocks first..<last, which lie one after the other from `bytes` on, times one token; all rows of a block side by side.
INLINE void run_token(
    const run *job, const fettle_matrix *matrix, lookup_tables *tables, const uint8_t *bytes, int first, int last,
    float *y, const shape made) {
    run own = *job;
    for (int block = first; block < last; block++, bytes += matrix->block_bytes) {
        if (made.book) load_block_tables(matrix, block, tables);
        own.scales = bytes;
        own.offsets = bytes + matrix->offsets_at;
        own.tiles = bytes + matrix->tiles_at;
        load_lines(bytes, matrix->tiles_at);
        f32v acc[PARTS];
        run_segments(&own, acc, made);
        for (int part = 0; part < PARTS; part++) {
            store_rows(acc + part, part, matrix->rows - block * 16, 1, y + (size_t)block * 16, 0);
        }
    }
}

// Functions for each packing.
#define ONE_TOKEN_FUNCTION(name, bits, ...) \
    static void name##_##bits( \
        const run *r, const fettle_matrix *matrix, lookup_tables *tables, const uint8_t *bytes, int first, int last, \
        float *y) { \
        run_token(r, matrix, tables, bytes, first, last, y, (shape){ \
            .side = PARTS, .parts = 1, .count = 1, .panel = 1, .packing = bits, __VA_ARGS__}); \
    }
#define ONE_TOKEN(bits) \
    ONE_TOKEN_FUNCTION(one, bits, .range = bits) \
    ONE_TOKEN_FUNCTION(level, bits, .range = bits, .constant = 1, .level = 1) \
    ONE_TOKEN_FUNCTION(plain, bits, .range = bits, .constant = 1, .level = 1, .plain = 1) \
    ONE_TOKEN_FUNCTION(half, bits, .range = bits, .half = 1) \
    ONE_TOKEN_FUNCTION(book, bits, .range = 8, .book = 1, .constant = 1) \
    ONE_TOKEN_FUNCTION(level_book, bits, .range = 8, .book = 1, .constant = 1, .level = 1) \
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

typedef void (*token_function)(
    const run *, const fettle_matrix *, lookup_tables *, const uint8_t *bytes, int first, int last, float *y);
#define EVERY_WIDTH(name) {name##_2, name##_3, name##_4, name##_5, name##_6, name##_7, name##_8}
static const token_function one_token[6][7] = {
    EVERY_WIDTH(one), EVERY_WIDTH(level), EVERY_WIDTH(plain), EVERY_WIDTH(half), EVERY_WIDTH(book), EVERY_WIDTH(level_book),
};

/// Unpacks `count` tiles.
static void unpack_tiles(const uint8_t *tiles, int bits, uint8_t *target, int count) {
    switch (bits) {
#define CASE(bits) case bits: unpack_##bits(tiles, target, count); return;
        CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
    }
}

static token_function one_token_function(const fettle_matrix *matrix, int scale_columns, int half) {
    const int level = matrix->group == scale_columns;
    const int plain = matrix->group == 32 && matrix->scales == FETTLE_SCALE_FLOAT16;
    const int kind = matrix->codebooks ? 4 + level
        : half                         ? 3
        : level && matrix->offsets == FETTLE_OFFSET_CONSTANT ? 1 + plain
                                                             : 0;
    return one_token[kind][matrix->bits - 2];
}

typedef void (*run_function)(const run *, f32v *);
// A panel: a function for each range that the dot product tells apart, for BLOCKS row blocks and for a last one, for a
// whole panel and for parts of one.
#define PANEL_FUNCTION(name, bits, ...) \
    static void name##_##bits(const run *r, f32v *acc) { \
        run_segments(r, acc, (shape){.panel = PANEL, .packing = 8, .range = bits, __VA_ARGS__}); \
    }
#define PANEL_TOKENS(bits) \
    PANEL_FUNCTION(pair, bits, .side = BLOCKS, .count = PANEL, .constant = 1) \
    PANEL_FUNCTION(pair_any, bits, .side = BLOCKS, .count = PANEL) \
    PANEL_FUNCTION(panel, bits, .side = 1, .count = PANEL) \
    PANEL_FUNCTION(half_panel, bits, .side = 1, .count = PANEL, .half = 1) \
    PANEL_FUNCTION(some, bits, .side = 1, .count = SOME) \
    PANEL_FUNCTION(half_some, bits, .side = 1, .count = SOME, .half = 1)
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
    const int panel = input->panel, panels = (fettle_places(input) + panel - 1) / panel;
    const int32_t *source = input->sums;
    if (per_segment == 1) {
        for (int i = 0; i < panels * segments * panel; i++) target[i] = source[i] * factor;
        return;
    }
    for (int i = 0; i < panels * segments; i++, target += panel) {
        int32_t sum[PANEL] = {0};
        for (int j = 0; j < per_segment; j++, source += panel) {
            for (int m = 0; m < panel; m++) sum[m] += source[m];
        }
        for (int m = 0; m < panel; m++) target[m] = sum[m] * factor;
    }
}

/// result[token] = what its two places made.
INLINE void add_halves(f32v *acc, int tokens) {
    for (int m = 0; m < tokens; m++) acc[m] = acc[2 * m] + acc[2 * m + 1];
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

/// Asks for the part first..<last of `of` of the bytes at `p`, so that they come from memory while others are multiplied.
static void ask_ahead(const uint8_t *p, size_t bytes, int first, int last, int of) {
    const size_t end = bytes * (size_t)last / (size_t)of;
    for (size_t at = bytes * (size_t)first / (size_t)of; at < end; at += LINE) __builtin_prefetch(p + at, 0, 2);
}

/// Bits of the fraction of zero points; 0 for constant offsets.
INLINE int zero_fraction(const fettle_matrix *m) {
    return m->offsets == FETTLE_OFFSET_ZERO_POINTS ? fettle_zero_fraction(m->bits) : 0;
}

static void product_int8(
    const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, void *scratch, float *y,
    size_t stride) {
    const int columns = matrix->columns, panel = input->panel;
    const int segment = matrix->group < input->scale_columns ? matrix->group : input->scale_columns;
    const int segments = columns / segment, half = segment < 32, range = matrix->codebooks ? 8 : matrix->bits;
    const int constant = matrix->offsets == FETTLE_OFFSET_CONSTANT;
    const int fraction = zero_fraction(matrix);
    const int places = fettle_places(input), per_token = fettle_places_per_token(input->kind);
    const int offset = matrix->codebooks ? 128 : matrix->offset;
    uint8_t *codes = scratch;
    int32_t *sums = (int32_t *)(codes + (size_t)columns * 16 * BLOCKS);
    segment_sums(input, segments, segment / input->sum_columns, constant ? dot_offset(range) - offset : 1, sums);

    lookup_tables tables;
    run r = {
        .scale_kind = matrix->scales, .offset_kind = matrix->offsets, .tensor_scale = matrix->tensor_scale,
        .unit = 1.0f / (float)(1 << fraction), .fraction = fraction, .tables = &tables, .segments = segments, .segment_tiles = segment / 32, .panel = panel,
        .next_block = matrix->block_bytes, .segments_per_group = matrix->group / segment,
        .segments_per_xscale = input->scale_columns / segment,
    };
    if (matrix->codebooks) load_tables(&tables, matrix->codebooks, matrix->bits);
    if (panel == 1) {
        r.x = input->values;
        r.xscales = input->scales;
        r.sums = sums;
        const token_function function = one_token_function(matrix, input->scale_columns, half);
        for (int block = first, next; block < last; block = next) {
            next = adjoining_end(matrix, block, last);
            function(&r, matrix, &tables, row_block(matrix, block), block, next, y);
        }
        return;
    }
    for (int block = first, blocks; block < last; block += blocks) {
        const uint8_t *bytes = row_block(matrix, block);
        const int rows = matrix->rows - block * 16;
        blocks = !half && adjoining_end(matrix, block, last) - block >= BLOCKS ? BLOCKS : 1;
        r.scales = bytes;
        r.offsets = bytes + matrix->offsets_at;
        r.tiles = bytes + matrix->tiles_at;
        r.x = input->values;
        r.xscales = input->scales;
        r.sums = sums;
        for (int b = 0; b < blocks; b++) {
            load_block_tables(matrix, block + b, &tables);
            const uint8_t *tiles = unpacked_block(
                matrix, bytes + (size_t)b * matrix->block_bytes + matrix->tiles_at, &tables,
                codes + (size_t)b * (size_t)columns * 16);
            if (b == 0) r.tiles = tiles;
            else r.next_tiles = (size_t)(tiles - r.tiles);
        }
        const size_t ahead = block + blocks < last ? (size_t)blocks * matrix->block_bytes : 0;
        for (int place = 0; place < places; place += panel) {
            const int count = places - place < panel ? places - place : panel;
            const int token = place / per_token, tokens = count / per_token;
            ask_ahead(bytes + (size_t)blocks * matrix->block_bytes, ahead, place, place + count, places);
            const run_function function = panel_function(blocks, range, count <= SOME, half, constant);
            for (r.part = 0; r.part < PARTS; r.part++) {
                f32v acc[SIDES * PANEL];
                function(&r, acc);
                for (int b = 0; b < blocks; b++) {
                    if (per_token == 2) add_halves(acc + b * PANEL, tokens);
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
