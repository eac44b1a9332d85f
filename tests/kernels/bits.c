/* Prints a hash of the results of every elementwise, gated and masked function, and of normalisations, over fixed inputs,
   one line each: bits.txt, on every processor and with every compiler.  See test_hashes.py, which also computes
   them in Python. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "numact.h"

#define JOIN_(a, b) a##b
#define JOIN(a, b) JOIN_(a, b)

extern const struct numact_activation JOIN(numact_f32_, LEVEL)[], JOIN(numact_f64_, LEVEL)[];
extern const struct numact_masked_function JOIN(numact_masked_f32_, LEVEL)[], JOIN(numact_masked_f64_, LEVEL)[];
extern const struct numact_norm_task JOIN(numact_norm_f32_, LEVEL)[], JOIN(numact_norm_f64_, LEVEL)[];

/* Masks have a last byte that is not full. */
enum { COUNT = 1 << 15, MASK_COUNT = COUNT - 3, ARRAYS = NUMACT_MAX_ARRAYS };

static uint64_t state = 88172645463325252u;

/* Marsaglia's xorshift64. */
static uint64_t random_bits(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

/* Every other number of any exponent, the others around 0. */
static void fill(void *array, size_t size, int k)
{
    for (int i = 0; i < COUNT; i++) {
        uint64_t b = random_bits();
        double moderate = ((double)(b >> 11) * 0x1p-53 - 0.5) * (k % 2 ? 8 : 80);
        if (size == 4) {
            uint32_t narrow = (uint32_t)(b >> 32);
            float value = (float)moderate;
            memcpy((char *)array + 4 * i, i % 2 ? (void *)&narrow : (void *)&value, 4);
        } else {
            memcpy((char *)array + 8 * i, i % 2 ? (void *)&b : (void *)&moderate, 8);
        }
    }
}

/* A sum of all numbers, mixed and weighted by their place, modulo 2^64; all NaN are one. */
static uint64_t hash_of(const void *array, size_t size, int count)
{
    uint64_t hash = 0;
    for (int i = 0; i < count; i++) {
        uint64_t b;
        if (size == 1) {
            b = ((const uint8_t *)array)[i];
        } else if (size == 4) {
            uint32_t narrow;
            memcpy(&narrow, (const char *)array + 4 * i, 4);
            b = (narrow & 0x7FFFFFFFu) > 0x7F800000u ? 0x7FC00000u : narrow;
        } else {
            memcpy(&b, (const char *)array + 8 * i, 8);
            if ((b & ~(UINT64_C(1) << 63)) > UINT64_C(0x7FF) << 52) b = UINT64_C(0xFFF) << 51;
        }
        hash += (b ^ b >> 17) * UINT64_C(0x9E3779B97F4A7C15) * (uint64_t)(2 * i + 1);
    }
    return hash;
}

static void print_hashes(const struct numact_activation *row, const char *dtype, size_t size)
{
    static const char *const suffixes[NUMACT_KINDS] = {"", "_grad", "_grad_y", "_grad_at_zero"};
    static _Alignas(64) char memory[ARRAYS][COUNT * sizeof(double)];
    char *arrays[ARRAYS];
    ptrdiff_t strides[ARRAYS];
    for (int k = 0; k < ARRAYS; k++) {
        arrays[k] = memory[k];
        strides[k] = (ptrdiff_t)size;
    }
    for (; row->name; row++)
        for (int kind = 0; kind < NUMACT_KINDS; kind++) {
            const struct numact_kernel *kernel = &row->kernels[kind];
            if (!kernel->loop) continue;
            state = 88172645463325252u;
            for (int k = 0; k < kernel->inputs; k++)
                fill(memory[k], size, k);
            kernel->loop(arrays, COUNT, strides, false);
            printf("%s%s %s", row->name, suffixes[kind], dtype);
            for (int k = kernel->inputs; k < kernel->inputs + kernel->outputs; k++)
                printf(" %016llx", (unsigned long long)hash_of(memory[k], size, COUNT));
            puts("");
        }
}

/* Of the result and of the bits, which are random at first. */
static void print_masked(const struct numact_masked_function *row, const char *dtype, size_t size)
{
    static _Alignas(64) char in[COUNT * sizeof(double)], out[COUNT * sizeof(double)];
    static uint8_t bits[COUNT / 8];
    static const float values_f32[] = {-0.5f, 1.5f};
    static const double values_f64[] = {-0.5, 1.5};
    for (; row->name; row++) {
        state = 88172645463325252u;
        for (int i = 0; i < COUNT / 8; i++)
            bits[i] = (uint8_t)(random_bits() >> 56);
        state = 88172645463325252u;
        fill(in, size, 0);
        row->loop(in, bits, out, MASK_COUNT, size == 4 ? (const void *)values_f32 : (const void *)values_f64,
                     false);
        printf("%s %s %016llx %016llx\n", row->name, dtype, (unsigned long long)hash_of(out, size, MASK_COUNT),
               (unsigned long long)hash_of(bits, 1, COUNT / 8));
    }
}

/* The moderate numbers only, as samples x channels x positions. */
enum { SAMPLES = 10, CHANNELS = 6, PLACES = 273, BEYOND = 16 };

static void run(const struct numact_norm_task *task, const char *name, const struct numact_norm *call)
{
    while (task->name && strcmp(task->name, name) != 0)
        task++;
    if (!task->name) abort();
    task->run(call, 0, task->units(call));
}

static void print_norm(const char *name, const char *dtype, const void *out, size_t size)
{
    printf("%s %s %016llx\n", name, dtype, (unsigned long long)hash_of(out, size, COUNT));
}

static void print_norms(const struct numact_norm_task *tasks, const char *dtype, size_t size)
{
    static char memory[2][COUNT * sizeof(double)], out[COUNT * sizeof(double)];
    static double weight[PLACES + BEYOND], bias[PLACES + BEYOND];
    static double partial[SAMPLES * CHANNELS * 4 * (PLACES + BEYOND)], total[4 * (PLACES + BEYOND)], scale[CHANNELS + BEYOND];
    state = 88172645463325252u;
    for (int k = 0; k < 2; k++) {
        fill(memory[k], size, k);
        for (size_t i = 0; i < COUNT / 2; i++)
            memcpy(memory[k] + i * size, memory[k] + 2 * i * size, size);
    }
    for (int i = 0; i < PLACES; i++) {
        weight[i] = 1 + i / 256.0;
        bias[i] = i / 512.0;
    }
    const ptrdiff_t width = (ptrdiff_t)size, place = width, channel = PLACES * place, sample = CHANNELS * channel;
    struct numact_norm rows = {.width = width, .samples = SAMPLES * CHANNELS, .channels = 1, .positions = PLACES, .eps = 1e-5,
                               .x = {memory[0], channel, channel, place}, .dy = {memory[1], channel, channel, place},
                               .out = {out, channel, channel, place}, .weight = weight, .bias = bias, .partial = partial,
                               .partial_length = PLACES + BEYOND};
    static const char *const names[] = {"layer", "rms", "layer_grad", "rms_grad"};
    for (int k = 0; k < 4; k++) {
        run(tasks, names[k], &rows);
        print_norm(names[k], dtype, out, size);
    }
    struct numact_norm batch = {.width = width, .samples = SAMPLES, .channels = CHANNELS, .positions = PLACES,
                                .x = {memory[0], sample, channel, place}, .out = {out, sample, channel, place},
                                .partial = partial, .partial_length = CHANNELS + BEYOND, .partial_count = SAMPLES,
                                .total = total, .total_length = CHANNELS + BEYOND};
    run(tasks, "moments", &batch);
    run(tasks, "join_moments", &batch);
    batch.mean = total;
    batch.mean_lo = total + batch.total_length;
    for (int c = 0; c < CHANNELS; c++)
        scale[c] = 1 / sqrt(total[2 * batch.total_length + c] / (SAMPLES * PLACES) + 1e-5) * weight[c];
    batch.scale = scale;
    batch.shift = bias;
    run(tasks, "batch", &batch);
    print_norm("batch", dtype, out, size);
}

int main(void)
{
    print_hashes(JOIN(numact_f32_, LEVEL), "float32", 4);
    print_masked(JOIN(numact_masked_f32_, LEVEL), "float32", 4);
    print_hashes(JOIN(numact_f64_, LEVEL), "float64", 8);
    print_masked(JOIN(numact_masked_f64_, LEVEL), "float64", 8);
    print_norms(JOIN(numact_norm_f32_, LEVEL), "float32", 4);
    print_norms(JOIN(numact_norm_f64_, LEVEL), "float64", 8);
}
