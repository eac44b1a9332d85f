"""The arguments of ``python -m numact``."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from typing import Any

from numact._kernels.config import version


def _at_least(least: int) -> Callable[[str], int]:
    """A type for argparse: an integer that is not less than this one."""

    def integer(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return integer


def _names(text: str) -> list[str]:
    """A type for argparse: names separated by commas."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise argparse.ArgumentTypeError(f"{text!r} has no name")
    return names


def _error(text: str) -> float:
    """A type for argparse: an error in ULP."""
    if not 0 <= (value := float(text)) < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a finite number >= 0")
    return value


# An option that takes several names.
LIST: dict[str, Any] = {"action": "extend", "type": _names, "default": [], "metavar": "NAME"}


def parser() -> argparse.ArgumentParser:
    """The parser of all commands and their options."""
    top = argparse.ArgumentParser(prog="python -m numact", description="Neural-network activation functions for NumPy.")
    top.add_argument("--version", action="version", version=f"numact {version()}")
    commands = top.add_subparsers(dest="command", required=True, metavar="{info,demo,verify,bench,plot,study}")
    info = commands.add_parser("info", help="print the version, the instruction set and the number of threads in use")
    demo = commands.add_parser("demo", help="train a network with every activation, beside plain NumPy; under a minute")
    demo.add_argument("--epochs", type=_at_least(1), default=20, metavar="N", help="epochs per network (default: 20)")
    demo.add_argument("--seed", type=_at_least(0), default=0, metavar="N", help="seed of the random numbers")
    verify = commands.add_parser("verify", help="check the error bounds on this machine; about a minute")
    bench = commands.add_parser("bench", help="measure the speed beside NumPy and other libraries; about a minute")
    for command, every in ((verify, "all"), (bench, "what NumPy or an installed library has, too")):
        command.add_argument(
            "--function",
            **LIST,
            help=f"which: gelu, with its gradients, or gelu_grad (default: {every}); repeat, or use commas",
        )
    for command, usual in ((verify, "all"), (bench, "float32")):
        command.add_argument(
            "--dtype", **LIST, help=f"float16, bfloat16, float32 or float64 (default: {usual}); repeat, or use commas"
        )
    verify.add_argument(
        "--level", **LIST, help="instruction set, of those that `info` lists; several must give the same bits"
    )
    verify.add_argument("--exhaustive", action="store_true", help="all 2^32 float32 inputs: minutes for every function")
    verify.add_argument("--bound", type=_error, metavar="ULP", help="allowed error (default: that of the catalogue)")
    bench.add_argument("--threads", type=_at_least(1), metavar="N", help="threads of each library (default: numact's)")
    bench.add_argument(
        "--size", type=_at_least(1), default=1 << 20, metavar="N", help="elements (default: %(default)s)"
    )
    bench.add_argument("--plot", metavar="FILE", help="draw the figures, as PNG, SVG or PDF")
    plot = commands.add_parser("plot", help="draw activations, and their derivatives, to a file")
    plot.add_argument("function", nargs="+", metavar="NAME", help='such as gelu, or "leaky_relu(0.2)"')
    plot.add_argument("--grad", action="store_true", help="draw the derivatives, too, dashed")
    plot.add_argument(
        "--range", nargs=2, type=float, default=(-5.0, 5.0), metavar=("LOW", "HIGH"), help="of x (default: -5 5)"
    )
    plot.add_argument(
        "-o", "--output", default="curves.png", metavar="FILE", help="PNG, SVG or PDF (default: curves.png)"
    )
    study = commands.add_parser("study", help="test what is said about activations by experiment, and write a report")
    study.add_argument(
        "--question", action="append", type=_at_least(1), metavar="N", help="one of the nine (default: all); repeat"
    )
    study.add_argument(
        "--data", metavar="FILE", help="a CSV with a head, or an NPZ with X and y (default: packaged sets)"
    )
    study.add_argument("--target", metavar="COLUMN", help="what to predict (default: the last column, or y)")
    study.add_argument("--quick", action="store_true", help="fewer seeds and epochs: under three minutes")
    study.add_argument("--seeds", type=_at_least(1), metavar="N", help="runs of each condition (default: 10, quick 5)")
    study.add_argument("--processes", type=_at_least(1), metavar="N", help="runs at a time (default: the processors)")
    study.add_argument(
        "-o", "--output", default="report.html", metavar="FILE", help="the report; JSON and results beside it"
    )
    for command in (info, demo, verify, bench):
        command.add_argument("--json", action="store_true", help="print JSON")
    return top
