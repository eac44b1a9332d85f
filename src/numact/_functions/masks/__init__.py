"""Functions with one bit per element: `BitMask`, activations that return one for their gradient, and dropout.

`loops` prepares memory for the compiled loops (csrc/loops) and calls them; which activations have a masked form is said
in the list of csrc/formulas/activations.h.
"""
