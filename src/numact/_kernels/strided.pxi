# Calls of the elementwise ufuncs on arrays that are not contiguous, or not all in the same layout: csrc/runtime/strided.c
# computes them, in threads and without NumPy's iterator, which would go through them row by row.

from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from libc.string cimport memset

cdef extern from "<fenv.h>":
    int FE_OVERFLOW
    int feclearexcept(int) nogil
    int fetestexcept(int) nogil

cdef extern from "numact.h":
    struct numact_strided:
        const numact_kernel *kernel
        numact_half_loop *half_loop
        numact_add *add
        int terms
        int *term_of
        int dimensions
        ptrdiff_t *shape
        char **arrays
        ptrdiff_t[64] *strides
    void numact_strided_sort(numact_strided *call, int count, int *order) noexcept nogil
    bint numact_strided_independent(const numact_strided *call) noexcept nogil
    bint numact_strided_run(numact_strided *call) noexcept nogil
    enum:
        NUMACT_MAX_DIMENSIONS

cdef extern from "numpy/ufuncobject.h":
    ctypedef struct UfuncLoops "PyUFuncObject":
        void **data
        const char *name
    int PyUFunc_GiveFloatingpointErrors(const char *name, int errors) except -1
    int NPY_FPE_OVERFLOW

cdef extern from "numpy/arrayobject.h":
    object PyArray_NewFromDescr(
        CallableType *cls, cnp.PyArray_Descr *dtype, int ndim, cnp.npy_intp *shape, cnp.npy_intp *strides, void *data,
        int flags, PyObject *like
    )

cdef enum:
    LEAST_STRIDED = 1024  # elements; with fewer the iterator costs as little

# The result of a function that has not computed one: somebody else has to.
cdef object NOT_TAKEN = object()


cdef bint same_dtype(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether two arrays have the same dtype in native byte order, whatever object it is."""
    return (
        cnp.PyArray_TYPE(a) == cnp.PyArray_TYPE(b)
        and cnp.PyArray_ISNOTSWAPPED(a)
        and cnp.PyArray_ISNOTSWAPPED(b)
    )


cdef bint same_layout(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether two arrays have one shape and are contiguous in the same order."""
    cdef int both = cnp.PyArray_FLAGS(a) & cnp.PyArray_FLAGS(b)
    return cnp.PyArray_SAMESHAPE(a, b) and both & (cnp.NPY_ARRAY_C_CONTIGUOUS | cnp.NPY_ARRAY_F_CONTIGUOUS) != 0


cdef bint add_operand(numact_strided *call, int k, cnp.ndarray array) noexcept:
    """Make an array operand k; its shape extends that of the call.  False if they do not broadcast."""
    cdef int ndim = cnp.PyArray_NDIM(array), d, at
    cdef cnp.npy_intp length
    call.arrays[k] = cnp.PyArray_BYTES(array)
    for d in range(ndim):
        at = call.dimensions - ndim + d
        length = cnp.PyArray_DIM(array, d)
        call.strides[k][at] = 0 if length == 1 else cnp.PyArray_STRIDE(array, d)
        if length == 1 or length == call.shape[at]:
            continue
        if call.shape[at] != 1:
            return False
        call.shape[at] = length
    return True


cdef object new_result(const numact_strided *call, const int *order, cnp.PyArray_Descr *dtype):
    """A new array in the order of the sorted dimensions."""
    cdef cnp.npy_intp shape[NUMACT_MAX_DIMENSIONS]
    cdef cnp.npy_intp strides[NUMACT_MAX_DIMENSIONS]
    cdef cnp.npy_intp step = (<cnp.dtype>dtype).itemsize
    cdef int d
    for d in range(call.dimensions - 1, -1, -1):
        shape[order[d]] = call.shape[d]
        strides[order[d]] = step
        step *= call.shape[d]
    Py_INCREF(<cnp.dtype>dtype)
    return PyArray_NewFromDescr(
        <CallableType *>cnp.ndarray, dtype, call.dimensions, shape, strides, NULL, 0, NULL
    )


cdef int run_strided(numact_strided *call, const char *name) except -1:
    """Compute, and warn of an overflow as NumPy does.  0 if the layout is not one for strided.c."""
    cdef bint taken, overflowed = False
    with nogil:
        if call.kernel.overflows:
            feclearexcept(FE_OVERFLOW)
        taken = numact_strided_run(call)
        if call.kernel.overflows:
            overflowed = fetestexcept(FE_OVERFLOW) != 0
    if overflowed:
        feclearexcept(FE_OVERFLOW)
        PyUFunc_GiveFloatingpointErrors(name, NPY_FPE_OVERFLOW)
    return taken


cdef void set_output_strides(numact_strided *call, int k, cnp.ndarray array, const int *order) noexcept:
    """Make an array of the call's shape the output k, in the order of the sorted dimensions."""
    cdef int d
    call.arrays[k] = cnp.PyArray_BYTES(array)
    for d in range(call.dimensions):
        call.strides[k][d] = 0 if call.shape[d] == 1 else cnp.PyArray_STRIDE(array, order[d])


cdef object call_strided(object ufunc, PyObject *const *given, size_t flags, PyObject *names):
    """The result of a call with arrays in different layouts; NOT_TAKEN where NumPy computes as fast, or the call is not
    a plain one: arrays of one dtype, parameters that are single values, and no keyword but ``out=``."""
    cdef UfuncLoops *loops = <UfuncLoops *><PyObject *>ufunc
    cdef const numact_half_kernel *halves = <const numact_half_kernel *>loops.data[0]
    cdef numact_strided call
    cdef PyObject *outputs[NUMACT_MAX_ARRAYS]
    cdef int order[NUMACT_MAX_DIMENSIONS]
    cdef const numact_kernel *kernel = halves.f32
    cdef Py_ssize_t count = PyVectorcall_NARGS(flags)
    cdef int inputs = kernel.inputs, results = kernel.outputs, arrays = kernel.arrays, number, wanted, k, d
    cdef cnp.ndarray first, array
    cdef cnp.PyArray_Descr *dtype
    cdef bint contiguous = True
    cdef ptrdiff_t size = 1

    # What is most often the case is found out first: few elements, or contiguous arrays.
    if count < inputs or not cnp.PyArray_CheckExact(<object>given[0]):
        return NOT_TAKEN
    for k in range(results):
        outputs[k] = NULL
    if names != NULL and len(<tuple>names):
        if len(<tuple>names) != 1 or (<tuple>names)[0] != "out" or count != inputs:
            return NOT_TAKEN
        if results == 1:
            outputs[0] = given[count]
        elif type(<object>given[count]) is tuple and len(<tuple>given[count]) == results:
            for k in range(results):
                outputs[k] = <PyObject *>(<tuple>given[count])[k]
        else:
            return NOT_TAKEN
    elif count == inputs + results:
        for k in range(results):
            outputs[k] = given[inputs + k]
    elif count != inputs:
        return NOT_TAKEN
    first = <cnp.ndarray>given[0]
    number = cnp.PyArray_TYPE(first)
    call.dimensions = 0
    for k in range(inputs):
        if not cnp.PyArray_CheckExact(<object>given[k]):
            return NOT_TAKEN
        array = <cnp.ndarray>given[k]
        if k >= arrays:
            if cnp.PyArray_NDIM(array) or not cnp.PyArray_ISBEHAVED_RO(array):
                return NOT_TAKEN
            wanted = cnp.NPY_DOUBLE if number == cnp.NPY_DOUBLE else cnp.NPY_FLOAT
            if cnp.PyArray_TYPE(array) != wanted:
                return NOT_TAKEN
            continue
        if cnp.PyArray_NDIM(array) > call.dimensions:
            call.dimensions = cnp.PyArray_NDIM(array)
            if cnp.PyArray_NDIM(first) == 0:
                first = array
        if cnp.PyArray_NDIM(array):
            contiguous &= same_layout(first, array)
    for k in range(results):
        if outputs[k] == <PyObject *>None:
            outputs[k] = NULL
        if outputs[k] != NULL:
            if not cnp.PyArray_CheckExact(<object>outputs[k]):
                return NOT_TAKEN
            contiguous &= same_layout(first, <cnp.ndarray>outputs[k])
    if contiguous or call.dimensions == 0:
        return NOT_TAKEN

    if number == cnp.NPY_FLOAT:
        call.half_loop = NULL
    elif number == cnp.NPY_DOUBLE:
        kernel = <const numact_kernel *>loops.data[2]
        call.half_loop = NULL
    elif number == cnp.NPY_FLOAT16:
        call.half_loop = halves[0].loop
    elif number == _bfloat16:
        call.half_loop = halves[1].loop
    else:
        return NOT_TAKEN
    call.kernel, call.terms = kernel, 0
    dtype = cnp.PyArray_DESCR(first)
    for d in range(call.dimensions):
        call.shape[d] = 1
    memset(&call.strides[0], 0, (inputs + results) * sizeof(call.strides[0]))
    for k in range(inputs):
        array = <cnp.ndarray>given[k]
        if not add_operand(&call, k, array) or not cnp.PyArray_ISALIGNED(array):
            return NOT_TAKEN
        if k < arrays and not same_dtype(array, first):
            return NOT_TAKEN
    for d in range(call.dimensions):
        size *= call.shape[d]
    if size < LEAST_STRIDED:
        return NOT_TAKEN
    for k in range(results):
        if outputs[k] == NULL:
            continue
        array = <cnp.ndarray>outputs[k]
        if not same_dtype(array, first) or not cnp.PyArray_ISBEHAVED(array):
            return NOT_TAKEN
        if cnp.PyArray_NDIM(array) != call.dimensions:
            return NOT_TAKEN
        for d in range(call.dimensions):
            if cnp.PyArray_DIM(array, d) != call.shape[d]:
                return NOT_TAKEN
            call.strides[inputs + k][d] = 0 if call.shape[d] == 1 else cnp.PyArray_STRIDE(array, d)
    numact_strided_sort(&call, inputs + results, order)
    found = []
    for k in range(results):
        array = new_result(&call, order, dtype) if outputs[k] == NULL else <cnp.ndarray>outputs[k]
        set_output_strides(&call, inputs + k, array, order)
        found.append(array)
    if not numact_strided_independent(&call) or not run_strided(&call, loops.name):
        return NOT_TAKEN
    return found[0] if results == 1 else tuple(found)
