"""The command line: ``python -m numact info``, ``demo``, ``verify`` and ``bench``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from numact._kernels.config import show_config, version


def _at_least(least: int) -> Callable[[str], int]:
    def integer(text: str) -> int:
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"{value} is less than {least}")
        return value

    return integer


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


# An option that names several.
LIST: dict[str, Any] = {"action": "extend", "type": _names, "default": [], "metavar": "NAME"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m numact", description="Neural-network activation functions for NumPy."
    )
    parser.add_argument("--version", action="version", version=f"numact {version()}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="{info,demo,verify,bench}")
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
    verify.add_argument("--bound", type=float, metavar="ULP", help="allowed error (default: that of the catalogue)")
    bench.add_argument("--threads", type=_at_least(1), metavar="N", help="threads of each library (default: numact's)")
    bench.add_argument(
        "--size", type=_at_least(1), default=1 << 20, metavar="N", help="elements (default: %(default)s)"
    )
    bench.add_argument("--plot", metavar="FILE", help="draw the figures, as PNG, SVG or PDF")
    for command in (info, demo, verify, bench):
        command.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _info(as_json: bool) -> int:
    config = show_config(mode="dicts")
    rows = {
        "version": config["version"],
        "level": config["level"],
        "levels": list(config["levels"]),
        "threads": config["threads"],
        "compiler": config["compiler"],
        "numpy": config["numpy"],
    }
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        for name, value in rows.items():
            print(f"{name:<10}{', '.join(value) if isinstance(value, list) else value}")
    return 0


def _demo(epochs: int, seed: int, as_json: bool) -> int:
    try:
        from numact.commands import demo
    except ModuleNotFoundError as error:
        print(f'The demo needs {error.name}, which is not installed: pip install "numact[demo]"', file=sys.stderr)
        return 2
    return demo.run(epochs, seed, as_json)


def _verify(options: argparse.Namespace) -> int:
    from numact.commands.verify import run as verify

    return verify.run(options.function, options.dtype, options.level, options.exhaustive, options.bound, options.json)


def _bench(options: argparse.Namespace) -> int:
    from numact.commands.bench import run as bench

    return bench.run(options.function, options.dtype, options.threads, options.size, options.plot, options.json)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "verify":
            return _verify(options)
        if options.command == "bench":
            return _bench(options)
        return _info(options.json) if options.command == "info" else _demo(options.epochs, options.seed, options.json)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
