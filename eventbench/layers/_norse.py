"""The names of Norse that LIF is built on, imported without the warning Norse 1.1.0 raises on newer torch.

`import norse` compiles parts that we do not use with `torch.jit.script`, which torch 2.13 deprecates.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from norse.torch.functional.lif_box import (
        LIFBoxFeedForwardState,
        LIFBoxParameters,
        lif_box_feed_forward_step,
    )
    from norse.torch.functional.reset import reset_subtract, reset_value

__all__ = [
    "LIFBoxFeedForwardState",
    "LIFBoxParameters",
    "lif_box_feed_forward_step",
    "reset_subtract",
    "reset_value",
]
