"""The commands of ``python -m numact``: a module or a folder each, main.py and parser.py are the command line.

selection.py, inputs.py, progress.py and baseline.py are what several commands share.  No command imports another, and
nothing below imports this folder.
"""
