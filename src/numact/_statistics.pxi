# Statistics of arrays, taken alone or while an activation writes them.  No function is named here.

cdef extern from "numact.h":
    enum:
        NUMACT_MAX_DIMENSIONS
        NUMACT_SUMS
    struct numact_statistics:
        double low
        double high
        double origin
        double sum[16]
        double square[16]
        long long saturated
        long long nan
        long long infinite
    struct numact_observation:
        int dimensions
        ptrdiff_t shape[64]
        ptrdiff_t unit_steps[64]
        ptrdiff_t x_steps[64]
        ptrdiff_t y_steps[64]
        char *x
        char *y
        const numact_kernel *activation
        numact_half_loop *half_loop
        char **parameters
        void *zeros
    bint numact_observe(
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
    """

    cdef const numact_level *level
    cdef numact_statistics statistics

    def __init__(self, str level_name, double low, double high):
        self.level = find_level(level_name)
        self.statistics.low, self.statistics.high = low, high

    cdef const numact_kernel *find(self, str name, bint f64) except NULL:
        cdef const numact_activation *row = self.level.f64 if f64 else self.level.f32
        while row.name != NULL:
            if row.name.decode() == name:
                return &row.kernels[0]
            row += 1
        raise ValueError(f"Observer: no activation is called {name!r}")

    def observe(
        self,
        cnp.ndarray y,
        tuple unit_steps,
        cnp.ndarray zeros,
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
            For every dimension the step, in counts, from a unit to the next; 0 for samples.
        zeros : ndarray
            The counts of zeros of all units: int64, or where the last dimension is one of units, unsigned integers of
            as many bits as there are in the type that computes.
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
        """
        cdef numact_observation o
        cdef numact_observe_loop *loop
        cdef char *values[NUMACT_MAX_ARRAYS]
        cdef int number = cnp.PyArray_TYPE(y), k
        cdef cnp.ndarray value
        cdef bint overflowed
        o.dimensions = cnp.PyArray_NDIM(y)
        o.x, o.y, o.zeros = NULL, <char *>cnp.PyArray_DATA(y), cnp.PyArray_DATA(zeros)
        o.activation, o.half_loop, o.parameters = NULL, NULL, values
        for k in range(o.dimensions):
            o.shape[k], o.unit_steps[k] = cnp.PyArray_DIM(y, k), unit_steps[k]
            o.y_steps[k] = cnp.PyArray_STRIDE(y, k)
        if number == cnp.NPY_DOUBLE:
            loop = self.level.observe_f64
        elif number == cnp.NPY_FLOAT:
            loop = self.level.observe_f32
        elif number == cnp.NPY_FLOAT16:
            loop, o.half_loop = self.level.observe_f16, self.level.f16
        else:
            loop, o.half_loop = self.level.observe_bf16, self.level.bf16
        if activation is not None:
            o.activation = self.find(activation, number == cnp.NPY_DOUBLE)
            o.x = <char *>cnp.PyArray_DATA(x)
            for k in range(o.dimensions):
                o.x_steps[k] = cnp.PyArray_STRIDE(x, k)
            for k, value in enumerate(parameters):
                values[k] = <char *>cnp.PyArray_DATA(value)
        with nogil:
            overflowed = numact_observe(loop, &o, &self.statistics)
        return overflowed

    @property
    def origin(self):
        """The first finite element; 0 where there is none."""
        return self.statistics.origin

    @property
    def sums(self):
        """Partial sums of x - origin, and of its square, over the finite elements: two lists."""
        return list(self.statistics.sum), list(self.statistics.square)

    @property
    def counts(self):
        """Numbers of saturated, NaN and infinite elements."""
        return self.statistics.saturated, self.statistics.nan, self.statistics.infinite
