// C = A B. Both operands are packed into panels that the inner loop reads in order: A in panels of TILE_ROWS rows, B in
// panels of TILE_COLUMNS columns (Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication", 2008).
// The including file defines LANES, the width of its registers, and TILE_ROWS to fit their number; neither shows in the
// result, because an element's sum runs along the depth axis inside one lane.

enum {
    TILE_COLUMNS = 2 * LANES,
    DEPTH_BLOCK = 192,  // part of the definition of a sum: see FloatKernels.h
    NARROW_COLUMNS = LANES == 4 ? 4 : 12,  // columns of B that are read at a time where one register holds all rows
    MOST_LINES = NARROW_COLUMNS > TILE_ROWS ? NARROW_COLUMNS : TILE_ROWS,
    STRIP = 384,  // rows of A, and columns of B, packed at a time: a multiple of every tile's sides
};
_Static_assert(STRIP % TILE_ROWS == 0 && STRIP % TILE_COLUMNS == 0, "a strip is a whole number of panels");

typedef float tile_vector __attribute__((ext_vector_type(LANES)));

INLINE tile_vector load_tile(const float *source) {
    tile_vector result;
    memcpy(&result, source, sizeof result);
    return result;
}

INLINE void store_tile(float *target, tile_vector value) {
    memcpy(target, &value, sizeof value);
}

// An 8 x 8 transposition: three rounds of interleaving row i with row i + 4 rotate the bits of an element's index.
INLINE void transpose8(const float *source, long stride, float *target, long target_stride) {
    f32x8 rows[8], next[8];
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) memcpy(&rows[i], source + i * stride, sizeof rows[i]);
#pragma clang loop unroll(full)
    for (int round = 0; round < 3; round++) {
#pragma clang loop unroll(full)
        for (int i = 0; i < 4; i++) {
            next[2 * i] = __builtin_shufflevector(rows[i], rows[i + 4], 0, 8, 1, 9, 2, 10, 3, 11);
            next[2 * i + 1] = __builtin_shufflevector(rows[i], rows[i + 4], 4, 12, 5, 13, 6, 14, 7, 15);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < 8; i++) rows[i] = next[i];
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) memcpy(target + i * target_stride, &rows[i], sizeof rows[i]);
}

// Packs `count` lines of `depth` numbers into panels of `side` lines, position by position along the depth axis; the
// last panel is filled up with zeros.
INLINE void pack(
    const float *source, long line_stride, long depth_stride, long count, long depth, const int side, float *target) {
    for (long first = 0; first < count; first += side, target += side * depth) {
        const float *from = source + first * line_stride;
        long lines = count - first < side ? count - first : side;
        if (lines == side && line_stride == 1) {
            for (long k = 0; k < depth; k++) memcpy(target + k * side, from + k * depth_stride, sizeof(float) * side);
            continue;
        }
        long k = 0;
        if (lines == side && side % 8 == 0 && depth_stride == 1) {
            for (; k + 8 <= depth; k += 8) {
                for (int line = 0; line < side; line += 8) {
                    transpose8(from + line * line_stride + k, line_stride, target + k * side + line, side);
                }
            }
        }
        for (; k < depth; k++) {
            for (long line = 0; line < side; line++) {
                target[k * side + line] = line < lines ? from[line * line_stride + k * depth_stride] : 0;
            }
        }
    }
}

// One tile of C from `rows` lines of A, whose element (i, k) is a[i * a_row + k * a_depth], and a panel of B that is
// `vectors` registers wide.
INLINE void multiply_tile(
    const float *a, long a_row, long a_depth, const float *b, long depth, float *c, long c_row, bool adds,
    const int rows, const int vectors) {
    tile_vector sums[MOST_LINES][2];  // of which `rows` x `vectors` are registers
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) sums[i][j] = 0;
    }
    for (long k = 0; k < depth; k++, a += a_depth, b += vectors * LANES) {
#pragma clang loop unroll(full)
        for (int i = 0; i < rows; i++) {
            tile_vector factor = a[i * a_row];
#pragma clang loop unroll(full)
            for (int j = 0; j < vectors; j++) {
                sums[i][j] = __builtin_elementwise_fma(factor, load_tile(b + j * LANES), sums[i][j]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
#pragma clang loop unroll(full)
        for (int j = 0; j < vectors; j++) {
            float *target = c + i * c_row + j * LANES;
            store_tile(target, adds ? load_tile(target) + sums[i][j] : sums[i][j]);
        }
    }
}

// A tile that hangs over the edge of C goes through a whole one.
static void multiply_edge(
    const float *a, const float *b, long depth, float *c, long c_row, bool adds, long rows, long columns) {
    float whole[TILE_ROWS * TILE_COLUMNS];
    multiply_tile(a, 1, TILE_ROWS, b, depth, whole, TILE_COLUMNS, false, TILE_ROWS, 2);
    for (long i = 0; i < rows; i++) {
        for (long j = 0; j < columns; j++) {
            float sum = whole[i * TILE_COLUMNS + j];
            c[i * c_row + j] = adds ? c[i * c_row + j] + sum : sum;
        }
    }
}

static void multiply_strips(
    const float *a, const float *b, long depth, float *c, long c_row, bool adds, long rows, long columns) {
    for (long column = 0; column < columns; column += TILE_COLUMNS) {
        for (long row = 0; row < rows; row += TILE_ROWS) {
            const float *a_panel = a + row * depth, *b_panel = b + column * depth;
            float *tile = c + row * c_row + column;
            if (row + TILE_ROWS <= rows && column + TILE_COLUMNS <= columns) {
                multiply_tile(a_panel, 1, TILE_ROWS, b_panel, depth, tile, c_row, adds, TILE_ROWS, 2);
            } else {
                multiply_edge(
                    a_panel, b_panel, depth, tile, c_row, adds, rows - row < TILE_ROWS ? rows - row : TILE_ROWS,
                    columns - column < TILE_COLUMNS ? columns - column : TILE_COLUMNS);
            }
        }
    }
}

// Few rows, as when decoding: packing B would cost as much as the product. The operands change places: columns of B are
// read where they are, one number at a time, and the rows of A, packed, lie side by side in a register.
INLINE void multiply_narrow_tile(
    const fettle_product *p, const float *panel, long column, const int columns, const int vectors) {
    const int width = vectors * LANES;
    float tile[MOST_LINES * TILE_COLUMNS];
    if (p->accumulates) {
        for (long row = 0; row < p->rows; row++) {
            for (long j = 0; j < columns; j++) tile[j * width + row] = p->c[row * p->c_row + column + j];
        }
    }
    for (long k = 0; k < p->depth; k += DEPTH_BLOCK) {
        long depth = p->depth - k < DEPTH_BLOCK ? p->depth - k : DEPTH_BLOCK;
        multiply_tile(
            p->b + column * p->b_column + k, p->b_column, 1, panel + k * width, depth, tile, width,
            p->accumulates || k > 0, columns, vectors);
    }
    for (long row = 0; row < p->rows; row++) {
        for (long j = 0; j < columns; j++) p->c[row * p->c_row + column + j] = tile[j * width + row];
    }
}

INLINE void multiply_narrow(const fettle_product *p, float *panel, const int columns, const int vectors) {
    pack(p->a, p->a_row, p->a_depth, p->rows, p->depth, vectors * LANES, panel);
    long column = 0;
    for (; column + columns <= p->columns; column += columns) {
        multiply_narrow_tile(p, panel, column, columns, vectors);
    }
    for (; column < p->columns; column++) multiply_narrow_tile(p, panel, column, 1, vectors);
}

static void multiply(const fettle_product *p, float *workspace) {
    bool fits = p->b_depth == 1 && p->depth * TILE_COLUMNS <= 2 * STRIP * DEPTH_BLOCK;
    if (fits && p->rows <= LANES) return multiply_narrow(p, workspace, NARROW_COLUMNS, 1);
    if (fits && p->rows <= TILE_COLUMNS) return multiply_narrow(p, workspace, TILE_ROWS, 2);
    float *a_panels = workspace, *b_panels = workspace + STRIP * DEPTH_BLOCK;
    for (long column = 0; column < p->columns; column += STRIP) {
        long columns = p->columns - column < STRIP ? p->columns - column : STRIP;
        for (long k = 0; k < p->depth; k += DEPTH_BLOCK) {
            long depth = p->depth - k < DEPTH_BLOCK ? p->depth - k : DEPTH_BLOCK;
            pack(
                p->b + column * p->b_column + k * p->b_depth, p->b_column, p->b_depth, columns, depth, TILE_COLUMNS,
                b_panels);
            for (long row = 0; row < p->rows; row += STRIP) {
                long rows = p->rows - row < STRIP ? p->rows - row : STRIP;
                pack(p->a + row * p->a_row + k * p->a_depth, p->a_row, p->a_depth, rows, depth, TILE_ROWS, a_panels);
                multiply_strips(
                    a_panels, b_panels, depth, p->c + row * p->c_row + column, p->c_row, p->accumulates || k > 0, rows,
                    columns);
            }
        }
    }
}
