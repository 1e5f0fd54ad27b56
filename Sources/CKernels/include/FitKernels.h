// Kernels that fit grids to weights and pack the result in layout R16 (Quantization/Packing/R16Layout.swift).
#ifndef FETTLE_FIT_KERNELS_H
#define FETTLE_FIT_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "InstructionSet.h"

/// Packs the codes of up to 16 rows, `stride` bytes apart, into columns / 32 tiles of 64 * bits bytes. Rows from `rows` to 16
/// become zeros. bits is 2...8, columns a multiple of 32.
void fettle_pack_tiles(
    const uint8_t *codes, size_t stride, int rows, size_t columns, int bits, uint8_t *tiles);

/// The inverse of fettle_pack_tiles.
void fettle_unpack_tiles(
    const uint8_t *tiles, int rows, size_t columns, int bits, uint8_t *codes, size_t stride);

/// Packs up to 16 rows of half-precision weights, `stride` numbers apart, into columns / 32 tiles of 1024 bytes.
void fettle_pack_half_tiles(const uint16_t *weights, size_t stride, int rows, size_t columns, uint8_t *tiles);

/// The inverse of fettle_pack_half_tiles.
void fettle_unpack_half_tiles(const uint8_t *tiles, int rows, size_t columns, uint16_t *weights, size_t stride);

#endif
