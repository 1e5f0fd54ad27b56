// Static rANS of 32-bit states that give and take 16 bits at a time: at most once for each index.
#include "IndexCodeKernels.h"

#include <string.h>

enum { LANES = FETTLE_INDEX_LANES, BITS = FETTLE_INDEX_SLOTS_BITS, WORD = 2 };

long fettle_encode_indices(
    const fettle_index_code *code, const uint8_t *indices, size_t count, uint8_t *target, size_t capacity,
    uint32_t states[LANES]) {
    uint8_t *next = target + capacity;
    for (int lane = 0; lane < LANES; lane++) states[lane] = FETTLE_INDEX_STATE;
    for (size_t i = count; i-- > 0;) {
        const uint32_t frequency = code->frequencies[indices[i]];
        uint32_t state = states[i % LANES];
        // A state that would outgrow 32 bits gives its low word first.
        if (state >= (uint64_t)frequency << (32 - BITS)) {
            if (next - target < WORD) return -1;
            const uint16_t word = (uint16_t)state;
            next -= WORD;
            memcpy(next, &word, WORD);
            state >>= 16;
        }
        states[i % LANES] = (state / frequency << BITS) + state % frequency + code->starts[indices[i]];
    }
    return target + capacity - next;
}

// The index in a state's slot, and the state without it.
static inline uint8_t take(const fettle_index_code *code, uint32_t *state) {
    const uint32_t slot = *state & (FETTLE_INDEX_SLOTS - 1);
    const uint8_t symbol = code->symbols[slot];
    *state = code->frequencies[symbol] * (*state >> BITS) + slot - code->starts[symbol];
    return symbol;
}

bool fettle_decode_indices(
    const fettle_index_code *code, fettle_index_decoder *decoder, uint8_t *indices, size_t count) {
    uint32_t states[LANES];
    memcpy(states, decoder->states, sizeof states);
    const uint8_t *next = decoder->next;
    size_t i = 0;
    // As long as a word for each lane is there, none has to be looked for.
    for (; i < count && decoder->end - next >= LANES * WORD; i += LANES) {
        for (int lane = 0; lane < LANES; lane++) {
            indices[i + (size_t)lane] = take(code, &states[lane]);
            uint16_t word;
            memcpy(&word, next, WORD);
            const uint32_t longer = states[lane] << 16 | word;
            const bool isShort = states[lane] < FETTLE_INDEX_STATE;
            states[lane] = isShort ? longer : states[lane];
            next += isShort ? WORD : 0;
        }
    }
    for (; i < count; i++) {
        uint32_t *state = &states[i % LANES];
        indices[i] = take(code, state);
        if (*state >= FETTLE_INDEX_STATE) continue;
        if (decoder->end - next < WORD) return false;
        uint16_t word;
        memcpy(&word, next, WORD);
        *state = *state << 16 | word;
        next += WORD;
    }
    memcpy(decoder->states, states, sizeof states);
    decoder->next = next;
    return true;
}
