"""``python -m numact bench``: speed beside NumPy and, where they are installed, other libraries.

run.py is the command, measure.py the timing, peers.py the other libraries, report.py the table and plot.py the picture.
"""
