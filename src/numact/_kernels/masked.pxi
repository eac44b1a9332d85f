# Calls of the loops with a bit for each element, and random bits.  No function is named here.

cimport cython
from cpython.bytes cimport PyBytes_AS_STRING, PyBytes_FromStringAndSize
from cpython.pycapsule cimport PyCapsule_GetPointer

cdef extern from "numact.h":
    ctypedef cnp.npy_uint64 numact_next(void *) noexcept nogil
    void numact_run_masked(
        numact_masked_half_loop *half_loop, numact_masked_loop *loop, ptrdiff_t width, const void *x,
        cnp.npy_uint8 *bits, void *out, ptrdiff_t n, const void *values
    ) noexcept nogil
    void numact_random_bits(
        cnp.npy_uint8 *bits, ptrdiff_t n, cnp.npy_uint64 threshold, numact_next *next, void *state
    ) noexcept nogil

cdef extern from "numpy/random/bitgen.h":
    struct bitgen:
        void *state
        numact_next *next_uint64

cdef enum:
    MAX_VALUES = 4


@cython.no_gc
cdef class Bits:
    """The contents of a mask: packed bits, and the shape of the array that they belong to.

    Neither can refer to the mask, so that the garbage collector need not track it (no_gc).  Bytes are allocated faster
    than an array.
    """

    cdef readonly bytes packed
    cdef readonly tuple shape

    def __init__(self, bytes packed not None, tuple shape not None):
        self.packed, self.shape = packed, shape


cpdef bint is_simple(object given, object out):
    """Whether a loop can take both as they are, or a new array if out is None.

    They must be C-contiguous arrays of the same shape and of one of the dtypes of kernels, and the same memory or
    disjoint.
    """
    cdef cnp.ndarray x, y
    cdef char *x_data
    cdef char *y_data
    if not cnp.PyArray_CheckExact(given):
        return False
    x = given
    if storage_of(cnp.PyArray_TYPE(x)) < 0 or not cnp.PyArray_ISCARRAY_RO(x):
        return False
    if out is None:
        return cnp.PyArray_NDIM(x) > 0
    if not cnp.PyArray_CheckExact(out):
        return False
    y = out
    if cnp.PyArray_TYPE(y) != cnp.PyArray_TYPE(x) or not cnp.PyArray_ISCARRAY(y) or not cnp.PyArray_SAMESHAPE(x, y):
        return False
    x_data, y_data = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(y)
    return x_data == y_data or x_data + cnp.PyArray_NBYTES(x) <= y_data or y_data + cnp.PyArray_NBYTES(y) <= x_data


cdef cnp.npy_uint8 *bits_of(Bits mask) noexcept:
    """The bits.  New bytes may be written as long as nothing else refers to them."""
    return <cnp.npy_uint8 *>PyBytes_AS_STRING(mask.packed)


cdef Bits new_mask(cnp.ndarray x, kind):
    """A mask of an array, not yet written."""
    cdef Bits mask = Bits.__new__(kind)
    mask.packed = PyBytes_FromStringAndSize(NULL, (cnp.PyArray_SIZE(x) + 7) >> 3)
    mask.shape = (<object>x).shape
    return mask


cdef object out_or_new(cnp.ndarray x, out):
    """The array for a result: `out`, or a new one in C order, of the shape and dtype of x."""
    cdef cnp.PyArray_Descr *dtype = cnp.PyArray_DESCR(x)
    if out is not None:
        return out
    Py_INCREF(<cnp.dtype>dtype)
    return PyArray_NewFromDescr(
        <CallableType *>cnp.ndarray, dtype, cnp.PyArray_NDIM(x), cnp.PyArray_DIMS(x), NULL, NULL, 0, NULL
    )


cdef int draw(cnp.npy_uint8 *bits, ptrdiff_t count, cnp.npy_uint64 threshold, generator) except -1:
    """Fill bytes with random bits, under the lock of the generator."""
    cdef bitgen *source = <bitgen *>PyCapsule_GetPointer(generator.capsule, "BitGenerator")
    with generator.lock:
        with nogil:
            numact_random_bits(bits, count, threshold, source.next_uint64, source.state)
    return 0


cdef class MaskedFunction:
    """The loops of one function, for arrays that are C-contiguous, aligned and of one dtype, and of the same length."""

    cdef const numact_level *level
    cdef numact_masked_loop *f32
    cdef numact_masked_loop *f64

    cdef compute(self, x, out, tuple values, kind):
        """Compute the result and a mask of the type `kind`, a kind of `Bits`; None where the arrays are not simple."""
        cdef Bits mask
        if not is_simple(x, out):
            return None
        mask = new_mask(x, kind)
        out = out_or_new(x, out)
        self.run(x, bits_of(mask), out, values)
        return out, mask

    def random(self, x, out, tuple values, kind, cnp.npy_uint64 threshold, generator):
        """The same for the function of a mask, of random bits as `random_bits` makes them."""
        cdef Bits mask
        if not is_simple(x, out):
            return None
        mask = new_mask(x, kind)
        out = out_or_new(x, out)
        draw(bits_of(mask), cnp.PyArray_SIZE(x), threshold, generator)
        self.run(x, bits_of(mask), out, values)
        return out, mask

    def gradient(self, dy, out, tuple values, Bits mask):
        """Compute the result from a mask; None where the arrays are not simple, or the mask has another shape."""
        if not is_simple(dy, out) or dy.shape != mask.shape:
            return None
        out = out_or_new(dy, out)
        self.run(dy, bits_of(mask), out, values)
        return out

    def __call__(self, cnp.ndarray x, cnp.ndarray bits, cnp.ndarray out, tuple values):
        """Compute; the values are parameters or factors, float32 beside arrays of 16 bits."""
        self.run(x, <cnp.npy_uint8 *>cnp.PyArray_DATA(bits), out, values)

    cdef int run(self, cnp.ndarray x, cnp.npy_uint8 *bits, cnp.ndarray out, tuple values) except -1:
        cdef float f32_values[MAX_VALUES]
        cdef double f64_values[MAX_VALUES]
        cdef numact_masked_half_loop *half = NULL
        cdef numact_masked_loop *loop = self.f32
        cdef void *given = f32_values
        cdef void *x_data = cnp.PyArray_DATA(x)
        cdef void *out_data = cnp.PyArray_DATA(out)
        cdef ptrdiff_t n = cnp.PyArray_SIZE(x), width = cnp.PyArray_ITEMSIZE(x)
        cdef int number = cnp.PyArray_TYPE(x), k
        for k, value in enumerate(values):
            f64_values[k] = value
            f32_values[k] = <float>f64_values[k]
        if number == cnp.NPY_DOUBLE:
            loop, given = self.f64, f64_values
        elif number == cnp.NPY_FLOAT16:
            half = self.level.masked_f16
        elif number != cnp.NPY_FLOAT:
            half = self.level.masked_bf16
        with nogil:
            numact_run_masked(half, loop, width, x_data, bits, out_data, n, given)


cdef class MaskedCall:
    """The vectorcall of NAME_masked: a fast path, and the method `_compute` of the derived class for other calls.

    The fast path takes one array, parameters that are floats, and ``out=``.

    Parameters
    ----------
    functions : dict of str to MaskedFunction
        All functions of a level.
    name : str
        The one to call.
    defaults : dict of str to (float or None)
        Its parameters; None if there is no default.
    conditions : list of (int, callable, int or None, float)
        Conditions on the parameters, as those of a `ParametricCall`.
    kind : type
        The class of the masks, derived from `Bits`.
    """

    cdef vectorcallfunc vectorcall
    cdef dict functions
    cdef str name
    cdef tuple names
    cdef tuple defaults
    cdef list conditions
    cdef object kind

    def __init__(self, dict functions, str name, dict defaults, list conditions, kind):
        self.functions, self.name, self.conditions, self.kind = functions, name, conditions, kind
        self.names, self.defaults = tuple(defaults), tuple(defaults.values())
        self.vectorcall = call_masked

    def __call__(self, *given, **keywords):
        return self._compute(*given, **keywords)

    cdef tuple values(self, PyObject *const *given, Py_ssize_t count, tuple keywords, list out):
        """The values of the parameters, and out; None for a call that is not for the fast path."""
        cdef Py_ssize_t k
        cdef int index
        if not 1 <= count <= 1 + len(self.names):
            return None
        if count == 1 and not keywords and None not in self.defaults:
            return self.defaults
        found = list(self.defaults)
        for k in range(1, count):
            found[k - 1] = <object>given[k]
        for k in range(len(keywords)):
            index = find(self.names, <PyObject *>keywords[k])
            if index >= count - 1:
                found[index] = <object>given[count + k]
            elif index < 0 and keywords[k] == "out":
                out.append(<object>given[count + k])
            else:
                return None
        for value in found:
            if type(value) is not float:
                return None
        for left, compare, right, bound in self.conditions:
            if not compare(found[left], bound if right is None else found[right]):
                return None
        return tuple(found)


cdef object call_masked(object function, PyObject *const *given, size_t flags, PyObject *names):
    cdef MaskedCall self = function
    cdef tuple keywords = <tuple>names if names else ()
    cdef Py_ssize_t count = PyVectorcall_NARGS(flags), k
    cdef MaskedFunction loops
    cdef list out = []
    cdef tuple values = self.values(given, count, keywords, out)
    if values is not None:
        loops = self.functions[self.name]
        found = loops.compute(<object>given[0], out[0] if out else None, values, self.kind)
        if found is not None:
            return found
    return self._compute(
        *as_tuple(given, <int>count), **{keywords[k]: <object>given[count + k] for k in range(len(keywords))}
    )


cdef MaskedCall _masked_sample = MaskedCall.__new__(MaskedCall)
(<CallableType *>MaskedCall).tp_vectorcall_offset = (
    <char *>&_masked_sample.vectorcall - <char *><PyObject *>_masked_sample
)
called_by_vector(MaskedCall)


def build_masked(str level_name):
    """Make the functions of a level that write or read a bit for each element.

    Parameters
    ----------
    level_name : str
        One of `levels()`.

    Returns
    -------
    dict of str to callable

    Raises
    ------
    ValueError
        For a name that is not in `levels()`.
    """
    cdef const numact_level *level = find_level(level_name)
    cdef const numact_masked_function *f32 = level.masked_f32
    cdef const numact_masked_function *f64 = level.masked_f64
    cdef MaskedFunction function
    functions = {}
    while f32.name != NULL:
        function = MaskedFunction()
        function.level, function.f32, function.f64 = level, f32.loop, f64.loop
        functions[f32.name.decode()] = function
        f32 += 1
        f64 += 1
    return functions


def random_bits(cnp.ndarray bits, ptrdiff_t count, cnp.npy_uint64 threshold, generator):
    """Fill an array of bytes with random bits, each set with the probability threshold / 2^32.

    Parameters
    ----------
    bits : ndarray of uint8
        Contiguous; bits after the last one become 0.
    count : int
        Number of bits.
    threshold : int
        From 0 to 2^32.
    generator : numpy.random.BitGenerator
        The generator of the words, which are drawn under its lock.
    """
    draw(<cnp.npy_uint8 *>cnp.PyArray_DATA(bits), count, threshold, generator)
