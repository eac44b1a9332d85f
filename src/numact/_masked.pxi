# Loops with a bit for each element, and random bits.  No function is named here.

from cpython.pycapsule cimport PyCapsule_GetPointer

cdef extern from "numact.h":
    ctypedef cnp.npy_uint64 numact_next(void *) noexcept nogil
    void numact_run_masked(
        numact_masked_half_loop *half_loop, numact_masked_loop *loop, ptrdiff_t width, const void *x,
        cnp.npy_uint8 *bits, void *out, ptrdiff_t n, const void *values
    ) noexcept nogil
    void numact_draw_bits(
        cnp.npy_uint8 *bits, ptrdiff_t n, cnp.npy_uint64 threshold, numact_next *next, void *state
    ) noexcept nogil

cdef extern from "numpy/random/bitgen.h":
    struct bitgen:
        void *state
        numact_next *next_uint64

cdef enum:
    MAX_VALUES = 4


cdef class MaskedFunction:
    """The loops of one function, for arrays that are C-contiguous, aligned and of one dtype, and of the same length."""

    cdef const numact_level *level
    cdef numact_masked_loop *f32
    cdef numact_masked_loop *f64

    def __call__(self, cnp.ndarray x, cnp.ndarray bits, cnp.ndarray out, tuple values):
        """Compute; the values are parameters, or factors, which the dtype holds."""
        cdef float f32_values[MAX_VALUES]
        cdef double f64_values[MAX_VALUES]
        cdef numact_masked_half_loop *half = NULL
        cdef numact_masked_loop *loop = self.f32
        cdef void *given = f32_values
        cdef void *x_data = cnp.PyArray_DATA(x)
        cdef void *bits_data = cnp.PyArray_DATA(bits)
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
            numact_run_masked(half, loop, width, x_data, <cnp.npy_uint8 *>bits_data, out_data, n, given)


def build_masked(str level_name):
    """The functions of one level that write or read a bit for each element, by name.

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
        For a level that this build or this processor has not.
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


def draw_bits(cnp.ndarray bits, ptrdiff_t count, cnp.npy_uint64 threshold, generator):
    """Fill an array of bytes with random bits, each set with the probability threshold / 2^32.

    Parameters
    ----------
    bits : ndarray of uint8
        Contiguous; those behind the last bit become 0.
    count : int
        Number of bits.
    threshold : int
        From 0 to 2^32.
    generator : numpy.random.BitGenerator
        Its next words are drawn, under its lock.
    """
    cdef bitgen *source = <bitgen *>PyCapsule_GetPointer(generator.capsule, "BitGenerator")
    cdef cnp.npy_uint8 *data = <cnp.npy_uint8 *>cnp.PyArray_DATA(bits)
    with generator.lock:
        with nogil:
            numact_draw_bits(data, count, threshold, source.next_uint64, source.state)
