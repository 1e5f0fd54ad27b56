// Kernels that go along a row: exponentials, normalisation, activation, rotation. A sum along a row has 16 lanes, added
// up as sum16 does.

static void exponential(const float *x, float *y, long count) {
    long i = 0;
    for (; i + 16 <= count; i += 16) store16(y + i, exp16(load16(x + i)));
    if (i < count) store_part(y + i, exp16(load_part(x + i, count - i, 0)), count - i);
}

static float inverse_root_mean_square(const float *x, long columns, float epsilon) {
    f32x16 squares = 0;
    long i = 0;
    for (; i + 16 <= columns; i += 16) {
        f32x16 v = load16(x + i);
        squares = __builtin_elementwise_fma(v, v, squares);
    }
    if (i < columns) {
        f32x16 v = load_part(x + i, columns - i, 0);
        squares = __builtin_elementwise_fma(v, v, squares);
    }
    return 1.0f / __builtin_sqrtf(sum16(squares) / (float)columns + epsilon);
}

static void rms_norm(const float *x, const float *weight, float *y, long rows, long columns, float epsilon) {
    for (long row = 0; row < rows; row++, x += columns, y += columns) {
        float inverse = inverse_root_mean_square(x, columns, epsilon);
        for (long i = 0; i < columns; i++) y[i] = x[i] * inverse * weight[i];
    }
}

// With r the inverse root mean square and h = g weight: dx = r h - x r^3 / n * sum of h x.
static void rms_norm_backward(
    const float *x, const float *weight, const float *y_gradient, float *x_gradient, long rows, long columns,
    float epsilon) {
    for (long row = 0; row < rows; row++, x += columns, y_gradient += columns, x_gradient += columns) {
        float inverse = inverse_root_mean_square(x, columns, epsilon);
        f32x16 products = 0;
        long i = 0;
        for (; i + 16 <= columns; i += 16) {
            f32x16 h = load16(y_gradient + i) * load16(weight + i);
            products = __builtin_elementwise_fma(h, load16(x + i), products);
        }
        if (i < columns) {
            f32x16 h = load_part(y_gradient + i, columns - i, 0) * load_part(weight + i, columns - i, 0);
            products = __builtin_elementwise_fma(h, load_part(x + i, columns - i, 0), products);
        }
        float common = inverse * inverse * inverse / (float)columns * sum16(products);
        for (i = 0; i < columns; i++) {
            x_gradient[i] += y_gradient[i] * weight[i] * inverse - x[i] * common;
        }
    }
}

// exp(scale * (row - largest)), zeros in the lanes beyond `count`; added up in double after every SUM_BLOCK numbers,
// so that a row as long as a vocabulary keeps its precision.
enum { SUM_BLOCK = 2048 };

INLINE f32x16 exponential_part(const float *row, long i, long count, float largest, float scale) {
    if (i + 16 <= count) return exp16((load16(row + i) - largest) * scale);
    f32x16 part = exp16((load_part(row + i, count - i, largest) - largest) * scale), result = 0;
    memcpy(&result, &part, (size_t)(count - i) * sizeof(float));
    return result;
}

INLINE double exponentials(const float *row, float *target, long count, float largest, float scale) {
    double total = 0;
    for (long first = 0; first < count; first += SUM_BLOCK) {
        long end = count - first < SUM_BLOCK ? count : first + SUM_BLOCK;
        f32x16 sums = 0;
        for (long i = first; i < end; i += 16) {
            f32x16 part = exponential_part(row, i, count, largest, scale);
            sums += part;
            if (!target) continue;
            if (i + 16 <= count) store16(target + i, part); else store_part(target + i, part, count - i);
        }
        total += sum16(sums);
    }
    return total;
}

static void softmax(float *row, long count, float scale) {
    float inverse = (float)(1 / exponentials(row, row, count, row_max(row, count), scale));
    for (long i = 0; i < count; i++) row[i] *= inverse;
}

// gradients = scale * probabilities * (gradients - sum of probabilities * gradients).
static void softmax_backward(const float *probabilities, float *gradients, long count, float scale) {
    f32x16 products = 0;
    long i = 0;
    for (; i + 16 <= count; i += 16) {
        products = __builtin_elementwise_fma(load16(probabilities + i), load16(gradients + i), products);
    }
    if (i < count) {
        f32x16 part = load_part(gradients + i, count - i, 0);
        products = __builtin_elementwise_fma(load_part(probabilities + i, count - i, 0), part, products);
    }
    float mean = sum16(products);
    for (i = 0; i < count; i++) gradients[i] = probabilities[i] * (gradients[i] - mean) * scale;
}

static void log_likelihood_gradient(float *row, long count, long label) {
    softmax(row, count, 1);
    for (long i = 0; i < count; i++) row[i] = -row[i];
    row[label] += 1;
}

static long sample(const float *row, long count, float scale, double unit) {
    float largest = row_max(row, count);
    double rest = unit * exponentials(row, NULL, count, largest, scale);
    long last = 0;
    for (long i = 0; i < count; i += 16) {
        f32x16 part = exponential_part(row, i, count, largest, scale);
        double sum = sum16(part);
        if (rest >= sum) {
            rest -= sum;
            continue;
        }
        for (int lane = 0; lane < 16 && i + lane < count; lane++) {
            if (part[lane] == 0) continue;
            last = i + lane;
            if (rest < part[lane]) return last;
            rest -= part[lane];
        }
    }
    return last;
}

INLINE f32x16 sigmoid16(f32x16 x) {
    return 1.0f / (1.0f + exp16(-x));
}

static void silu_product(const float *gate_up, float *y, long rows, long columns) {
    for (long row = 0; row < rows; row++, gate_up += 2 * columns, y += columns) {
        long i = 0;
        for (; i + 16 <= columns; i += 16) {
            f32x16 gate = load16(gate_up + i);
            store16(y + i, gate * sigmoid16(gate) * load16(gate_up + columns + i));
        }
        if (i < columns) {
            f32x16 gate = load_part(gate_up + i, columns - i, 0);
            f32x16 up = load_part(gate_up + columns + i, columns - i, 0);
            store_part(y + i, gate * sigmoid16(gate) * up, columns - i);
        }
    }
}

// silu'(x) = s (1 + x (1 - s)), s = sigmoid(x).
INLINE void silu_gradients(f32x16 gate, f32x16 up, f32x16 gradient, f32x16 *gate_gradient, f32x16 *up_gradient) {
    f32x16 s = sigmoid16(gate);
    *up_gradient = gradient * gate * s;
    *gate_gradient = gradient * up * s * __builtin_elementwise_fma(gate, 1.0f - s, (f32x16)1.0f);
}

static void silu_product_backward(
    const float *gate_up, const float *y_gradient, float *gate_up_gradient, long rows, long columns) {
    for (long row = 0; row < rows; row++) {
        const float *gate = gate_up + row * 2 * columns, *up = gate + columns, *gradient = y_gradient + row * columns;
        float *gate_target = gate_up_gradient + row * 2 * columns, *up_target = gate_target + columns;
        f32x16 gate_part, up_part;
        long i = 0;
        for (; i + 16 <= columns; i += 16) {
            silu_gradients(load16(gate + i), load16(up + i), load16(gradient + i), &gate_part, &up_part);
            store16(gate_target + i, gate_part);
            store16(up_target + i, up_part);
        }
        if (i < columns) {
            long rest = columns - i;
            silu_gradients(
                load_part(gate + i, rest, 0), load_part(up + i, rest, 0), load_part(gradient + i, rest, 0), &gate_part,
                &up_part);
            store_part(gate_target + i, gate_part, rest);
            store_part(up_target + i, up_part, rest);
        }
    }
}

INLINE void rotate_pair(float *first, float *second, float cosine, float sine) {
    float x = *first, y = *second;
    *first = __builtin_fmaf(x, cosine, -(y * sine));
    *second = __builtin_fmaf(x, sine, y * cosine);
}

static void rotate(
    float *row, const float *cosine, const float *sine, long heads, long head_width, bool adjacent, bool backward) {
    long half = head_width / 2;
    float sign = backward ? -1 : 1;
    for (float *head = row; head < row + heads * head_width; head += head_width) {
        for (long i = 0; i < half; i++) {
            long first = adjacent ? 2 * i : i, second = adjacent ? 2 * i + 1 : i + half;
            rotate_pair(head + first, head + second, cosine[i], sign * sine[i]);
        }
    }
}
