# Statistics of arrays, taken alone or while an activation writes them.  No function is named here.

from libc.stdint cimport int64_t, uint64_t

cdef extern from "numact.h":
    enum:
        NUMACT_MAX_DIMENSIONS
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
        ptrdiff_t unit_steps[64]
        ptrdiff_t x_steps[64]
        ptrdiff_t y_steps[64]
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


cdef class Observer:
    """Counts and sums over the elements of arrays, by the kernels of one level.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    low, high : float
        Elements <= low or >= high count as saturated.
    wanted : {"all", "zeros", "saturated", "alive"}
        What is needed; the rest is not computed.
    """

    cdef const numact_level *level
    cdef numact_statistics statistics
    cdef double low, high
    cdef numact_wanted wanted

    def __init__(self, str level_name, double low, double high, str wanted):
        self.level = find_level(level_name)
        self.low, self.high = low, high
        self.wanted = {
            "all": NUMACT_ALL, "zeros": NUMACT_ZEROS, "saturated": NUMACT_SATURATED, "alive": NUMACT_ALIVE
        }[wanted]

    def observe(
        self,
        cnp.ndarray y,
        tuple unit_steps,
        cnp.ndarray alive,
        str activation=None,
        cnp.ndarray x=None,
        tuple parameters=(),
    ):
        """Add the elements of an array that is native and aligned, and was checked.

        Parameters
        ----------
        y : ndarray
            The array, of at least one dimension and one element.
        unit_steps : tuple of int
            For every dimension the step, in words, from the flags of a unit to those of the next; 0 for samples.
        alive : ndarray of uint64
            Flags of the units, set where a unit is not 0 for some sample.  Where the last dimension is one of units, it
            has a bit for each in words of its own for every row; elsewhere there is a word for each.
        activation : str, optional
            Name of an activation that is to write y from x before.
        x : ndarray, optional
            Its input, of the shape and the dtype of y; it may be y.
        parameters : tuple of ndarray
            Its parameters, without dimensions, of the dtype of y.

        Returns
        -------
        bool
            Whether a finite input has overflowed.

        Raises
        ------
        MemoryError
            If there is no memory for partial sums; then nothing has been written.
        """
        cdef numact_observation o
        cdef numact_observe_loop *loop
        cdef char *values[NUMACT_MAX_ARRAYS]
        cdef int number = cnp.PyArray_TYPE(y), k, overflowed
        cdef cnp.ndarray value
        cdef bytes name
        o.wanted, o.low, o.high = self.wanted, self.low, self.high
        o.dimensions = cnp.PyArray_NDIM(y)
        o.x, o.y, o.alive = NULL, cnp.PyArray_BYTES(y), <uint64_t *>cnp.PyArray_DATA(alive)
        o.name, o.activation, o.half_loop, o.parameters = NULL, NULL, NULL, values
        for k in range(o.dimensions):
            o.shape[k], o.unit_steps[k] = cnp.PyArray_DIM(y, k), unit_steps[k]
            o.y_steps[k], o.x_steps[k] = cnp.PyArray_STRIDE(y, k), 0
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
            for k in range(o.dimensions):
                o.x_steps[k] = cnp.PyArray_STRIDE(x, k)
            for k, value in enumerate(parameters):
                values[k] = cnp.PyArray_BYTES(value)
        with nogil:
            overflowed = numact_observe(loop, &o, &self.statistics)
        if overflowed < 0:
            raise MemoryError
        return overflowed > 0

    @property
    def counts(self):
        """Numbers of finite, zero, saturated, NaN and infinite elements."""
        cdef numact_statistics *s = &self.statistics
        return s.finite, s.zeros, s.saturated, s.nan, s.infinite

    @property
    def moments(self):
        """Mean of the finite elements, and the sum of their squared deviations from it."""
        return self.statistics.origin + self.statistics.deviation, self.statistics.squares
