"""The table of ``python -m numact bench``."""

from __future__ import annotations

from statistics import median

from numact.commands.bench import peers
from numact.commands.bench.measure import Speed


def report(results: list[Speed], size: int, threads: int, libraries: list[str]) -> str:
    """The table: million elements per second, and ratios."""
    lines = [
        f"Million elements per second, arrays of {size:,}, {threads} thread{'s' if threads > 1 else ''}.",
        "",
        f"{'function':20}{'dtype':10}{'numact':>9}{'of copy':>9}{'NumPy':>9}{'ratio':>7}"
        + (f"  {'fastest peer':21}{'ratio':>7}" if libraries else ""),
    ]

    def cell(value: float | None, form: str) -> str:
        return "-" if value is None else format(value, form)

    for r in results:
        rates = {library: value / 1e6 for library, value in r.elements_per_second.items()}
        line = f"{r.function:20}{r.dtype:10}{rates['numact']:9,.0f}{100 * r.share_of_copy:7.0f} %"
        line += f"{cell(rates.get('numpy'), ',.0f'):>9}{cell(r.ratio_numpy, '.2f'):>7}"
        if libraries:
            peer = f"{rates[r.fastest_peer]:9,.0f} {r.fastest_peer}" if r.fastest_peer else f"{'-':>9}"
            line += f"  {peer:21}{cell(r.ratio_peer, '.2f'):>7}"
        lines.append(line)
    copies = [
        f"{median(r.copy for r in results if r.dtype == dtype) / 1e6:,.0f} in {dtype}"
        for dtype in dict.fromkeys(r.dtype for r in results)
    ]
    lines += [
        "",
        "ratio: times as fast; above 1 numact is faster. Medians of interleaved rounds, numact with out=.",
        f"of copy: of np.copyto, {', '.join(copies)}; a gradient reads two arrays, a copy one.",
        f"Other libraries: {', '.join(libraries) or 'none installed of ' + ', '.join(peers.PEERS)}.",
    ]
    return "\n".join(lines)
