// The entropy coder of codebook indices: static rANS (Duda, 2014) with eight interleaved lanes. Words are little-endian.
#ifndef FETTLE_INDEX_CODE_KERNELS_H
#define FETTLE_INDEX_CODE_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    FETTLE_INDEX_LANES = 8,  // index i belongs to lane i mod 8
    FETTLE_INDEX_SLOTS_BITS = 14,
    FETTLE_INDEX_SLOTS = 1 << FETTLE_INDEX_SLOTS_BITS,  // what frequencies add up to
};

/// The state of a lane before its first index is coded, and after its last one is decoded; no state is ever less.
static const uint32_t FETTLE_INDEX_STATE = 1u << 16;

/// Symbol s has the slots starts[s]..<starts[s] + frequencies[s]; all together are the FETTLE_INDEX_SLOTS.
typedef struct {
    const uint16_t *frequencies;
    const uint16_t *starts;
    const uint8_t *symbols;  // of each slot; encoding does not need it
} fettle_index_code;

/// Where a decoder stands.
typedef struct {
    uint32_t states[FETTLE_INDEX_LANES];
    const uint8_t *next, *end;  // words that are still to be read
} fettle_index_decoder;

/// Codes `count` indices, a multiple of the lanes, each with a frequency that is not 0. Words fill `target` from its end downwards;
/// `states` are those that a decoder begins with. Returns the bytes of the words, or -1 where `capacity` is too small.
long fettle_encode_indices(
    const fettle_index_code *code, const uint8_t *indices, size_t count, uint8_t *target, size_t capacity,
    uint32_t states[FETTLE_INDEX_LANES]);

/// Decodes the next `count` indices, a multiple of the lanes. False where the words end before; whatever the words are, indices
/// are symbols of the code and nothing is read beyond `end`, as long as no state is below FETTLE_INDEX_STATE at the start.
bool fettle_decode_indices(
    const fettle_index_code *code, fettle_index_decoder *decoder, uint8_t *indices, size_t count);

#endif
