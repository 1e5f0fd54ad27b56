// What both parts of the comparison draw, and how they compare.
#ifndef FETTLE_DRAWS_H
#define FETTLE_DRAWS_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "IntegerKernels.h"

static uint64_t state = 0x9e3779b97f4a7c15u;
static uint64_t digest = 0xcbf29ce484222325u;
static int compared, failures;

static uint32_t draw(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 32);
}

static int below(int bound) { return (int)(draw() % (uint32_t)bound); }
static float number(float size) { return ((float)(int32_t)(draw() >> 8) * 0x1p-23f - 1.0f) * size; }

static void *room(size_t bytes) {
    void *p = aligned_alloc(64, (bytes + 63) / 64 * 64 + 64);
    if (!p) exit(1);
    memset(p, 0xa5, (bytes + 63) / 64 * 64 + 64);
    return p;
}

/// Counts the results in the digest once, and compares those of other instruction sets with them.
static void compare(fettle_isa isa, const void *expected, const void *found, size_t bytes, const char *what) {
    if (isa == FETTLE_SCALAR) {
        for (size_t i = 0; i < bytes; i++) digest = (digest ^ ((const uint8_t *)expected)[i]) * 0x100000001b3u;
        return;
    }
    compared++;
    if (memcmp(expected, found, bytes) == 0) return;
    if (failures++ < 20) printf("instruction set %d differs from scalar: %s\n", isa, what);
}

#define EVERY_SET(isa) \
    for (fettle_isa isa = FETTLE_SCALAR; isa <= FETTLE_I8MM; isa++) \
        if (fettle_isa_supported(isa))

static size_t lines(size_t bytes) { return (bytes + 63) / 64 * 64; }

/// A matrix of random codes in layout R16 (every byte is a legal code), or of codes that are all 255.
static fettle_matrix make_matrix(
    int rows, int columns, int bits, int group, fettle_scale_kind scales, fettle_offset_kind offsets, int books, int full) {
    const size_t groups = (size_t)(columns / group), blocks = (size_t)(rows + 15) / 16;
    const size_t scale_bytes = scales == FETTLE_SCALE_TENSOR ? 0
        : lines(groups * 16 * (scales == FETTLE_SCALE_FLOAT16 ? 2 : 4));
    const size_t offset_bytes = offsets == FETTLE_OFFSET_CONSTANT ? 0
        : lines(groups * 16 * (offsets == FETTLE_OFFSET_ZERO_POINTS ? 1 : 4));
    const size_t tile_bytes = (size_t)columns / 32 * 64 * (size_t)bits;
    fettle_matrix m = {
        .rows = rows, .columns = columns, .bits = bits, .group = group, .scales = scales, .offsets = offsets,
        .offset = 1 << (bits - 1), .tensor_scale = 0.0123f, .offsets_at = scale_bytes,
        .tiles_at = scale_bytes + offset_bytes, .block_bytes = scale_bytes + offset_bytes + tile_bytes,
    };
    uint8_t *bytes = room(blocks * m.block_bytes);
    m.blocks = bytes;
    for (size_t block = 0; block < blocks; block++, bytes += m.block_bytes) {
        for (size_t i = 0; i < groups * 16; i++) {
            const float f = number(0.1f);
            const uint16_t h = (uint16_t)(below(0x3000) | below(2) << 15);  // finite halves, subnormal ones among them
            if (scales == FETTLE_SCALE_FLOAT16) memcpy(bytes + 2 * i, &h, 2);
            if (scales == FETTLE_SCALE_FLOAT32) memcpy(bytes + 4 * i, &f, 4);
            const float minimum = number(1);
            if (offsets == FETTLE_OFFSET_ZERO_POINTS) bytes[m.offsets_at + i] = (uint8_t)below(256);
            if (offsets == FETTLE_OFFSET_MINIMUMS) memcpy(bytes + m.offsets_at + 4 * i, &minimum, 4);
        }
        for (size_t i = 0; i < tile_bytes; i++) bytes[m.tiles_at + i] = full ? 0xff : (uint8_t)draw();
    }
    if (books) {
        m.offset = 0;
        m.codebook_stride = books == 2 ? (size_t)1 << bits : 0;
        const size_t entries = ((size_t)1 << bits) * (books == 2 ? blocks : 1);
        int8_t *table = room(entries);
        for (size_t i = 0; i < entries; i++) table[i] = (int8_t)(full ? -128 : below(256) - 128);
        m.codebooks = table;
    }
    return m;
}

static void drop_matrix(fettle_matrix m) {
    free((void *)(uintptr_t)m.blocks);
    free((void *)(uintptr_t)m.codebooks);
}

#endif
