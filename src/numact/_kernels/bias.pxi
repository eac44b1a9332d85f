# An activation of sums of arrays, and its gradient with that by a bias.  No function is named here.

cdef extern from "numact.h":
    struct numact_bias_gradient:
        const numact_kernel *kernel
        numact_half_loop *half_loop
        const numact_bias_loops *loops
        ptrdiff_t width
        ptrdiff_t outer
        ptrdiff_t channels
        ptrdiff_t inner
        numact_slices *arrays
        const char **bias
        numact_slices *residual
        double **sums
    bint numact_bias_gradient_run(const numact_bias_gradient *call) noexcept nogil
    enum:
        NUMACT_MAX_TERMS


cdef int find_loops(
    str level_name, object ufunc, cnp.ndarray x, const numact_kernel **kernel, numact_half_loop **half_loop,
    const numact_bias_loops **loops
) except -1:
    """The loops of a ufunc for the dtype of an array: float16, float32, float64 or bfloat16."""
    cdef const numact_level *level = find_level(level_name)
    cdef UfuncLoops *found = <UfuncLoops *><PyObject *>ufunc
    cdef const numact_half_kernel *halves = <const numact_half_kernel *>found.data[0]
    cdef int number = cnp.PyArray_TYPE(x)
    kernel[0], half_loop[0] = halves.f32, NULL
    if number == cnp.NPY_FLOAT:
        loops[0] = level.bias_f32
    elif number == cnp.NPY_DOUBLE:
        kernel[0], loops[0] = <const numact_kernel *>found.data[2], level.bias_f64
    elif number == cnp.NPY_FLOAT16:
        half_loop[0], loops[0] = halves[0].loop, level.bias_f16
    else:
        half_loop[0], loops[0] = halves[1].loop, level.bias_bf16
    return 0


def of_sums(str level_name, ufunc, tuple arrays, tuple terms, tuple term_of, cnp.ndarray parameters, out):
    """Compute a ufunc of arrays to which others are added, one after the other.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    ufunc : numpy.ufunc
        An elementwise or gated ufunc of the level, of one result.
    arrays, terms : tuple of numpy.ndarray
        Its operands, and what is added to them: aligned, of one of the dtypes of the ufuncs and native byte order; they
        broadcast.
    term_of : tuple of int
        To which operand each term is added.
    parameters : numpy.ndarray
        The parameters of the ufunc side by side, float32 beside arrays of 16 bits.
    out : numpy.ndarray or None
        The result, of the shape and dtype of the arrays.

    Returns
    -------
    numpy.ndarray or None
        None if the arrays are not such as can be computed here; then nothing is written.
    """
    cdef numact_strided call
    cdef const numact_bias_loops *loops
    cdef int order[NUMACT_MAX_DIMENSIONS]
    cdef cnp.ndarray first = arrays[0], array
    cdef int count, k, d
    if len(terms) > NUMACT_MAX_TERMS:
        raise ValueError(f"at most {NUMACT_MAX_TERMS} terms, got {len(terms)}")
    find_loops(level_name, ufunc, first, &call.kernel, &call.half_loop, &loops)
    call.add, call.terms = loops.add, <int>len(terms)
    count = call.kernel.inputs + 1 + call.terms
    call.dimensions = 0
    for array in arrays + terms:
        call.dimensions = max(call.dimensions, cnp.PyArray_NDIM(array))
    for d in range(call.dimensions):
        call.shape[d] = 1
    memset(&call.strides[0], 0, count * sizeof(call.strides[0]))
    for k in range(call.kernel.arrays):
        if not add_operand(&call, k, arrays[k]):
            raise ValueError("the arrays do not broadcast")
    for k in range(call.kernel.arrays, call.kernel.inputs):
        call.arrays[k] = cnp.PyArray_BYTES(parameters) + (k - call.kernel.arrays) * cnp.PyArray_ITEMSIZE(parameters)
    for k in range(call.terms):
        call.term_of[k] = term_of[k]
        if not add_operand(&call, call.kernel.inputs + 1 + k, terms[k]):
            raise ValueError("the terms do not broadcast")
    for d in range(call.dimensions):
        if call.shape[d] == 0:
            return None
        if out is not None:
            call.strides[call.kernel.inputs][d] = 0 if call.shape[d] == 1 else out.strides[d]
    numact_strided_sort(&call, count, order)
    array = new_result(&call, order, cnp.PyArray_DESCR(first)) if out is None else out
    set_output_strides(&call, call.kernel.inputs, array, order)
    if not numact_strided_independent(&call) or not run_strided(&call, (<UfuncLoops *><PyObject *>ufunc).name):
        return None
    return array


def gradient_of_sums(
    str level_name, ufunc, tuple arrays, tuple biases, tuple residuals, cnp.ndarray parameters, tuple out
):
    """Compute the gradient of an activation of sums with a bias, and its sum by channel.

    Parameters
    ----------
    level_name : str
        One of `levels()`.
    ufunc : numpy.ufunc
        The gradient of an elementwise or gated activation.
    arrays, residuals, out : tuple of numpy.ndarray
        dy and the inputs, what is added to each input besides the bias or None, and the results, which do not overlap
        the others unless they are the same memory: of one dtype and of shape (outer, channels, inner), where inner
        elements are contiguous, and channels if inner is 1.
    biases : tuple of numpy.ndarray
        One contiguous vector by channel for each input, of the dtype of the arrays.
    parameters : numpy.ndarray
        As for `of_sums`.

    Returns
    -------
    list of numpy.ndarray
        float64 vectors by channel: the gradients by the biases.
    """
    cdef numact_bias_gradient call
    cdef cnp.ndarray first = arrays[0], sums
    cdef int k
    cdef bint done, overflowed = False
    memset(&call, 0, sizeof(call))
    find_loops(level_name, ufunc, first, &call.kernel, &call.half_loop, &call.loops)
    call.width = cnp.PyArray_ITEMSIZE(first)
    call.outer, call.channels, call.inner = first.shape[0], first.shape[1], first.shape[2]
    for k in range(call.kernel.arrays):
        call.arrays[k] = slices_of(arrays[k])
    for k in range(call.kernel.arrays, call.kernel.inputs):
        call.arrays[k].start = (
            cnp.PyArray_BYTES(parameters) + (k - call.kernel.arrays) * cnp.PyArray_ITEMSIZE(parameters)
        )
    found = []
    for k in range(call.kernel.outputs):
        call.arrays[call.kernel.inputs + k] = slices_of(out[k])
        call.bias[k] = cnp.PyArray_BYTES(biases[k])
        if residuals[k] is not None:
            call.residual[k] = slices_of(residuals[k])
        sums = cnp.PyArray_ZEROS(1, <cnp.npy_intp *>&call.channels, cnp.NPY_DOUBLE, 0)
        call.sums[k] = <double *>cnp.PyArray_DATA(sums)
        found.append(sums)
    with nogil:
        feclearexcept(FE_OVERFLOW)
        done = numact_bias_gradient_run(&call)
        if call.kernel.overflows:
            overflowed = fetestexcept(FE_OVERFLOW) != 0
        feclearexcept(FE_OVERFLOW)
    if not done:
        raise MemoryError
    if overflowed:
        PyUFunc_GiveFloatingpointErrors((<UfuncLoops *><PyObject *>ufunc).name, NPY_FPE_OVERFLOW)
    return found
