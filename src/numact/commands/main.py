"""The command line: hands over to the command that is asked for, and imports no other."""

from __future__ import annotations

import argparse
import errno
import os
import sys
from collections.abc import Sequence

from numact.commands import info
from numact.commands.parser import parser


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


def _plot(options: argparse.Namespace) -> int:
    from numact.commands import plot

    return plot.run(options.function, options.grad, options.range, options.output)


def command() -> int | str | None:
    """Run the command of the process; the exit code is 1 where its output cannot be written."""
    code: int | str | None
    try:
        try:
            code = main()
        except SystemExit as end:
            code = end.code
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        pass  # the reader has gone, as that of `| head` does
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        print(f"the output cannot be written: {error.strerror}", file=sys.stderr)
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left is written at the end of the process
    return 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = parser().parse_args(arguments)
    try:
        if options.command == "demo":
            return _demo(options.epochs, options.seed, options.json)
        if options.command == "verify":
            return _verify(options)
        if options.command == "bench":
            return _bench(options)
        if options.command == "plot":
            return _plot(options)
        if options.command == "study":
            from numact.commands import study

            return study.run(options)
        return info.run(options.json)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
