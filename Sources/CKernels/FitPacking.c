// Layout R16, tiles: 16 rows x 32 columns. A step (4 columns of a row) is one 32-bit word of 4 codes, so that bit planes are
// masks and shifts of whole words. Words are little-endian, as on every processor that Fettle runs on.
#include <string.h>

#include "FitKernels.h"

enum { ROWS = 16, STEPS = 8, COLUMNS = 32, LINE = 64 };

// The planes of a code, by width: how many bits the 4-bit, 2-bit and 1-bit plane take off it, lowest first.
static const int PLANE_WIDTHS[3] = {4, 2, 1};

// Words that hold the low `width` bits of each of 4 codes.
static uint32_t low_bits(int width) { return ((1u << width) - 1) * 0x01010101u; }

static void load_tile(const uint8_t *codes, size_t stride, int rows, uint32_t words[ROWS][STEPS]) {
    for (int row = 0; row < rows; row++) memcpy(words[row], codes + (size_t)row * stride, COLUMNS);
    for (int row = rows; row < ROWS; row++) memset(words[row], 0, COLUMNS);
}

void fettle_pack_tiles(
    const uint8_t *codes, size_t stride, int rows, size_t columns, int bits, uint8_t *tiles) {
    for (size_t column = 0; column < columns; column += COLUMNS) {
        uint32_t words[ROWS][STEPS];
        load_tile(codes + column, stride, rows, words);
        uint32_t lines[STEPS][ROWS];
        if (bits == 8) {
            for (int step = 0; step < STEPS; step++)
                for (int row = 0; row < ROWS; row++) lines[step][row] = words[row][step];
            memcpy(tiles, lines, STEPS * LINE);
            tiles += STEPS * LINE;
            continue;
        }
        int taken = 0;
        for (int plane = 0; plane < 3; plane++) {
            int width = PLANE_WIDTHS[plane];
            if (!(bits & width)) continue;
            // A plane of `width` bits is `width` lines; line t holds steps t, t + width, t + 2 * width, ...
            for (int line = 0; line < width; line++) {
                for (int row = 0; row < ROWS; row++) {
                    uint32_t word = 0;
                    for (int step = line, at = 0; step < STEPS; step += width, at += width)
                        word |= ((words[row][step] >> taken) & low_bits(width)) << at;
                    lines[line][row] = word;
                }
            }
            memcpy(tiles, lines, (size_t)width * LINE);
            tiles += width * LINE;
            taken += width;
        }
    }
}

void fettle_unpack_tiles(
    const uint8_t *tiles, int rows, size_t columns, int bits, uint8_t *codes, size_t stride) {
    for (size_t column = 0; column < columns; column += COLUMNS) {
        uint32_t words[ROWS][STEPS] = {{0}};
        uint32_t lines[STEPS][ROWS];
        if (bits == 8) {
            memcpy(lines, tiles, STEPS * LINE);
            tiles += STEPS * LINE;
            for (int step = 0; step < STEPS; step++)
                for (int row = 0; row < ROWS; row++) words[row][step] = lines[step][row];
        }
        int taken = 0;
        for (int plane = 0; plane < 3 && bits < 8; plane++) {
            int width = PLANE_WIDTHS[plane];
            if (!(bits & width)) continue;
            memcpy(lines, tiles, (size_t)width * LINE);
            tiles += width * LINE;
            for (int line = 0; line < width; line++)
                for (int row = 0; row < ROWS; row++)
                    for (int step = line, at = 0; step < STEPS; step += width, at += width)
                        words[row][step] |= ((lines[line][row] >> at) & low_bits(width)) << taken;
            taken += width;
        }
        for (int row = 0; row < rows; row++) memcpy(codes + (size_t)row * stride + column, words[row], COLUMNS);
    }
}

void fettle_pack_half_tiles(const uint16_t *weights, size_t stride, int rows, size_t columns, uint8_t *tiles) {
    for (size_t column = 0; column < columns; column += 4, tiles += 2 * LINE) {
        for (int row = 0; row < rows; row++) memcpy(tiles + row * 8, weights + (size_t)row * stride + column, 8);
        memset(tiles + rows * 8, 0, (size_t)(ROWS - rows) * 8);
    }
}

void fettle_unpack_half_tiles(const uint8_t *tiles, int rows, size_t columns, uint16_t *weights, size_t stride) {
    for (size_t column = 0; column < columns; column += 4, tiles += 2 * LINE)
        for (int row = 0; row < rows; row++) memcpy(weights + (size_t)row * stride + column, tiles + row * 8, 8);
}
