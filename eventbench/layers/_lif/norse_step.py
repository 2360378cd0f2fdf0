"""The parts of Norse that the leaky layers use, imported without the warning of Norse 1.1.0 on newer torch.

`import norse` compiles other parts of it with `torch.jit.script`, which torch 2.13 deprecates.
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
