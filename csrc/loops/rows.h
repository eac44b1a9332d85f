/* The only loops along an axis: rows of any stride are brought side by side in batches, computed, and written back;
   the list of the functions, and the table that the object exports. */
#ifndef NUMACT_LOOPS_ROWS_H
#define NUMACT_LOOPS_ROWS_H

#include <stdalign.h>
#include <stdlib.h>
#include "formulas/log_softmax.h"
#include "formulas/maxout.h"
#include "formulas/softmax.h"
#include "formulas/sparsemax.h"
#include "numact.h"

/* The functions along an axis.  A row of the list: the name, the function of a batch of rows, its operands, and the
   fields of struct numact_axis_function by name.  Operands: `inputs` as long as the row; a mask, behind which
   entries count as -inf (MASK) or +inf (MASK_UPWARD), and what the result is there (masked_result, 0 by default); a
   TEMPERATURE; the result, of the same length or ONE_VALUE.  In `types` r is the row's type, ? a boolean, p an
   index. */
#define AXIS_FUNCTIONS(ROW)                                                                                            \
    ROW(softmax, softmax_rows, (.inputs = 1, .tempering = TEMPERATURE),                                                \
        .signature = "(n),()->(n)", .types = "rr>r", .ulp = 2.0,                                                       \
        .formula = "e^(x_i / T) / sum_j e^(x_j / T)", .range = "[0, 1]")                                               \
    ROW(softmax_where, softmax_rows, (.inputs = 1, .masking = MASK, .tempering = TEMPERATURE),                         \
        .signature = "(n),(n),()->(n)", .types = "r?r>r", .ulp = 2.0,                                                  \
        .formula = "e^(x_i / T) / sum_j e^(x_j / T), over the entries where the second operand is true",               \
        .range = "[0, 1]")                                                                                             \
    ROW(softmin, softmin_rows, (.inputs = 1, .tempering = TEMPERATURE),                                                \
        .signature = "(n),()->(n)", .types = "rr>r", .ulp = 2.0,                                                       \
        .formula = "e^(-x_i / T) / sum_j e^(-x_j / T)", .range = "[0, 1]")                                             \
    ROW(softmin_where, softmin_rows, (.inputs = 1, .masking = MASK_UPWARD, .tempering = TEMPERATURE),                  \
        .signature = "(n),(n),()->(n)", .types = "r?r>r", .ulp = 2.0,                                                  \
        .formula = "e^(-x_i / T) / sum_j e^(-x_j / T), over the entries where the second operand is true",             \
        .range = "[0, 1]")                                                                                             \
    ROW(log_softmax, log_softmax_rows, (.inputs = 1, .tempering = TEMPERATURE),                                        \
        .signature = "(n),()->(n)", .types = "rr>r", .ulp = 2.0,                                                       \
        .formula = "x_i / T - log sum_j e^(x_j / T)", .range = "(-inf, 0]")                                            \
    ROW(log_softmax_where, log_softmax_rows,                                                                           \
        (.inputs = 1, .masking = MASK, .tempering = TEMPERATURE, .masked_result = -INFINITE),                          \
        .signature = "(n),(n),()->(n)", .types = "r?r>r", .ulp = 2.0,                                                  \
        .formula = "x_i / T - log sum_j e^(x_j / T), over the entries where the second operand is true",               \
        .range = "(-inf, 0]")                                                                                          \
    ROW(logsumexp, logsumexp_rows, (.inputs = 1, .result = ONE_VALUE),                                                 \
        .signature = "(n)->()", .types = "r>r", .ulp = 1.0,                                                            \
        .formula = "log sum_j e^x_j", .range = "(-inf, inf)")                                                          \
    ROW(logsumexp_where, logsumexp_rows, (.inputs = 1, .masking = MASK, .result = ONE_VALUE),                          \
        .signature = "(n),(n)->()", .types = "r?>r", .ulp = 1.0,                                                       \
        .formula = "log sum_j e^x_j, over the entries where the second operand is true", .range = "(-inf, inf)")       \
    ROW(softmax_grad, softmax_grad_rows, (.inputs = 2, .tempering = TEMPERATURE),                                      \
        .signature = "(n),(n),()->(n)", .types = "rrr>r", .ulp = 2.0,                                                  \
        .formula = "y_i (dy_i - sum_j dy_j y_j) / T")                                                                  \
    ROW(softmin_grad, softmin_grad_rows, (.inputs = 2, .tempering = TEMPERATURE),                                      \
        .signature = "(n),(n),()->(n)", .types = "rrr>r", .ulp = 2.0,                                                  \
        .formula = "-y_i (dy_i - sum_j dy_j y_j) / T")                                                                 \
    ROW(log_softmax_grad, log_softmax_grad_rows, (.inputs = 2, .tempering = TEMPERATURE),                              \
        .signature = "(n),(n),()->(n)", .types = "rrr>r", .ulp = 2.0,                                                  \
        .formula = "(dy_i - e^y_i sum_j dy_j) / T")                                                                    \
    ROW(sparsemax, sparsemax_rows, (.inputs = 1),                                                                      \
        .signature = "(n)->(n)", .types = "r>r", .ulp = 2.0,                                                           \
        .formula = "max(x_i - tau, 0), tau such that they sum to 1", .range = "[0, 1]")                                \
    ROW(sparsemax_where, sparsemax_rows, (.inputs = 1, .masking = MASK),                                               \
        .signature = "(n),(n)->(n)", .types = "r?>r", .ulp = 2.0,                                                      \
        .formula = "max(x_i - tau, 0), tau such that they sum to 1, over the entries where the second operand is true",\
        .range = "[0, 1]")                                                                                             \
    ROW(sparsemax_grad, sparsemax_grad_rows, (.inputs = 2),                                                            \
        .signature = "(n),(n)->(n)", .types = "rr>r", .ulp = 2.0,                                                      \
        .formula = "dy_i less their mean, over the entries with y_i > 0; else 0")                                      \
    ROW(hardmax, hardmax_rows, (.inputs = 1),                                                                          \
        .signature = "(n)->(n)", .types = "r>r", .ulp = 0.5,                                                           \
        .formula = "1 at the first maximum, else 0", .range = "0 and 1")                                               \
    ROW(prelu_weight_grad, prelu_weight_grad_rows, (.inputs = 2, .result = ONE_VALUE),                                 \
        .signature = "(n),(n)->()", .types = "rr>r", .ulp = 1.0,                                                       \
        .formula = "sum_i dy_i x_i over the entries where not x_i > 0")

typedef void rows_function(const struct batch *, ptrdiff_t n);

enum masking { NO_MASK, MASK, MASK_UPWARD };
enum tempering { NO_TEMPERATURE, TEMPERATURE };
enum result { SAME_LENGTH, ONE_VALUE };

enum {
    LINE = 64,                  /* bytes of a cache line */
    ON_STACK = 1 << 14,         /* bytes of scratch that need no allocation */
    FREQUENT = 2 * PARTS,       /* a length of rows that is compiled apart */
    ACROSS_BYTES = 1 << 19,     /* a batch stays in the L2 cache where the rows' elements alternate in memory */
};

/* Elements by row and index in the row. */
struct rows {
    char *start;
    ptrdiff_t row, stride;    /* strides in bytes */
};

INLINE char *element(struct rows a, ptrdiff_t r, ptrdiff_t i) { return a.start + r * a.row + i * a.stride; }

/* Rows whose elements alternate in memory are read index by index, so that cache lines are read once. */
INLINE bool alternate(struct rows a)
{
    ptrdiff_t row = a.row < 0 ? -a.row : a.row, stride = a.stride < 0 ? -a.stride : a.stride;
    return row < stride;
}

INLINE void copy_rows(struct rows to, struct rows from, ptrdiff_t rows, ptrdiff_t n)
{
    if (to.stride == sizeof(scalar) && from.stride == sizeof(scalar)) {
        for (ptrdiff_t r = 0; r < rows; r++)
            memcpy(element(to, r, 0), element(from, r, 0), (size_t)n * sizeof(scalar));
    } else if (alternate(from) || alternate(to)) {
        for (ptrdiff_t i = 0; i < n; i++)
            for (ptrdiff_t r = 0; r < rows; r++)
                memcpy(element(to, r, i), element(from, r, i), sizeof(scalar));
    } else {
        for (ptrdiff_t r = 0; r < rows; r++)
            for (ptrdiff_t i = 0; i < n; i++)
                memcpy(element(to, r, i), element(from, r, i), sizeof(scalar));
    }
}

/* Writes the value where the mask is false; without a branch where both are contiguous. */
INLINE void fill_masked(struct rows to, struct rows masks, ptrdiff_t rows, ptrdiff_t n, scalar value)
{
    if (to.stride == sizeof(scalar) && masks.stride == 1) {
        for (ptrdiff_t r = 0; r < rows; r++) {
            scalar *restrict x = (scalar *)element(to, r, 0);
            const unsigned char *restrict mask = (const unsigned char *)element(masks, r, 0);
            for (ptrdiff_t i = 0; i < n; i++)
                x[i] = mask[i] ? x[i] : value;
        }
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++)
        for (ptrdiff_t i = 0; i < n; i++)
            if (!*element(masks, r, i)) memcpy(element(to, r, i), &value, sizeof value);
}

/* Copies where the mask is true, and writes the value elsewhere. */
INLINE void copy_masked(struct rows to, struct rows from, struct rows masks, ptrdiff_t rows, ptrdiff_t n, scalar value)
{
    if (to.stride != sizeof(scalar) || from.stride != sizeof(scalar) || masks.stride != 1) {
        copy_rows(to, from, rows, n);
        fill_masked(to, masks, rows, n, value);
        return;
    }
    for (ptrdiff_t r = 0; r < rows; r++) {
        scalar *restrict y = (scalar *)element(to, r, 0);
        const scalar *restrict x = (const scalar *)element(from, r, 0);
        const unsigned char *restrict mask = (const unsigned char *)element(masks, r, 0);
        for (ptrdiff_t i = 0; i < n; i++)
            y[i] = mask[i] ? x[i] : value;
    }
}

/* The operands of one call, as in the inner loop of a generalised ufunc: all rows, then the strides within them. */
struct call {
    rows_function *function;
    int inputs;
    enum masking masking;
    enum tempering tempering;
    enum result result;
    scalar masked_result;
};

INLINE struct rows rows_from(struct rows a, ptrdiff_t row) { return (struct rows){element(a, row, 0), a.row, a.stride}; }

/* False if there is no memory; then nothing has been written. */
static __attribute__((noinline)) bool run_rows(struct call call, char *const *arrays, const ptrdiff_t *dimensions,
                                               const ptrdiff_t *strides)
{
    const int mask_at = call.inputs, temperature_at = mask_at + (call.masking != NO_MASK);
    const int out_at = temperature_at + (call.tempering == TEMPERATURE);
    const ptrdiff_t count = dimensions[0], n = dimensions[1], *inner = strides + out_at + 1;
    const ptrdiff_t width = sizeof(scalar);
    struct rows in[2], masks = {0}, temperatures = {0};
    struct rows out = {arrays[out_at], strides[out_at], call.result == ONE_VALUE ? width : inner[temperature_at]};
    if (call.masking != NO_MASK) masks = (struct rows){arrays[mask_at], strides[mask_at], inner[mask_at]};
    if (call.tempering == TEMPERATURE)
        temperatures = (struct rows){arrays[temperature_at], strides[temperature_at], 0};

    /* What does not lie in rows is gathered in scratch, where the result may take the place of the first operand. */
    bool gathered[2], scattered = out.stride != width && n > 1, across = scattered && alternate(out);
    int blocks = 0;
    for (int k = 0; k < call.inputs; k++) {
        in[k] = (struct rows){arrays[k], strides[k], inner[k]};
        gathered[k] = (in[k].stride != width && n > 1) || (k == 0 && call.masking != NO_MASK);
        across |= gathered[k] && alternate(in[k]);
        blocks += gathered[k];
    }
    if (scattered && !blocks) blocks = 1;
    const ptrdiff_t fitting = (across ? ACROSS_BYTES : BATCH_BYTES) / width / (n + 1);
    const ptrdiff_t wanted = fitting < 1 ? 1 : fitting < BATCH_ROWS ? fitting : BATCH_ROWS;
    const ptrdiff_t most = count < wanted ? count : wanted;
    /* Rows a power of two apart would fall on the same lines of the cache. */
    const ptrdiff_t pitch = (n / LINE + 1) * LINE * width + LINE, block_bytes = pitch * most;

    alignas(LINE) char stack[ON_STACK];
    char *scratch = stack, *allocated = NULL;
    if (blocks * block_bytes > ON_STACK) {
        allocated = malloc((size_t)(blocks * block_bytes + LINE));
        if (!allocated) return false;
        scratch = allocated + LINE - (uintptr_t)allocated % LINE;
    }

    struct batch batch;
    for (ptrdiff_t start = 0; start < count; start += most) {
        const int rows = batch.rows = (int)(count - start < most ? count - start : most);
        struct rows block = {scratch, pitch, width};
        for (int k = 0; k < call.inputs; k++) {
            struct rows from = rows_from(in[k], start);
            if (gathered[k]) {
                if (k == 0 && call.masking != NO_MASK)
                    copy_masked(block, from, rows_from(masks, start), rows, n,
                                call.masking == MASK ? -INFINITE : INFINITE);
                else
                    copy_rows(block, from, rows, n);
                from = block;
                block.start += block_bytes;
            }
            for (int r = 0; r < rows; r++)
                batch.in[k][r] = (const scalar *)element(from, r, 0);
        }
        struct rows to = rows_from(out, start), result = scattered ? (struct rows){scratch, pitch, width} : to;
        for (int r = 0; r < BATCH_ROWS; r++)
            batch.temperature[r] = 1;
        for (int r = 0; r < rows; r++) {
            batch.out[r] = (scalar *)element(result, r, 0);
            if (call.tempering == TEMPERATURE)
                memcpy(&batch.temperature[r], element(temperatures, start + r, 0), sizeof(scalar));
        }
        call.function(&batch, n);
        if (scattered) copy_rows(to, result, rows, n);
        if (call.masking != NO_MASK && call.result == SAME_LENGTH)
            fill_masked(to, rows_from(masks, start), rows, n, call.masked_result);
    }
    free(allocated);
    return true;
}

/* The largest element of a row, and its index: the first one's; a NaN counts as the largest. */
static bool maxout_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides)
{
    const ptrdiff_t count = dimensions[0], pieces = dimensions[1];
    struct rows x = {arrays[0], strides[0], strides[3]};
    for (ptrdiff_t r = 0; r < count; r++) {
        scalar best = *(const scalar *)element(x, r, 0);
        ptrdiff_t which = 0;
        for (ptrdiff_t i = 1; i < pieces; i++) {
            scalar value = *(const scalar *)element(x, r, i);
            bool larger = (value > best) | ((value != value) & (best == best));
            best = larger ? value : best;
            which = larger ? i : which;
        }
        memcpy(arrays[1] + r * strides[1], &best, sizeof best);
        memcpy(arrays[2] + r * strides[2], &which, sizeof which);
    }
    return true;
}

/* dy at the index, else 0. */
static bool maxout_grad_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides)
{
    const ptrdiff_t count = dimensions[0], pieces = dimensions[1];
    struct rows dx = {arrays[2], strides[2], strides[3]};
    for (ptrdiff_t r = 0; r < count; r++) {
        scalar dy = *(const scalar *)(arrays[0] + r * strides[0]);
        ptrdiff_t which = *(const ptrdiff_t *)(arrays[1] + r * strides[1]);
        for (ptrdiff_t i = 0; i < pieces; i++)
            *(scalar *)element(dx, r, i) = i == which ? dy : 0;
    }
    return true;
}

/* The loops.  Rows of FREQUENT entries are so short that a loop over them costs as much as what is in them: as the
   length is then a constant, the compiler unrolls them. */
#define UNPACK(...) __VA_ARGS__
#define LOOP(name, rows_of, operands, ...)                                                                             \
    static void run_##name(const struct batch *b, ptrdiff_t n)                                                         \
    {                                                                                                                  \
        if (n == FREQUENT)                                                                                             \
            rows_of(b, FREQUENT);                                                                                      \
        else                                                                                                           \
            rows_of(b, n);                                                                                             \
    }                                                                                                                  \
    static bool SYMBOL(name)(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides)               \
    {                                                                                                                  \
        const struct call call = {.function = run_##name, UNPACK operands};                                            \
        return run_rows(call, arrays, dimensions, strides);                                                            \
    }
#define TABLE_ROW(text, rows_of, operands, ...)                                                                        \
    {.name = #text, .loop = SYMBOL(text), .width = sizeof(scalar), __VA_ARGS__},

AXIS_FUNCTIONS(LOOP)

extern const struct numact_axis_function SYMBOL(numact_axis)[];
const struct numact_axis_function SYMBOL(numact_axis)[] = {
    AXIS_FUNCTIONS(TABLE_ROW)
    {.name = "maxout", .loop = maxout_loop, .width = sizeof(scalar), .signature = "(p)->(),()", .types = "r>rp", .ulp = 0.5,
     .formula = "max_j x_j, and the first j that has it", .range = "(-inf, inf)"},
    {.name = "maxout_grad", .loop = maxout_grad_loop, .width = sizeof(scalar), .signature = "(),()->(p)", .types = "rp>r",
     .ulp = 0.5, .formula = "dy where j is the index, else 0"},
    {.name = NULL},
};

#endif
