/* What the activations are, in double, to judge the float kernels by: written independently of them. */
#ifndef NUMACT_REFERENCE_H
#define NUMACT_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

/* f(x), f'(x) or f'(x(y)) for a float x and parameters that are floats.  The derivative by the output is NaN for a y
   that is no output. */
typedef double numact_reference_formula(double x, const double *parameters);

enum { NUMACT_REFERENCE_KINDS = 3 };

struct numact_reference {
    const char *name;
    int parameters;
    numact_reference_formula *formulas[NUMACT_REFERENCE_KINDS]; /* forward, gradient, gradient from output or NULL */
};

/* A NULL name at the end. */
extern const struct numact_reference numact_references[];

/* want[i] = formula(x[i]) */
void numact_reference_evaluate(numact_reference_formula *formula, const double *parameters, const float *x, double *want,
                               ptrdiff_t n);

/* A binary format: exponents of the least and of the largest normal number, digits behind the binary point. */
struct numact_format {
    int digits, least, largest;
};

struct numact_errors {
    double largest;     /* in ULP; infinite for a NaN or an infinity that should not be, or should */
    ptrdiff_t worst;    /* where that is; -1 where nothing was counted */
    ptrdiff_t counted;  /* those whose true value is a number */
    ptrdiff_t correct;  /* those of them that are correctly rounded */
};

/* Compares results, which are numbers of the format, with true values.  Where the true value is NaN the result must be,
   too, unless `partial` says that such places count for nothing; `signs`: a zero must have the true value's sign. */
struct numact_errors numact_reference_compare(const float *got, const double *want, ptrdiff_t n,
                                              struct numact_format format, bool partial, bool signs);

#endif
