"""`ActivationMonitor`: statistics of each layer, batch by batch, during training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from numact._functions.arguments import check_out_shape, check_writeable, choice, integer, is_half, single_out
from numact._functions.names import FUNCTIONS, find_argument
from numact._functions.parametric import ParametricUfunc, values_of
from numact._functions.public import set_module
from numact._kernels import core
from numact._kernels.locks import lock_across_forks
from numact._kernels.messages import shown
from numact.diagnostics.arguments import as_bounds, as_floats
from numact.diagnostics.layer import Layer, joined, sample_of
from numact.diagnostics.layout import Array, Axis, Layout, as_layout
from numact.diagnostics.measure import Fused, joinable, measure, summarise
from numact.diagnostics.saturation import ELEMENTWISE, saturated_beyond
from numact.diagnostics.summary import Summary

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

# The records of all monitors change and are read under it; computing is outside.
_lock = lock_across_forks()


@set_module("numact.diagnostics")
class ActivationMonitor:
    """Statistics of the activations of a network, layer by layer and batch by batch.

    Parameters
    ----------
    window : int, default 100
        A unit is dead if it was 0 for every sample of the last `window` updates, or of all if there were fewer.
    max_history : int, default 512
        Largest number of records for a layer; more are joined in pairs.

    Raises
    ------
    ValueError
        For a window below 1 or a history below 2.

    See Also
    --------
    summary : The statistics of one array.

    Notes
    -----
    A monitor can be pickled; `merge` joins those of several processes.  Several threads may use one at a time: every
    update counts once, in the order in which they end.

    Examples
    --------
    >>> x = np.random.default_rng(0).normal(-2, 1, (64, 100))
    >>> monitor = numact.diagnostics.ActivationMonitor()
    >>> y = monitor.forward("layer1", numact.relu, x)
    >>> print("\\n".join(monitor.advice()))
    layer1: 27% of units dead: lower the learning rate, He initialisation, or leaky_relu

    """

    def __init__(self, window: int = 100, max_history: int = 512) -> None:
        self.window = integer("ActivationMonitor", "window", window)
        self.max_history = integer("ActivationMonitor", "max_history", max_history)
        for name, value, least in (("window", self.window, 1), ("max_history", self.max_history, 2)):
            if value < least:
                raise ValueError(f"ActivationMonitor: {name} must be >= {least}, got {shown(value)}")
        self._layers: dict[str, Layer] = {}

    @property
    def layers(self) -> list[str]:
        """Names of the layers, in the order of their first update."""
        with _lock:
            return list(self._layers)

    def update(
        self,
        layer: str,
        y: ArrayLike,
        axis: Axis = 0,
        activation: str | None = None,
        low: float | None = None,
        high: float | None = None,
    ) -> Summary:
        """Add the outputs of a layer for a batch.

        Parameters
        ----------
        layer : str
            Name of the layer.
        y : array_like
            Its outputs.
        axis : int or sequence of int, default 0
            The axes of the samples, as in `dead_units`; the others must have the same lengths in every update.
        activation : str, optional
            Name of the activation, as `numact.get` knows it, for the advice and the bounds of saturation.
        low, high : float, optional
            Bounds of saturation; by default within 1 % of the ends of the range of the activation, if it is bounded.

        Returns
        -------
        Summary
            Statistics of the batch; its dead fraction is that over the window.

        Raises
        ------
        ValueError, TypeError
            As `summary`; a ValueError for units of another shape than before, or an unknown activation.

        """
        array = as_floats("update", y)
        layout = as_layout("update", array.shape, axis)
        name, parameters = (None, {}) if activation is None else find_argument("update", "activation", activation)
        self._check("update", layer, layout)
        ends = saturated_beyond(name, parameters)
        bounds = as_bounds("update", ends[0] if low is None else low, ends[1] if high is None else high)
        return self._add("update", layer, name, array, layout, *measure(array, layout, *bounds))

    def forward(
        self,
        layer: str,
        function: str | Callable[..., Any],
        x: ArrayLike,
        out: Array | None = None,
        axis: Axis = 0,
        **parameters: Any,
    ) -> Array:
        """Compute an activation and add its outputs, in one pass over the memory where that is possible.

        Parameters
        ----------
        layer : str
            Name of the layer.
        function : str or function of numact
            An elementwise activation.
        x : array_like
            Its input.
        out : ndarray, optional
            Where the result goes; it may be x, which computes in place.
        axis : int or sequence of int, default 0
            The axes of the samples, as in `update`.
        **parameters : float or array_like
            Parameters of the activation.

        Returns
        -------
        ndarray
            The same as from ``function(x, out=out, **parameters)``.

        Raises
        ------
        ValueError, TypeError
            As `update` and the activation.

        Notes
        -----
        One pass needs arrays of one dtype, native, aligned and of simple strides, and numbers as parameters; otherwise
        the statistics are taken in a pass of their own.

        """
        name, named = find_argument("forward", "function", function)
        call, parameters = FUNCTIONS[name], {**named, **parameters}
        if name not in ELEMENTWISE:
            raise ValueError(f"forward: function must be an elementwise activation, got {name}")
        if isinstance(call, ParametricUfunc):
            values_of("forward", "function", call, parameters)
        elif parameters:
            raise TypeError(f"forward: {name} has no parameters, got {', '.join(parameters)}")
        out, _ = single_out("forward", out)
        array = np.asanyarray(x)
        if array.size == 0:
            raise ValueError(f"forward: x must have at least one element, got the shape {array.shape}")
        if out is not None:
            check_out_shape("forward", out, array.shape)
            check_writeable("forward", out)
            as_floats("forward", out, "out")
        layout = as_layout("forward", array.shape, axis, "x")
        self._check("forward", layer, layout)
        bounds = saturated_beyond(name, parameters)
        y = np.empty_like(array) if out is None else out
        if (values := self._fusable(call, array, y, layout, parameters)) is None:
            y = call(array, out=out, **parameters)
            plain = as_floats("forward", y)
            observer, dead = measure(plain, as_layout("forward", plain.shape, axis), *bounds)
        else:
            observer, dead = measure(y, layout, *bounds, Fused(name, array, values))
            if observer.overflowed:
                # The ufunc reports the overflow as numpy.errstate says; the largest numbers overflow if any do.
                largest = _largest(array.dtype)
                call(np.array([-largest, largest], array.dtype), **parameters)
        self._add("forward", layer, name, np.asarray(y), layout, observer, dead)
        return y

    def _check(self, function: str, layer: str, layout: Layout) -> Layer | None:
        """The record of a layer, whose units must have the shape of before; None before its first update."""
        if not isinstance(layer, str):
            raise TypeError(f"{function}: layer must be a string, got {shown(layer)}")
        found = self._layers.get(layer)
        if found is not None and found.shape != layout.unit_shape:
            raise ValueError(
                f"{function}: layer {shown(layer)} must have the shape {found.shape}, got {layout.unit_shape}"
            )
        return found

    def _fusable(
        self, call: Callable[..., Any], x: Array, y: Any, layout: Layout, parameters: dict[str, Any]
    ) -> tuple[Array, ...] | None:
        """The parameters as the kernels take them; None if the activation cannot share the pass."""
        if not core.is_simple(x, y) and not joinable(x, y, layout):
            return None
        if not isinstance(call, ParametricUfunc):
            return ()
        if not all(type(value) in (float, int) for value in parameters.values()):
            return None
        values = call.values(**parameters)
        dtype = np.dtype(np.float32) if is_half(x.dtype) else x.dtype
        return tuple(np.array(value, dtype) for value in values)

    def _add(
        self,
        function: str,
        layer: str,
        activation: str | None,
        y: Array,
        layout: Layout,
        observer: core.Observer,
        dead: Array,
    ) -> Summary:
        with _lock:
            # Another thread may have made the first update meanwhile.
            found = self._check(function, layer, layout)
            if found is None:
                after = Layer(activation, layout.unit_shape, silent=np.zeros(layout.unit_shape, np.int64))
            else:
                after = found.copy()  # so that an update for which memory is lacking halfway changes nothing
            count = core.count_silent(after.silent, dead, min(self.window, after.updates + 1))
            summary = summarise(observer, y.size, count, layout.units)
            after.add(summary, self.max_history)
            after.sample = sample_of(y)
            self._layers[layer] = after
            return summary

    def _records(self) -> dict[str, Layer]:
        """A copy of the records, which no other thread changes."""
        with _lock:
            return {name: layer.copy() for name, layer in self._layers.items()}

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_layers": self._records()}

    def dead_units(self, layer: str) -> Array:
        """Which units of a layer are dead: 0 for every sample of the window.

        Parameters
        ----------
        layer : str
            Name of the layer.

        Returns
        -------
        ndarray of bool

        Raises
        ------
        ValueError
            For a layer that has had no update.

        """
        with _lock:
            found = self._layers[choice("dead_units", "layer", layer, self._layers or ["none yet"])]
            return np.asarray(found.silent >= min(self.window, found.updates))

    def merge(self, other: ActivationMonitor) -> None:
        """Add the statistics of another monitor, such as that of another process.

        Parameters
        ----------
        other : ActivationMonitor
            A monitor of the same window, which is not changed.  The n-th update of a layer there and the n-th here
            count as parts of one update.

        Raises
        ------
        TypeError
            For anything else.
        ValueError
            For another window, or a layer with units of another shape; nothing is merged then.

        """
        if not isinstance(other, ActivationMonitor):
            raise TypeError(f"merge: other must be an ActivationMonitor, got {shown(other)}")
        if other.window != self.window:
            raise ValueError(f"merge: other must have the window {self.window}, got {other.window}")
        with _lock:
            self._merge(other._records())

    def _merge(self, records: dict[str, Layer]) -> None:
        for name, theirs in records.items():
            if name in self._layers and self._layers[name].shape != theirs.shape:
                raise ValueError(
                    f"merge: {name} must have units of the shape {self._layers[name].shape}, got {theirs.shape}"
                )
        merged = {name: layer.copy() for name, layer in self._layers.items()}
        for name, copied in records.items():
            if name not in merged:
                merged[name] = copied
                while len(copied.history) > self.max_history:
                    copied.coarsen()
                continue
            ours = merged[name]
            for first, second in ((ours, copied), (copied, ours)):
                while first.stride < second.stride:
                    first.coarsen()
            short, long = sorted((ours, copied), key=lambda layer: layer.updates)
            ours.silent = np.minimum(
                *(np.where(layer.silent < layer.updates, layer.silent, long.updates) for layer in (ours, copied))
            )
            both = [joined(a, b) for a, b in zip(ours.history, copied.history, strict=False)]
            ours.history = both + long.history[len(both) :]
            ours.updates = long.updates
            dead = int(np.count_nonzero(ours.silent >= min(self.window, ours.updates))) / ours.silent.size
            ours.history[-1] = replace(ours.history[-1], dead_fraction=dead)
            samples = [layer.sample.astype(np.float64) for layer in (short, long)]
            ours.sample = np.concatenate(samples)[::2] if short.sample.size else long.sample
        self._layers = merged

    def to_dict(self) -> dict[str, Any]:
        """All statistics as dictionaries, lists, numbers and strings; NaN as None.

        Returns
        -------
        dict
            By layer: "activation", "updates", "updates_per_record", and "history", a list of the fields of `Summary`.

        """
        return {
            name: {
                "activation": layer.activation,
                "updates": layer.updates,
                "updates_per_record": layer.stride,
                "history": [
                    {key: value if math.isfinite(value) else None for key, value in asdict(record).items()}
                    for record in layer.history
                ],
            }
            for name, layer in self._records().items()
        }

    def to_json(self) -> str:
        """The result of `to_dict` as JSON.

        Returns
        -------
        str

        """
        return json.dumps(self.to_dict(), indent=2, allow_nan=False)

    def to_dataframe(self) -> Any:
        """The histories as a table, a row for each record.

        Returns
        -------
        pandas.DataFrame
            With the columns "layer", "activation", "update" (the first of the record) and the fields of `Summary`.

        Raises
        ------
        ImportError
            Where pandas is not installed.

        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("to_dataframe needs pandas: pip install pandas") from error
        return pandas.DataFrame(
            [
                {"layer": name, "activation": layer.activation, "update": k * layer.stride, **asdict(record)}
                for name, layer in self._records().items()
                for k, record in enumerate(layer.history)
            ]
        )

    def advice(self) -> list[str]:
        """What is wrong with which layer, and what usually helps, in words.

        Returns
        -------
        list of str
            Empty if nothing is wrong.

        """
        from numact.diagnostics.advice import advise

        return advise(self._records())

    def plot(self) -> Figure:
        """Draw the histories of zeros, dead and saturated units, mean and deviation, and a histogram of each layer.

        Returns
        -------
        matplotlib.figure.Figure

        Raises
        ------
        ImportError
            Where matplotlib is not installed.
        ValueError
            Before the first update.

        """
        if not (records := self._records()):
            raise ValueError("plot: the monitor must have had an update")
        try:
            from numact.diagnostics.plot import draw
        except ImportError as error:
            raise ImportError('plot needs matplotlib: pip install "numact[plot]"') from error
        return draw(records)

    def __repr__(self) -> str:
        return f"<numact.diagnostics.ActivationMonitor of {len(self.layers)} layers: {', '.join(self.layers)}>"


def _largest(dtype: np.dtype[Any]) -> Any:
    """The largest finite number of a dtype; that of bfloat16 as float32."""
    if dtype.name == "bfloat16":
        return np.array(0x7F7F0000, np.uint32).view(np.float32)[()]
    return np.finfo(dtype).max
