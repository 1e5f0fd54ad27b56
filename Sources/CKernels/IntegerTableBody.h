// The table of the including file's instruction set.

static void product(
    const fettle_matrix *matrix, const fettle_input *input, int32_t first, int32_t last, void *scratch, float *y,
    size_t stride) {
    if (input->kind == FETTLE_INPUT_FLOAT) {
        product_float(matrix, input, first, last, scratch, y, stride);
    } else {
        product_int8(matrix, input, first, last, scratch, y, stride);
    }
}

#define TABLE { \
    .panel = PANEL, .quantize = quantize, .product = product, .add_norm = add_norm, .gate = gate, \
    .kv_store = kv_store, .attend = attend, .run_integer = run_integer, .probe_products = probe_products, \
    .probe_read = probe_read, \
}
