// int32 numbers to int8 with dyadic scales: one for each token, and for groups a power of two below it.

/// Where a product finds its quantized input.
typedef struct {
    int8_t *values;  // [panel][columns / 4][panel token][4]
    int32_t *shifts;  // [panel][columns / 32][panel token]: a group counts for scale / 2^shift
    int32_t *sums;  // [panel][columns / 32][panel token]
    int32_t *mantissas;  // [token]
    int32_t *exponents;
    int32_t tokens, columns, panel;
    int32_t group;  // columns that share a shift: all, or 32
} integer_input;

/// A scale for numbers of magnitude up to `amax`: of 127 / amax times 2^23 the integer part, for numbers that `shift` brings
/// to 15 bits.
typedef struct {
    int32_t shift, inverse, mantissa;
} dyadic_scale;

INLINE dyadic_scale scale_for(uint32_t amax) {
    const int shift = bit_length(amax) - 15;
    const int32_t top = (int32_t)shifted_one(amax, shift);  // 2^14...2^15
    return (dyadic_scale){shift, (127 << 23) / top, (top << 7) / 127};
}

/// Exponent of the scale where the numbers' is `exponent`.
INLINE int32_t scale_exponent(dyadic_scale scale, int32_t exponent) { return exponent + scale.shift - 7; }

INLINE i32x16 quantized(i32x16 v, dyadic_scale scale) {
    return (shifted(v, scale.shift) * scale.inverse + (1 << 22)) >> 23;
}

/// The largest shift after which numbers of magnitude up to `part` are still no larger than `whole`.
INLINE int spare_bits(uint32_t part, uint32_t whole) {
    enum { MOST = 20 };
    if (part == 0) return 0;
    int shift = bit_length(whole) - bit_length(part);
    if (((uint64_t)part << shift) > whole) shift--;
    return shift > MOST ? MOST : shift;
}

static void quantize_row(const int32_t *row, int32_t exponent, int32_t token, const integer_input *input) {
    const int columns = input->columns, panel = input->panel, slot = token % panel;
    const size_t index = (size_t)(token / panel) * (size_t)panel;
    int8_t *values = input->values + index * (size_t)columns + slot * 4;
    int32_t *shifts = input->shifts + index * (size_t)(columns / 32) + slot;
    int32_t *sums = input->sums + index * (size_t)(columns / 32) + slot;
    const uint32_t amax = largest_magnitude_of(row, columns);
    const dyadic_scale scale = amax == 0 ? (dyadic_scale){0} : scale_for(amax);
    input->mantissas[token] = scale.mantissa;
    input->exponents[token] = scale_exponent(scale, exponent);
    for (int start = 0; start < columns; start += 32) {
        dyadic_scale own = scale;
        int shift = 0;
        if (input->group == 32) shift = spare_bits(largest_magnitude_of(row + start, 32), amax);
        own.shift -= shift;
        int32_t sum = 0;
        for (int i = start; i < start + 32; i += 16) {
            const i32x16 q = quantized(load_i32x16(row + i), own);
            const i8x16 bytes = __builtin_convertvector(q, i8x16);
            for (int c = 0; c < 4; c++) {
                memcpy(values + (size_t)(i / 4 + c) * (size_t)panel * 4, (const int8_t *)&bytes + 4 * c, 4);
            }
            sum += __builtin_reduce_add(q);
        }
        shifts[(size_t)(start / 32) * (size_t)panel] = shift;
        sums[(size_t)(start / 32) * (size_t)panel] = sum;
    }
}

/// Zeros the places of the last panel that no token takes.
static void clear_absent(const integer_input *input) {
    const int panel = input->panel, used = input->tokens % panel;
    if (used == 0) return;
    const size_t index = (size_t)(input->tokens / panel) * (size_t)panel;
    const size_t groups = (size_t)(input->columns / 32);
    for (int slot = used; slot < panel; slot++) {
        for (size_t i = 0; i < groups * 8; i++) {
            memset(input->values + index * (size_t)input->columns + (i * (size_t)panel + (size_t)slot) * 4, 0, 4);
        }
        for (size_t i = 0; i < groups; i++) {
            input->shifts[index * groups + i * (size_t)panel + (size_t)slot] = 0;
            input->sums[index * groups + i * (size_t)panel + (size_t)slot] = 0;
        }
    }
}
