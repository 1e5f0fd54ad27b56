// What separates two rows of logits p and q. With w = exp(p - max p):
// KL(p || q) = sum(w (p - q)) / sum(w) - (log-sum-exp of p - log-sum-exp of q), summed in double.

static double log_sum_exp(const float *row, long count) {
    float largest = row_max(row, count);
    f64x8 low = 0, high = 0;
    for (long i = 0; i < count; i += 16) {
        f32x16 part = exponential_part(row, i, count, largest, 1);
        low += __builtin_convertvector(part.lo, f64x8);
        high += __builtin_convertvector(part.hi, f64x8);
    }
    return largest + log(sum8(low + high));
}

static long top_index(const float *row, long count) {
    float largest = row_max(row, count);
    long index = 0;
    while (index < count - 1 && row[index] != largest) index++;
    return index;
}

static fettle_row_metrics compare_rows(const float *reference, const float *candidate, long count, long target) {
    float largest = row_max(reference, count);
    f64x8 weights[2] = {0, 0}, differences[2] = {0, 0};
    for (long i = 0; i < count; i += 16) {
        f32x16 weight = exponential_part(reference, i, count, largest, 1);
        f32x16 p, q;
        if (i + 16 <= count) {
            p = load16(reference + i);
            q = load16(candidate + i);
        } else {
            p = load_part(reference + i, count - i, 0);
            q = load_part(candidate + i, count - i, 0);
        }
        f64x8 low = __builtin_convertvector(weight.lo, f64x8), high = __builtin_convertvector(weight.hi, f64x8);
        weights[0] += low;
        weights[1] += high;
        differences[0] +=
            low * (__builtin_convertvector(p.lo, f64x8) - __builtin_convertvector(q.lo, f64x8));
        differences[1] +=
            high * (__builtin_convertvector(p.hi, f64x8) - __builtin_convertvector(q.hi, f64x8));
    }
    double total = sum8(weights[0] + weights[1]);
    double reference_log_sum = largest + log(total), candidate_log_sum = log_sum_exp(candidate, count);
    return (fettle_row_metrics){
        .divergence = sum8(differences[0] + differences[1]) / total - (reference_log_sum - candidate_log_sum),
        .reference_log_probability = reference[target] - reference_log_sum,
        .candidate_log_probability = candidate[target] - candidate_log_sum,
        .reference_top = top_index(reference, count),
        .candidate_top = top_index(candidate, count),
    };
}
