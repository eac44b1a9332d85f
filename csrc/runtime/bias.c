/* The gradient of a layer's activation by its input and by its bias, in one pass over the arrays. */
#include <stdlib.h>
#include <string.h>

#include "numact.h"
#include "runtime/elements.h"
#include "runtime/fp_env.h"
#include "runtime/operands.h"
#include "runtime/thread_pool.h"

enum {
    BLOCK_BYTES = 16 << 10, /* of an array, computed at a time */
    CHUNKS = 64,            /* at most so many partial sums for each channel */
};

/* The arrays are lines: the channels of a sample where these are contiguous, else the inner elements of a channel.
   Chunks of samples have their own sums, which are added in order: the same whatever thread computes them. */
struct bias_run {
    const struct numact_bias_gradient *call;
    bool by_channel;        /* a line is all channels */
    ptrdiff_t lines;        /* of a sample */
    ptrdiff_t length;       /* elements of a line */
    ptrdiff_t height;       /* lines that are contiguous in every array and computed at once */
    ptrdiff_t rows;         /* samples of a chunk */
    int gates;
    double *partial;        /* chunks x gates x channels */
};

static char *line_of(const struct bias_run *run, struct numact_slices a, ptrdiff_t line)
{
    return a.start + line / run->lines * a.sample + line % run->lines * a.channel;
}

/* Computes n elements of `height` lines, from element `start` of line `first` on, and adds the results to the sums. */
static void compute(const struct bias_run *run, double *partial, ptrdiff_t first, ptrdiff_t height, ptrdiff_t start,
                    ptrdiff_t n)
{
    const struct numact_bias_gradient *call = run->call;
    const struct numact_kernel *kernel = call->kernel;
    const ptrdiff_t width = call->width, offset = start * width;
    _Alignas(64) char sums[NUMACT_MAX_GATES][BLOCK_BYTES];
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t strides[NUMACT_MAX_ARRAYS];
    for (int k = 0; k < kernel->inputs + kernel->outputs; k++) {
        const bool parameter = k >= kernel->arrays && k < kernel->inputs;
        arrays[k] = parameter ? call->arrays[k].start : line_of(run, call->arrays[k], first) + offset;
        strides[k] = parameter ? 0 : width;
    }
    for (int g = 0; g < run->gates; g++) {
        for (ptrdiff_t j = 0; j < height; j++) {
            const ptrdiff_t line = first + j;
            char *sum = sums[g] + j * n * width;
            call->loops->add(sum, line_of(run, call->arrays[1 + g], line) + offset,
                             call->bias[g] + (run->by_channel ? start : line % run->lines) * width, n, !run->by_channel);
            if (call->residual[g].start)
                call->loops->add(sum, sum, line_of(run, call->residual[g], line) + offset, n, false);
        }
        arrays[1 + g] = sums[g];
    }
    const struct numact_element_loop loop = {.kernel = kernel, .half_loop = call->half_loop, .arrays = arrays,
                                             .strides = strides};
    numact_compute_elements(&loop, 0, n * height);
    for (int g = 0; g < run->gates; g++)
        for (ptrdiff_t j = 0; j < height; j++) {
            const char *results = arrays[kernel->inputs + g] + j * n * width;
            double *total = partial + g * call->channels + (run->by_channel ? start : (first + j) % run->lines);
            if (run->by_channel)
                call->loops->accumulate(total, results, n);
            else
                *total += call->loops->total(results, n);
        }
}

static void compute_chunks(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct bias_run *run = context;
    const ptrdiff_t block = BLOCK_BYTES / (run->call->kernel->width);
    for (ptrdiff_t chunk = start; chunk < stop; chunk++) {
        double *partial = run->partial + chunk * run->gates * run->call->channels;
        ptrdiff_t last = (chunk + 1) * run->rows;
        if (last > run->call->outer) last = run->call->outer;
        last *= run->lines;
        for (ptrdiff_t line = chunk * run->rows * run->lines; line < last; line += run->height) {
            const ptrdiff_t height = last - line < run->height ? last - line : run->height;
            for (ptrdiff_t i = 0; i < run->length; i += block)
                compute(run, partial, line, height, i, run->length - i < block ? run->length - i : block);
        }
    }
}

/* Whether line follows line without a gap in every array. */
static bool lines_join(const struct bias_run *run)
{
    const struct numact_kernel *kernel = run->call->kernel;
    const ptrdiff_t line = run->length * run->call->width;
    for (int k = 0; k < kernel->inputs + kernel->outputs; k++) {
        const struct numact_slices a = run->call->arrays[k];
        if (k >= kernel->arrays && k < kernel->inputs) continue;
        if (a.sample != run->lines * line || (!run->by_channel && a.channel != line)) return false;
    }
    return true;
}

bool numact_bias_gradient_run(const struct numact_bias_gradient *call)
{
    struct bias_run run = {.call = call, .by_channel = call->inner == 1, .gates = call->kernel->outputs, .height = 1};
    run.lines = run.by_channel ? 1 : call->channels;
    run.length = run.by_channel ? call->channels : call->inner;
    const ptrdiff_t fitting = BLOCK_BYTES / call->kernel->width / run.length, sample = call->channels * call->inner;
    if (fitting > 1 && lines_join(&run)) run.height = fitting;
    run.rows = (call->outer + CHUNKS - 1) / CHUNKS;
    if (run.rows * sample < GRAIN) run.rows = GRAIN / sample + 1;
    const ptrdiff_t chunks = (call->outer + run.rows - 1) / run.rows;
    run.partial = calloc((size_t)(chunks * run.gates * call->channels), sizeof(double));
    if (!run.partial) return false;
    fp_env found = fp_env_enter();
    numact_parallel(compute_chunks, &run, chunks, 1, 1);
    fp_env_leave(found, call->kernel->overflows);
    for (int g = 0; g < run.gates; g++)
        for (ptrdiff_t chunk = 0; chunk < chunks; chunk++)
            for (ptrdiff_t c = 0; c < call->channels; c++)
                call->sums[g][c] += run.partial[(chunk * run.gates + g) * call->channels + c];
    free(run.partial);
    return true;
}
