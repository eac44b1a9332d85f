"""Builds the example: python setup.py build_ext --inplace."""

import sys
from pathlib import Path

from Cython.Build import cythonize
from setuptools import Extension, setup

import numact

# `cimport numact` reads numact/__init__.pxd, which is in the package.
packages = str(Path(numact.__file__).parents[1])
setup(
    name="numact-example",
    ext_modules=cythonize(
        Extension("layer", ["layer.pyx"], include_dirs=[numact.get_include()]), include_path=[packages, *sys.path]
    ),
)
