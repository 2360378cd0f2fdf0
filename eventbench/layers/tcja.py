"""TCJA: temporal-channel joint attention, a gate for each time step and channel.

Source: Zhu et al., "TCJA-SNN: Temporal-Channel Joint Attention for Spiking Neural Networks", arXiv
2206.10177, IEEE TNNLS 2024; released code `ridgerchu/TCJA` at 5f21162.

Beware of the names: the paper and the released code swap the letters of the two kernels. Here a kernel is named
by the axis that it *slides along*.

| here                   | weight       | slides along | paper            | code                                  |
| ---------------------- | ------------ | ------------ | ---------------- | ------------------------------------- |
| `kernel_over_time`     | [C, C, k]    | time         | T-LA, K_T, W     | `conv_c`, `kernel_size_c`, class TLA  |
| `kernel_over_channels` | [T, T, k]    | channels     | C-LA, K_C, E     | `conv`, `kernel_size_t`, class CLA    |

Where paper and released code differ:
* The paper does not define "same" padding of even kernels. The code, and this, pad (k−1)//2 before and k//2
  after, so with k=4 a step sees one step back and two ahead: the gate is not causal.
* The paper gives the cost as T² + C²; the number of weights is k_over_channels · T² + k_over_time · C².
* In both, the shapes of the weights depend on T and C, so a module works for one T only. The code's networks have
  T and C as literals and ignore their own arguments; here they are arguments, and a mismatch is refused.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.functional import pad

from eventbench.layers._attention.gating import (
    InputGradient,
    Tensors,
    gate_dtype,
    gated,
    require_finite,
    steps_at_once,
    without_autocast,
)
from eventbench.layers.arguments import require_choice, require_count, require_frames

BRANCHES = ("both", "time", "channels")


def _slide(conv: nn.Conv1d, z: torch.Tensor) -> torch.Tensor:
    # torch's padding="same" pads the same way, but warns about a copy for even kernels.
    kernel = conv.kernel_size[0]
    scores: torch.Tensor = conv(pad(z, ((kernel - 1) // 2, kernel // 2)))
    return scores


class TCJA(nn.Module):
    """(T, N, C, H, W) -> (T, N, C, H, W), the input times a gate in (0, 1) that is the same for all pixels.

    With z[n,t,c] the mean of the input over H and W, with zeros beyond the ends:
    Q[n,t,c] = Σ_{d,m} W[c,d,m] · z[n, t+m−(k−1)//2, d], slid over time with k = `kernel_over_time`;
    P[n,t,c] = Σ_{s,m} E[t,s,m] · z[n, s, c+m−(k−1)//2], slid over channels with k = `kernel_over_channels`;
    gate = sigmoid(P · Q), element by element (cross convolutional fusion).

    `branches="time"` has T-LA alone, gate = sigmoid(Q); `"channels"` has C-LA alone, gate = sigmoid(P):
    the paper's ablations. The unused branch has no convolution.

    `conv_over_time` is a Conv1d(C, C), `conv_over_channels` a Conv1d(T, T), both without bias.
    The output is real-valued, not spikes. Raises BadSpec for parameters or inputs that do not fit.
    """

    gates_input = True  # read by metrics, which count the product with the input (models/protocols.py)

    def __init__(
        self,
        time_steps: int,
        channels: int,
        kernel_over_time: int = 4,
        kernel_over_channels: int = 4,
        branches: str = "both",
    ) -> None:
        super().__init__()
        self.time_steps = require_count(time_steps, "time_steps", "TCJA")
        self.channels = require_count(channels, "channels", "TCJA")
        require_count(kernel_over_time, "kernel_over_time", "TCJA")
        require_count(kernel_over_channels, "kernel_over_channels", "TCJA")
        require_choice(branches, "branches", "TCJA", BRANCHES)
        self.branches = branches
        if branches != "channels":
            self.conv_over_time = nn.Conv1d(channels, channels, kernel_over_time, bias=False)
        if branches != "time":
            self.conv_over_channels = nn.Conv1d(time_steps, time_steps, kernel_over_channels, bias=False)

    def gate(self, x: torch.Tensor) -> torch.Tensor:
        """(T, N, C, H, W) -> (T, N, C): the factor of each time step and channel."""
        require_frames(x, "TCJA", self.time_steps, self.channels)
        with without_autocast(x):
            return self.factors_of(self.means(x))[0]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The gated input (T, N, C, H, W)."""
        require_frames(x, "TCJA", self.time_steps, self.channels)
        if torch.compiler.is_compiling():
            return (x * self.gate(x)[..., None, None]).to(x.dtype)
        return gated(x, self)

    def means(self, x: torch.Tensor) -> Tensors:
        """Squeeze: (T, N, C, H, W) -> (T, N, C)."""
        z = x.mean((3, 4), dtype=gate_dtype(x, next(self.parameters()), "TCJA"))
        require_finite(z, "TCJA")
        return (z,)

    def factors_of(self, means: Tensors) -> Tensors:
        """Means (T, N, C) -> gate (T, N, C)."""
        (z,) = means
        score = None
        if self.branches != "channels":
            score = _slide(self.conv_over_time, z.permute(1, 2, 0)).permute(2, 0, 1)
        if self.branches != "time":
            over_channels = _slide(self.conv_over_channels, z.transpose(0, 1)).transpose(0, 1)
            score = over_channels if score is None else over_channels * score
        assert score is not None
        return (torch.sigmoid(score),)

    def apply_factors(self, x: torch.Tensor, factors: Tensors) -> torch.Tensor:
        """The input times the gate."""
        (gate,) = factors
        return torch.mul(x, gate[..., None, None], out=torch.empty_like(x))

    def gradients(
        self, x: torch.Tensor, grad_output: torch.Tensor, factors: Tensors
    ) -> tuple[Tensors, InputGradient]:
        """The gradient of the gate, and a function from the gradient of the means to the gradient of x."""
        (gate,) = factors
        grad_gate = torch.empty_like(gate)
        at_once = steps_at_once(x)
        product = torch.empty_like(x[:at_once])
        for t in range(0, len(x), at_once):
            steps = slice(t, t + at_once)
            torch.mul(grad_output[steps], x[steps], out=product)
            torch.sum(product, (3, 4), dtype=gate.dtype, out=grad_gate[steps])

        def grad_input(grad_means: Tensors) -> torch.Tensor:
            per_pixel = (grad_means[0] / (x.shape[3] * x.shape[4]))[..., None, None]
            factor = gate[..., None, None]
            if x.dtype == gate.dtype:
                return torch.addcmul(per_pixel, grad_output, factor, out=torch.empty_like(x))
            return (per_pixel + grad_output * factor).to(x.dtype)

        return (grad_gate,), grad_input

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return f"time_steps={self.time_steps}, channels={self.channels}, branches={self.branches}"
