"""``python -m numact verify``: the error bounds of the catalogue, checked on this machine.

run.py is the command, checks.py finds the errors.  exact.py says what every function is, to 200 bits; reference.pyx the
same in double precision, compiled.
"""
