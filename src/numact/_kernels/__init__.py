"""The bridge to the compiled kernels and what configures it.  Nothing here knows the name of an activation.

core.pyx, with the .pxi files that it includes, makes ufuncs of the tables of csrc and calls the loops.  targets.py has
the dispatch target in use, threads.py the number of threads, bfloat16.py the registration of that type, config.py
`show_config`.  stubs.py runs at build only: it writes numact/__init__.pyi.  Nothing outside this folder is imported.
"""
