/* The functions along an axis, in threads: rows of one block, and blocks of rows. */
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include "numact.h"
#include "runtime/fp_env.h"
#include "runtime/operands.h"
#include "runtime/thread_pool.h"

/* A loop over rows, for several threads. */
struct row_loop {
    const struct numact_axis_function *function;
    int count;
    char *const *arrays;
    const ptrdiff_t *dimensions, *strides;
    atomic_bool failed; /* memory could not be allocated */
};

static void compute_rows(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    struct row_loop *loop = context;
    char *arrays[NUMACT_MAX_ARRAYS];
    for (int k = 0; k < loop->count; k++)
        arrays[k] = loop->arrays[k] + start * loop->strides[k];
    if (!loop->function->loop(arrays, (const ptrdiff_t[]){stop - start, loop->dimensions[1]}, loop->strides))
        atomic_store(&loop->failed, true);
}

/* The operands of a signature such as "(n),()->(n)": each a row of n or a single value, the inputs first. */
static int operands_of(const struct row_loop *loop, struct operand *operands, int *inputs)
{
    int count = 0;
    const ptrdiff_t *stride = loop->strides + strlen(loop->function->types) - 1;
    const char *type = loop->function->types;
    for (const char *c = loop->function->signature; *c; c++) {
        if (*c == '>') *inputs = count, type++;
        if (*c != '(') continue;
        bool single = c[1] == ')';
        operands[count] = (struct operand){
            loop->arrays[count], loop->strides[count], single ? 0 : *stride, single ? 1 : loop->dimensions[1],
            *type == '?'   ? 1
            : *type == 'p' ? (ptrdiff_t)sizeof(ptrdiff_t)
            : *type == 'i' ? (ptrdiff_t)sizeof(int32_t)
                           : loop->function->width};
        stride += !single;
        count++, type++;
    }
    return count;
}

bool numact_axis_ufunc_loop(char **arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, void *data)
{
    enum { BATCH = 16 }; /* short rows that loops/rows.h computes together */
    fp_env found = fp_env_enter();
    struct row_loop loop = {.function = data, .arrays = arrays, .dimensions = dimensions, .strides = strides};
    struct operand operands[NUMACT_MAX_ARRAYS] = {{0}};
    int inputs = 0;
    loop.count = operands_of(&loop, operands, &inputs);
    const ptrdiff_t n = dimensions[0], length = dimensions[1], grain = GRAIN / (length + 1) + 1;
    bool shared = n > 1 && n * length >= LEAST_SHARED && independent(operands, inputs, loop.count, n);
    if (shared) {
        bool whole = grain >= BATCH; /* batches stay whole, as do rows that share cache lines */
        for (int k = 0; k < loop.count; k++)
            whole |= operands[k].length > 1 && size_of(operands[k].row) < size_of(operands[k].stride);
        numact_parallel(compute_rows, &loop, n, grain, whole ? BATCH : 1);
    } else {
        compute_rows(&loop, 0, n);
    }
    fp_env_leave(found, false);
    return !atomic_load(&loop.failed);
}

/* Blocks of rows, for several threads. */
struct block_loop {
    const struct numact_axis_function *function;
    int count;
    char *const *arrays;
    const ptrdiff_t *block_strides, *dimensions, *strides;
    atomic_bool failed;
};

static void compute_blocks(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    struct block_loop *loop = context;
    for (ptrdiff_t block = start; block < stop; block++) {
        char *arrays[NUMACT_MAX_ARRAYS];
        for (int k = 0; k < loop->count; k++)
            arrays[k] = loop->arrays[k] + block * loop->block_strides[k];
        if (!loop->function->loop(arrays, loop->dimensions, loop->strides)) atomic_store(&loop->failed, true);
    }
}

bool numact_axis_run(const struct numact_axis_function *function, char *const *arrays, ptrdiff_t blocks,
                     const ptrdiff_t *block_strides, const ptrdiff_t *dimensions, const ptrdiff_t *strides)
{
    const ptrdiff_t elements = dimensions[0] * dimensions[1];
    const int count = (int)strlen(function->types) - 1;
    bool done = true;
    if (blocks == 1 || elements >= numact_get_num_threads() * LEAST_SHARED) {
        for (ptrdiff_t block = 0; block < blocks; block++) {
            char *at[NUMACT_MAX_ARRAYS];
            for (int k = 0; k < count; k++)
                at[k] = arrays[k] + block * block_strides[k];
            done &= numact_axis_ufunc_loop(at, dimensions, strides, (void *)(uintptr_t)function);
        }
        return done;
    }
    fp_env found = fp_env_enter();
    struct block_loop loop = {function, count, arrays, block_strides, dimensions, strides, false};
    numact_parallel(compute_blocks, &loop, blocks, GRAIN / (elements + 1) + 1, 1);
    fp_env_leave(found, false);
    return !atomic_load(&loop.failed);
}
