/* Statistics of an array chunk by chunk, and the function that the object exports. */
#ifndef NUMACT_LOOPS_STATISTICS_CHUNKS_H
#define NUMACT_LOOPS_STATISTICS_CHUNKS_H

#include "loops/statistics/fused.h"

/* An array whose statistics are taken, and what is the same for all of its blocks. */
struct watch {
    const struct numact_observation *o;
    fetch *fetch;
    observed_loop *observed; /* or NULL */
    ptrdiff_t blocks;
    bool non_temporal, before; /* before: the next run has one before it */
    struct activation_call call;
};

INLINE struct watch begin_watch(fetch *fetch, const struct numact_observation *o)
{
    struct watch w = {.o = o, .fetch = fetch, .observed = find_observed(o)};
    ptrdiff_t rows = 1;
    for (int k = 0; k < o->dimensions - 1; k++)
        rows *= o->shape[k];
    w.blocks = rows * blocks_in_row(o);
    if (!o->x) return w;
    const int last = o->dimensions - 1;
    w.non_temporal = LANES > 1 && o->non_temporal && !o->half_loop && o->x != o->y &&
                     o->y_strides[last] == sizeof(scalar);
    for (int k = 1; k < o->activation->inputs; k++)
        w.call.arrays[k] = o->parameters[k - 1];
    w.call.strides[0] = o->x_strides[last];
    w.call.strides[o->activation->inputs] = o->y_strides[last];
    return w;
}

/* Whether a loop may go on from the last block of a row, x and y, to the first one of the next row: rows of whole
   words of flags that lie side by side. */
INLINE bool adjoins(const struct numact_observation *o, const char *x, const char *y, const struct row *next)
{
    const ptrdiff_t size = length_of(o) * (ptrdiff_t)sizeof(scalar);
    return length_of(o) % FLAGS == 0 && next->x == x + size && next->y == y + size;
}

/* How many whole rows there are from `p` on, before `stop`, that differ in the next to last dimension alone, and
   have the same units. */
INLINE ptrdiff_t rows_alike(const struct numact_observation *o, const struct position *p, ptrdiff_t stop)
{
    const int outer = o->dimensions - 2;
    if (outer < 0 || p->first || o->unit_strides[outer]) return 0;
    const ptrdiff_t left = o->shape[outer] - p->row.index[outer], wanted = (stop - p->number) / blocks_in_row(o);
    return left < wanted ? left : wanted;
}

/* On to the same position so many rows on, within this dimension. */
INLINE void pass_rows(const struct numact_observation *o, struct position *p, ptrdiff_t rows)
{
    move(o, &p->row, o->dimensions - 2, rows);
    p->row.index[o->dimensions - 2] += rows;
    p->number += rows * blocks_in_row(o);
}

/* Moves on over rows that lie side by side, to the last one of them; returns the elements passed. */
INLINE ptrdiff_t pass_adjoining(const struct numact_observation *o, struct position *p, ptrdiff_t stop)
{
    const ptrdiff_t length = length_of(o), size = length * (ptrdiff_t)sizeof(scalar), rows = rows_alike(o, p, stop) - 1;
    const int outer = o->dimensions - 2;
    if (rows < 1 || length % FLAGS || o->x_strides[outer] != size || o->y_strides[outer] != size) return 0;
    pass_rows(o, p, rows);
    return rows * length;
}

/* What one loop can take from `p` on, of the blocks before `stop`; moves on to the first one that it cannot, or of
   which there is a rest, that begins at `rest`. */
INLINE struct run run_from(const struct watch *w, struct position *p, ptrdiff_t stop, ptrdiff_t *rest)
{
    const struct numact_observation *o = w->o;
    struct run r = {.x = (const scalar *)x_at(o, p), .y = (scalar *)y_at(o, p), .non_temporal = w->non_temporal,
                    .before = w->before, .alive = p->row.alive, .words = 1};
    if (has_units(o)) {
        r.word = p->first / FLAGS;
        r.words = length_of(o) / FLAGS;
    }
    *rest = 0;
    do {
        r.n += pass_adjoining(o, p, stop);
        const ptrdiff_t n = block_length(o, p), whole = n - n % FLAGS;
        r.n += whole;
        r.behind = false;
        if (whole < n) {
            *rest = whole;
            break;
        }
        const char *x = p->row.x, *y = p->row.y;
        next_block(o, p);
        r.behind = p->number < w->blocks && block_length(o, p) >= FLAGS && (p->first || adjoins(o, x, y, &p->row));
    } while (r.behind && p->number < stop && p->row.alive == r.alive);
    return r;
}

/* All that one loop can take from `p` on; moves `p` on as run_from() does, and returns the rest's beginning.  Where
   the sums are not finite, the results are looked at again by blocks. */
INLINE ptrdiff_t observe_run(struct watch *w, struct position *p, ptrdiff_t stop, scalar *block, struct tally *t)
{
    const struct numact_observation *o = w->o;
    if (!t->started) {
        activate(o, &w->call, x_at(o, p), (char *)block, FLAGS);
        find_origin(block, FLAGS, t);
    }
    const ptrdiff_t number = p->number;
    ptrdiff_t rest;
    const struct run r = run_from(w, p, stop, &rest);
    w->before = r.behind;
    if (w->observed(o->parameters, r, t)) return rest;
    struct position again = position_of(o, number);
    for (ptrdiff_t left = r.n, n; left > 0; left -= n, next_block(o, &again)) {
        n = block_length(o, &again) < left ? block_length(o, &again) : left;
        if (w->non_temporal) activate(o, &w->call, x_at(o, &again), (char *)block, n);
        const scalar *y = w->non_temporal ? block : (const scalar *)y_at(o, &again);
        observe_block(o, y, n, has_units(o), NULL, alive_at(o, &again), t);
    }
    return rest;
}

/* The elements of a block from `first` on. */
INLINE void observe_rest(struct watch *w, const struct position *p, ptrdiff_t first, scalar *block, struct tally *t)
{
    const struct numact_observation *o = w->o;
    const ptrdiff_t x_stride = o->x_strides[o->dimensions - 1], y_stride = o->y_strides[o->dimensions - 1];
    const ptrdiff_t n = block_length(o, p) - first;
    char *y = y_at(o, p) + first * y_stride;
    const scalar *ahead = !o->half_loop && y_stride == sizeof(scalar) ? (const scalar *)y + n : NULL;
    if (o->x) {
        char *x = x_at(o, p) + first * x_stride;
        activate(o, &w->call, x, w->non_temporal ? (char *)block : y, n);
        ahead = x_stride == sizeof(scalar) ? (const scalar *)x + n : NULL;
    }
    observe_block(o, w->non_temporal ? block : w->fetch(y, y_stride, n, block), n, has_units(o), ahead,
                  alive_at(o, p) + (has_units(o) ? first / FLAGS : 0), t);
    if (w->non_temporal) copy_non_temporal((scalar *)y, block, n);
}

/* Which units live, over some rows: for FLAGS of them after the other, down to the row where all do. */
INLINE void find_alive(const struct watch *w, const struct position *p, ptrdiff_t rows, scalar *block)
{
    const struct numact_observation *o = w->o;
    const ptrdiff_t stride = o->y_strides[o->dimensions - 1], row_stride = o->y_strides[o->dimensions - 2];
    for (ptrdiff_t i = 0; i < length_of(o); i += FLAGS) {
        const ptrdiff_t left = length_of(o) - i, n = left < FLAGS ? left : FLAGS;
        const uint64_t valid = ~UINT64_C(0) >> (FLAGS - n);
        uint64_t *alive = p->row.alive + i / FLAGS, found = alive_already(alive);
        const char *y = p->row.y + i * stride;
        for (ptrdiff_t row = 0; row < rows && valid & ~found; row++, y += row_stride) {
            const scalar *x = w->fetch(y, stride, n, block);
            if (n < FLAGS) x = memmove(block, x, (size_t)n * sizeof(scalar));
            found |= ~zeros_of(x) & valid;
        }
        set_alive(alive, found);
    }
}

INLINE void observe_chunks(fetch *fetch, const struct numact_observation *o, ptrdiff_t size, ptrdiff_t start,
                           ptrdiff_t stop, struct numact_statistics *statistics)
{
    ALIGNED scalar block[NUMACT_BLOCK];
    struct watch w = begin_watch(fetch, o);
    struct position p = position_of(o, start * size);
    if (w.observed && p.number) {
        const struct position last = position_of(o, p.number - 1);
        w.before = p.first || adjoins(o, last.row.x, last.row.y, &p.row);
    }
    for (ptrdiff_t chunk = start; chunk < stop; chunk++) {
        const ptrdiff_t end = (chunk + 1) * size < w.blocks ? (chunk + 1) * size : w.blocks;
        struct tally t = {0};
        while (p.number < end) {
            const ptrdiff_t rows = o->wanted == NUMACT_ALIVE && has_units(o) ? rows_alike(o, &p, end) : 0;
            if (rows > 1) {
                find_alive(&w, &p, rows, block);
                pass_rows(o, &p, rows - 1);
                pass_row(o, &p);
                continue;
            }
            const bool runs = w.observed && block_length(o, &p) >= FLAGS;
            const ptrdiff_t first = runs ? observe_run(&w, &p, end, block, &t) : 0;
            if (runs && !first) continue;
            observe_rest(&w, &p, first, block, &t);
            next_block(o, &p);
        }
        statistics[chunk] = statistics_of(&t);
    }
    if (w.non_temporal) fence_non_temporal();
}

numact_observe_loop SYMBOL(numact_observe);
void SYMBOL(numact_observe)(const struct numact_observation *observation, ptrdiff_t size, ptrdiff_t start, ptrdiff_t stop,
                            struct numact_statistics *statistics)
{
    observe_chunks(fetch_scalars, observation, size, start, stop, statistics);
}

#endif
