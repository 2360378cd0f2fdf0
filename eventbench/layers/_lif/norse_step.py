"""The names of Norse that our leaky layers are built on, imported without the warning Norse 1.1.0 raises on newer torch.

`import norse` compiles parts that we do not use with `torch.jit.script`, which torch 2.13 deprecates.
"""

from __future__ import annotations

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from norse.torch.functional.leaky_integrator_box import (
        LIBoxParameters,
        LIBoxState,
        li_box_feed_forward_step,
    )
    from norse.torch.functional.lif_box import (
        LIFBoxFeedForwardState,
        LIFBoxParameters,
        lif_box_feed_forward_step,
    )
    from norse.torch.functional.reset import reset_subtract, reset_value

__all__ = [
    "LIBoxParameters",
    "LIBoxState",
    "LIFBoxFeedForwardState",
    "LIFBoxParameters",
    "li_box_feed_forward_step",
    "lif_box_feed_forward_step",
    "reset_subtract",
    "reset_value",
]
