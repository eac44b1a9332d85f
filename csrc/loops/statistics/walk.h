/* The blocks of an n-dimensional array in C order. */
#ifndef NUMACT_LOOPS_STATISTICS_WALK_H
#define NUMACT_LOOPS_STATISTICS_WALK_H

#include "loops/statistics/blocks.h"

/* A row of the last dimension. */
struct row {
    ptrdiff_t index[NUMACT_MAX_DIMENSIONS];
    char *x, *y;
    uint64_t *alive;
};

INLINE void move(const struct numact_observation *o, struct row *r, int dimension, ptrdiff_t count)
{
    if (o->x) r->x += count * o->x_strides[dimension];
    r->y += count * o->y_strides[dimension];
    r->alive += count * o->unit_strides[dimension];
}

INLINE struct row row_of(const struct numact_observation *o, ptrdiff_t number)
{
    struct row r = {.x = o->x, .y = o->y, .alive = o->alive};
    for (int k = o->dimensions - 2; k >= 0; k--) {
        r.index[k] = number % o->shape[k];
        number /= o->shape[k];
        move(o, &r, k, r.index[k]);
    }
    return r;
}

INLINE void next_row(const struct numact_observation *o, struct row *r)
{
    for (int k = o->dimensions - 2; k >= 0; k--) {
        if (++r->index[k] < o->shape[k]) {
            move(o, r, k, 1);
            return;
        }
        move(o, r, k, 1 - r->index[k]);
        r->index[k] = 0;
    }
}

/* A block of a row: its number in C order, and its first element in the row. */
struct position {
    struct row row;
    ptrdiff_t number, first;
};

INLINE ptrdiff_t length_of(const struct numact_observation *o) { return o->shape[o->dimensions - 1]; }

INLINE ptrdiff_t blocks_in_row(const struct numact_observation *o)
{
    return (length_of(o) + NUMACT_BLOCK - 1) / NUMACT_BLOCK;
}

INLINE struct position position_of(const struct numact_observation *o, ptrdiff_t number)
{
    const ptrdiff_t in_row = blocks_in_row(o);
    return (struct position){row_of(o, number / in_row), number, number % in_row * NUMACT_BLOCK};
}

INLINE ptrdiff_t block_length(const struct numact_observation *o, const struct position *p)
{
    const ptrdiff_t left = length_of(o) - p->first;
    return left < NUMACT_BLOCK ? left : NUMACT_BLOCK;
}

INLINE void next_block(const struct numact_observation *o, struct position *p)
{
    p->number++;
    p->first += NUMACT_BLOCK;
    if (p->first < length_of(o)) return;
    p->first = 0;
    next_row(o, &p->row);
}

/* On to the next row from the first block of one. */
INLINE void pass_row(const struct numact_observation *o, struct position *p)
{
    p->number += blocks_in_row(o);
    next_row(o, &p->row);
}

INLINE char *x_at(const struct numact_observation *o, const struct position *p)
{
    return o->x ? p->row.x + p->first * o->x_strides[o->dimensions - 1] : NULL;
}
INLINE char *y_at(const struct numact_observation *o, const struct position *p)
{
    return p->row.y + p->first * o->y_strides[o->dimensions - 1];
}
INLINE bool has_units(const struct numact_observation *o) { return o->unit_strides[o->dimensions - 1] != 0; }
INLINE uint64_t *alive_at(const struct numact_observation *o, const struct position *p)
{
    return has_units(o) ? p->row.alive + p->first / FLAGS : p->row.alive;
}

/* What an activation is called with. */
struct activation_call {
    char *arrays[NUMACT_MAX_ARRAYS];
    ptrdiff_t strides[NUMACT_MAX_ARRAYS];
};

INLINE void activate(const struct numact_observation *o, struct activation_call *call, char *x, char *y, ptrdiff_t n)
{
    call->arrays[0] = x;
    call->arrays[o->activation->inputs] = y;
    if (o->half_loop)
        o->half_loop(o->activation, call->arrays, n, call->strides);
    else
        o->activation->loop(call->arrays, n, call->strides, false);
}

#endif
