"""The advice of `ActivationMonitor`: thresholds for the statistics of a layer, and what usually helps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numact.diagnostics.summary import Summary

if TYPE_CHECKING:
    from numact.diagnostics.layer import Layer

# Thresholds: fractions of dead units, of saturated and of zero elements; the mean in standard deviations; the ratio of
# standard deviations between the last record of a layer and its first one, or that of the first layer.
DEAD, SATURATED, SPARSE, OFF_CENTRE, GROWTH = 0.1, 0.5, 0.95, 2.0, 100.0
# Activations whose mean can be near 0; others are never negative, or 0 for negative input.
CENTRED = {"tanh", "softsign", "hard_tanh", "identity", "elu", "celu", "selu", "leaky_relu", "soft_shrink"}


def advise(layers: dict[str, Layer]) -> list[str]:
    """A sentence for each finding, layer by layer."""
    found = []
    first = next((layer.history[-1].std for layer in layers.values()), 0.0)
    for name, layer in layers.items():
        now, begin = layer.history[-1], layer.history[0]
        findings = [*_values(layer), *_units(layer, now), *_scale(now, begin, first)]
        found += [f"{name}: {finding}" for finding in findings]
    return found


def _values(layer: Layer) -> list[str]:
    nan = sum(record.nan_fraction > 0 for record in layer.history)
    infinite = sum(record.infinite_fraction > 0 for record in layer.history)
    found = [f"{what} in {n} of {len(layer.history)} records" for n, what in ((nan, "NaN"), (infinite, "inf")) if n]
    return [f"{' and '.join(found)}: lower the learning rate, clip the gradients, look at the inputs"] if found else []


def _units(layer: Layer, now: Summary) -> list[str]:
    found = []
    if now.dead_fraction >= DEAD:
        found.append(
            f"{now.dead_fraction:.0%} of units dead: lower the learning rate, He initialisation, or leaky_relu"
        )
    elif now.zero_fraction >= SPARSE:
        found.append(f"{now.zero_fraction:.0%} of outputs are 0: units may be dying; lower the learning rate")
    if now.saturated_fraction >= SATURATED:
        other = "relu or gelu" if layer.activation != "relu" else "a bounded activation"
        found.append(
            f"{now.saturated_fraction:.0%} of outputs saturated, where gradients vanish: smaller initial weights "
            f"(Xavier), normalisation before the activation, or {other}"
        )
    if (layer.activation is None or layer.activation in CENTRED) and abs(now.mean) > OFF_CENTRE * now.std > 0:
        found.append(
            f"mean {now.mean:.3g} is far from 0 for a standard deviation of {now.std:.3g}: batch normalisation"
        )
    return found


def _scale(now: Summary, begin: Summary, first: float) -> list[str]:
    for reference, where in ((begin.std, "at the start"), (first, "in the first layer")):
        if now.std > GROWTH * reference > 0:
            return [
                f"standard deviation {now.std:.3g}, {reference:.3g} {where}: exploding; initial weights with the gain "
                "of the activation, a lower learning rate, or normalisation"
            ]
        if now.std * GROWTH < reference:
            return [
                f"standard deviation {now.std:.3g}, {reference:.3g} {where}: vanishing; initial weights with the gain "
                "of the activation, or normalisation"
            ]
    return []
