# Turns the tables of csrc/formulas into generalised ufuncs.  No function is named here.

cdef extern from "numact.h":
    bint numact_axis_ufunc_loop(
        char **arrays, const cnp.npy_intp *dimensions, const cnp.npy_intp *strides, void *data
    ) noexcept nogil

cdef enum:
    AXIS_DTYPES = 2  # float32 and float64


cdef void axis_loop(
    char **arrays, const cnp.npy_intp *dimensions, const cnp.npy_intp *strides, void *data
) noexcept nogil:
    if not numact_axis_ufunc_loop(arrays, dimensions, strides, data):
        with gil:
            PyErr_SetNone(MemoryError)


cdef object make_axis_ufunc(const numact_axis_function *f32, const numact_axis_function *f64):
    inputs, outputs = f32.types.decode().split(">")
    arrays = len(inputs + outputs)
    cdef Tables made = Tables()
    cdef char *types = &made.types[0][0]
    cdef int k, dtype
    made.document = f"{text(f32.formula)}\n\nThe generalised ufunc behind the function of this name in `numact`.".encode()
    made.data[0], made.data[1] = <void *>f32, <void *>f64
    for dtype, number in enumerate((cnp.NPY_FLOAT, cnp.NPY_DOUBLE)):
        made.loops[dtype] = <cnp.PyUFuncGenericFunction>axis_loop
        for k, letter in enumerate(inputs + outputs):
            types[dtype * arrays + k] = {"r": number, "?": cnp.NPY_BOOL, "p": cnp.NPY_INTP, "i": cnp.NPY_INT32}[letter]
    ufunc = cnp.PyUFunc_FromFuncAndDataAndSignature(
        made.loops, made.data, types, AXIS_DTYPES, len(inputs), len(outputs), cnp.PyUFunc_None, f32.name, made.document,
        0, f32.signature,
    )
    made.belong_to(ufunc)
    return ufunc


cdef list describe_axis():
    """The rows of the functions along an axis: those of the table except NAME_where and NAME_grad."""
    cdef const numact_axis_function *function = LEVELS.axis_f32
    table = {}
    while function.name != NULL:
        table[function.name.decode()] = (
            text(function.formula), function.ulp, text(function.range), text(function.parameters), text(function.domain)
        )
        function += 1
    rows = []
    for name, (formula, ulp, values, parameters, domain) in table.items():
        if name.endswith(("_where", "_bias", "_grad", "_int32")):
            continue
        derivative, ulp_gradient, *_ = table.get(f"{name}_grad", ("", 0.0, "", "", ""))
        rows.append({
            "name": name,
            "family": "axis",
            "arguments": "x",
            "parameters": parameters,
            "domain": domain,
            "from_output": bool(derivative),
            "kink": False,
            "masked": False,
            "overflows": False,
            "ulp": ulp,
            "ulp_gradient": ulp_gradient,
            "formula": formula,
            "derivative": derivative,
            "range": values,
            "kinks": "",
            "aliases": "",
            "notes": "",
        })
    return rows


def build_axis(str level_name):
    """Make the generalised ufuncs of a level.

    Parameters
    ----------
    level_name : str
        One of `levels()`.

    Returns
    -------
    dict of str to numpy.ufunc

    Raises
    ------
    ValueError
        For a name that is not in `levels()`.
    """
    cdef const numact_level *level = find_level(level_name)
    cdef const numact_axis_function *f32 = level.axis_f32
    cdef const numact_axis_function *f64 = level.axis_f64
    ufuncs = {}
    while f32.name != NULL:
        ufuncs[f32.name.decode()] = make_axis_ufunc(f32, f64)
        f32 += 1
        f64 += 1
    return ufuncs


def axis_bounds():
    """The bound of the error, in ULP, of every function along an axis.

    Returns
    -------
    dict of str to float
    """
    cdef const numact_axis_function *row = LEVELS.axis_f32
    bounds = {}
    while row.name != NULL:
        bounds[row.name.decode()] = row.ulp
        row += 1
    return bounds
