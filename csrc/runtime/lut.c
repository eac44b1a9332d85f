#include "runtime/lut.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/thread_pool.h"

/* The numbers of 16 bits, and how many are computed to see how long that takes: from 1 on (2^-7 in bfloat16), where no
   processor is slow. */
enum { NUMBERS = 1 << 16, SAMPLE = 2048, SAMPLE_START = 0x3C00 };

/* ns for a lookup of one element, from memory to memory. */
static const double LOOKUP_NS = 0.42;

/* Results from a number on, computed in its place. */
struct table {
    const struct numact_half_kernel *half;
    int varying;
    char *const *arrays;
    ptrdiff_t first;
    uint16_t *results;
};

/* The numbers whose bits are `start` and following. */
static void compute_results(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct table *table = context;
    const struct numact_kernel *f32 = table->half->f32;
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t steps[NUMACT_MAX_ARRAYS] = {0};
    for (ptrdiff_t i = start; i < stop; i++)
        table->results[i] = (uint16_t)(table->first + i);
    for (int k = 0; k < f32->inputs; k++)
        arrays[k] = table->arrays[k];
    arrays[table->varying] = arrays[f32->inputs] = (char *)(table->results + start);
    steps[table->varying] = steps[f32->inputs] = sizeof *table->results;
    table->half->loop(f32, arrays, stop - start, steps);
}

/* ns for one computed element: the shorter of two measurements, so that an interruption does not count. */
static double time_to_compute(struct table table)
{
    uint16_t sample[SAMPLE];
    table.first = SAMPLE_START;
    table.results = sample;
    double least = 0;
    for (int turn = 0; turn < 2; turn++) {
        double start = numact_nanoseconds();
        compute_results(&table, 0, SAMPLE);
        double elapsed = numact_nanoseconds() - start;
        if (turn == 0 || elapsed < least) least = elapsed;
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

void numact_lut_apply(const uint16_t *table, const char *in, ptrdiff_t in_step, char *out, ptrdiff_t out_step, ptrdiff_t n)
{
    enum { TOGETHER = 32, AHEAD = 2048 };
    const ptrdiff_t size = sizeof *table;
    ptrdiff_t i = 0;
    if (in_step == size && out_step == size)
        for (; i <= n - TOGETHER; i += TOGETHER) {
            const uint16_t *x = (const uint16_t *)in + i;
            uint16_t *y = (uint16_t *)out + i;
            __builtin_prefetch((const char *)x + AHEAD);
#pragma GCC unroll 32
            for (int k = 0; k < TOGETHER; k++)
                y[k] = table[x[k]];
        }
    for (; i < n; i++) {
        uint16_t number;
        memcpy(&number, in + i * in_step, sizeof number);
        memcpy(out + i * out_step, table + number, sizeof number);
    }
}
