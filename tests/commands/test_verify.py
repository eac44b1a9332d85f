"""``python -m numact verify``: what it finds, prints and returns."""

import json
import math
import os
import runpy
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.cases import FUNCTIONS, LEVELS, critical, name_of
from support.processes import run

from numact._functions.catalogue import catalogue
from numact._kernels import core
from numact.commands import progress
from numact.commands.main import main
from numact.commands.selection import Function
from numact.commands.verify import checks
from numact.commands.verify import run as verify

ELEMENTWISE = [function.name for function in FUNCTIONS if function.suffix != "_grad_at_zero"]
KEYS = {"function", "dtype", "bound", "error", "worst", "parameters", "got", "inputs", "every_input"}
KEYS |= {"correctly_rounded", "passed"}


def results(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    """Run the command and give its exit code and the JSON that it prints."""
    code = main(["verify", "--json", *arguments])
    return code, json.loads(capsys.readouterr().out)


def function(name: str) -> Function:
    """Find one function."""
    return next(found for found in verify.functions([name]) if found.name == name)


@pytest.mark.parametrize("level", LEVELS)
def test_float32(level: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Every function is within its bound, on every level."""
    code, found = results(capsys, "--dtype", "float32", "--level", level)
    failed = [row for row in found["results"] if not row["passed"]]
    assert code == 0, failed
    json.dumps(found, allow_nan=False)
    assert found["passed"]
    assert found["levels"] == [level]
    names = [row["function"] for row in found["results"]]
    gated = [row.name for row in catalogue() if row.family == "gated"]
    assert sorted(names) == sorted([*ELEMENTWISE, *gated, *(f"{name}_grad" for name in gated)])
    for row in found["results"]:
        assert set(row) == KEYS
        assert row["inputs"] > 2**18
        assert not row["every_input"]
        assert 0 <= row["error"] <= row["bound"] + 1e-6
        assert 0.8 < row["correctly_rounded"] <= 1
        assert all(math.isfinite(float.fromhex(value)) for value in row["worst"])


def test_other_types(capsys: pytest.CaptureFixture[str]) -> None:
    """float16 and bfloat16 take every input, float64 a sample."""
    code, found = results(capsys, "--function", "gelu,elu,sigmoid_grad_y", "--function", "swiglu_grad")
    assert code == 0
    rows = {(row["function"], row["dtype"]): row for row in found["results"]}
    assert len(rows) == 4 * (2 + 3 + 1 + 1)
    for dtype in ("float16", "bfloat16"):
        assert rows["gelu", dtype]["every_input"]
        assert rows["gelu", dtype]["bound"] == 0.51
        assert not rows["swiglu_grad", dtype]["every_input"]
    assert rows["gelu", "float16"]["inputs"] == 2**16 - 2 * 1023  # all but the NaN
    assert rows["sigmoid_grad_y", "float16"]["inputs"] == 0x3C00 + 2  # from 0 to 1, and -0
    assert rows["gelu", "float64"]["inputs"] > 1500
    assert not rows["gelu", "float64"]["every_input"]


def test_above_the_bound(capsys: pytest.CaptureFixture[str]) -> None:
    """An error above the bound gives 1, and the report says where."""
    arguments = ["verify", "--function", "gelu", "--dtype", "float32,float64", "--bound", "0.6"]
    assert main(arguments) == 1
    text = capsys.readouterr().out
    assert "0 of 4 within their bounds" in text
    lines = [line for line in text.splitlines() if "FAILED" in line]
    assert [line.split()[0] for line in lines] == ["gelu", "gelu_grad"] * 2
    assert "0x1." in lines[0]
    assert main([*arguments[:-1], "2"]) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--function", "nonsense"], "--function: 'nonsense' is none of the functions that can be verified: relu, "),
        (["--function", "softmax"], "'softmax' is none"),
        (["--dtype", "float80"], "--dtype: must be one of float16, bfloat16, float32, float64; got 'float80'"),
        (["--level", "v9"], "--level: level must be one of baseline"),
    ],
)
def test_usage(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What does not exist gives 2, and a message with what does."""
    assert main(["verify", *arguments]) == 2
    out, error = capsys.readouterr()
    assert message in error
    assert not out


@pytest.mark.parametrize("arguments", [["--nonsense"], ["--bound", "much"], ["--function"]])
def test_options(arguments: list[str]) -> None:
    """An unknown option or a missing value gives 2."""
    with pytest.raises(SystemExit) as caught:
        main(["verify", *arguments])
    assert caught.value.code == 2


def test_names() -> None:
    """Names stand for an activation with its gradients, or for one of these; other libraries' names are known."""
    assert [found.name for found in verify.functions(["Sigmoid"])] == ["sigmoid", "sigmoid_grad", "sigmoid_grad_y"]
    assert [found.name for found in verify.functions(["expit", "gelu_grad"])][2:] == ["sigmoid_grad_y", "gelu_grad"]
    assert len(verify.functions(["gelu", "gelu_grad"])) == 2


def test_exhaustive_is_all() -> None:
    """All 2^32 bit patterns are among the parts, for the defaults; a sample for other parameters."""
    built = core.build(core.level())
    special = checks.special_float32().size
    for name, sampled in (("gelu", 0), ("elu_grad", 1)):
        parts = checks.parts(built, function(name), "float32", np.float32, exhaustive=True)
        want = special + 2**32 + sampled * (special + -(-(2**32) // checks.STEP))
        assert sum(part.cost for part in parts) == want
    patterns = [part.check.args[4] for part in checks.parts(built, function("gelu"), "float16", np.float16, True)]  # type: ignore[attr-defined]
    assert patterns == [range(2**16)]


@pytest.mark.parametrize("dtype", [np.float16, np.float32], ids=name_of)
def test_wrong_functions_are_found(dtype: Any) -> None:
    """A kernel that is wrong at one input, or in the sign of zero, is found, with the input."""
    built = core.build(core.level())
    relu, everything = function("relu"), range(0, 2**16)

    def check(ufunc: Any) -> checks.Found:
        return checks.check_range(ufunc, relu, np.dtype(dtype).name, dtype, everything, ())

    bits = {2: np.uint16, 4: np.uint32}[np.dtype(dtype).itemsize]
    wrong = np.array(0x1234, bits).view(dtype)
    assert check(built["relu"]).error == 0
    assert check(built["relu"]).inputs == check(built["relu"]).correct
    found = check(lambda x: np.where(x == wrong, np.nextafter(x, dtype(1)), built["relu"](x)))
    assert (found.error, found.operands, found.inputs - found.correct) == (1, (float(wrong),), 1)
    found = check(lambda x: np.where(x == wrong, dtype(np.nan), built["relu"](x)))
    assert (found.error, found.operands) == (math.inf, (float(wrong),))
    assert check(lambda x: np.maximum(x, dtype(0)) * dtype(-1)).error == math.inf


@pytest.mark.parametrize("name", ["gelu", "swiglu_grad"])
def test_levels_that_differ_are_found(name: str) -> None:
    """Where another level gives other bits, which the bound would allow, the result becomes NaN; a NaN stays one."""
    built = core.build(core.level())
    ufunc, x = built[name], np.linspace(-1, 1, 9, dtype=np.float32)
    operands = (x,) * ufunc.nin

    def with_another_bit(*operands: Any) -> Any:
        results = ufunc(*operands)
        checks.as_tuple(results)[-1].view(np.uint32)[3] ^= 1
        return results

    for other, wrong in ((ufunc, []), (with_another_bit, [3])):
        computed = checks.on_all([built, {**built, name: other}])[name]
        assert np.flatnonzero(np.isnan(checks.as_tuple(computed(*operands))[-1])).tolist() == wrong
        assert np.isnan(checks.as_tuple(computed(*(operand * np.nan for operand in operands)))[-1]).all()


def test_errors_float64() -> None:
    """The measure of float64 knows infinities, NaN and the last place."""
    from numact.commands.verify.exact import EXACT

    one, huge = EXACT.mpf(1), EXACT.mpf(2) ** 1025
    measure = checks.error_float64
    assert measure(1.0, one) == 0
    assert measure(1 + 2**-52, one) == 1
    assert measure(5e-324, EXACT.mpf(0)) == 1
    assert measure(math.nan, one) == math.inf
    assert measure(math.inf, huge) == 0
    assert measure(-math.inf, huge) > 1e6
    assert measure(math.inf, EXACT.mpf(1.7976931348623157e308)) == 1


def test_parts_are_added() -> None:
    """Two parts together keep the larger error and its place, and count both."""
    first, second = checks.Found(0.5, (1.0,), (), 1.0, 10, 9), checks.Found(0.5, (2.0,), (), 1.0, 5, 5)
    assert first + second == checks.Found(0.5, (1.0,), (), 1.0, 15, 14)
    assert (first + checks.Found(0.75, (3.0,), (), 1.0, 1, 0)).operands == (3.0,)
    assert checks.Found() + first == first


def test_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The script of the documentation makes its page and the table for docs/proof.md from what the command prints."""
    script = runpy.run_path(str(Path(__file__).parents[2] / "docs/accuracy.py"))
    names = ",".join(script["ESSENTIAL"])
    _, found = results(capsys, "--function", names, "--dtype", "float32")
    tmp_path.joinpath("numact.json").write_text(json.dumps(found), encoding="utf-8")
    figures = script["errors_of"](lambda x: x / (1 + np.exp(-x)), "silu")
    assert 1 < figures["error"] < 2e7
    others = {"Plain NumPy": {"version": "1", "functions": {"silu": figures, "gelu": {"error": None}}}}
    tmp_path.joinpath("peers.json").write_text(json.dumps({"peers": others}), encoding="utf-8")
    tmp_path.joinpath("docs").mkdir()
    tmp_path.joinpath("docs/proof.md").write_text(f"a\n{script['BEGIN']}\nold\n{script['END']}\nb\n", encoding="utf-8")
    script["write"].__globals__["ROOT"] = tmp_path
    script["write"]([str(tmp_path / "numact.json"), str(tmp_path / "peers.json")])
    page = tmp_path.joinpath("docs/accuracy.md").read_text(encoding="utf-8").splitlines()
    assert sum(line.startswith("| `") for line in page) == len(found["results"])
    assert any(line.startswith("| `gelu` |") and line.endswith("| NaN or inf |") for line in page)
    proof = tmp_path.joinpath("docs/proof.md").read_text(encoding="utf-8").splitlines()
    assert (proof[0], proof[-1], "old" in proof) == ("a", "b", False)
    assert sum(line.startswith("| `") for line in proof) == 2 * len(script["ESSENTIAL"])


BLOCKED = "import sys; sys.modules.update(dict.fromkeys(['mpmath', 'rich', 'ml_dtypes', 'scipy']));"


def test_without_packages() -> None:
    """float32 needs nothing but NumPy, and progress is then plain text; what needs more says what to install."""
    code = BLOCKED + (
        "from numact.commands import progress; from numact.commands.main import main; progress.Lines.seconds = 0;"
        "sys.exit(main(['verify', '--function', 'gelu,swiglu', '--dtype', 'float32']))"
    )
    process = run(code)
    assert "4 of 4 within their bounds" in process.stdout
    lines = process.stderr.splitlines()
    assert all("%" in line and "s left" in line for line in lines)
    shares = [float(line.split()[0]) for line in lines]
    assert all(a <= b for a, b in pairwise(shares))
    assert shares[-1] == 100
    for arguments, message in (([], "numact[verify]"), (["--dtype", "bfloat16"], "pip install ml_dtypes")):
        code = BLOCKED + f"from numact.commands.main import main; print(main(['verify', *{arguments}]))"
        process = run(code)
        assert process.stdout.split() == ["2"]
        assert message in process.stderr


def test_lines_of_progress(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A line as soon as five seconds are over, with the share and the time left at the same pace; no line before."""
    now = [100.0]
    monkeypatch.setattr("numact.commands.progress.time.monotonic", lambda: now[0])
    lines = progress.Lines(40)
    for seconds in (4.5, 5.0, 9.5, 10.0):
        now[0] = 100 + seconds
        lines("gelu", 5)
    assert capsys.readouterr().err.splitlines() == [" 25 %  gelu, about 15 s left", " 50 %  gelu, about 10 s left"]


def test_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    """The processors that the process may use; where the system does not say, all there are, or one."""
    assert verify.cores() == len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else verify.cores() > 0
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for count, want in ((3, 3), (None, 1)):
        monkeypatch.setattr(os, "cpu_count", lambda count=count: count)
        assert verify.cores() == want


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64], ids=name_of)
def test_critical_numbers(dtype: Any) -> None:
    """The critical numbers are finite, of both signs, and include zeros, the smallest and the largest."""
    found, info = critical(dtype, 2, 4), np.finfo(dtype)
    assert np.isfinite(found).all()
    for number in (0.0, info.smallest_subnormal, info.tiny, info.max, np.nextafter(info.max, dtype(0))):
        assert {number, -number} <= set(found.tolist())


def test_import_is_light() -> None:
    """`import numact` loads nothing of this."""
    code = "import sys, numact; print([name for name in sys.modules if name.startswith(('numact.commands', 'mpmath'))])"
    assert run(code).stdout.strip() == "[]"
