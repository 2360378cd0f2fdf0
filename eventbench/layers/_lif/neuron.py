"""`Neuron`: the checked settings of a spiking layer, which every backend needs; and the dtype of the computation."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import torch

from eventbench.errors import BadSpec
from eventbench.layers.arguments import require_choice, require_flag, require_number
from eventbench.layers.surrogate import SURROGATES

# The "surrogate" of a layer that never fires and outputs its membrane, through which gradients pass unchanged.
MEMBRANE = "membrane"

# Codes of the surrogates in the arguments of compiled kernels.
SLOPE_CODES = {"atan": 0, "sigmoid": 1, "super": 2, "tanh": 3, "triangle": 4, "super_alpha": 5, MEMBRANE: 6}

# When a neuron fires: where its membrane is above the threshold, or also where it is at the threshold.
FIRES_AT = ("above", "at_or_above")

FLOATS = (torch.float64, torch.float32, torch.bfloat16, torch.float16)


class Neuron(NamedTuple):
    """The settings of a LIF layer except for its time constants; `reset` None subtracts the threshold."""

    threshold: float
    reset: float | None
    surrogate: str
    alpha: float
    detach_reset: bool
    decay_input: bool
    fires_at: str = "above"

    def __str__(self) -> str:
        text = (
            f"threshold={self.threshold:g}, reset={self.reset}, surrogate={self.surrogate}, alpha={self.alpha:g}, "
            f"detach_reset={self.detach_reset}, decay_input={self.decay_input}"
        )
        return text if self.fires_at == "above" else f"{text}, fires_at={self.fires_at}"

    @property
    def leak(self) -> float:
        """The membrane that neurons start at and decay towards."""
        return 0.0 if self.reset is None else self.reset

    @property
    def subtract(self) -> bool:
        """Whether a spike subtracts the threshold from the membrane instead of resetting it."""
        return self.reset is None

    @property
    def fires_on_ties(self) -> bool:
        """Whether a membrane at the threshold fires."""
        return self.fires_at == "at_or_above"

    def fired(self, h: torch.Tensor) -> torch.Tensor:
        """Which membranes before reset have fired."""
        above = h - self.threshold
        return above >= 0 if self.fires_on_ties else above > 0

    def silent_up_to(self, dtype: np.dtype[Any]) -> float:
        """The largest number of `dtype` at which the neuron does not fire: it fires where h is greater.

        This is the threshold, or the number just below it. So the kernels have one comparison for both rules.
        """
        with np.errstate(over="ignore"):
            threshold = dtype.type(self.threshold)
        return float(np.nextafter(threshold, dtype.type(-np.inf)) if self.fires_on_ties else threshold)


def checked_neuron(
    layer_name: str,
    threshold: float,
    reset: float | None,
    surrogate: str,
    alpha: float,
    detach_reset: bool,
    decay_input: bool,
    fires_at: str,
) -> Neuron:
    """The settings of a spiking layer. Raises BadSpec if one is out of range."""
    require_choice(surrogate, "surrogate", layer_name, SURROGATES)
    for name, number in (("alpha", alpha), ("threshold", threshold), ("reset", reset)):
        if name != "reset" or number is not None:
            require_number(number, name, layer_name)
    require_flag(detach_reset, "detach_reset", layer_name)
    require_flag(decay_input, "decay_input", layer_name)
    require_choice(fires_at, "fires_at", layer_name, FIRES_AT)
    if not (math.isfinite(alpha) and alpha > 0):
        raise BadSpec(f"alpha is {alpha!r}", where=layer_name, allowed="above 0")
    if not math.isfinite(threshold):
        raise BadSpec(f"threshold is {threshold!r}", where=layer_name, allowed="a finite number")
    if reset is not None and not (math.isfinite(reset) and reset < threshold):
        raise BadSpec(
            f"reset is {reset!r} at threshold {threshold!r}",
            where=layer_name,
            allowed="below the threshold, or None to subtract it",
        )
    value = None if reset is None else float(reset)
    return Neuron(float(threshold), value, surrogate, float(alpha), detach_reset, decay_input, fires_at)


def compute_dtype(dtype: torch.dtype) -> torch.dtype:
    """float64 for float64, float32 for all narrower dtypes, since half a step of bfloat16 is 1/256 of the threshold."""
    return torch.float64 if dtype == torch.float64 else torch.float32
