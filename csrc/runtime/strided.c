/* Elementwise calls on arrays of any layout, in threads: rows of a matrix, transposed arrays, broadcast operands.
   NumPy's iterator would call the inner loop for each row, in one thread, and copy what is not contiguous element by
   element.

   Where every operand is contiguous or constant along the innermost dimension, kernels compute the rows in place.
   Otherwise they compute tiles, of which they copy to the stack what is not contiguous: a tile extends along the
   innermost dimension and along the one in which another operand is contiguous, so that each cache line that is read or
   written is used as a whole. */
#include <stdlib.h>
#include <string.h>

#include "numact.h"
#include "runtime/elements.h"
#include "runtime/fp_env.h"
#include "runtime/stores.h"
#include "runtime/operands.h"
#include "runtime/thread_pool.h"

enum {
    TILE_BYTES = 16 << 10,  /* the most bytes of a tile in one operand */
    LEAST_TILE = 64,        /* smaller tiles are not worth their overhead */
    LEAST_ROW = 128,        /* shorter rows are computed together, as tiles that are copied as a whole */
    LINE_BYTES = 64,        /* of a cache line */
    ROW_PART = 8192,        /* a row is computed in parts, which threads share */
};

static ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* Whether NumPy iterates over dimension a inside dimension b: the operands' strides decide, and C order where they
   disagree.  0: undecided. */
static int compare(const struct numact_strided *call, int count, int a, int b)
{
    int inside = 0;
    for (int k = 0; k < count; k++) {
        ptrdiff_t of_a = size_of(call->strides[k][a]), of_b = size_of(call->strides[k][b]);
        if (of_a == 0 || of_b == 0) continue;
        if (of_b <= of_a)
            inside = -1;
        else if (inside == 0)
            inside = 1;
    }
    return inside;
}

void numact_strided_sort(struct numact_strided *call, int count, int *order)
{
    const int n = call->dimensions;
    int inner[NUMACT_MAX_DIMENSIONS]; /* the innermost first */
    for (int i = 0; i < n; i++) {
        int place = i;
        for (int j = i - 1; j >= 0; j--) {
            int inside = compare(call, count, n - 1 - i, inner[j]);
            if (inside < 0) break;
            if (inside > 0) place = j;
        }
        memmove(inner + place + 1, inner + place, (size_t)(i - place) * sizeof *inner);
        inner[place] = n - 1 - i;
    }
    const struct numact_strided found = *call;
    for (int d = 0; d < n; d++) {
        order[d] = inner[n - 1 - d];
        call->shape[d] = found.shape[order[d]];
        for (int k = 0; k < count; k++)
            call->strides[k][d] = found.strides[k][order[d]];
    }
}

static int operand_count(const struct numact_strided *call)
{
    return call->kernel->inputs + call->kernel->outputs + call->terms;
}

static ptrdiff_t operand_width(const struct numact_strided *call, int k)
{
    const struct numact_element_loop loop = {.kernel = call->kernel, .half_loop = call->half_loop};
    return numact_width_of(&loop, k);
}

/* The addresses at which an operand begins and ends. */
static void bounds(const struct numact_strided *call, int k, uintptr_t *first, uintptr_t *end)
{
    *first = *end = (uintptr_t)call->arrays[k];
    for (int d = 0; d < call->dimensions; d++) {
        ptrdiff_t over = (call->shape[d] - 1) * call->strides[k][d];
        if (over < 0)
            *first -= (uintptr_t)-over;
        else
            *end += (uintptr_t)over;
    }
    *end += (uintptr_t)operand_width(call, k);
}

/* Whether no two elements of an operand share a byte: each dimension steps over all smaller ones. */
static bool elements_apart(const struct numact_strided *call, int k)
{
    ptrdiff_t reach = operand_width(call, k);
    bool passed[NUMACT_MAX_DIMENSIONS] = {false};
    for (int i = 0; i < call->dimensions; i++) {
        int least = -1;
        for (int d = 0; d < call->dimensions; d++)
            if (!passed[d] && (least < 0 || size_of(call->strides[k][d]) < size_of(call->strides[k][least]))) least = d;
        passed[least] = true;
        if (call->shape[least] == 1) continue;
        if (size_of(call->strides[k][least]) < reach) return false;
        reach += (call->shape[least] - 1) * size_of(call->strides[k][least]);
    }
    return true;
}

bool numact_strided_independent(const struct numact_strided *call)
{
    const int inputs = call->kernel->inputs, outputs = call->kernel->outputs;
    for (int k = inputs; k < inputs + outputs; k++) {
        if (!elements_apart(call, k)) return false;
        uintptr_t first, end;
        bounds(call, k, &first, &end);
        for (int j = 0; j < operand_count(call); j++) {
            if (j == k) continue;
            const bool same = (j < inputs || j >= inputs + outputs) && call->arrays[j] == call->arrays[k] &&
                              !memcmp(call->strides[j], call->strides[k],
                                      (size_t)call->dimensions * sizeof *call->strides[k]);
            uintptr_t other_first, other_end;
            bounds(call, j, &other_first, &other_end);
            if (!same && other_first < end && first < other_end) return false;
        }
    }
    return true;
}

/* Joins dimensions that all operands step through as one, and drops those of one element. */
static void coalesce(struct numact_strided *call)
{
    const int count = operand_count(call);
    int last = -1;
    for (int d = 0; d < call->dimensions; d++) {
        if (call->shape[d] == 1) continue;
        bool joins = last >= 0;
        for (int k = 0; k < count && joins; k++)
            joins = call->strides[k][last] == call->shape[d] * call->strides[k][d];
        if (!joins) last++;
        call->shape[last] = joins ? call->shape[last] * call->shape[d] : call->shape[d];
        for (int k = 0; k < count; k++)
            call->strides[k][last] = call->strides[k][d];
    }
    if (last < 0) {
        last = 0;
        call->shape[0] = 1;
        for (int k = 0; k < count; k++)
            call->strides[k][0] = 0;
    }
    call->dimensions = last + 1;
}

/* A call, for several threads.  Its units of work are tiles, in rows one element high. */
struct strided_run {
    const struct numact_strided *call;
    struct numact_element_loop loop;
    bool direct;                        /* rows in place */
    ptrdiff_t widths[NUMACT_MAX_OPERANDS];
    ptrdiff_t along[NUMACT_MAX_OPERANDS], over[NUMACT_MAX_OPERANDS]; /* strides within a tile */
    bool has_terms[NUMACT_MAX_ARRAYS];
    int across;                         /* the other dimension of a tile, or -1 */
    ptrdiff_t length, height;           /* of a tile */
    ptrdiff_t units[NUMACT_MAX_DIMENSIONS]; /* tiles along each dimension */
};

/* Elements (a, b) with b contiguous in one array and a in the other.  Lines of the cache that are far apart may all fall
   on one set of it, so that few of them are held at a time: those of the side that is not a block on the stack are
   taken four by four, each as a whole. */
struct transposition {
    char *to;
    const char *from;
    ptrdiff_t to_row, from_row; /* strides in bytes: of b in `to`, of a in `from` */
    ptrdiff_t a_count, b_count;
    bool gathers;               /* `from` is the array, `to` the block */
};

enum { FOUR = 4 };

#define TRANSPOSE_ELEMENTS(type)                                                                                       \
    for (ptrdiff_t b = b_start; b < b_end; b++)                                                                        \
        for (ptrdiff_t a = a_start; a < a_end; a++)                                                                    \
            memcpy(t->to + b * t->to_row + a * (ptrdiff_t)sizeof(type),                                                \
                   t->from + a * t->from_row + b * (ptrdiff_t)sizeof(type), sizeof(type));

#if defined __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE __builtin_shufflevector
#endif
#endif

#ifdef SHUFFLE
/* 4 x 4 elements in registers. */
#define TRANSPOSE_FOUR(type)                                                                                           \
    if (a_end - a_start == FOUR && b_end - b_start == FOUR) {                                                          \
        typedef type four __attribute__((vector_size(FOUR * sizeof(type))));                                           \
        const char *from = t->from + a_start * t->from_row + b_start * (ptrdiff_t)sizeof(type);                        \
        char *to = t->to + b_start * t->to_row + a_start * (ptrdiff_t)sizeof(type);                                    \
        four row[FOUR], pair[FOUR], column[FOUR];                                                                      \
        for (int k = 0; k < FOUR; k++)                                                                                 \
            memcpy(&row[k], from + k * t->from_row, sizeof row[k]);                                                    \
        for (int k = 0; k < FOUR; k += 2) {                                                                            \
            pair[k] = SHUFFLE(row[k], row[k + 1], 0, 4, 1, 5);                                                         \
            pair[k + 1] = SHUFFLE(row[k], row[k + 1], 2, 6, 3, 7);                                                     \
        }                                                                                                              \
        for (int k = 0; k < 2; k++) {                                                                                  \
            column[2 * k] = SHUFFLE(pair[k], pair[k + 2], 0, 1, 4, 5);                                                 \
            column[2 * k + 1] = SHUFFLE(pair[k], pair[k + 2], 2, 3, 6, 7);                                             \
        }                                                                                                              \
        for (int k = 0; k < FOUR; k++)                                                                                 \
            memcpy(to + k * t->to_row, &column[k], sizeof column[k]);                                                  \
        return;                                                                                                        \
    }
#else
#define TRANSPOSE_FOUR(type)
#endif

static void transpose_16(const struct transposition *t, ptrdiff_t a_start, ptrdiff_t a_end, ptrdiff_t b_start,
                         ptrdiff_t b_end)
{
    TRANSPOSE_FOUR(uint16_t)
    TRANSPOSE_ELEMENTS(uint16_t)
}

static void transpose_32(const struct transposition *t, ptrdiff_t a_start, ptrdiff_t a_end, ptrdiff_t b_start,
                         ptrdiff_t b_end)
{
    TRANSPOSE_FOUR(uint32_t)
    TRANSPOSE_ELEMENTS(uint32_t)
}

/* In vectors of two, which are those that all processors have. */
static void transpose_64(const struct transposition *t, ptrdiff_t a_start, ptrdiff_t a_end, ptrdiff_t b_start,
                         ptrdiff_t b_end)
{
#ifdef SHUFFLE
    if (a_end - a_start == FOUR && b_end - b_start == FOUR) {
        typedef uint64_t two __attribute__((vector_size(2 * sizeof(uint64_t))));
        for (int a = 0; a < FOUR; a += 2)
            for (int b = 0; b < FOUR; b += 2) {
                const char *from = t->from + (a_start + a) * t->from_row + (b_start + b) * (ptrdiff_t)sizeof(uint64_t);
                char *to = t->to + (b_start + b) * t->to_row + (a_start + a) * (ptrdiff_t)sizeof(uint64_t);
                two row[2], column[2];
                memcpy(&row[0], from, sizeof row[0]);
                memcpy(&row[1], from + t->from_row, sizeof row[1]);
                column[0] = SHUFFLE(row[0], row[1], 0, 2);
                column[1] = SHUFFLE(row[0], row[1], 1, 3);
                memcpy(to, &column[0], sizeof column[0]);
                memcpy(to + t->to_row, &column[1], sizeof column[1]);
            }
        return;
    }
#endif
    TRANSPOSE_ELEMENTS(uint64_t)
}

static void transpose(const struct transposition *t, ptrdiff_t width)
{
    const ptrdiff_t line = LINE_BYTES / width, a_step = t->gathers ? FOUR : line, b_step = t->gathers ? line : FOUR;
    for (ptrdiff_t outer = 0; outer < (t->gathers ? t->b_count : t->a_count); outer += line)
        for (ptrdiff_t inner = 0; inner < (t->gathers ? t->a_count : t->b_count); inner += FOUR) {
            const ptrdiff_t a = t->gathers ? inner : outer, b = t->gathers ? outer : inner;
            const ptrdiff_t a_end = least(a + a_step, t->a_count), b_end = least(b + b_step, t->b_count);
            for (ptrdiff_t i = a; i < a_end; i += FOUR)
                for (ptrdiff_t j = b; j < b_end; j += FOUR) {
                    const ptrdiff_t i_end = least(i + FOUR, a_end), j_end = least(j + FOUR, b_end);
                    if (width == sizeof(uint32_t))
                        transpose_32(t, i, i_end, j, j_end);
                    else if (width == sizeof(uint64_t))
                        transpose_64(t, i, i_end, j, j_end);
                    else
                        transpose_16(t, i, i_end, j, j_end);
                }
        }
}

#define COPY(type)                                                                                                     \
    for (ptrdiff_t i = 0; i < length; i++)                                                                             \
        for (ptrdiff_t j = 0; j < height; j++)                                                                         \
            *(type *)(to + i * to_along + j * to_across) = *(const type *)(from + i * from_along + j * from_across);

/* Copies a tile of elements of a width. */
static void copy_tile(char *to, ptrdiff_t to_along, ptrdiff_t to_across, const char *from, ptrdiff_t from_along,
                      ptrdiff_t from_across, ptrdiff_t length, ptrdiff_t height, ptrdiff_t width)
{
    if (to_along == width && from_along == width) {
        for (ptrdiff_t j = 0; j < height; j++)
            memcpy(to + j * to_across, from + j * from_across, (size_t)(length * width));
    } else if (to_along == width && from_across == width) {
        const struct transposition t = {to, from, to_across, from_along, length, height, true};
        transpose(&t, width);
    } else if (to_across == width && from_along == width) {
        const struct transposition t = {to, from, to_along, from_across, height, length, false};
        transpose(&t, width);
    } else if (width == sizeof(uint16_t)) {
        COPY(uint16_t)
    } else if (width == sizeof(uint32_t)) {
        COPY(uint32_t)
    } else {
        COPY(uint64_t)
    }
}

/* A tile, and the blocks on the stack for those operands that are not contiguous in it. */
struct tile {
    const struct strided_run *run;
    char *const *start;
    char (*blocks)[TILE_BYTES];
    ptrdiff_t length, height;
};

/* Copies an operand of a tile to its block. */
static char *gather(const struct tile *tile, int k)
{
    const struct strided_run *run = tile->run;
    const ptrdiff_t width = run->widths[k];
    copy_tile(tile->blocks[k], width, tile->length * width, tile->start[k], run->along[k], run->over[k], tile->length,
              tile->height, width);
    return tile->blocks[k];
}

/* Writes an input to its block, with the terms added to it: row by row as it is read, where rows are contiguous. */
static char *add_terms(const struct tile *tile, int k)
{
    const struct strided_run *run = tile->run;
    const struct numact_strided *call = run->call;
    const int kernel_count = call->kernel->inputs + call->kernel->outputs;
    const ptrdiff_t width = run->widths[k], row = tile->length * width;
    bool by_rows = run->along[k] == width;
    for (int t = 0; t < call->terms; t++)
        by_rows &= call->term_of[t] != k || run->along[kernel_count + t] == width || run->along[kernel_count + t] == 0;
    bool begun = !by_rows;
    if (begun) gather(tile, k);
    for (int t = 0; t < call->terms; t++) {
        const int term = kernel_count + t;
        if (call->term_of[t] != k) continue;
        if (!by_rows) call->add(tile->blocks[k], tile->blocks[k], gather(tile, term), tile->length * tile->height, false);
        for (ptrdiff_t j = 0; j < tile->height && by_rows; j++)
            call->add(tile->blocks[k] + j * row, begun ? tile->blocks[k] + j * row : tile->start[k] + j * run->over[k],
                      tile->start[term] + j * run->over[term], tile->length, run->along[term] == 0);
        begun = true;
    }
    return tile->blocks[k];
}

/* Computes a tile; what is not contiguous there is copied to the stack.  Rows that are long enough are computed one by
   one, so that those of an operand need not follow each other. */
static void compute_tile(const struct strided_run *run, char *const *start, ptrdiff_t length, ptrdiff_t height)
{
    const struct numact_strided *call = run->call;
    const int inputs = call->kernel->inputs, outputs = call->kernel->outputs;
    const bool by_rows = length >= LEAST_ROW;
    _Alignas(64) char blocks[NUMACT_MAX_OPERANDS][TILE_BYTES];
    const struct tile tile = {run, start, blocks, length, height};
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t strides[NUMACT_MAX_ARRAYS], steps[NUMACT_MAX_ARRAYS];
    bool copied[NUMACT_MAX_ARRAYS];
    for (int k = 0; k < inputs + outputs; k++) {
        const ptrdiff_t width = run->widths[k], along = run->along[k], over = run->over[k];
        const bool output = k >= inputs, constant = along == 0 && (over == 0 || by_rows);
        copied[k] = !constant && !(along == width && (height == 1 || by_rows || over == length * width));
        arrays[k] = output && copied[k] ? blocks[k] : start[k];
        strides[k] = constant ? 0 : width;
        if (!output && run->has_terms[k])
            arrays[k] = add_terms(&tile, k), strides[k] = width, copied[k] = true;
        else if (!output && copied[k])
            arrays[k] = gather(&tile, k);
        steps[k] = copied[k] ? length * width : over;
    }
    struct numact_element_loop loop = run->loop;
    loop.arrays = arrays;
    loop.strides = strides;
    const ptrdiff_t rows = by_rows ? height : 1;
    for (ptrdiff_t j = 0; j < rows; j++) {
        numact_compute_elements(&loop, 0, by_rows ? length : length * height);
        for (int k = 0; k < inputs + outputs && j + 1 < rows; k++)
            arrays[k] += steps[k];
    }
    for (int k = inputs; k < inputs + outputs; k++)
        if (copied[k])
            copy_tile(start[k], run->along[k], run->over[k], blocks[k], run->widths[k], length * run->widths[k], length,
                      height, run->widths[k]);
}

/* Prefetches what is transposed in the next tile to the L2 cache: so short pieces, far apart, are nothing for the
   prefetchers of the processor, which find the rows of other operands. */
static void prefetch_next(const struct strided_run *run, char *const *tile, ptrdiff_t length, ptrdiff_t height)
{
    for (int k = 0; k < operand_count(run->call); k++) {
        const ptrdiff_t width = run->widths[k], along = run->along[k], over = run->over[k];
        if (over != width || along == 0) continue;
        const char *next = tile[k] + length * along;
        for (ptrdiff_t row = 0; row < length; row++)
            for (ptrdiff_t byte = 0; byte < height * width; byte += LINE_BYTES)
                __builtin_prefetch(next + row * along + byte, 0, 2);
    }
}

static void compute_units(void *context, ptrdiff_t start, ptrdiff_t stop)
{
    const struct strided_run *run = context;
    const struct numact_strided *call = run->call;
    const int count = operand_count(call), inner = call->dimensions - 1;
    ptrdiff_t index[NUMACT_MAX_DIMENSIONS];
    char *tile[NUMACT_MAX_OPERANDS];
    memcpy(tile, call->arrays, sizeof tile);
    struct numact_element_loop row = run->loop;
    row.arrays = tile;
    row.strides = run->along;
    ptrdiff_t steps[NUMACT_MAX_DIMENSIONS]; /* elements from unit to unit */
    ptrdiff_t rest = start;
    for (int d = inner; d >= 0; d--) {
        steps[d] = d == inner ? run->length : d == run->across ? run->height : 1;
        index[d] = rest % run->units[d];
        rest /= run->units[d];
        for (int k = 0; k < count; k++)
            tile[k] += index[d] * steps[d] * call->strides[k][d];
    }
    for (ptrdiff_t unit = start; unit < stop; unit++) {
        const ptrdiff_t left = call->shape[inner] - index[inner] * run->length;
        const ptrdiff_t length = left < run->length ? left : run->length;
        if (run->direct) {
            numact_compute_elements(&row, 0, length);
        } else {
            ptrdiff_t height = 1;
            if (run->across >= 0) {
                const ptrdiff_t below = call->shape[run->across] - index[run->across] * run->height;
                height = below < run->height ? below : run->height;
            }
            if (index[inner] + 1 < run->units[inner]) prefetch_next(run, tile, length, height);
            compute_tile(run, tile, length, height);
        }
        for (int d = inner; d >= 0; d--) {
            const bool wraps = ++index[d] == run->units[d];
            const ptrdiff_t step = wraps ? -(run->units[d] - 1) * steps[d] : steps[d];
            for (int k = 0; k < count; k++)
                tile[k] += step * call->strides[k][d];
            if (!wraps) break;
            index[d] = 0;
        }
    }
}

/* Decides between rows and tiles, and what a tile is.  False if tiles would be too small. */
static bool plan(struct strided_run *run)
{
    const struct numact_strided *call = run->call;
    const int count = operand_count(call), inner = call->dimensions - 1;
    const ptrdiff_t length = call->shape[inner];
    ptrdiff_t tile = TILE_BYTES / call->kernel->width;
    bool rows = true;
    run->across = -1;
    for (int k = 0; k < count; k++) {
        const ptrdiff_t along = call->strides[k][inner];
        if (along == 0 || along == run->widths[k]) continue;
        rows = false;
        for (int d = 0; d < inner; d++)
            if (call->strides[k][d] == run->widths[k]) run->across = d;
    }
    run->direct = rows && call->terms == 0 && (length >= LEAST_ROW || inner == 0);
    run->length = run->direct ? ROW_PART : least(length, tile);
    run->height = 1;
    if (!run->direct) {
        if (run->across >= 0)   /* a line of the transposed operand */
            run->length = least(length, tile / (2 * LINE_BYTES / call->kernel->width));
        else if (inner > 0)
            run->across = inner - 1;
        if (run->across >= 0) {
            run->height = least(call->shape[run->across], tile / run->length);
            run->length = least(length, tile / run->height);
        }
        if (run->length * run->height < LEAST_TILE && call->dimensions > 1) return false;
    }
    for (int d = 0; d <= inner; d++) {
        const ptrdiff_t step = d == inner ? run->length : d == run->across ? run->height : 1;
        run->units[d] = (call->shape[d] + step - 1) / step;
    }
    for (int k = 0; k < count; k++) {
        run->along[k] = call->strides[k][inner];
        run->over[k] = run->across < 0 ? 0 : call->strides[k][run->across];
    }
    for (int t = 0; t < call->terms; t++)
        run->has_terms[call->term_of[t]] = true;
    return true;
}

bool numact_strided_run(struct numact_strided *call)
{
    coalesce(call);
    const struct numact_kernel *kernel = call->kernel;
    const int count = operand_count(call), inner = call->dimensions - 1;
    struct strided_run run = {.call = call, .loop = {.kernel = kernel, .half_loop = call->half_loop}};
    for (int k = 0; k < count; k++)
        run.widths[k] = operand_width(call, k < kernel->inputs + kernel->outputs ? k : 0);
    if (!plan(&run)) return false;
    ptrdiff_t elements = 1, units = 1, varies[NUMACT_MAX_ARRAYS] = {0};
    for (int d = 0; d <= inner; d++) {
        elements *= call->shape[d];
        units *= run.units[d];
        for (int k = 0; k < kernel->inputs; k++)
            varies[k] |= call->strides[k][d];
    }
    fp_env found = fp_env_enter();
    run.loop.arrays = call->arrays;
    run.loop.strides = varies;
    uint16_t *table = call->terms ? NULL : numact_make_table(&run.loop, elements);
    const bool long_rows = run.direct && call->shape[inner] >= ROW_PART && !call->half_loop;
    const int out = kernel->inputs;
    numact_parallel_stores(compute_units, &run, &run.loop.non_temporal, units, GRAIN / (elements / units + 1) + 1, 1,
                           call->arrays[out], elements * kernel->width,
                           long_rows && kernel->outputs == 1 ? 2 * elements * kernel->width : 0);
    free(table);
    fp_env_leave(found, kernel->overflows);
    return true;
}
