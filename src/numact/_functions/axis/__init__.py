"""The functions along an axis: softmax and its relatives, logsumexp, sparsemax, maxout, and their gradients.

Each module checks the arguments of its functions and calls the generalised ufuncs `numact._functions.ufuncs.AXIS`;
the formulas are in csrc/formulas.  `operands` has what all of them need before the call, `docstrings` the sections that
their docstrings share.  A new function belongs in the module of its kind, and in `numact._functions.names.MODULES`.
"""
