// Layout R16's bit planes: codes of one step (LANES rows x 4 columns) out of a tile of 32 columns.

/// The codes of `step` (0..7) for the rows of `part`. `bits` and `step` are constants where it is called.
INLINE u8v unpack_step(const uint8_t *tile, const int bits, const int step, const int part) {
    const uint8_t *plane = tile + part * LANES * 4;
    if (bits == 8) return load_u8v(plane + step * LINE);
    u8v code = {0};
    int shift = 0;
    if (bits & 4) {
        u8v v = load_u8v(plane + (step & 3) * LINE);
        code = step < 4 ? v & 15 : v >> 4;
        plane += 4 * LINE;
        shift = 4;
    }
    if (bits & 2) {
        u8v v = load_u8v(plane + (step & 1) * LINE);
        code |= ((v >> (uint8_t)(2 * (step >> 1))) & 3) << (uint8_t)shift;
        plane += 2 * LINE;
        shift += 2;
    }
    if (bits & 1) code |= ((load_u8v(plane) >> (uint8_t)step) & 1) << (uint8_t)shift;
    return code;
}

/// 16-entry slices of a codebook, each repeated along a vector, entries moved from -128...127 to 0...255.
typedef struct {
    u8v slices[16];
} lookup_tables;

/// What a dot product over one tile reads: codes and inputs.
typedef struct {
    const uint8_t *tile;
    size_t next;  // bytes from this tile to that of a second row block
    int part;
    const lookup_tables *tables;
    const int8_t *x;
    int stride;  // bytes from one step's inputs to the next's
} dot_input;

INLINE void load_tables(lookup_tables *tables, const int8_t *codebook, const int bits) {
    const int entries = 1 << bits;
    for (int slice = 0; slice * 16 < entries; slice++) {
        uint8_t bytes[LANES * 4];
        for (int i = 0; i < LANES * 4; i++) {
            bytes[i] = (uint8_t)codebook[(slice * 16 + (i & 15)) & (entries - 1)] ^ 0x80;
        }
        tables->slices[slice] = load_u8v(bytes);
    }
}

INLINE u8v look_up(const lookup_tables *tables, u8v code, const int bits) {
    if (bits <= 4) return look_up_16(tables->slices[0], code);
    u8v low = code & 15, high = code >> 4, value = {0};
    for (int slice = 0; slice < 1 << (bits - 4); slice++) {
        u8v hit = (u8v)(high == (uint8_t)slice);
        value |= hit & look_up_16(tables->slices[slice], low);
    }
    return value;
}
