"""Files of users: what is read, and what is refused, with what and where."""

from pathlib import Path

import numpy as np
import pytest

from numact.study import DataError, prepare, read

ROWS = [f"{k % 7},{k * 0.5},{'red' if k % 3 else 'blue'},{'yes' if k % 2 else 'no'}" for k in range(40)]
TEXT = "\n".join(["count,size,colour,bought", *ROWS])


def file(path: Path, text: str, name: str = "mine.csv") -> Path:
    """A file with a text."""
    (path / name).write_text(text, encoding="utf-8")
    return path / name


def test_csv(tmp_path: Path) -> None:
    """Numbers, text as columns of its values, the last column or another as the target."""
    data = read(file(tmp_path, TEXT))
    assert (data.classes, data.x.shape[1]) == (2, 4)
    assert len(data.x) + len(data.x_test) == 40
    np.testing.assert_allclose(data.x.mean(0), 0, atol=1e-6)
    by_size = read(file(tmp_path, TEXT), "size")
    assert by_size.classes == 0
    assert abs(by_size.y.std() - 1) < 1e-5
    assert read(file(tmp_path, TEXT), "count").classes == 7
    assert read(file(tmp_path, TEXT.replace(",", ";"), "other.csv")).classes == 2
    assert read(file(tmp_path, TEXT.replace(",", " "), "spaces.txt")).classes == 2
    assert read(file(tmp_path, "\ufeff" + TEXT.replace(",", "\t"), "tabs.tsv")).classes == 2


def test_npz(tmp_path: Path) -> None:
    """Arrays X and y."""
    path = tmp_path / "mine.npz"
    np.savez(path, X=np.random.default_rng(0).normal(size=(50, 3)), y=np.arange(50) % 3)
    assert read(path).classes == 3
    with pytest.raises(DataError, match=r"needs the arrays X and label, has X, y"):
        read(path, "label")
    with pytest.raises(DataError, match="not an NPZ file"):
        read(file(tmp_path, "text", "bad.npz"))


WRONG = {
    "no such file": (None, "none.csv"),
    r"the name must end with \.csv, \.tsv or \.npz": (TEXT, "mine.xls"),
    "needs a head and lines of data, has 1 lines": ("a,b", "mine.csv"),
    "line 3 has 1 values, the head 2": ("a,b\n1,2\n3\n", "mine.csv"),
    r"line 5, column 'size': the value is missing \(''\)": (TEXT.replace("3,1.5", "3,"), "mine.csv"),
    r"line 5, column 'size': the value is missing \('NA'\)": (TEXT.replace("3,1.5", "3,NA"), "mine.csv"),
    "line 5, column 'size': 'much' among numbers": (TEXT.replace("3,1.5", "3,much"), "mine.csv"),
    "y must have two classes or more, got only": (TEXT.replace("yes", "no"), "mine.csv"),
    "at least 20 samples are needed, got 5": ("\n".join(TEXT.splitlines()[:6]), "mine.csv"),
    "column 'word' is text with 40 values": (
        "\n".join(["word,y", *(f"{'ab'[k % 2] * (k + 1)},{k % 2}" for k in range(40))]),
        "mine.csv",
    ),
    "there is no column beside 'a'": ("\n".join(["a", *map(str, range(40))]), "mine.csv"),
}


@pytest.mark.parametrize("message", WRONG)
def test_refused(message: str, tmp_path: Path) -> None:
    """One line that says what and where."""
    text, name = WRONG[message]
    path = tmp_path / name if text is None else file(tmp_path, text, name)
    with pytest.raises(DataError, match=message) as error:
        read(path)
    assert "\n" not in str(error.value)


def test_missing_column(tmp_path: Path) -> None:
    """The columns that there are are named."""
    with pytest.raises(DataError, match="there is no column 'price'; columns: count, size, colour, bought"):
        read(file(tmp_path, TEXT), "price")


def test_arrays() -> None:
    """What is no number, not finite, or of other shapes."""
    x = np.ones((30, 2))
    x[:, 0] = np.arange(30)
    cases = [
        (x[:, 0], np.arange(30), r"X must be \(samples, features\)"),
        (x, np.arange(29), r"got \(30, 2\) and \(29,\)"),
        (x.astype(str), np.arange(30), "X must be numbers, got <U"),
        (np.where(x == 3, np.nan, x), np.arange(30) % 2, "X must be finite, got nan in row 3, column 0"),
        (x, np.where(np.arange(30) == 4, np.inf, 0.5 * np.arange(30)), "y must be finite, got inf in row 4"),
        (x, np.zeros(30), "two classes or more"),
        (x, np.zeros(30, int), "two classes or more"),
        (x, np.arange(30) * 1j, "y must be integers, booleans, text or real numbers, got complex128"),
        (x[:, :0], np.arange(30), r"got \(30, 0\)"),
    ]
    for features, target, message in cases:
        with pytest.raises(DataError, match=message):
            prepare(features, target)
    with pytest.raises(ValueError, match="prepare: share must be at least 0 and below 1, got 1"):
        prepare(x, np.arange(30), share=1)
    assert [len(prepare(x, np.arange(30), share=share).x) for share in (0, 0.5, 0.999)] == [29, 15, 1]
    with pytest.raises(TypeError, match="read: path must be a string or a Path, got 1"):
        read(1)  # type: ignore[arg-type]
    data = prepare(x, np.arange(30) % 2)
    assert np.isfinite(data.x).all()  # a constant feature does no harm
