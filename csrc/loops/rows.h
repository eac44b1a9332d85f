/* The loop along an axis: rows of any stride are brought side by side in batches, computed, and written back (maxout.h
   has the others); the list of the functions, and the table that the object exports. */
#ifndef NUMACT_LOOPS_ROWS_H
#define NUMACT_LOOPS_ROWS_H

#include <stdalign.h>
#include <stdlib.h>

#include "formulas/attention.h"
#include "formulas/log_softmax.h"
#include "formulas/sparsemax.h"
#include "loops/maxout.h"
#include "loops/row_access.h"
#include "numact.h"

/* The functions along an axis.  A row of the list: the name, the function of a batch of rows, its operands, and the
   fields of struct numact_axis_function by name.  Operands: `inputs` as long as the row; a mask, behind which
   entries count as -inf (MASK) or +inf (MASK_UPWARD), and what the result is there (masked_result, 0 by default); a
   FACTOR, the temperature or the scale; a LIMIT, the number of entries at the beginning of the row that take part; the
   result, of the same length or ONE_VALUE.  Where the second input is a bias, `unbiased` is the function without it.  In
   `types` r is the row's type, ? a boolean, p an index, i one of 32 bits. */
#define TEMPERED .parameters = "temperature=1.0", .domain = "temperature > 0"
#define AXIS_FUNCTIONS(ROW)                                                                                            \
    ROW(softmax, softmax_rows, (.inputs = 1, .scaling = FACTOR),                                                \
        .signature = "(n),()->(n)", .types = "rr>r", .ulp = 2.0, TEMPERED,                                             \
        .formula = "e^(x_i / T) / sum_j e^(x_j / T)", .range = "[0, 1]")                                               \
    ROW(softmax_where, softmax_rows, (.inputs = 1, .masking = MASK, .scaling = FACTOR),                         \
        .signature = "(n),(n),()->(n)", .types = "r?r>r", .ulp = 2.0,                                                  \
        .formula = "e^(x_i / T) / sum_j e^(x_j / T), over the entries where the second operand is true",               \
        .range = "[0, 1]")                                                                                             \
    ROW(softmin, softmin_rows, (.inputs = 1, .scaling = FACTOR),                                                \
        .signature = "(n),()->(n)", .types = "rr>r", .ulp = 2.0, TEMPERED,                                             \
        .formula = "e^(-x_i / T) / sum_j e^(-x_j / T)", .range = "[0, 1]")                                             \
    ROW(softmin_where, softmin_rows, (.inputs = 1, .masking = MASK_UPWARD, .scaling = FACTOR),                  \
        .signature = "(n),(n),()->(n)", .types = "r?r>r", .ulp = 2.0,                                                  \
        .formula = "e^(-x_i / T) / sum_j e^(-x_j / T), over the entries where the second operand is true",             \
        .range = "[0, 1]")                                                                                             \
    ROW(log_softmax, log_softmax_rows, (.inputs = 1, .scaling = FACTOR),                                        \
        .signature = "(n),()->(n)", .types = "rr>r", .ulp = 2.0, TEMPERED,                                             \
        .formula = "x_i / T - log sum_j e^(x_j / T)", .range = "(-inf, 0]")                                            \
    ROW(log_softmax_where, log_softmax_rows,                                                                           \
        (.inputs = 1, .masking = MASK, .scaling = FACTOR, .masked_result = -INFINITE),                          \
        .signature = "(n),(n),()->(n)", .types = "r?r>r", .ulp = 2.0,                                                  \
        .formula = "x_i / T - log sum_j e^(x_j / T), over the entries where the second operand is true",               \
        .range = "(-inf, 0]")                                                                                          \
    ROW(logsumexp, logsumexp_rows, (.inputs = 1, .result = ONE_VALUE),                                                 \
        .signature = "(n)->()", .types = "r>r", .ulp = 1.0,                                                            \
        .formula = "log sum_j e^x_j", .range = "(-inf, inf)")                                                          \
    ROW(logsumexp_where, logsumexp_rows, (.inputs = 1, .masking = MASK, .result = ONE_VALUE),                          \
        .signature = "(n),(n)->()", .types = "r?>r", .ulp = 1.0,                                                       \
        .formula = "log sum_j e^x_j, over the entries where the second operand is true", .range = "(-inf, inf)")       \
    ROW(softmax_grad, softmax_grad_rows, (.inputs = 2, .scaling = FACTOR),                                      \
        .signature = "(n),(n),()->(n)", .types = "rrr>r", .ulp = 2.0,                                                  \
        .formula = "y_i (dy_i - sum_j dy_j y_j) / T")                                                                  \
    ROW(softmin_grad, softmin_grad_rows, (.inputs = 2, .scaling = FACTOR),                                      \
        .signature = "(n),(n),()->(n)", .types = "rrr>r", .ulp = 2.0,                                                  \
        .formula = "-y_i (dy_i - sum_j dy_j y_j) / T")                                                                 \
    ROW(log_softmax_grad, log_softmax_grad_rows, (.inputs = 2, .scaling = FACTOR),                              \
        .signature = "(n),(n),()->(n)", .types = "rrr>r", .ulp = 2.0,                                                  \
        .formula = "(dy_i - e^y_i sum_j dy_j) / T")                                                                    \
    ROW(attention_softmax, attention_softmax_rows, (.inputs = 1, .scaling = FACTOR, .limiting = LIMIT),                \
        .signature = "(n),(),()->(n)", .types = "rrp>r", .ulp = 2.0, .parameters = "scale=1.0", .domain = "scale > 0", \
        .formula = "e^(scale x_i + mask_i) / sum_j e^(scale x_j + mask_j)", .range = "[0, 1]")                         \
    ROW(attention_softmax_where, attention_softmax_rows,                                                               \
        (.inputs = 1, .masking = MASK, .scaling = FACTOR, .limiting = LIMIT),                                          \
        .signature = "(n),(n),(),()->(n)", .types = "r?rp>r", .ulp = 2.0,                                              \
        .formula = "e^(scale x_i) / sum_j e^(scale x_j), over the entries where the second operand is true",           \
        .range = "[0, 1]")                                                                                             \
    ROW(attention_softmax_bias, attention_softmax_bias_rows, (.inputs = 2, .unbiased = run_attention_softmax, .scaling = FACTOR, .limiting = LIMIT),      \
        .signature = "(n),(n),(),()->(n)", .types = "rrrp>r", .ulp = 2.0,                                              \
        .formula = "e^(scale x_i + bias_i) / sum_j e^(scale x_j + bias_j)", .range = "[0, 1]")                         \
    ROW(attention_softmax_grad, attention_softmax_grad_rows, (.inputs = 2, .scaling = FACTOR),                         \
        .signature = "(n),(n),()->(n)", .types = "rrr>r", .ulp = 2.0,                                                  \
        .formula = "scale y_i (dy_i - sum_j dy_j y_j)")                                                                \
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
enum scaling { NO_FACTOR, FACTOR };
enum limiting { NO_LIMIT, LIMIT };
enum result { SAME_LENGTH, ONE_VALUE };

enum {
    LINE = 64,                  /* bytes of a cache line */
    ON_STACK = 1 << 14,         /* bytes of scratch that need no allocation */
    FREQUENT = 2 * PARTS,       /* a length of rows that is compiled apart */
    ACROSS_BYTES = 1 << 19,     /* a batch stays in the L2 cache where the rows' elements alternate in memory */
};

/* Writes the value where the mask is false. */
INLINE void fill_masked(struct rows to, struct rows masks, ptrdiff_t rows, ptrdiff_t n, scalar value)
{
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
        ptrdiff_t i = 0;
        for (; i <= n - PARTS; i += PARTS) {
            prefetch_to_write(y + i + WRITE_AHEAD);
            EACH_PART(k)
                store(y + i + k, select(nonzero_bytes(mask + i + k), load(x + i + k), value));
        }
        for (; i < n; i++)
            y[i] = mask[i] ? x[i] : value;
    }
}

/* The operands of one call, as in the inner loop of a generalised ufunc: all rows, then the strides within them. */
struct call {
    rows_function *function, *unbiased;
    int inputs;
    enum masking masking;
    enum scaling scaling;
    enum limiting limiting;
    enum result result;
    scalar masked_result;
};

/* The operands of run_rows. */
struct operands {
    struct rows in[2], masks, factors, limits, out;
};

INLINE struct operands operands_of(struct call call, char *const *arrays, const ptrdiff_t *strides)
{
    struct operands found = {0};
    const int count = call.inputs + (call.masking != NO_MASK) + (call.scaling == FACTOR) + (call.limiting == LIMIT);
    const ptrdiff_t *inner = strides + count + 1;
    int at = 0, along = 0;
    for (; at < call.inputs; at++)
        found.in[at] = (struct rows){arrays[at], strides[at], inner[along++]};
    if (call.masking != NO_MASK) found.masks = (struct rows){arrays[at], strides[at], inner[along++]}, at++;
    if (call.scaling == FACTOR) found.factors = (struct rows){arrays[at], strides[at], 0}, at++;
    if (call.limiting == LIMIT) found.limits = (struct rows){arrays[at], strides[at], 0}, at++;
    found.out = (struct rows){arrays[at], strides[at], call.result == ONE_VALUE ? (ptrdiff_t)sizeof(scalar) : inner[along]};
    return found;
}

/* Whether all biases are 0 or -inf: then they are a mask, which costs less. */
INLINE bool only_masks(struct rows biases, ptrdiff_t rows, ptrdiff_t n)
{
    if (biases.stride != sizeof(scalar)) return false;
    for (ptrdiff_t r = 0; r < rows; r++) {
        const scalar *bias = (const scalar *)element(biases, r, 0);
        ptrdiff_t i = 0, found = 0;
        for (; i <= n - LANES; i += LANES)
            found += count_true(either(eq(load(bias + i), 0), lt(load(bias + i), -LARGEST)));
        for (; i < n; i++)
            found += bias[i] == 0 || bias[i] < -LARGEST;
        if (found < n) return false;
    }
    return true;
}

/* Adds biases that are only masks. */
INLINE void add_masks(struct rows to, struct rows from, struct rows biases, ptrdiff_t rows, ptrdiff_t n)
{
    for (ptrdiff_t r = 0; r < rows; r++) {
        scalar *y = (scalar *)element(to, r, 0);
        const scalar *x = (const scalar *)element(from, r, 0), *bias = (const scalar *)element(biases, r, 0);
        ptrdiff_t i = 0;
        for (; i <= n - LANES; i += LANES) {
            prefetch_to_write(y + i + WRITE_AHEAD);
            store(y + i, select(eq(load(bias + i), 0), load(x + i), -INFINITE));
        }
        for (; i < n; i++)
            y[i] = bias[i] == 0 ? x[i] : -INFINITE;
    }
}

/* How many entries of a row take part. */
INLINE ptrdiff_t limit_of(struct rows limits, ptrdiff_t r, ptrdiff_t n)
{
    ptrdiff_t limit;
    memcpy(&limit, element(limits, r, 0), sizeof limit);
    return limit < 0 ? 0 : limit < n ? limit : n;
}

/* False if there is no memory; then nothing has been written. */
static __attribute__((noinline)) bool run_rows(struct call call, char *const *arrays, const ptrdiff_t *dimensions,
                                               const ptrdiff_t *strides)
{
    const struct operands operands = operands_of(call, arrays, strides);
    const ptrdiff_t count = dimensions[0], n = dimensions[1], width = sizeof(scalar);
    const struct rows out = operands.out;

    /* What does not lie in rows, or is masked, is gathered: the first operand where the result will be, unless the other
       operand may lie there, and else in scratch. */
    const bool scattered = out.stride != width && n > 1, reduces = call.result == ONE_VALUE, pair = call.inputs == 2;
    bool gathered[2] = {call.masking != NO_MASK, false}, across = scattered && alternate(out);
    for (int k = 0; k < call.inputs; k++) {
        gathered[k] |= operands.in[k].stride != width && n > 1;
        across |= gathered[k] && alternate(operands.in[k]);
    }
    const bool uses_block = scattered || (gathered[0] && (pair || reduces));
    const int blocks = uses_block + gathered[1];
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
        const struct rows masks = rows_from(operands.masks, start), block = {scratch, pitch, width};
        const struct rows to = rows_from(out, start), result = scattered ? block : to;
        struct rows first = rows_from(operands.in[0], start), second = {0}, place = pair || reduces ? block : result;
        if (call.masking != NO_MASK)
            copy_masked(place, first, masks, rows, n, call.masking == MASK ? -INFINITE : INFINITE);
        else if (gathered[0])
            copy_rows(place, first, rows, n);
        if (gathered[0]) first = place;
        rows_function *function = call.function;
        if (pair) {
            second = rows_from(operands.in[1], start);
            if (call.unbiased && only_masks(second, rows, n)) {
                add_masks(result, first, second, rows, n);
                first = result;
                function = call.unbiased;
            } else if (gathered[1]) {
                place = (struct rows){scratch + uses_block * block_bytes, pitch, width};
                copy_rows(place, second, rows, n);
                second = place;
            }
        }
        batch.ahead = BATCH_BYTES + (element(operands.in[0], start, 0) - element(first, 0, 0));
        for (int r = 0; r < BATCH_ROWS; r++)
            batch.factor[r] = 1;
        for (int r = 0; r < rows; r++) {
            batch.in[0][r] = (const scalar *)element(first, r, 0);
            batch.in[1][r] = (const scalar *)element(second, r, 0);
            batch.out[r] = (scalar *)element(result, r, 0);
            batch.length[r] = call.limiting == LIMIT ? limit_of(operands.limits, start + r, n) : n;
            if (call.scaling == FACTOR) memcpy(&batch.factor[r], element(operands.factors, start + r, 0), sizeof(scalar));
        }
        function(&batch, n);
        for (int r = 0; r < rows && call.result == SAME_LENGTH; r++)
            fill(batch.out[r] + batch.length[r], n - batch.length[r], 0);
        if (scattered) copy_rows(to, result, rows, n);
        /* The results of -inf are those of masked entries, unless a NaN or the lack of entries makes the row NaN. */
        for (int r = 0; r < rows && call.masking != NO_MASK && call.result == SAME_LENGTH && n; r++) {
            scalar value;
            memcpy(&value, element(to, r, 0), sizeof value);
            if (value != value) fill_masked(rows_from(to, r), rows_from(masks, r), 1, n, call.masked_result);
        }
    }
    free(allocated);
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

#define MAXOUT                                                                                                         \
    .width = sizeof(scalar), .signature = "(p)->(),()", .ulp = 0.5, .formula = "max_j x_j, and the first j that has it", \
    .range = "(-inf, inf)"
#define MAXOUT_GRAD                                                                                                    \
    .width = sizeof(scalar), .signature = "(),()->(p)", .ulp = 0.5, .formula = "dy where j is the index, else 0"

AXIS_FUNCTIONS(LOOP)

extern const struct numact_axis_function SYMBOL(numact_axis)[];
const struct numact_axis_function SYMBOL(numact_axis)[] = {
    AXIS_FUNCTIONS(TABLE_ROW)
    {.name = "maxout", .loop = maxout_loop, MAXOUT, .types = "r>rp"},
    {.name = "maxout_int32", .loop = maxout_int32_loop, MAXOUT, .types = "r>ri"},
    {.name = "maxout_grad", .loop = maxout_grad_loop, MAXOUT_GRAD, .types = "rp>r"},
    {.name = "maxout_grad_int32", .loop = maxout_grad_int32_loop, MAXOUT_GRAD, .types = "ri>r"},
    {.name = NULL},
};

#endif
