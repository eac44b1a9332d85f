# cython: language_level=3, freethreading_compatible=True
"""The bridge: makes NumPy ufuncs of the tables of csrc and calls its loops.

No activation is named here; the lists are in csrc/formulas.  A level is a dispatch target: "baseline", "v3" or "v4".
"""

import os
import warnings

import numpy

from numact._kernels.locks import lock_across_forks
from numact._kernels.messages import shown

from cpython.exc cimport PyErr_SetNone
from cpython.unicode cimport PyUnicode_AsUTF8
from libc.string cimport strcmp

cimport numpy as cnp

cnp.import_array()
cnp.import_ufunc()

cdef extern from "numact.h":
    struct numact_kernel:
        void *loop
        int inputs
        int outputs
        bint overflows
        int arrays
    ctypedef void numact_add(void *, const void *, const void *, ptrdiff_t, bint) noexcept nogil
    ctypedef void numact_half_loop(const numact_kernel *, char **, ptrdiff_t, const ptrdiff_t *)
    struct numact_half_kernel:
        const numact_kernel *f32
        numact_half_loop *loop
    struct numact_activation:
        const char *name
        const char *family
        const char *arguments
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
        double ulp
        const char *parameters
        const char *domain
        const char *formula
        const char *range
    ctypedef void numact_masked_loop(const void *, cnp.npy_uint8 *, void *, ptrdiff_t, const void *)
    ctypedef void numact_masked_half_loop(
        numact_masked_loop *, const void *, cnp.npy_uint8 *, void *, ptrdiff_t, const void *
    )
    struct numact_masked_function:
        const char *name
        numact_masked_loop *loop
    struct numact_norm_task:
        const char *name
    ctypedef void numact_observe_loop()
    struct numact_conversions:
        pass
    void numact_widen(const numact_conversions *, const void *, float *, ptrdiff_t) noexcept nogil
    void numact_narrow(const numact_conversions *, const float *, void *, ptrdiff_t) noexcept nogil
    struct numact_bias_loops:
        numact_add *add
    struct numact_level:
        const char *name
        bint supported
        const numact_activation *f32
        const numact_activation *f64
        numact_half_loop *f16
        numact_half_loop *bf16
        const numact_axis_function *axis_f32
        const numact_axis_function *axis_f64
        const numact_masked_function *masked_f32
        const numact_masked_function *masked_f64
        numact_masked_half_loop *masked_f16
        numact_masked_half_loop *masked_bf16
        const numact_norm_task *norm_f32
        const numact_norm_task *norm_f64
        numact_observe_loop *observe_f16
        numact_observe_loop *observe_bf16
        numact_observe_loop *observe_f32
        numact_observe_loop *observe_f64
        const numact_bias_loops *bias_f16
        const numact_bias_loops *bias_bf16
        const numact_bias_loops *bias_f32
        const numact_bias_loops *bias_f64
        const numact_conversions *conversions_f16
        const numact_conversions *conversions_bf16
    const numact_level *numact_levels()
    void numact_ufunc_loop(char **arrays, const cnp.npy_intp *dimensions, const cnp.npy_intp *strides, void *data)
    void numact_half_ufunc_loop(char **arrays, const cnp.npy_intp *dimensions, const cnp.npy_intp *strides, void *data)
    const char *numact_compiler
    enum:
        NUMACT_MAX_ARRAYS

cdef extern from "runtime/thread_pool.h":
    bint numact_pool_survive_forks()
    int numact_get_num_threads()
    void numact_set_num_threads(int count)
    void numact_force_workers(bint forced)
    enum:
        NUMACT_MAX_THREADS

cdef enum:
    DTYPES = 3

if not numact_pool_survive_forks():
    raise MemoryError

cdef const numact_level *LEVELS = numact_levels()


cdef const numact_level *find_level(str name) except NULL:
    cdef const numact_level *level = LEVELS
    cdef const char *wanted = PyUnicode_AsUTF8(name)
    while level.name != NULL:
        if level.supported and strcmp(level.name, wanted) == 0:
            return level
        level += 1
    raise ValueError(f"level must be one of {', '.join(levels())}; got {name!r}")


def levels():
    """Names of the dispatch targets that this processor supports, lowest first."""
    cdef const numact_level *level = LEVELS
    found = []
    while level.name != NULL:
        if level.supported:
            found.append(level.name.decode())
        level += 1
    return found


def level():
    """Name of the dispatch target to use: the highest, or the one that NUMACT_LEVEL forces."""
    available = levels()
    wanted = os.environ.get("NUMACT_LEVEL", "")
    if not wanted or wanted in available:
        return wanted or available[-1]
    warnings.warn(
        f"NUMACT_LEVEL must be one of {', '.join(available)} on this processor; "
        f"got {shown(wanted)}, using {available[-1]}",
        RuntimeWarning,
        stacklevel=2,
    )
    return available[-1]


def compiler():
    """Name and version of the C compiler that built the kernels."""
    return numact_compiler.decode()


cdef bint is_masked(str name):
    """Whether there is NAME_masked, which also returns a bit mask."""
    cdef const numact_masked_function *function = LEVELS.masked_f32
    while function.name != NULL and function.name.decode() != f"{name}_masked":
        function += 1
    return function.name != NULL


# Suffix of a ufunc's name, in the order of enum numact_kind.
SUFFIXES = ("", "_grad", "_grad_y", "_grad_at_zero")


def outline():
    """What `import numact` needs of the tables, without the rest of the rows.

    Returns
    -------
    list of (str, str, list of str, bool)
        Name, family, suffixes of the ufuncs, and whether there is NAME_masked, in the order of the tables.
    """
    cdef const numact_activation *row = LEVELS.f32
    cdef int kind
    found = []
    while row.name != NULL:
        suffixes = [suffix for kind, suffix in enumerate(SUFFIXES) if row.kernels[kind].loop != NULL]
        found.append((row.name.decode(), row.family.decode(), suffixes, is_masked(row.name.decode())))
        row += 1
    return found


cdef str text(const char *characters):
    """The text of a field; empty where the row omits it."""
    return characters.decode() if characters != NULL else ""


cdef dict describe(const numact_activation *row):
    return {
        "name": text(row.name),
        "family": text(row.family),
        "arguments": text(row.arguments),
        "parameters": text(row.parameters),
        "domain": text(row.domain),
        "from_output": row.kernels[2].loop != NULL,
        "kink": row.kernels[3].loop != NULL,
        "masked": is_masked(text(row.name)),
        "overflows": row.kernels[0].overflows,
        "ulp": row.ulp,
        "ulp_gradient": row.ulp_gradient,
        "formula": text(row.formula),
        "derivative": text(row.derivative),
        "range": text(row.range),
        "kinks": text(row.kinks),
        "aliases": text(row.aliases),
        "notes": text(row.notes),
    }


def rows():
    """The rows of all lists, in their order.

    Returns
    -------
    list of dict
        The fields of a row by name; several names in one field are separated by commas.
    """
    cdef const numact_activation *row = LEVELS.f32
    found = []
    while row.name != NULL:
        found.append(describe(row))
        row += 1
    return found + describe_axis()


def row(str name):
    """The row of an elementwise or gated activation.

    Parameters
    ----------
    name : str
        Its name.

    Returns
    -------
    dict

    Raises
    ------
    KeyError
        If there is none of this name.
    """
    cdef const numact_activation *found = LEVELS.f32
    while found.name != NULL:
        if found.name.decode() == name:
            return describe(found)
        found += 1
    raise KeyError(name)


cdef bint is_parameter(const numact_kernel *kernel, int k):
    """Whether an operand is a parameter, which is float32 beside arrays of 16 bits."""
    return kernel.arrays <= k < kernel.inputs


cdef class Tables:
    """What a ufunc points to: it lives as long as the ufunc."""

    cdef cnp.PyUFuncGenericFunction loops[DTYPES]
    cdef void *data[DTYPES]
    cdef char types[DTYPES][NUMACT_MAX_ARRAYS]
    cdef bytes name, document

    cdef void belong_to(self, object ufunc) noexcept:
        """Let the ufunc refer to this."""
        Py_INCREF(self)
        (<UfuncFields *><PyObject *>ufunc).obj = <PyObject *>self


cdef class HalfLoops(Tables):
    """What a ufunc points to, with the data of its loops for types of 16 bits."""

    cdef numact_half_kernel halves[2]  # float16, bfloat16


cdef HalfLoops loops_of(object ufunc):
    """The loops of a ufunc that `make_ufunc` has made."""
    return <HalfLoops>(<UfuncFields *><PyObject *>ufunc).obj


cdef int add_bfloat16(object ufunc, int type_number) except -1:
    """Add the loop for bfloat16, whose type number NumPy assigned when ml_dtypes was imported."""
    cdef HalfLoops loops = loops_of(ufunc)
    cdef int types[NUMACT_MAX_ARRAYS]
    cdef int k
    for k in range(NUMACT_MAX_ARRAYS):
        types[k] = cnp.NPY_FLOAT if is_parameter(loops.halves[1].f32, k) else type_number
    return cnp.PyUFunc_RegisterLoopForType(
        ufunc, type_number, <cnp.PyUFuncGenericFunction>numact_half_ufunc_loop, types, &loops.halves[1]
    )


# Whichever comes first, ufuncs or bfloat16: under the lock the later one finds the other.
cdef object _lock = lock_across_forks()
cdef list _ufuncs = []   # all that have been built
cdef int _bfloat16 = -1  # the type number of bfloat16, once it is registered


def register_bfloat16(dtype):
    """Give every ufunc, also those built later, a loop for bfloat16.

    Parameters
    ----------
    dtype : numpy.dtype
        The dtype of bfloat16, which ml_dtypes defines.

    Raises
    ------
    TypeError
        If dtype is one of NumPy's own.
    """
    global _bfloat16
    cdef int type_number = dtype.num
    if dtype.isbuiltin != 2:
        raise TypeError(f"register_bfloat16: dtype must be one that was added to NumPy, got {dtype!r}")
    with _lock:
        for ufunc in _ufuncs:
            add_bfloat16(ufunc, type_number)
        _bfloat16 = type_number


def dtypes():
    """Names of the dtypes of the ufuncs, bfloat16 last if it is registered."""
    return ["float16", "float32", "float64"] + (["bfloat16"] if _bfloat16 >= 0 else [])


cdef object make_ufunc(
    const numact_level *level, const numact_kernel *f32, const numact_kernel *f64, str name, str document
):
    """A ufunc, which does not know bfloat16 yet."""
    cdef HalfLoops made = HalfLoops()
    cdef char *types = &made.types[0][0]
    cdef int arrays = f32.inputs + f32.outputs, k
    made.halves[0].f32 = made.halves[1].f32 = f32
    made.halves[0].loop, made.halves[1].loop = level.f16, level.bf16
    made.data[0], made.data[1], made.data[2] = made.halves, <void *>f32, <void *>f64
    made.loops[0] = <cnp.PyUFuncGenericFunction>numact_half_ufunc_loop
    made.loops[1] = made.loops[2] = <cnp.PyUFuncGenericFunction>numact_ufunc_loop
    for k in range(arrays):
        types[k] = cnp.NPY_FLOAT if is_parameter(f32, k) else cnp.NPY_FLOAT16
        types[arrays + k], types[2 * arrays + k] = cnp.NPY_FLOAT, cnp.NPY_DOUBLE
    made.name, made.document = name.encode(), document.encode()
    ufunc = cnp.PyUFunc_FromFuncAndData(
        made.loops, made.data, types, DTYPES, f32.inputs, f32.outputs, cnp.PyUFunc_None, made.name, made.document, 0
    )
    made.belong_to(ufunc)
    explain_calls(ufunc)
    return ufunc


cdef int set_document(object ufunc, str document) except -1:
    """Let a ufunc have another docstring, which NumPy reads where this points."""
    cdef bytes text = document.encode()
    (<UfuncFields *><PyObject *>ufunc).doc = text
    loops_of(ufunc).document = text
    return 0


def build(str level_name, names=None, document=None):
    """Make the ufuncs of a level; parameters are their last operands.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    names : collection of str, optional
        The functions to make; all by default.
    document : callable, optional
        Makes the docstring from a row, as `row` gives it, the suffix of the function, and the function itself, which its
        example calls; by default it is the formula.

    Returns
    -------
    dict of str to numpy.ufunc

    Raises
    ------
    ValueError
        For a name that is not in `levels()`.
    """
    cdef const numact_level *level = find_level(level_name)
    cdef const numact_activation *f32 = level.f32
    cdef const numact_activation *f64 = level.f64
    cdef int kind
    ufuncs = {}
    while f32.name != NULL:
        for kind, suffix in enumerate(SUFFIXES):
            name = f32.name.decode() + suffix
            if f32.kernels[kind].loop != NULL and (names is None or name in names):
                ufunc = make_ufunc(level, &f32.kernels[kind], &f64.kernels[kind], name, text(f32.formula))
                if document is not None:
                    set_document(ufunc, document(describe(f32), suffix, ufunc))
                ufuncs[name] = ufunc
        f32 += 1
        f64 += 1
    with _lock:
        if _bfloat16 >= 0:
            for ufunc in ufuncs.values():
                add_bfloat16(ufunc, _bfloat16)
        _ufuncs.extend(list(ufuncs.values()))  # all or, without memory, none: as one list
    return ufuncs


cdef const numact_conversions *conversions_of(const numact_level *level, int number) noexcept:
    return level.conversions_f16 if number == cnp.NPY_FLOAT16 else level.conversions_bf16


def widened(str level_name, cnp.ndarray array):
    """A contiguous array of float16 or bfloat16 as float32; NumPy's conversion of subnormal numbers is slow."""
    cdef const numact_conversions *conversions = conversions_of(find_level(level_name), cnp.PyArray_TYPE(array))
    cdef cnp.ndarray result = cnp.PyArray_EMPTY(
        cnp.PyArray_NDIM(array), cnp.PyArray_DIMS(array), cnp.NPY_FLOAT, 0
    )
    cdef ptrdiff_t n = cnp.PyArray_SIZE(array)
    with nogil:
        numact_widen(conversions, cnp.PyArray_DATA(array), <float *>cnp.PyArray_DATA(result), n)
    return result


def narrowed(str level_name, cnp.ndarray array, dtype):
    """A contiguous array of float32 as float16 or bfloat16, rounded once, without warnings."""
    cdef int number = dtype.num
    cdef const numact_conversions *conversions = conversions_of(find_level(level_name), number)
    cdef cnp.ndarray result = cnp.PyArray_EMPTY(cnp.PyArray_NDIM(array), cnp.PyArray_DIMS(array), number, 0)
    cdef ptrdiff_t n = cnp.PyArray_SIZE(array)
    with nogil:
        numact_narrow(conversions, <const float *>cnp.PyArray_DATA(array), cnp.PyArray_DATA(result), n)
    return result


MAX_THREADS = NUMACT_MAX_THREADS


def get_num_threads():
    """The number of threads that compute."""
    return numact_get_num_threads()


def set_num_threads(int count):
    """Set the number of threads that compute, from 1 to MAX_THREADS; it is not checked."""
    numact_set_num_threads(count)


def force_workers(bint forced):
    """For tests: whether all work of two grains or more is split, and the caller computes the first grain only."""
    numact_force_workers(forced)


include "call.pxi"
include "strided.pxi"
include "keywords.pxi"
include "axis.pxi"
include "axis_call.pxi"
include "masked.pxi"
include "norm.pxi"
include "bias.pxi"
include "statistics.pxi"
include "memory.pxi"
include "api.pxi"
