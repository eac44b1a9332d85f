"""xarray and dask: named dimensions, axes that are divided into chunks, errors."""

from typing import Any

import numpy as np
import pytest

import numact

pytestmark = pytest.mark.filterwarnings("ignore")


class TestXarray:
    """numact.adapters.xarray."""

    def setup_method(self) -> None:
        self.xr = pytest.importorskip("xarray")
        from numact.adapters import xarray as adapter

        self.adapter = adapter
        rng = np.random.default_rng(0)
        self.x = self.xr.DataArray(
            rng.normal(size=(3, 4, 5)).astype(np.float32),
            dims=("sample", "time", "category"),
            coords={"time": [1, 2, 3, 4]},
            name="scores",
            attrs={"unit": "nat"},
        )

    @pytest.mark.parametrize(
        "name", ["softmax", "softmin", "log_softmax", "sparsemax", "hardmax", "layer_norm", "rms_norm"]
    )
    def test_same(self, name: str) -> None:
        """The bits along the axes; labels, name and attributes stay."""
        function = getattr(numact.norm if "norm" in name else numact, name)
        for dim, axis in (("category", 2), ("sample", 0), (["sample", "category"], (0, 2)), (None, (0, 1, 2))):
            y = getattr(self.adapter, name)(self.x, dim=dim)
            np.testing.assert_array_equal(y.values, function(self.x.values, axis=axis))
            assert y.dims == self.x.dims
            assert y.name == "scores"
            assert y.attrs == {"unit": "nat"}
            assert (y.time == self.x.time).all()

    def test_reduction(self) -> None:
        """Logsumexp loses the dimension, or keeps it."""
        y = self.adapter.logsumexp(self.x, dim="time")
        assert y.dims == ("sample", "category")
        np.testing.assert_array_equal(y.values, numact.logsumexp(self.x.values, axis=1))
        assert self.adapter.logsumexp(self.x, dim="time", keepdims=True).shape == (3, 1, 5)

    def test_where_by_dimension(self) -> None:
        """A mask of other dimensions, in another order."""
        mask = self.xr.DataArray(np.random.default_rng(1).random((5, 3)) < 0.6, dims=("category", "sample"))
        y = self.adapter.softmax(self.x, dim="category", where=mask)
        want = numact.softmax(self.x.values, where=mask.values.T[:, None, :])
        np.testing.assert_array_equal(y.values, want)

    def test_dataset_variable_and_lazy(self) -> None:
        """Of a dataset the variables that have the dimension; lazy ones stay lazy."""
        data = self.xr.Dataset({"a": self.x, "b": self.x.isel(category=0)})
        y = self.adapter.softmax(data, dim="category")
        np.testing.assert_array_equal(y.a.values, numact.softmax(self.x.values))
        np.testing.assert_array_equal(y.b.values, data.b.values)
        np.testing.assert_array_equal(
            self.adapter.softmax(self.x.variable, dim="category").values, numact.softmax(self.x.values)
        )
        pytest.importorskip("dask")
        lazy = self.adapter.softmax(self.x.chunk({"sample": 1, "category": 2}), dim="category")
        assert lazy.chunks is not None
        np.testing.assert_array_equal(lazy.values, numact.softmax(self.x.values))

    def test_errors(self) -> None:
        """A dimension that is not there, and what is no object of xarray."""
        with pytest.raises(ValueError, match=r"softmax: dim must name dimensions of x, .* got 'channel'"):
            self.adapter.softmax(self.x, dim="channel")
        with pytest.raises(TypeError, match="x must be a DataArray, a Variable or a Dataset, got ndarray"):
            self.adapter.softmax(np.ones(3), dim="channel")
        with pytest.raises(ValueError, match="where must have dimensions of x, got 'z'"):
            self.adapter.softmax(self.x, dim="time", where=self.xr.DataArray([True], dims="z"))


class TestDask:
    """numact.adapters.dask."""

    def setup_method(self) -> None:
        self.da = pytest.importorskip("dask.array")
        from numact.adapters import dask as adapter

        self.adapter = adapter

    def cases(self) -> Any:
        """Arrays of several dtypes, divided in several ways, with special rows."""
        rng = np.random.default_rng(0)
        for dtype in (np.float32, np.float64):
            for shape, axis, length in (
                ((6, 1000), -1, 100),
                ((6, 500), 1, 7),
                ((300, 4), 0, 11),
                ((3, 200, 4), 1, 64),
            ):
                x = (rng.normal(size=shape) * 4 + rng.choice([0, 100])).astype(dtype)
                if shape == (6, 1000):
                    x[1] = -np.inf
                    x[2, [3, 500, 501]] = np.inf
                    x[3, 700] = np.nan
                    x[4, :900] = -np.inf
                chunks = tuple(length if k == axis % x.ndim else 2 for k in range(x.ndim))
                yield x, self.da.from_array(x, chunks=chunks), axis

    @pytest.mark.parametrize("name", ["softmax", "log_softmax"])
    def test_exponentials(self, name: str) -> None:
        """Close to the function in memory; special rows are the same."""
        for x, lazy, axis in self.cases():
            for temperature in (1.0, 0.3):
                y = getattr(self.adapter, name)(lazy, axis=axis, temperature=temperature)
                assert y.chunks == lazy.chunks
                assert y.dtype == x.dtype
                want = getattr(numact, name)(x, axis=axis, temperature=temperature)
                eps = np.finfo(x.dtype).eps
                tiny = np.finfo(x.dtype).smallest_subnormal * 8 if name == "softmax" else 400 * eps
                np.testing.assert_allclose(
                    y.compute(), want, rtol=(4 if x.dtype == np.float32 else 64) * eps, atol=tiny
                )

    def test_logsumexp(self) -> None:
        """Reduced, with and without the axis."""
        for x, lazy, axis in self.cases():
            for keepdims in (False, True):
                y = self.adapter.logsumexp(lazy, axis=axis, keepdims=keepdims)
                want = numact.logsumexp(x, axis=axis, keepdims=keepdims)
                assert y.shape == want.shape
                np.testing.assert_allclose(y.compute(), want, rtol=4 * np.finfo(x.dtype).eps)

    def test_norms(self) -> None:
        """Layer_norm and rms_norm with weights; a mean far from 0 does no harm."""
        for x, lazy, axis in self.cases():
            weight, bias = np.random.default_rng(1).normal(size=(2, x.shape[axis]))
            rtol = 1e-5 if x.dtype == np.float32 else 1e-11
            y = self.adapter.layer_norm(lazy, weight, bias, axis=axis)
            assert y.chunks == lazy.chunks
            with np.errstate(all="ignore"):
                want = numact.norm.layer_norm(x, weight, bias, axis=axis)
                finite = np.isfinite(want)
                np.testing.assert_allclose(y.compute()[finite], want[finite], rtol=rtol, atol=rtol)
                want = numact.norm.rms_norm(x, weight, eps=1e-6, axis=axis)
            got = self.adapter.rms_norm(lazy, weight, axis=axis).compute()
            np.testing.assert_allclose(got[finite], want[finite], rtol=rtol, atol=rtol)

    def test_one_chunk_has_the_bits_of_memory(self) -> None:
        """Where the axis is not divided nothing is joined."""
        x = np.random.default_rng(2).normal(size=(50, 33)).astype(np.float32)
        lazy = self.da.from_array(x, chunks=(7, 33))
        for name in ("softmax", "log_softmax", "logsumexp"):
            np.testing.assert_array_equal(getattr(self.adapter, name)(lazy).compute(), getattr(numact, name)(x))

    def test_errors(self) -> None:
        """Arrays in memory, other dtypes, an axis that is not there, a weight of another shape."""
        x = self.da.ones((2, 3), chunks=(1, 1))
        with pytest.raises(TypeError, match="softmax: x must be a dask array, got ndarray"):
            self.adapter.softmax(np.ones(3))
        with pytest.raises(TypeError, match="floating-point numbers, integers or booleans, got complex128"):
            self.adapter.softmax(x.astype(complex))
        with pytest.raises(ValueError, match="softmax: axis must name axes from -2 to 1 of x, got 2"):
            self.adapter.softmax(x, axis=2)
        with pytest.raises(ValueError, match="temperature must be from"):
            self.adapter.softmax(x, temperature=0)
        with pytest.raises(ValueError, match=r"layer_norm: weight must be of shape \(3,\), got \(2,\)"):
            self.adapter.layer_norm(x, np.ones(2))
