"""The commands of ``python -m numact``: main.py parses and hands over; each command has a module or a folder.

selection.py, inputs.py, progress.py and baseline.py are what several commands share.  Nothing imports this folder.
"""
