"""``python -m numact bench``: speed beside NumPy and, where they are installed, other libraries."""
