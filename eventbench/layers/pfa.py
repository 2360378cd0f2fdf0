"""PFA: projected full attention, a gate for each time step, channel and pixel, of CP rank R.

Source: Deng et al., "Tensor decomposition based attention module for spiking neural networks",
Knowledge-Based Systems 295:111780, 2024, arXiv 2310.14576; released code `RisingEntropy/PFA` at 21191c0
(class `TCSAModule`).

The released code has three variants that differ from each other; the paper's figure shows a fourth, the sum
with a plain product and no ReLU:

| presets                                             | composition | fusion          |
| --------------------------------------------------- | ----------- | --------------- |
| paper's figure                                      | `sum`       | `multiply`      |
| code for CIFAR10-DVS, N-Caltech101, DVS128 Gesture  | `mean`      | `multiply_relu` |
| code for Fashion-MNIST                              | `sum`       | `add_relu`      |
| code for generation (FSVAE; layout N, C, H, W, T)   | `sum`       | `multiply_relu` |

Where this differs from the released code:
* Its rank weights (`weight`, initially ones) never receive a gradient and are overwritten by their own softmax in
  each forward pass, also in eval, so they are always exactly 1/R. `mean` is that constant, without a parameter;
  `learned` is probably what the authors intended, a softmax over a trained vector.
* Its names are different: `TC_FC` is our `time_projection`, `SC_FC` our `channel_projection`, `TS_conv` our
  `space_projection`.
* It loops over ranks and keeps a full-size map for each; here the sum over ranks is one batched matrix product, and
  no full-size map is kept.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSpec
from eventbench.layers._attention.gating import (
    InputGradient,
    Tensors,
    gate_dtype,
    gated,
    require_finite,
    steps_at_once,
    without_autocast,
)
from eventbench.layers._attention.pfa_compose import compose, compose_backward
from eventbench.layers.arguments import require_choice, require_count, require_frames

COMPOSITIONS = ("mean", "sum", "learned")
FUSIONS = ("multiply", "multiply_relu", "add_relu")


class PFA(nn.Module):
    """(T, N, C, H, W) -> (T, N, C, H, W), the input fused with a map M of CP rank at most `rank`.

    M[n,t,c,h,w] = Σ_r λ_r · v_T[n,t,r] · v_C[n,c,r] · v_S[n,r,h,w], with three projections, each through a sigmoid:
    v_T[n,t] = σ(`time_projection` of the means over H, W at step t), a Linear(C, R);
    v_C[n,c] = σ(`channel_projection` of the means over H, W of channel c), a Linear(T, R);
    v_S[n] = σ(`space_projection` of the means over C), a Conv2d(T, R), `kernel_over_space` odd, zero padding.

    `composition`: λ_r is 1/R ("mean"), 1 ("sum"), or softmax(`rank_weights`)_r with trained weights that start
    uniform ("learned", which therefore starts equal to "mean").
    `fusion`: M·x ("multiply"), relu(M·x) ("multiply_relu"), relu(M+x) ("add_relu").

    The weights depend on T and C only; H and W are free. Raises BadSpec for parameters or inputs that do not fit.
    """

    def __init__(
        self,
        time_steps: int,
        channels: int,
        rank: int,
        composition: str = "mean",
        fusion: str = "multiply_relu",
        kernel_over_space: int = 3,
    ) -> None:
        super().__init__()
        self.time_steps = require_count(time_steps, "time_steps", "PFA")
        self.channels = require_count(channels, "channels", "PFA")
        self.rank = require_count(rank, "rank", "PFA")
        require_choice(composition, "composition", "PFA", COMPOSITIONS)
        require_choice(fusion, "fusion", "PFA", FUSIONS)
        require_count(kernel_over_space, "kernel_over_space", "PFA")
        if kernel_over_space % 2 == 0:
            raise BadSpec(
                f"kernel_over_space is {kernel_over_space}",
                where="PFA",
                allowed="an odd number, so that the map has the size of the frame",
            )
        self.composition, self.fusion = composition, fusion
        self.time_projection = nn.Linear(channels, rank)
        self.channel_projection = nn.Linear(time_steps, rank)
        self.space_projection = nn.Conv2d(
            time_steps, rank, kernel_over_space, padding=(kernel_over_space - 1) // 2
        )
        if composition == "learned":
            self.rank_weights = nn.Parameter(torch.zeros(rank))

    def factors(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(T, N, C, H, W) -> v_T (N, T, R), v_C (N, C, R), v_S (N, R, H, W), each in (0, 1)."""
        require_frames(x, "PFA", self.time_steps, self.channels)
        with without_autocast(x):
            return self._projected(self.means(x))

    def lambdas(self) -> torch.Tensor | float:
        """λ, the weight of each rank: (R,) when learned, else one number for all ranks."""
        if self.composition == "learned":
            return torch.softmax(self.rank_weights, 0)
        return 1 / self.rank if self.composition == "mean" else 1.0

    def gate(self, x: torch.Tensor) -> torch.Tensor:
        """(T, N, C, H, W) -> M in the same shape."""
        over_time, over_channels, over_space = self.factors(x)
        pairs = (over_time * self.lambdas())[:, :, None, :] * over_channels[:, None, :, :]
        with without_autocast(x):
            gate = pairs.flatten(1, 2) @ over_space.flatten(2)
        return gate.view(x.transpose(0, 1).shape).transpose(0, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The input fused with the map (T, N, C, H, W)."""
        require_frames(x, "PFA", self.time_steps, self.channels)
        if not torch.compiler.is_compiling():
            return gated(x, self)
        gate = self.gate(x)
        fused = x + gate if self.fusion == "add_relu" else x * gate
        return (fused if self.fusion == "multiply" else torch.relu(fused)).to(x.dtype)

    def means(self, x: torch.Tensor) -> Tensors:
        """(T, N, C, H, W) -> means over H, W (T, N, C), and over C (T, N, H, W)."""
        dtype = gate_dtype(x, self.time_projection.weight, "PFA")
        z = x.mean((3, 4), dtype=dtype)
        require_finite(z, "PFA")
        return z, x.mean(2, dtype=dtype)

    def _projected(self, means: Tensors) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        z, u = means
        over_time = torch.sigmoid(self.time_projection(z.transpose(0, 1)))
        over_channels = torch.sigmoid(self.channel_projection(z.permute(1, 2, 0)))
        over_space = torch.sigmoid(self.space_projection(u.transpose(0, 1)))
        return over_time, over_channels, over_space

    def factors_of(self, means: Tensors) -> Tensors:
        """The three factors, with λ multiplied into the first."""
        over_time, over_channels, over_space = self._projected(means)
        return over_time * self.lambdas(), over_channels, over_space

    def apply_factors(self, x: torch.Tensor, factors: Tensors) -> torch.Tensor:
        """The input fused with the map of these factors."""
        return compose(x, factors, self.fusion)

    def gradients(
        self, x: torch.Tensor, grad_output: torch.Tensor, factors: Tensors
    ) -> tuple[Tensors, InputGradient]:
        """The gradients of the factors, and a function from the gradients of the means to the gradient of x."""
        grad_x, grad_factors = compose_backward(x, grad_output, factors, self.fusion)

        def grad_input(grad_means: Tensors) -> torch.Tensor:
            grad_channel_means, grad_pixel_means = grad_means
            _, _, C, H, W = x.shape
            at_once = steps_at_once(x)
            chunks = zip(
                torch.split(grad_x, at_once),
                torch.split(grad_channel_means / (H * W), at_once),
                torch.split(grad_pixel_means / C, at_once),
                strict=True,
            )
            for grad_steps, per_channel, per_pixel in chunks:
                grad_steps += per_channel[..., None, None]
                grad_steps += per_pixel[:, :, None]
            return grad_x

        return grad_factors, grad_input

    def count_synaptic_operations(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Accumulates, multiply-accumulates and dense operations, each (N,), of composing the map and of gating with it.

        Gating by a product takes one MAC per nonzero input. The projections are layers of their own and counted as
        such. PFA does not set `gates_input`, since its gating is counted here.
        """
        T, N, C, H, W = x.shape
        map_macs = (T + T * C + T * C * H * W) * self.rank
        macs = torch.full((N,), map_macs, device=x.device)
        dense = macs.clone()
        if self.fusion != "add_relu":
            macs = macs + (x != 0).transpose(0, 1).flatten(1).sum(1)
            dense = dense + T * C * H * W
        return torch.zeros_like(macs), macs, dense

    def extra_repr(self) -> str:
        """The settings, for `repr`."""
        return (
            f"time_steps={self.time_steps}, channels={self.channels}, rank={self.rank}, "
            f"composition={self.composition}, fusion={self.fusion}"
        )
