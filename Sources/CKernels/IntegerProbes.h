// What the machine can do at most: multiply-adds of bytes with nothing but registers, and reads with nothing but loads.

static int64_t probe_products(int64_t rounds) {
    enum { CHAINS = 12 };
    i32v sum[CHAINS];
    u8v w = (u8v){0} + 3;
    const i32v x = (i32v){0} + 0x01020304;
    UNROLL for (int m = 0; m < CHAINS; m++) sum[m] = (i32v){0};
    for (int64_t round = 0; round < rounds; round++) {
        UNROLL for (int m = 0; m < CHAINS; m++) {
            OPAQUE(w);  // else the products would be taken out of the loop
            sum[m] = dot_registers(sum[m], w, x);
        }
    }
    UNROLL for (int m = 1; m < CHAINS; m++) sum[0] += sum[m];
    volatile i32v used = sum[0];
    (void)used;
    return rounds * CHAINS * 2 * PRODUCTS_PER_CODE * (int64_t)sizeof(u8v);
}

static uint64_t probe_read(const uint8_t *memory, size_t bytes) {
    i32x16 sum[4] = {{0}};
    for (size_t at = 0; at + 4 * sizeof(i32x16) <= bytes; at += 4 * sizeof(i32x16)) {
        UNROLL for (size_t i = 0; i < 4; i++) {
            i32x16 line;
            memcpy(&line, memory + at + i * sizeof line, sizeof line);
            sum[i] ^= line;
        }
    }
    return (uint64_t)__builtin_reduce_add((sum[0] ^ sum[1]) ^ (sum[2] ^ sum[3]));
}
