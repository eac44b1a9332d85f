/* Rows of any stride: their elements, and copies of them. */
#ifndef NUMACT_LOOPS_ROW_ACCESS_H
#define NUMACT_LOOPS_ROW_ACCESS_H

#include "simd/real.h"

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
    if (n == 1 && to.row == sizeof(scalar) && from.row == sizeof(scalar)) {
        memcpy(to.start, from.start, (size_t)rows * sizeof(scalar));
    } else if (to.stride == sizeof(scalar) && from.stride == sizeof(scalar)) {
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

INLINE struct rows rows_from(struct rows a, ptrdiff_t row) { return (struct rows){element(a, row, 0), a.row, a.stride}; }

#endif
