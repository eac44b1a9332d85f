/* The reference: what the activations are, in double, independently of the kernels (reference.c), and the errors of
   results (compare.c).  Used by `python -m numact verify` and the tests only. */
#ifndef NUMACT_REFERENCE_H
#define NUMACT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

/* f(x), f'(x), or f'(x(y)) as a function of y, which is NaN for a y that is no output.  Arguments and parameters are
   numbers of float32. */
typedef double numact_reference_formula(double x, const double *parameters);

enum { NUMACT_REFERENCE_KINDS = 3 };

struct numact_reference {
    const char *name;
    int parameters;
    numact_reference_formula *formulas[NUMACT_REFERENCE_KINDS]; /* forward, gradient, gradient from output or NULL */
};

/* All references; a NULL name ends the list. */
extern const struct numact_reference numact_references[];

/* want[i] = formula(x[i]) */
void numact_reference_evaluate(numact_reference_formula *formula, const double *parameters, const float *x,
                               double *want, ptrdiff_t n);

/* A binary format: bits after the binary point, exponents of the smallest and of the largest normal number. */
struct numact_format {
    int digits, least, largest;
};

struct numact_errors {
    double largest;     /* in ULP; infinite if a NaN or an infinity is missing or unexpected */
    ptrdiff_t worst;    /* index of the largest error, -1 if nothing was compared */
    ptrdiff_t counted;  /* results whose true value is a number */
    ptrdiff_t correct;  /* of these, the correctly rounded ones */
};

/* Compares results, which are numbers of the format, with true values.  Where the true value is NaN, the result must be
   NaN, too, or is ignored with `partial`.  With `signs`, a zero must have the sign of the true value. */
struct numact_errors numact_reference_compare(const float *got, const double *want, ptrdiff_t n,
                                              struct numact_format format, bool partial, bool signs);

#endif
