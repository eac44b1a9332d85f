"""numact inside other libraries: a module for each, imported only when it is asked for.

``numact.adapters.keras``
    Behind the NumPy backend of Keras.
``numact.adapters.sklearn``
    Behind the multi-layer perceptrons of scikit-learn, and a transformer for its pipelines.
``numact.adapters.thinc``
    Operations of Thinc, selected by ``use_ops("numact")``.
``numact.adapters.onnx``
    Operators of ONNX's reference evaluator.
``numact.adapters.xarray``
    Functions along a named dimension.
``numact.adapters.dask``
    Functions along an axis that is divided into chunks.
``numact.adapters.torch``, ``numact.adapters.jax``, ``numact.adapters.autograd``
    The functions with their gradients inside PyTorch, JAX and HIPS autograd.

Each needs its library, which ``pip install "numact[NAME]"`` installs.
"""
