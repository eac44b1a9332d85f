/* The loops of maxout and its gradient: groups of pieces, of any stride. */
#ifndef NUMACT_LOOPS_MAXOUT_H
#define NUMACT_LOOPS_MAXOUT_H

#include "formulas/maxout.h"
#include "loops/row_access.h"

enum { GROUPS = 256 };  /* groups of pieces that are compared together */

/* Writes indices, the bit patterns of `which`, as integers of a width. */
INLINE void store_indices(char *to, ptrdiff_t stride, const scalar *which, ptrdiff_t count, int width)
{
    ALIGNED bits index[GROUPS];
    memcpy(index, which, (size_t)count * sizeof *index);
    if (width == sizeof(int32_t) && stride == width) {
        for (ptrdiff_t g = 0; g < count; g++)
            ((int32_t *)to)[g] = (int32_t)index[g];
    } else if (width == sizeof(int32_t)) {
        for (ptrdiff_t g = 0; g < count; g++)
            *(int32_t *)(to + g * stride) = (int32_t)index[g];
    } else if (stride == width) {
        for (ptrdiff_t g = 0; g < count; g++)
            ((int64_t *)to)[g] = (int64_t)index[g];
    } else {
        for (ptrdiff_t g = 0; g < count; g++)
            *(int64_t *)(to + g * stride) = (int64_t)index[g];
    }
}

enum { FEW = 4 };   /* numbers of pieces that are compiled apart */

/* Brings the pieces of one index side by side, of groups that lie in memory one behind the other.  Where the number of
   pieces is constant, compilers permute vectors. */
INLINE void separate_pieces(const scalar *x, ptrdiff_t pieces, ptrdiff_t count, scalar (*to)[GROUPS + LANES])
{
    for (ptrdiff_t g = 0; g < count; g++)
        for (ptrdiff_t piece = 0; piece < pieces; piece++)
            to[piece][g] = x[g * pieces + piece];
}
static void separate_few(const scalar *x, ptrdiff_t pieces, ptrdiff_t count, scalar (*to)[GROUPS + LANES])
{
    if (pieces == 2)
        separate_pieces(x, 2, count, to);
    else if (pieces == 3)
        separate_pieces(x, 3, count, to);
    else if (pieces == FEW)
        separate_pieces(x, FEW, count, to);
    else
        separate_pieces(x, 1, count, to);
}

/* The largest piece of each group, and its index.  A group is a row; pieces of one index, which lie apart unless the
   rows alternate, are brought side by side. */
INLINE bool maxout(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, int width)
{
    const ptrdiff_t pieces = dimensions[1], size = sizeof(scalar);
    const struct rows all = {arrays[0], strides[0], strides[3]};
    const bool few = pieces <= FEW && all.row == pieces * size && (all.stride == size || pieces == 1);
    ALIGNED scalar best[GROUPS + LANES], which[GROUPS + LANES], gathered[FEW][GROUPS + LANES];
    memset(gathered, 0, sizeof gathered);
    memset(best, 0, sizeof best);
    for (ptrdiff_t start = 0; start < dimensions[0]; start += GROUPS) {
        const ptrdiff_t count = dimensions[0] - start < GROUPS ? dimensions[0] - start : GROUPS;
        const bool direct = all.row == size && count == GROUPS && !few;
        const struct rows x = rows_from(all, start);
        if (few) separate_few((const scalar *)x.start, pieces, count, gathered);
        for (ptrdiff_t piece = 0; piece < pieces; piece++) {
            const struct rows from = {element(x, 0, piece), x.row, 0};
            const bits pattern = (bits)piece;
            scalar index;
            memcpy(&index, &pattern, sizeof index);
            if (!direct && !few) copy_rows((struct rows){(char *)gathered, size, 0}, from, count, 1);
            const scalar *values = direct ? (const scalar *)from.start : gathered[few ? piece : 0];
            if (piece == 0) {
                memcpy(best, values, (size_t)count * sizeof(scalar));
                memset(which, 0, sizeof which);
            } else {
                larger_pieces(values, best, which, index, count);
            }
        }
        copy_rows((struct rows){arrays[1] + start * strides[1], strides[1], 0}, (struct rows){(char *)best, size, 0}, count,
                  1);
        store_indices(arrays[2] + start * strides[2], strides[2], which, count, width);
    }
    return true;
}
static bool maxout_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides)
{
    return maxout(arrays, dimensions, strides, sizeof(ptrdiff_t));
}
static bool maxout_int32_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides)
{
    return maxout(arrays, dimensions, strides, sizeof(int32_t));
}

/* dy at the index, else 0, for groups of few pieces that lie one behind the other. */
INLINE void place_pieces(const scalar *restrict dy, const bits *restrict index, ptrdiff_t pieces, ptrdiff_t count,
                         scalar *restrict dx)
{
    for (ptrdiff_t g = 0; g < count; g++) {
        bits value;
        memcpy(&value, dy + g, sizeof value);
        for (ptrdiff_t piece = 0; piece < pieces; piece++) {
            const bits placed = value & ((bits)0 - (index[g] == (bits)piece));
            memcpy(dx + g * pieces + piece, &placed, sizeof placed);
        }
    }
}
static void place_few(const scalar *dy, const bits *index, ptrdiff_t pieces, ptrdiff_t count, scalar *dx)
{
    if (pieces == 2)
        place_pieces(dy, index, 2, count, dx);
    else if (pieces == 3)
        place_pieces(dy, index, 3, count, dx);
    else if (pieces == FEW)
        place_pieces(dy, index, FEW, count, dx);
    else
        place_pieces(dy, index, 1, count, dx);
}

/* dy at the index, else 0: zeros, then dy, for some groups at a time, which stay in the cache. */
INLINE bool maxout_grad(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides, int width)
{
    const ptrdiff_t pieces = dimensions[1], size = sizeof(scalar);
    const struct rows all = {arrays[2], strides[2], strides[3]};
    const bool few = pieces <= FEW && all.row == pieces * size && (all.stride == size || pieces == 1);
    for (ptrdiff_t start = 0; start < dimensions[0]; start += GROUPS) {
        const ptrdiff_t count = dimensions[0] - start < GROUPS ? dimensions[0] - start : GROUPS;
        const struct rows dx = rows_from(all, start);
        if (few) {
            ALIGNED bits index[GROUPS];
            ALIGNED scalar dy[GROUPS];
            const char *from = arrays[1] + start * strides[1];
            if (width == sizeof(bits) && strides[1] == width)
                memcpy(index, from, (size_t)count * sizeof *index);
            else
                for (ptrdiff_t g = 0; g < count; g++)
                    index[g] = (bits)(width == sizeof(int32_t) ? *(const int32_t *)(from + g * strides[1])
                                                               : *(const ptrdiff_t *)(from + g * strides[1]));
            copy_rows((struct rows){(char *)dy, size, 0}, (struct rows){arrays[0] + start * strides[0], strides[0], 0},
                      count, 1);
            place_few(dy, index, pieces, count, (scalar *)dx.start);
            continue;
        }
        if (dx.stride == sizeof(scalar) && dx.row == pieces * dx.stride) {
            fill((scalar *)dx.start, count * pieces, 0);
        } else if (dx.row == sizeof(scalar)) {
            for (ptrdiff_t i = 0; i < pieces; i++)
                fill((scalar *)element(dx, 0, i), count, 0);
        } else {
            for (ptrdiff_t r = 0; r < count; r++)
                for (ptrdiff_t i = 0; i < pieces; i++)
                    memset(element(dx, r, i), 0, sizeof(scalar));
        }
        const char *dy = arrays[0] + start * strides[0], *index = arrays[1] + start * strides[1];
        char *group = dx.start;
        for (ptrdiff_t r = 0; r < count; r++) {
            const ptrdiff_t which = width == sizeof(int32_t) ? *(const int32_t *)index : *(const ptrdiff_t *)index;
            memcpy(group + which * dx.stride, dy, sizeof(scalar));
            dy += strides[0], index += strides[1], group += dx.row;
        }
    }
    return true;
}
static bool maxout_grad_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides)
{
    return maxout_grad(arrays, dimensions, strides, sizeof(ptrdiff_t));
}
static bool maxout_grad_int32_loop(char *const *arrays, const ptrdiff_t *dimensions, const ptrdiff_t *strides)
{
    return maxout_grad(arrays, dimensions, strides, sizeof(int32_t));
}

#endif
