#include "runtime/lut.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/thread_pool.h"

enum {
    NUMBERS = 1 << 16,      /* values of 16 bits */
    SAMPLE = 2048,          /* values that are timed, */
    SAMPLE_START = 0x3C00,  /* from 1 in float16 and 2^-7 in bfloat16: no subnormals, which may be slow */
};

/* Time of a lookup, from memory to memory. */
static const double LOOKUP_NS = 0.42;

/* A table to compute: results[i] is the result for the value with the bits first + i. */
struct table {
    const struct numact_half_kernel *half;
    int varying;
    char *const *arrays;
    ptrdiff_t first;
    uint16_t *results;
};

/* Computes results[start] to results[stop - 1], in place. */
static void compute_results(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct table *table = context;
    const struct numact_kernel *f32 = table->half->f32;
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t strides[NUMACT_MAX_ARRAYS] = {0};
    for (ptrdiff_t i = start; i < stop; i++)
        table->results[i] = (uint16_t)(table->first + i);
    for (int k = 0; k < f32->inputs; k++)
        arrays[k] = table->arrays[k];
    arrays[table->varying] = arrays[f32->inputs] = (char *)(table->results + start);
    strides[table->varying] = strides[f32->inputs] = sizeof *table->results;
    table->half->loop(f32, arrays, stop - start, strides);
}

/* Time to compute an element, in ns: the shorter of two measurements, so that an interruption does not count. */
static double time_to_compute(struct table table)
{
    uint16_t sample[SAMPLE];
    table.first = SAMPLE_START;
    table.results = sample;
    double least = 0;
    for (int attempt = 0; attempt < 2; attempt++) {
        double start = numact_nanoseconds();
        compute_results(&table, 0, SAMPLE);
        double elapsed = numact_nanoseconds() - start;
        if (attempt == 0 || elapsed < least) least = elapsed;
    }
    return least / SAMPLE;
}

uint16_t *numact_lut(const struct numact_half_kernel *half, int varying, char *const *arrays, ptrdiff_t n)
{
    struct table table = {half, varying, arrays, 0, NULL};
    if (time_to_compute(table) * (double)(n - NUMBERS) < LOOKUP_NS * (double)n) return NULL;
    table.results = malloc(NUMBERS * sizeof *table.results);
    if (table.results) numact_parallel(compute_results, &table, NUMBERS, SAMPLE, SAMPLE);
    return table.results;
}

void numact_lut_apply(const uint16_t *table, const char *in, ptrdiff_t in_stride, char *out, ptrdiff_t out_stride,
                      ptrdiff_t n)
{
    enum { UNROLL = 32, PREFETCH_BYTES = 2048 };
    const ptrdiff_t size = sizeof *table;
    ptrdiff_t i = 0;
    if (in_stride == size && out_stride == size)
        for (; i <= n - UNROLL; i += UNROLL) {
            const uint16_t *x = (const uint16_t *)in + i;
            uint16_t *y = (uint16_t *)out + i;
            __builtin_prefetch((const char *)x + PREFETCH_BYTES);
#pragma GCC unroll 32
            for (int k = 0; k < UNROLL; k++)
                y[k] = table[x[k]];
        }
    for (; i < n; i++) {
        uint16_t number;
        memcpy(&number, in + i * in_stride, sizeof number);
        memcpy(out + i * out_stride, table + number, sizeof number);
    }
}
