# The fast path for calls of a ParametricUfunc: overhead counts for small arrays.  No function is named here.

cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_INCREF
from cpython.tuple cimport PyTuple_New, PyTuple_SET_ITEM
from libc.math cimport INFINITY, fabs

cdef extern from "Python.h":
    ctypedef object (*vectorcallfunc)(object, PyObject *const *, size_t, PyObject *)
    ctypedef struct CallableType "PyTypeObject":
        Py_ssize_t tp_vectorcall_offset
        unsigned long tp_flags
    unsigned long Py_TPFLAGS_HAVE_VECTORCALL
    Py_ssize_t PyVectorcall_NARGS(size_t)
    object PyObject_Vectorcall(object, PyObject *const *, size_t, PyObject *)

# Keywords that go to the ufunc unchanged and do not influence its dtype.  Keyword names in a program are interned, as
# these are, so that comparing addresses finds them.
cdef tuple PASSED = ("out", "where")

cdef enum:
    MAX_PASSED = 2

# The dtypes of the fast path, compared by identity: a byte-swapped dtype is another object.
cdef tuple FAST_DTYPES = tuple(
    cnp.PyArray_DescrFromType(number) for number in (cnp.NPY_FLOAT16, cnp.NPY_FLOAT, cnp.NPY_DOUBLE)
)
# The dtypes of the parameters beside arrays of these.
cdef tuple PARAMETER_DTYPES = tuple(
    cnp.PyArray_DescrFromType(number) for number in (cnp.NPY_FLOAT, cnp.NPY_FLOAT, cnp.NPY_DOUBLE)
)
# The range of normal float32 numbers: outside it a parameter may round to 0 or to infinity.
cdef double LEAST_NORMAL = 1.1754943508222875e-38, LARGEST = 3.4028234663852886e38


@cython.boundscheck(False)
@cython.wraparound(False)
cdef int find(tuple objects, PyObject *wanted) noexcept:
    """The index of an object in a tuple, or -1."""
    cdef int k
    for k in range(<int>len(objects)):
        if <PyObject *>objects[k] == wanted:
            return k
    return -1


cdef tuple as_tuple(PyObject *const *objects, int count):
    """A tuple of borrowed objects."""
    cdef tuple found = PyTuple_New(count)
    cdef int k
    for k in range(count):
        Py_INCREF(<object>objects[k])
        PyTuple_SET_ITEM(found, k, <object>objects[k])
    return found


cdef PyObject *dtype_of(PyObject *value) noexcept:
    """The dtype (borrowed) of an array that is not of a subclass; otherwise NULL.

    A dtype of the fast path is NumPy's own object, of which arrays from a pickle, or whose dtype is the result of
    `newbyteorder`, have copies.
    """
    if not cnp.PyArray_CheckExact(<object>value):
        return NULL
    cdef int number = cnp.PyArray_TYPE(<cnp.ndarray>value)
    if cnp.PyArray_ISNOTSWAPPED(<cnp.ndarray>value):
        if number == cnp.NPY_FLOAT:
            return <PyObject *>FAST_DTYPES[1]
        if number == cnp.NPY_DOUBLE:
            return <PyObject *>FAST_DTYPES[2]
        if number == cnp.NPY_FLOAT16:
            return <PyObject *>FAST_DTYPES[0]
    return <PyObject *>cnp.PyArray_DESCR(<cnp.ndarray>value)


cdef bint is_number(object value) noexcept:
    """Whether a value is a Python number; np.float64, a subclass of float, is not one."""
    return type(value) is float or type(value) is int or type(value) is bool


cdef bint fits(object number) noexcept:
    """Whether a Python number is 0, infinite, NaN or within the range of normal float32 numbers."""
    cdef double size
    try:
        size = fabs(<double>number)
    except OverflowError:
        return False
    return not (0 < size < LEAST_NORMAL or LARGEST < size < INFINITY)


cdef object as_operand(object number, object dtype):
    """The number as a 0-d array, which a ufunc takes faster than the number."""
    cdef cnp.ndarray array = cnp.PyArray_SimpleNew(0, NULL, (<cnp.dtype>dtype).type_num)
    cnp.PyArray_SETITEM(array, cnp.PyArray_DATA(array), number)
    return array


cdef tuple as_operands(tuple values, object dtype):
    """The same for the values of all parameters; None stays."""
    # Not a list comprehension: Cython 3.3 frees an element twice where there is no memory for the list.
    cdef tuple found = PyTuple_New(len(values))
    cdef Py_ssize_t k
    for k in range(len(values)):
        operand = None if values[k] is None else as_operand(values[k], dtype)
        Py_INCREF(operand)
        PyTuple_SET_ITEM(found, k, operand)
    return found


cdef class ParametricCall:
    """The vectorcall of a ParametricUfunc: a fast path, and the method `_compute` of the derived class for other calls.

    The fast path takes arrays of one dtype, parameters that are Python numbers or omitted, and of the keywords of the
    ufunc only ``out=`` and ``where=``.

    Parameters
    ----------
    ufunc : numpy.ufunc
        The ufunc; its last operands are the parameters.
    defaults : dict of str to (float or None)
        Names (interned) and defaults of the parameters; None if there is no default.
    conditions : list of (int, callable, int or None, float)
        Conditions on the parameters: index of the left one, comparison, index of the right one or None, and the bound
        that is used for None.
    at_zero : numpy.ufunc or None
        The ufunc with one more operand, which the keyword ``at_zero=`` gives.
    first : int
        Index of the first of FAST_DTYPES for which there is a fast path.
    """

    cdef vectorcallfunc vectorcall
    cdef readonly object ufunc
    cdef readonly int nin, nout
    cdef object ufunc_at_zero
    cdef tuple keywords         # the names of the parameters, then "at_zero" where that is allowed
    cdef tuple values           # the defaults, then None for at_zero
    cdef tuple prepared         # the values as operands, a tuple for each of FAST_DTYPES
    cdef bint required          # whether some parameter has no default
    cdef list conditions
    cdef int first

    def __init__(self, ufunc, dict defaults, list conditions, at_zero, int first):
        self.ufunc = ufunc
        self.nin = ufunc.nin - len(defaults)
        self.nout = ufunc.nout
        self.ufunc_at_zero = at_zero
        self.keywords = (*defaults, *(() if at_zero is None else ("at_zero",)))
        self.values = (*defaults.values(), None)
        half, single, double = PARAMETER_DTYPES
        self.prepared = (
            as_operands(self.values, half), as_operands(self.values, single), as_operands(self.values, double)
        )
        self.required = None in defaults.values()
        self.conditions = conditions
        self.first = first
        if self.nin > 0 and ufunc.nargs <= NUMACT_MAX_ARRAYS:
            self.vectorcall = call

    def __call__(self, *operands, **keywords):
        return self._compute(operands, keywords)

    @cython.boundscheck(False)
    @cython.wraparound(False)
    cdef tuple operands(self, PyObject **values, int count, int dtype):
        """The values of parameters as operands; None if one is not a Python number or not allowed."""
        cdef int k
        for k in range(count):
            if not is_number(<object>values[k]) or not fits(<object>values[k]):
                return None
        for left, compare, right, bound in self.conditions:
            if right is not None:
                bound = <object>values[<int>right]
            if compare(<object>values[<int>left], bound) is not True:
                return None
        cdef tuple found = PyTuple_New(count)
        for k in range(count):
            if values[k] == <PyObject *>self.values[k]:
                operand = self.prepared[dtype][k]
            else:
                operand = as_operand(<object>values[k], PARAMETER_DTYPES[dtype])
            Py_INCREF(operand)
            PyTuple_SET_ITEM(found, k, operand)
        return found


cdef object call_any(ParametricCall self, PyObject *const *given, int count, PyObject *names):
    """A call that the fast path does not take."""
    keywords = {}
    if names:
        keywords = {name: <object>given[count + k] for k, name in enumerate(<tuple>names)}
    return self._compute(as_tuple(given, count), keywords)


@cython.boundscheck(False)
@cython.wraparound(False)
cdef object call(object function, PyObject *const *given, size_t flags, PyObject *names):
    """The vectorcall: `given` has the operands, then the values of the keywords."""
    cdef ParametricCall self = function
    cdef PyObject *stack[NUMACT_MAX_ARRAYS + MAX_PASSED]
    cdef PyObject *values[NUMACT_MAX_ARRAYS]
    cdef PyObject *passed_values[MAX_PASSED]
    cdef PyObject *passed_names[MAX_PASSED]
    cdef tuple operands, keywords = <tuple>names if names else ()
    cdef int count = <int>PyVectorcall_NARGS(flags), nin = self.nin, parameters = <int>len(self.values) - 1
    cdef int named = <int>len(keywords), passed = 0, dtype, index, k
    cdef unsigned int seen = 0  # the parameters that are given, a bit for each
    if not nin <= count <= nin + parameters:
        return call_any(self, given, count, names)

    dtype = find(FAST_DTYPES, dtype_of(given[0]))
    if dtype < self.first:
        return call_any(self, given, count, names)
    for k in range(nin):
        if dtype_of(given[k]) != <PyObject *>FAST_DTYPES[dtype]:
            return call_any(self, given, count, names)
        stack[k] = given[k]

    for k in range(parameters + 1):
        values[k] = <PyObject *>self.values[k]
        if nin + k < count:
            values[k] = given[nin + k]
            seen |= 1 << k
    for k in range(named):
        name = keywords[k]
        index = find(self.keywords, <PyObject *>name)
        if index >= 0 and not seen >> index & 1:
            values[index] = given[count + k]
            seen |= 1 << index
        elif index < 0 and passed < MAX_PASSED and find(PASSED, <PyObject *>name) >= 0:
            passed_names[passed] = <PyObject *>name
            passed_values[passed] = given[count + k]
            passed += 1
        else:
            return call_any(self, given, count, names)

    ufunc = self.ufunc
    if values[parameters] != <PyObject *>None:
        ufunc = self.ufunc_at_zero
        parameters += 1
    operands = self.prepared[dtype]
    if seen or self.required:
        operands = self.operands(values, parameters, dtype)
    if operands is None:
        return call_any(self, given, count, names)
    for k in range(parameters):
        stack[nin + k] = <PyObject *>operands[k]
    if passed < named:
        keywords = as_tuple(passed_names, passed)
    for k in range(passed):
        stack[nin + parameters + k] = passed_values[k]
    return PyObject_Vectorcall(ufunc, stack, nin + parameters, <PyObject *>keywords)


def called_by_vector(type cls):
    """Class decorator: let CPython call the instances by their vectorcall, as it does those of ParametricCall.

    Python 3.11 does not inherit the flag in classes written in Python; later versions do.
    """
    (<CallableType *>cls).tp_flags |= Py_TPFLAGS_HAVE_VECTORCALL
    return cls


cdef ParametricCall _sample = ParametricCall.__new__(ParametricCall)
(<CallableType *>ParametricCall).tp_vectorcall_offset = <char *>&_sample.vectorcall - <char *><PyObject *>_sample
called_by_vector(ParametricCall)
