"""numact beside PyTorch, JAX and ONNX Runtime, where they are installed: see benchmarks/README.md."""

from __future__ import annotations

import numpy as np

from . import listed, short


class Peers:
    """Time of another library over time of numact, float32, one thread: above 1, numact is faster."""

    params = (
        [f"{name}{suffix}" for name in listed("formulas/activations.h") for suffix in ("", "_grad", "_grad_y")],
        [262_144, 4_194_304],
        ["torch", "jax", "onnxruntime"],
    )
    param_names = ("name", "size", "library")
    unit = "times as fast as the other library"

    def setup(self, name: str, size: int, library: str) -> None:
        try:
            from numact.commands import selection
            from numact.commands.bench import measure, peers

            bind = peers.PEERS[library](1)
        except ImportError:  # the library is not installed, or this numact does not support it
            raise NotImplementedError from None
        found = [
            function for function in selection.functions([], ("elementwise",), "measured") if function.name == name
        ]
        calls = measure.calls(found[0], np.float32, size, {library: bind}) if found else {}
        if library not in calls:
            raise NotImplementedError
        self.work = {which: calls[which] for which in ("numact", library)}
        self.seconds = measure.seconds

    def track_ratio(self, name: str, size: int, library: str) -> float:
        numact_seconds, other_seconds = self.seconds(self.work).values()
        return short(other_seconds / numact_seconds)
