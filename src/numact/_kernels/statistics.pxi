# Statistics of arrays, alone or fused with the activation that writes them.  No function is named here.

from libc.math cimport NAN
from libc.stdint cimport int64_t, uint64_t

cdef extern from "numact.h":
    enum:
        NUMACT_WORD
    enum numact_wanted:
        NUMACT_ALL
        NUMACT_ZEROS
        NUMACT_SATURATED
        NUMACT_ALIVE
    struct numact_statistics:
        int64_t finite
        int64_t zeros
        int64_t saturated
        int64_t nan
        int64_t infinite
        double origin
        double deviation
        double squares
    struct numact_observation:
        numact_wanted wanted
        double low
        double high
        int dimensions
        ptrdiff_t shape[64]
        ptrdiff_t unit_strides[64]
        ptrdiff_t x_strides[64]
        ptrdiff_t y_strides[64]
        char *x
        char *y
        const char *name
        const numact_kernel *activation
        numact_half_loop *half_loop
        char **parameters
        uint64_t *alive
    int numact_observe(
        numact_observe_loop *loop, const numact_observation *observation, numact_statistics *statistics
    ) noexcept nogil


WANTED = {"all": NUMACT_ALL, "zeros": NUMACT_ZEROS, "saturated": NUMACT_SATURATED, "alive": NUMACT_ALIVE}


def is_observable(given):
    """Whether an observer takes an object as it is: a non-empty array, native and aligned, of one of `dtypes()`."""
    cdef int number
    if not cnp.PyArray_CheckExact(given) or not cnp.PyArray_ISBEHAVED_RO(given) or cnp.PyArray_SIZE(given) == 0:
        return False
    number = cnp.PyArray_TYPE(given)
    return number in (cnp.NPY_FLOAT, cnp.NPY_DOUBLE, cnp.NPY_FLOAT16) or number == _bfloat16


cdef class Observer:
    """Accumulates statistics of arrays, by the kernels of a level.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    low, high : float
        Elements <= low or >= high count as saturated.
    wanted : {"all", "zeros", "saturated", "alive"}
        The statistics to compute.

    Attributes
    ----------
    overflowed : bool
        Whether a finite input of an activation has overflowed.
    """

    cdef const numact_level *level
    cdef numact_statistics statistics
    cdef double low, high
    cdef numact_wanted wanted
    cdef readonly bint overflowed

    def __init__(self, str level_name, double low, double high, str wanted):
        self.level = find_level(level_name)
        self.low, self.high = low, high
        self.wanted = WANTED[wanted]

    def observe(
        self, cnp.ndarray y, tuple kinds, str activation=None, cnp.ndarray x=None, tuple parameters=()
    ):
        """Add the elements of an array that `is_observable`.

        Parameters
        ----------
        y : ndarray
            The array, of at least one dimension and one element.
        kinds : tuple of bool
            For every dimension whether it is one of units; otherwise it is one of samples.
        activation : str, optional
            The activation that writes y from x first.
        x : ndarray, optional
            Its input, of the shape and the dtype of y; it may be y.
        parameters : tuple of ndarray
            Its parameters, 0-d, of the dtype of y.

        Returns
        -------
        ndarray of bool
            Which units are 0 for every sample: of the shape of y, with length 1 in the dimensions of samples.

        Raises
        ------
        MemoryError
            If partial sums cannot be allocated; then nothing is written.
        """
        cdef numact_observation o
        cdef numact_observe_loop *loop
        cdef char *values[NUMACT_MAX_ARRAYS]
        cdef cnp.npy_intp shape[NUMACT_MAX_DIMENSIONS]
        cdef int number = cnp.PyArray_TYPE(y), last = cnp.PyArray_NDIM(y) - 1, k, overflowed
        cdef cnp.ndarray value, alive, dead
        cdef bytes name
        o.wanted, o.low, o.high, o.dimensions = self.wanted, self.low, self.high, last + 1
        for k in range(last + 1):
            o.shape[k], o.y_strides[k], o.x_strides[k] = cnp.PyArray_DIM(y, k), cnp.PyArray_STRIDE(y, k), 0
            shape[k] = o.shape[k] if kinds[k] else 1
        dead = cnp.PyArray_EMPTY(last + 1, shape, cnp.NPY_BOOL, 0)
        if kinds[last]:
            shape[last] = (shape[last] + NUMACT_WORD - 1) // NUMACT_WORD
        alive = cnp.PyArray_ZEROS(last + 1, shape, cnp.NPY_UINT64, 0)
        for k in range(last + 1):
            o.unit_strides[k] = cnp.PyArray_STRIDE(alive, k) // <ptrdiff_t>sizeof(uint64_t) if kinds[k] else 0
        o.x, o.y, o.alive = NULL, cnp.PyArray_BYTES(y), <uint64_t *>cnp.PyArray_DATA(alive)
        o.name, o.activation, o.half_loop, o.parameters = NULL, NULL, NULL, values
        if number == cnp.NPY_DOUBLE:
            loop = self.level.observe_f64
        elif number == cnp.NPY_FLOAT:
            loop = self.level.observe_f32
        elif number == cnp.NPY_FLOAT16:
            loop, o.half_loop = self.level.observe_f16, self.level.f16
        else:
            loop, o.half_loop = self.level.observe_bf16, self.level.bf16
        if activation is not None:
            o.activation = forward_kernel(self.level.f64 if number == cnp.NPY_DOUBLE else self.level.f32, activation)
            name = activation.encode()
            o.name, o.x = name, cnp.PyArray_BYTES(x)
            for k in range(last + 1):
                o.x_strides[k] = cnp.PyArray_STRIDE(x, k)
            for k, value in enumerate(parameters):
                values[k] = cnp.PyArray_BYTES(value)
        with nogil:
            overflowed = numact_observe(loop, &o, &self.statistics)
        if overflowed < 0:
            raise MemoryError
        self.overflowed |= overflowed > 0
        find_dead(
            o.alive, shape[last], kinds[last], <cnp.npy_bool *>cnp.PyArray_DATA(dead),
            cnp.PyArray_DIM(dead, last), cnp.PyArray_SIZE(dead)
        )
        return dead

    @property
    def figures(self):
        """Mean and variance of the finite elements, numbers of zero, saturated, NaN and infinite elements."""
        cdef numact_statistics *s = &self.statistics
        cdef double mean = NAN, variance = NAN
        if s.finite:
            mean, variance = s.origin + s.deviation, s.squares / <double>s.finite
        return mean, variance, s.zeros, s.saturated, s.nan, s.infinite


def count_silent(cnp.ndarray silent, cnp.ndarray dead, int64_t least):
    """Update for how many updates in a row units have been dead, and count those that reach a limit.

    Parameters
    ----------
    silent : ndarray of int64
        For every unit, the number of updates in a row after which it was dead; contiguous, updated in place.
    dead : ndarray of bool
        Whether each unit is dead now; contiguous.
    least : int
        The limit.

    Returns
    -------
    int
        How many units have been dead for `least` updates or more.
    """
    cdef int64_t *updates = <int64_t *>cnp.PyArray_DATA(silent)
    cdef const cnp.npy_bool *found = <const cnp.npy_bool *>cnp.PyArray_DATA(dead)
    cdef ptrdiff_t k, count = 0
    for k in range(cnp.PyArray_SIZE(silent)):
        updates[k] = updates[k] + 1 if found[k] else 0
        count += updates[k] >= least
    return count


@cython.cdivision(True)
cdef void find_dead(
    const uint64_t *alive, ptrdiff_t words, bint bits, cnp.npy_bool *dead, ptrdiff_t length, ptrdiff_t size
) noexcept nogil:
    """Unpack flags: rows of `words` words, with a bit or a word for each of `length` units."""
    cdef ptrdiff_t start = 0, k, bit, left
    while start < size:  # a range with such a step would be an object of Python, for which memory may be lacking
        for k in range(words):
            if bits:
                left = length - k * NUMACT_WORD
                for bit in range(left if left < NUMACT_WORD else <ptrdiff_t>NUMACT_WORD):
                    dead[start + k * NUMACT_WORD + bit] = ~alive[k] >> bit & 1
            else:
                dead[start + k] = alive[k] == 0
        alive += words
        start += length
