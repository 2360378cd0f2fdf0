"""The plain network with PFA (projected full attention) at the end of its last stages."""

from __future__ import annotations

from collections.abc import Sequence

from eventbench.layers import PFA
from eventbench.models._backbone import Backbone, BackboneModel


class PFANet(BackboneModel):
    """`conv_snn` with a PFA in each of the last `gated_stages` stages, after the pool as in Deng et al. (2024).

    Differs from the authors' networks in the backbone, and in that the input and the first stages have no PFA.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int] = (16, 32, 64),
        tau: float = 2.0,
        dropout: float = 0.2,
        rank: int = 8,
        composition: str = "mean",
        fusion: str = "multiply_relu",
        kernel_over_space: int = 3,
        gated_stages: int = 2,
    ) -> None:
        super().__init__()

        def gate(T: int, C: int) -> PFA:
            return PFA(T, C, rank, composition, fusion, kernel_over_space)

        self.network = Backbone(sensor, time_steps, classes, channels, tau, dropout, gate, gated_stages)
