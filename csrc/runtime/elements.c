/* The inner loops of the elementwise ufuncs, in threads. */
#include "runtime/elements.h"

#include <stdlib.h>

#include "runtime/fp_env.h"
#include "runtime/lut.h"
#include "runtime/stores.h"
#include "runtime/operands.h"
#include "runtime/thread_pool.h"

void numact_compute_elements(const struct numact_element_loop *loop, ptrdiff_t start, ptrdiff_t n)
{
    char *arrays[NUMACT_MAX_ARRAYS];
    for (int k = 0; k < loop->kernel->inputs + loop->kernel->outputs; k++)
        arrays[k] = loop->arrays[k] + start * loop->strides[k];
    const int in = loop->varying, out = loop->kernel->inputs;
    if (loop->table)
        numact_lut_apply(loop->table, arrays[in], loop->strides[in], arrays[out], loop->strides[out], n);
    else if (loop->half_loop)
        loop->half_loop(loop->kernel, arrays, n, loop->strides);
    else
        loop->kernel->loop(arrays, n, loop->strides, loop->non_temporal);
}

static void compute_part(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    numact_compute_elements(context, start, stop - start);
}

/* Whether the first operand is the preceding result, as in reduce and accumulate of a ufunc: elements must then be
   computed one after the other. */
static bool is_recurrence(const struct numact_element_loop *loop)
{
    return loop->kernel->inputs == 2 && loop->kernel->outputs == 1 && loop->strides[0] == loop->strides[2] &&
           loop->arrays[0] + loop->strides[0] == loop->arrays[2];
}

ptrdiff_t numact_width_of(const struct numact_element_loop *loop, int k)
{
    const bool parameter = k >= loop->kernel->arrays && k < loop->kernel->inputs;
    return loop->half_loop && !parameter ? (ptrdiff_t)sizeof(uint16_t) : loop->kernel->width;
}

/* The input of more than one value, if there is just one and it is no parameter, else -1. */
static int only_varying(const struct numact_element_loop *loop)
{
    int varying = -1;
    for (int k = 0; k < loop->kernel->inputs; k++)
        if (loop->strides[k] != 0) {
            if (varying >= 0) return -1;
            varying = k;
        }
    return varying < loop->kernel->arrays ? varying : -1;
}

uint16_t *numact_make_table(struct numact_element_loop *loop, ptrdiff_t n)
{
    const struct numact_kernel *kernel = loop->kernel;
    if (!loop->half_loop || n < NUMACT_LUT || kernel->outputs != 1 || kernel->overflows) return NULL;
    const struct numact_half_kernel half = {kernel, loop->half_loop};
    loop->varying = only_varying(loop);
    uint16_t *table = loop->varying < 0 ? NULL : numact_lut(&half, loop->varying, loop->arrays, n);
    loop->table = table;
    return table;
}

static void run_elements(struct numact_element_loop loop, ptrdiff_t n)
{
    fp_env found = fp_env_enter();
    const struct numact_kernel *kernel = loop.kernel;
    const int count = kernel->inputs + kernel->outputs;
    struct operand operands[NUMACT_MAX_ARRAYS];
    bool shared = n >= LEAST_SHARED;
    ptrdiff_t bytes = 0;
    bool temporal = kernel->outputs > 1 || loop.half_loop; /* ordinary stores are the only choice */
    for (int k = 0; k < count && shared; k++) {
        operands[k] = (struct operand){loop.arrays[k], loop.strides[k], 0, 1, numact_width_of(&loop, k)};
        bytes += n * size_of(loop.strides[k]);
        temporal |= k < kernel->inputs && loop.arrays[k] == loop.arrays[kernel->inputs];
    }
    shared = shared && independent(operands, kernel->inputs, count, n);
    uint16_t *table = shared ? numact_make_table(&loop, n) : NULL;
    if (shared)
        numact_parallel_stores(compute_part, &loop, &loop.non_temporal, n, GRAIN, WHOLE, loop.arrays[kernel->inputs],
                               n * kernel->width, temporal ? 0 : bytes);
    else if (n > 1 && is_recurrence(&loop))
        for (ptrdiff_t i = 0; i < n; i++)
            numact_compute_elements(&loop, i, 1);
    else
        numact_compute_elements(&loop, 0, n);
    free(table);
    fp_env_leave(found, kernel->overflows);
}

void numact_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, void *data)
{
    run_elements((struct numact_element_loop){.kernel = data, .arrays = arrays, .strides = strides}, dimensions[0]);
}

void numact_half_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, void *data)
{
    const struct numact_half_kernel *half = data;
    run_elements((struct numact_element_loop){.kernel = half->f32, .half_loop = half->loop, .arrays = arrays,
                                       .strides = strides},
                 dimensions[0]);
}
