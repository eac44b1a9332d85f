# Plain calls of the functions along an axis: overhead counts for a row or two, and masks that broadcast need no copies.
# No function is named here.

cdef extern from "numact.h":
    bint numact_axis_run(
        const numact_axis_function *function, char *const *arrays, cnp.npy_intp blocks,
        const cnp.npy_intp *block_strides, const cnp.npy_intp *dimensions, const cnp.npy_intp *strides
    ) nogil

# The factors, temperatures and scales, that functions along an axis take: beyond this interval float32 cannot hold both
# the factor and its reciprocal to full precision.
FACTORS = (1e-28, 1e28)

cdef double LEAST_FACTOR = FACTORS[0], LARGEST_FACTOR = FACTORS[1]

cdef enum:
    PLAIN_DIMENSIONS = 8

# An operand: its stride along the axis, and those along the other dimensions; 0 where it broadcasts.
cdef struct axis_operand:
    char *data
    cnp.npy_intp along
    cnp.npy_intp strides[PLAIN_DIMENSIONS]


cdef const numact_axis_function *find_axis_function(const numact_axis_function *row, str name) except NULL:
    cdef const char *wanted = PyUnicode_AsUTF8(name)
    while row.name != NULL:
        if strcmp(row.name, wanted) == 0:
            return row
        row += 1
    raise ValueError(f"no function along an axis is called {name!r}")


cdef bint lay_out(cnp.ndarray array, const cnp.npy_intp *shape, int dimensions, int axis, axis_operand *operand) noexcept:
    """Find the strides of an array that broadcasts to a shape; False if it does not.  Without an axis (-1), it
    broadcasts to the shape as a whole."""
    cdef int missing = dimensions - cnp.PyArray_NDIM(array), k, at = 0
    cdef cnp.npy_intp stride
    if missing < 0:
        return False
    operand.data = cnp.PyArray_BYTES(array)
    for k in range(dimensions):
        stride = 0
        if k >= missing and cnp.PyArray_DIM(array, k - missing) != 1:
            if cnp.PyArray_DIM(array, k - missing) != shape[k]:
                return False
            stride = cnp.PyArray_STRIDE(array, k - missing)
        if k == axis:
            operand.along = stride
        else:
            operand.strides[at] = stride
            at += 1
    return True


cdef int read_signature(const char *signature, bint *along) noexcept:
    """Which operands of a signature such as "(n),()->(n)" have the axis, the result included; returns their number."""
    cdef int count = 0
    while signature[0] != 0:
        if signature[0] == b"(":
            along[count] = signature[1] != b")"
            count += 1
        signature += 1
    return count


cdef bint lies_on(const axis_operand *a, const axis_operand *b, int rest) noexcept:
    cdef int k
    if a.data != b.data or a.along != b.along:
        return False
    for k in range(rest):
        if a.strides[k] != b.strides[k]:
            return False
    return True


cdef bint overlap(cnp.ndarray a, cnp.ndarray b) noexcept:
    """Whether the addresses between the first and the last byte of two arrays overlap."""
    cdef char *first[2]
    cdef char *end[2]
    cdef int which, k
    cdef cnp.npy_intp span
    cdef cnp.ndarray array
    for which in range(2):
        array = b if which else a
        first[which] = cnp.PyArray_BYTES(array)
        end[which] = first[which] + cnp.PyArray_ITEMSIZE(array)
        for k in range(cnp.PyArray_NDIM(array)):
            span = (cnp.PyArray_DIM(array, k) - 1) * cnp.PyArray_STRIDE(array, k)
            if span < 0:
                first[which] += span
            else:
                end[which] += span
    return first[0] < end[1] and first[1] < end[0]


cdef bint descends(cnp.ndarray array) noexcept:
    """Whether the strides are those of an array in C order, or of a view of rows of one."""
    cdef cnp.npy_intp least = 0
    cdef int k
    for k in range(cnp.PyArray_NDIM(array) - 1, -1, -1):
        if cnp.PyArray_DIM(array, k) != 1:
            if cnp.PyArray_STRIDE(array, k) < least:
                return False
            least = cnp.PyArray_STRIDE(array, k)
    return True


def call_axis(str level_name, str name, tuple operands, axis, out, bint keepdims):
    """Call a function along an axis whose arguments are plain.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    name : str
        The name in csrc/loops/rows.h.
    operands : tuple
        The operands in that order: arrays of one dtype, float32 or float64, of which the first one has the shape of the
        result; a mask; a float as factor; an array of intp, or an int, as limit.
    axis : int
        The axis.
    out : numpy.ndarray or None
        The result: an array in C order that overlaps no operand, or the one of the same layout.
    keepdims : bool
        Whether a function of one result for each row keeps the axis.

    Returns
    -------
    numpy.ndarray, scalar or None
        None for other arguments: they are for the generalised ufunc.
    """
    cdef const numact_level *level
    cdef const numact_axis_function *function
    cdef axis_operand laid[NUMACT_MAX_ARRAYS]
    cdef double doubles[NUMACT_MAX_ARRAYS]
    cdef float floats[NUMACT_MAX_ARRAYS]
    cdef cnp.npy_intp limits[NUMACT_MAX_ARRAYS]
    cdef cnp.npy_intp rest_shape[PLAIN_DIMENSIONS]
    cdef char *arrays[NUMACT_MAX_ARRAYS]
    cdef cnp.npy_intp strides[2 * NUMACT_MAX_ARRAYS]
    cdef cnp.npy_intp block_strides[NUMACT_MAX_ARRAYS]
    cdef cnp.npy_intp extents[2]
    cdef cnp.npy_intp *group_strides
    cdef cnp.npy_intp dimensions[2]
    cdef cnp.ndarray x, array, y
    cdef bint along[NUMACT_MAX_ARRAYS]
    cdef int number, ndim, at_axis, k, d, rest, groups, inner, count = <int>len(operands)
    cdef bint merges, reduces, done
    cdef char kind
    cdef double factor

    if count == 0 or not cnp.PyArray_CheckExact(operands[0]) or type(axis) is not int:
        return None
    x = operands[0]
    number, ndim, at_axis = cnp.PyArray_TYPE(x), cnp.PyArray_NDIM(x), -1
    if number != cnp.NPY_FLOAT and number != cnp.NPY_DOUBLE:
        return None
    if -ndim <= axis < ndim:
        at_axis = <int>axis + (ndim if axis < 0 else 0)
    if not 0 < ndim <= PLAIN_DIMENSIONS or at_axis < 0 or cnp.PyArray_SIZE(x) == 0 or not descends(x):
        return None
    level = find_level(level_name)
    function = find_axis_function(level.axis_f64 if number == cnp.NPY_DOUBLE else level.axis_f32, name)
    if read_signature(function.signature, along) != count + 1:  # two results
        return None

    rest = ndim - 1
    for d in range(rest):
        rest_shape[d] = cnp.PyArray_DIM(x, d + (d >= at_axis))
    for k in range(count):
        kind = function.types[k]
        given = operands[k]
        if along[k]:
            if not cnp.PyArray_CheckExact(given):
                return None
            array = given
            if cnp.PyArray_TYPE(array) != (cnp.NPY_BOOL if kind == b"?" else number):
                return None
            if not cnp.PyArray_ISBEHAVED_RO(array) or not lay_out(
                array, cnp.PyArray_DIMS(x), ndim, at_axis, &laid[k]
            ):
                return None
            continue
        for d in range(rest):
            laid[k].strides[d] = 0
        laid[k].along = 0
        if kind == b"p":
            if type(given) is int:
                limits[k], laid[k].data = given, <char *>&limits[k]
                continue
            array = given
            if cnp.PyArray_TYPE(array) != cnp.NPY_INTP or not lay_out(array, rest_shape, rest, -1, &laid[k]):
                return None
            continue
        if type(given) is not float:
            return None
        factor = given
        if not LEAST_FACTOR <= factor <= LARGEST_FACTOR:
            return None
        doubles[k], floats[k] = factor, <float>factor
        laid[k].data = <char *>&doubles[k] if number == cnp.NPY_DOUBLE else <char *>&floats[k]

    # The result, which is the last operand.
    reduces = not along[count]
    if out is not None:
        if reduces or not cnp.PyArray_CheckExact(out):
            return None
        y = out
        if cnp.PyArray_TYPE(y) != number or not cnp.PyArray_ISCARRAY(y) or not cnp.PyArray_SAMESHAPE(x, y):
            return None
    elif not reduces:
        y = cnp.PyArray_EMPTY(ndim, cnp.PyArray_DIMS(x), number, 0)
    else:
        y = cnp.PyArray_EMPTY(rest, rest_shape, number, 0)
    if reduces:
        lay_out(y, rest_shape, rest, -1, &laid[count])
        laid[count].along = 0
    else:
        lay_out(y, cnp.PyArray_DIMS(x), ndim, at_axis, &laid[count])
    if out is not None:
        for k in range(count):
            if cnp.PyArray_CheckExact(operands[k]) and overlap(operands[k], y):
                if function.types[k] != b"r" or not lies_on(&laid[k], &laid[count], rest):
                    return None

    # Neighbouring dimensions in which all operands go on with one stride become one: rows, and blocks of them.
    extents[0], extents[1], groups = 1, 1, 0
    for k in range(count + 1):
        strides[k], block_strides[k] = 0, 0
    for d in range(rest - 1, -1, -1):
        if rest_shape[d] == 1:
            continue
        merges = groups > 0
        group_strides = &strides[0]
        if groups == 2:
            group_strides = &block_strides[0]
        for k in range(count + 1):
            merges = merges and laid[k].strides[d] == group_strides[k] * extents[groups - 1]
        if not merges:
            if groups == 2:
                return None
            if groups == 1:
                group_strides = &block_strides[0]
            for k in range(count + 1):
                group_strides[k] = laid[k].strides[d]
            groups += 1
        extents[groups - 1] *= rest_shape[d]
    inner = count + 1
    for k in range(count + 1):
        arrays[k] = laid[k].data
        if along[k]:
            strides[inner] = laid[k].along
            inner += 1
    dimensions[0], dimensions[1] = extents[0], cnp.PyArray_DIM(x, at_axis)
    with nogil:
        done = numact_axis_run(function, arrays, extents[1], block_strides, dimensions, strides)
    if not done:
        raise MemoryError
    if reduces and keepdims:
        shape = (<object>x).shape
        return y.reshape(shape[:at_axis] + (1,) + shape[at_axis + 1 :])
    return y if rest or not reduces else y[()]
