# cython: language_level=3, freethreading_compatible=True
"""Turns the kernel tables into NumPy ufuncs.  No activation is named here: the list is csrc/activations.h."""

import os
import warnings

from cpython.exc cimport PyErr_SetNone
from libc.stdlib cimport malloc

from numact._activation import Activation, SUFFIXES, document, parse_parameters

cimport numpy as cnp

cnp.import_array()
cnp.import_ufunc()

cdef extern from "numact.h":
    struct numact_kernel:
        void *loop
        int inputs
        int outputs
        bint overflows
    struct numact_activation:
        const char *name
        int parameter_count
        const char *parameters
        const char *domain
        double ulp
        double ulp_gradient
        const char *formula
        const char *derivative
        const char *range
        const char *kinks
        const char *aliases
        const char *notes
        numact_kernel kernels[4]
    struct numact_axis_function:
        const char *name
        const char *signature
        const char *types
        const char *formula
        double ulp
    struct numact_level:
        const char *name
        bint supported
        const numact_activation *f32
        const numact_activation *f64
        const numact_axis_function *axis_f32
        const numact_axis_function *axis_f64
    const numact_level *numact_levels()
    void numact_ufunc_loop(char **arrays, const cnp.npy_intp *dimensions, const cnp.npy_intp *steps, void *data)
    const char *numact_compiler

cdef enum:
    DTYPES = 2
    MAX_ARRAYS = 8

# What NumPy keeps pointers to must live as long as the process.
cdef list _kept = []


cdef const numact_level *find_level(str name) except NULL:
    cdef const numact_level *level = numact_levels()
    while level.name != NULL:
        if level.supported and level.name.decode() == name:
            return level
        level += 1
    raise ValueError(f"level must be one of {', '.join(levels())}; got {name!r}")


def levels():
    """Names of the instruction-set levels that this processor runs, lowest first."""
    cdef const numact_level *level = numact_levels()
    found = []
    while level.name != NULL:
        if level.supported:
            found.append(level.name.decode())
        level += 1
    return found


def level():
    """Name of the level in use: the highest, or the one that NUMACT_LEVEL forces."""
    available = levels()
    wanted = os.environ.get("NUMACT_LEVEL", "")
    if not wanted or wanted in available:
        return wanted or available[-1]
    warnings.warn(
        f"NUMACT_LEVEL must be one of {', '.join(available)} on this processor; "
        f"got {wanted!r}, using {available[-1]}",
        RuntimeWarning,
        stacklevel=2,
    )
    return available[-1]


def compiler():
    """Name and version of the C compiler that built the kernels."""
    return numact_compiler.decode()


cdef object describe(const numact_activation *row):
    return Activation(
        name=row.name.decode(),
        parameters=parse_parameters(row.parameters.decode()),
        domain=row.domain.decode(),
        from_output=row.kernels[2].loop != NULL,
        kink=row.kernels[3].loop != NULL,
        overflows=row.kernels[0].overflows,
        ulp=row.ulp,
        ulp_gradient=row.ulp_gradient,
        formula=row.formula.decode(),
        derivative=row.derivative.decode(),
        range=row.range.decode(),
        kinks=row.kinks.decode(),
        aliases=tuple(row.aliases.decode().split(", ")) if row.aliases[0] else (),
        notes=row.notes.decode(),
    )


def catalogue():
    """List of the activations, in the order of csrc/activations.h.

    Returns
    -------
    list of Activation
        Name, parameters with defaults, formula, derivative and error bounds of each.
    """
    cdef const numact_activation *row = numact_levels().f32
    found = []
    while row.name != NULL:
        found.append(describe(row))
        row += 1
    return found


cdef object make_ufunc(const numact_kernel *f32, const numact_kernel *f64, str name, str doc):
    cdef cnp.PyUFuncGenericFunction *loops = <cnp.PyUFuncGenericFunction *>malloc(DTYPES * sizeof(void *))
    cdef void **data = <void **>malloc(DTYPES * sizeof(void *))
    cdef char *types = <char *>malloc(DTYPES * MAX_ARRAYS)
    cdef int arrays = f32.inputs + f32.outputs, k
    if loops == NULL or data == NULL or types == NULL:
        raise MemoryError
    data[0], data[1] = <void *>f32, <void *>f64
    for k in range(DTYPES):
        loops[k] = <cnp.PyUFuncGenericFunction>numact_ufunc_loop
    for k in range(arrays):
        types[k], types[arrays + k] = cnp.NPY_FLOAT, cnp.NPY_DOUBLE
    name_bytes, doc_bytes = name.encode(), doc.encode()
    _kept.extend((name_bytes, doc_bytes))
    return cnp.PyUFunc_FromFuncAndData(
        loops, data, types, DTYPES, f32.inputs, f32.outputs, cnp.PyUFunc_None, name_bytes, doc_bytes, 0
    )


def build(str level_name):
    """The ufuncs of one level by name: parameters are their last operands.

    Parameters
    ----------
    level_name : str
        One of `levels()`.

    Returns
    -------
    dict of str to numpy.ufunc

    Raises
    ------
    ValueError
        For a level that this build or this processor has not.
    """
    cdef const numact_level *level = find_level(level_name)
    cdef const numact_activation *f32 = level.f32
    cdef const numact_activation *f64 = level.f64
    cdef int kind
    ufuncs = {}
    while f32.name != NULL:
        activation = describe(f32)
        for kind, suffix in enumerate(SUFFIXES):
            if f32.kernels[kind].loop != NULL:
                name = activation.name + suffix
                ufuncs[name] = make_ufunc(
                    &f32.kernels[kind], &f64.kernels[kind], name, document(activation, suffix)
                )
        f32 += 1
        f64 += 1
    return ufuncs


include "_axis_ufuncs.pxi"
