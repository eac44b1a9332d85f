# cython: language_level=3, freethreading_compatible=True
"""The bridge to csrc/reference: true values of the activations for float32, and the errors of results.

`import numact` does not load it.  `evaluate` and `compare` release the GIL.
"""

import numpy as np

from numact._kernels.core import SUFFIXES

cdef extern from "reference/reference.h":
    ctypedef double numact_reference_formula(double x, const double *parameters) noexcept nogil
    struct numact_reference:
        const char *name
        int parameters
        numact_reference_formula *formulas[3]
    struct numact_format:
        int digits
        int least
        int largest
    struct numact_errors:
        double largest
        ptrdiff_t worst
        ptrdiff_t counted
        ptrdiff_t correct
    const numact_reference *numact_references
    void numact_reference_evaluate(
        numact_reference_formula *formula, const double *parameters, const float *x, double *want, ptrdiff_t n
    ) noexcept nogil
    numact_errors numact_reference_compare(
        const float *got, const double *want, ptrdiff_t n, numact_format format, bint partial, bint signs
    ) noexcept nogil


def names():
    """Names of all functions that have a reference: "gelu", "gelu_grad", ..."""
    cdef const numact_reference *row = numact_references
    cdef int k
    found = []
    while row.name != NULL:
        for k in range(3):
            if row.formulas[k] != NULL:
                found.append(row.name.decode() + SUFFIXES[k])
        row += 1
    return found


def evaluate(str name, const float[::1] x, parameters=()):
    """True values of a function of `names()` for float32 numbers, for dy = 1.

    Parameters
    ----------
    name : str
        "gelu", "gelu_grad" or "tanh_grad_y".
    x : ndarray of float32
        Contiguous and one-dimensional; outputs for a gradient from the output.
    parameters : sequence of float
        The parameters of the activation, numbers of float32.

    Returns
    -------
    ndarray of float64
        Within 1e-6 ULP of float32; NaN for a NaN and, in a gradient from the output, for an x that is no output.

    Raises
    ------
    ValueError
        For an unknown name, or a wrong number of parameters.
    """
    cdef const numact_reference *row = numact_references
    cdef numact_reference_formula *formula = NULL
    cdef double values[8]
    cdef int k
    while row.name != NULL and formula == NULL:
        for k in range(3):
            if name == row.name.decode() + SUFFIXES[k]:
                formula = row.formulas[k]
                if len(parameters) != row.parameters:
                    raise ValueError(f"{name} has {row.parameters} parameters, got {len(parameters)}")
        row += 1
    if formula == NULL:
        raise ValueError(f"name must be one of numact.commands.verify.reference.names(), got {name!r}")
    for k, parameter in enumerate(parameters):
        values[k] = parameter
    want = np.empty(x.shape[0])
    cdef double[::1] view = want
    if x.shape[0]:
        with nogil:
            numact_reference_evaluate(formula, values, &x[0], &view[0], x.shape[0])
    return want


def compare(const float[::1] got, const double[::1] want, digits, least, largest, partial=False, signs=False):
    """Find the errors of results, in units in the last place of a binary format.

    Parameters
    ----------
    got : ndarray of float32
        Results, numbers of the format.
    want : ndarray of float64
        True values.
    digits, least, largest : int
        The format: bits after the binary point, exponents of the smallest and of the largest normal number.
    partial : bool
        Whether to ignore elements whose true value is NaN; otherwise their result must be NaN.
    signs : bool
        Whether a zero must have the sign of the true value.

    Returns
    -------
    (float, int, int, int)
        Largest error, infinite where a NaN, an infinity or a sign is wrong; its index, -1 where nothing was compared;
        how many true values are numbers; how many of these have a correctly rounded result.

    Raises
    ------
    ValueError
        Where the arrays differ in size.
    """
    cdef numact_format format = numact_format(digits, least, largest)
    cdef bint skip = partial, signed = signs
    cdef numact_errors found = numact_errors(-1, -1, 0, 0)
    if got.shape[0] != want.shape[0]:
        raise ValueError(f"got and want must have the same size, got {got.shape[0]} and {want.shape[0]}")
    if got.shape[0]:
        with nogil:
            found = numact_reference_compare(&got[0], &want[0], got.shape[0], format, skip, signed)
    return found.largest, found.worst, found.counted, found.correct
