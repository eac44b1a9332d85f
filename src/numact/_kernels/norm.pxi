# Runs the tasks of csrc/loops/norm/tasks.h on NumPy arrays, which numact.norm has checked and laid out.

from libc.stdlib cimport calloc, free
from libc.math cimport sqrt
from libc.string cimport memcpy, memset

cdef enum:
    NORM_PADDING = 16

# Elements beyond the end of a float64 vector that kernels may load, because they load whole SIMD vectors.
PADDING = NORM_PADDING

cdef extern from "numact.h":
    cdef enum numact_storage:
        NUMACT_REAL
        NUMACT_F16
        NUMACT_BF16
    struct numact_slices:
        char *start
        ptrdiff_t sample
        ptrdiff_t channel
        ptrdiff_t position
    struct numact_norm:
        numact_storage storage
        ptrdiff_t width
        ptrdiff_t samples
        ptrdiff_t channels
        ptrdiff_t positions
        bint across
        double eps
        numact_slices x
        numact_slices dy
        numact_slices out
        const double *weight
        const double *bias
        const double *mean
        const double *mean_lo
        const double *scale
        const double *shift
        const double *dy_mean
        const double *slope
        double *partial
        ptrdiff_t partial_length
        ptrdiff_t partial_count
        double *total
        ptrdiff_t total_length
        const numact_kernel *activation
        numact_half_loop *half_loop
        char *parameters
    void numact_norm_run(const numact_norm_task *task, const numact_norm *call) nogil


cdef numact_slices slices_of(object array) except *:
    cdef numact_slices slices
    cdef cnp.ndarray a = array
    slices.start = <char *>cnp.PyArray_DATA(a)
    slices.sample, slices.channel, slices.position = a.strides[0], a.strides[1], a.strides[2]
    return slices


cdef double *doubles(dict vectors, str name) except? NULL:
    """The data of a vector; NULL if there is none of this name."""
    cdef cnp.ndarray array
    if name not in vectors:
        return NULL
    array = vectors[name]
    return <double *>cnp.PyArray_DATA(array)


cdef const numact_kernel *forward_kernel(const numact_activation *row, str name) except NULL:
    while row.name != NULL:
        if row.name.decode() == name:
            return &row.kernels[0]
        row += 1
    raise ValueError(f"no activation is called {name!r}")


def run_norm_task(str level_name, str name, bint across, dict arrays, dict vectors, double eps, activation=None):
    """Run a task of csrc/loops/norm/tasks.h.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    name : str
        The name of the task.
    across : bool
        Whether channels are contiguous in memory; otherwise positions are.
    arrays : dict of str to numpy.ndarray
        "x", "dy" and "out" as far as the task needs them, of one shape (samples, channels, positions) and dtype.
    vectors : dict of str to numpy.ndarray
        float64 arrays by their names in ``struct numact_norm``, with 16 elements of padding; "partial" of shape
        (samples or blocks, 4, length), "total" of shape (4, length).
    eps : float
        Added to variances.
    activation : tuple of str and numpy.ndarray, optional
        The activation of the result, and its parameters in the dtype of the arrays.
    """
    cdef const numact_level *level = find_level(level_name)
    cdef numact_norm call
    cdef cnp.ndarray x = arrays["x"], parameters
    cdef bint double_precision = x.dtype.itemsize == 8
    cdef const numact_norm_task *task = find_task(level.norm_f64 if double_precision else level.norm_f32, name)
    memset(&call, 0, sizeof(call))
    call.width = x.dtype.itemsize
    call.storage = NUMACT_REAL if call.width > 2 else NUMACT_F16 if x.dtype.kind == "f" else NUMACT_BF16
    call.samples, call.channels, call.positions = x.shape[0], x.shape[1], x.shape[2]
    call.across, call.eps = across, eps
    call.x = slices_of(x)
    if "dy" in arrays:
        call.dy = slices_of(arrays["dy"])
    if "out" in arrays:
        call.out = slices_of(arrays["out"])
    call.weight, call.bias = doubles(vectors, "weight"), doubles(vectors, "bias")
    call.mean, call.mean_lo = doubles(vectors, "mean"), doubles(vectors, "mean_lo")
    call.scale, call.shift = doubles(vectors, "scale"), doubles(vectors, "shift")
    call.dy_mean, call.slope = doubles(vectors, "dy_mean"), doubles(vectors, "slope")
    call.partial, call.total = doubles(vectors, "partial"), doubles(vectors, "total")
    if call.partial != NULL:
        call.partial_count, _, call.partial_length = vectors["partial"].shape
    if call.total != NULL:
        call.total_length = vectors["total"].shape[1]
    if activation is not None:
        call.activation = forward_kernel(level.f64 if double_precision else level.f32, activation[0])
        parameters = activation[1]
        call.parameters = <char *>cnp.PyArray_DATA(parameters)
        if call.storage != NUMACT_REAL:
            call.half_loop = level.f16 if call.storage == NUMACT_F16 else level.bf16
    with nogil:
        numact_norm_run(task, &call)


cdef const numact_norm_task *find_task(const numact_norm_task *task, str name) except NULL:
    cdef const char *wanted = PyUnicode_AsUTF8(name)
    while task.name != NULL and strcmp(task.name, wanted) != 0:
        task += 1
    if task.name == NULL:
        raise ValueError(f"no task is called {name!r}")
    return task


cdef bint fill_vector(double *vector, object given, ptrdiff_t n, double default) noexcept:
    """Write n numbers as doubles, or the default n times for None; False if they are not a plain vector."""
    cdef cnp.ndarray array
    cdef const float *f32
    cdef ptrdiff_t i
    if given is None:
        for i in range(n):
            vector[i] = default
        return True
    if not cnp.PyArray_CheckExact(given):
        return False
    array = given
    if cnp.PyArray_NDIM(array) != 1 or cnp.PyArray_DIM(array, 0) != n or not cnp.PyArray_ISCARRAY_RO(array):
        return False
    if cnp.PyArray_TYPE(array) == cnp.NPY_FLOAT:
        f32 = <const float *>cnp.PyArray_DATA(array)
        for i in range(n):
            vector[i] = f32[i]
    elif cnp.PyArray_TYPE(array) == cnp.NPY_DOUBLE:
        memcpy(vector, cnp.PyArray_DATA(array), n * sizeof(double))
    else:
        return False
    return True


cdef int storage_of(int number) noexcept:
    """How elements of a dtype are stored; -1 if kernels do not read them."""
    if number == cnp.NPY_FLOAT or number == cnp.NPY_DOUBLE:
        return NUMACT_REAL
    if number == cnp.NPY_FLOAT16:
        return NUMACT_F16
    return NUMACT_BF16 if number == _bfloat16 else -1


def normalise_plain_rows(str level_name, str name, given, weight, bias, double eps, out):
    """Run the task "layer" or "rms" along the last axis of a contiguous array.

    Parameters
    ----------
    level_name, name, eps
        As for `run_norm_task`.
    given : object
        The array.
    weight, bias : object
        Vectors of the length of the rows, or None.
    out : object
        None, or `given`.

    Returns
    -------
    numpy.ndarray or None
        None for other arguments: arrays of other types or layouts.
    """
    cdef cnp.ndarray x, y
    cdef numact_norm call
    cdef const numact_level *level
    cdef double *vectors
    cdef ptrdiff_t n, count
    cdef int number
    cdef const numact_norm_task *task
    if not cnp.PyArray_CheckExact(given) or (out is not None and out is not given):
        return None
    x = given
    number = cnp.PyArray_TYPE(x)
    if storage_of(number) < 0:
        return None
    if cnp.PyArray_NDIM(x) == 0 or cnp.PyArray_SIZE(x) == 0 or not cnp.PyArray_ISCARRAY_RO(x):
        return None
    if out is not None and not cnp.PyArray_ISCARRAY(x):
        return None
    n = cnp.PyArray_DIM(x, cnp.PyArray_NDIM(x) - 1)
    level = find_level(level_name)
    task = find_task(level.norm_f64 if number == cnp.NPY_DOUBLE else level.norm_f32, name)
    count = n + NORM_PADDING
    vectors = <double *>calloc(2 * count, sizeof(double))
    if vectors == NULL:
        raise MemoryError
    try:
        if not fill_vector(vectors, weight, n, 1.0) or not fill_vector(vectors + count, bias, n, -0.0):
            return None
        y = out_or_new(x, out)
        memset(&call, 0, sizeof(call))
        call.width = cnp.PyArray_ITEMSIZE(x)
        call.storage = <numact_storage>storage_of(number)
        call.samples, call.channels, call.positions = cnp.PyArray_SIZE(x) // n, 1, n
        call.eps = eps
        call.x.start, call.out.start = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(y)
        call.x.position = call.out.position = call.width
        call.x.sample = call.x.channel = call.out.sample = call.out.channel = n * call.width
        call.weight, call.bias = vectors, vectors + count
        with nogil:
            numact_norm_run(task, &call)
    finally:
        free(vectors)
    return y


@cython.cdivision(True)
def normalise_plain_channels(str level_name, given, mean, var, weight, bias, double eps, axis, out):
    """Run the task "batch" on a contiguous array, for plain vectors.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    given : object
        The array.
    mean, var, weight, bias : object
        Vectors of the length of the axis; the last two may be None.
    eps : float
        Added to the variances.
    axis : object
        The axis of the channels, an int.
    out : object
        None, or `given`.

    Returns
    -------
    numpy.ndarray or None
        None for other arguments, and for a negative variance.
    """
    cdef cnp.ndarray x, y
    cdef numact_norm call
    cdef const numact_level *level
    cdef const numact_norm_task *task
    cdef double *vectors
    cdef double *scale
    cdef ptrdiff_t channels, count, k, outer = 1, inner = 1
    cdef int number, ndim, at, d
    if not cnp.PyArray_CheckExact(given) or (out is not None and out is not given) or type(axis) is not int:
        return None
    x = given
    number, ndim = cnp.PyArray_TYPE(x), cnp.PyArray_NDIM(x)
    if storage_of(number) < 0 or not -ndim <= axis < ndim:
        return None
    if cnp.PyArray_SIZE(x) == 0 or not cnp.PyArray_ISCARRAY_RO(x) or (out is not None and not cnp.PyArray_ISCARRAY(x)):
        return None
    at = <int>axis + (ndim if axis < 0 else 0)
    for d in range(ndim):
        if d < at:
            outer *= cnp.PyArray_DIM(x, d)
        elif d > at:
            inner *= cnp.PyArray_DIM(x, d)
    channels = cnp.PyArray_DIM(x, at)
    count = channels + NORM_PADDING
    vectors = <double *>calloc(4 * count, sizeof(double))  # mean, its low part, bias, scale
    if vectors == NULL:
        raise MemoryError
    scale = vectors + 3 * count
    try:
        if mean is None or not fill_vector(vectors, mean, channels, 0) or not fill_vector(scale, weight, channels, 1.0):
            return None
        if var is None or not fill_vector(vectors + count, var, channels, 0):
            return None
        for k in range(channels):
            if vectors[count + k] < 0:
                return None
        for k in range(channels):
            scale[k] = 1 / sqrt(vectors[count + k] + eps) * scale[k]
            vectors[count + k] = 0
        if not fill_vector(vectors + 2 * count, bias, channels, -0.0):
            return None
        level = find_level(level_name)
        y = out_or_new(x, out)
        memset(&call, 0, sizeof(call))
        call.width = cnp.PyArray_ITEMSIZE(x)
        call.storage = <numact_storage>storage_of(number)
        call.across = inner == 1
        call.samples, call.channels, call.positions = 1 if call.across else outer, channels, outer if call.across else inner
        call.x.start, call.out.start = cnp.PyArray_BYTES(x), cnp.PyArray_BYTES(y)
        call.x.sample = call.out.sample = channels * inner * call.width
        call.x.channel = call.out.channel = inner * call.width
        call.x.position = call.out.position = (channels if call.across else 1) * call.width
        call.mean, call.mean_lo, call.shift, call.scale = vectors, vectors + count, vectors + 2 * count, scale
        task = find_task(level.norm_f64 if number == cnp.NPY_DOUBLE else level.norm_f32, "batch")
        with nogil:
            numact_norm_run(task, &call)
    finally:
        free(vectors)
    return y
