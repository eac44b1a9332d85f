"""The public functions: what is exported as `numact.NAME`.

ufuncs.py makes the elementwise and gated functions from the kernels, parametric.py gives them keyword parameters,
catalogue.py and names.py know them all; gated.py, prelu.py, rrelu.py, axis/ and masks/ hold the functions that need
more than a ufunc.  Imports numact._kernels and nothing above.
"""
