"""The plain network with TCJA (temporal-channel joint attention) at the end of its last stages."""

from __future__ import annotations

from collections.abc import Sequence

from eventbench.layers import TCJA
from eventbench.models._backbone import Backbone, BackboneModel


class TCJANet(BackboneModel):
    """`conv_snn` with a TCJA in each of the last `gated_stages` stages, as in Zhu et al. (2022).

    Differs from the authors' networks in the backbone, and in that the module is after the pool and not before it.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int] = (16, 32, 64),
        tau: float = 2.0,
        dropout: float = 0.2,
        kernel_over_time: int = 4,
        kernel_over_channels: int = 4,
        branches: str = "both",
        gated_stages: int = 2,
    ) -> None:
        super().__init__()

        def gate(T: int, C: int) -> TCJA:
            return TCJA(T, C, kernel_over_time, kernel_over_channels, branches)

        self.network = Backbone(sensor, time_steps, classes, channels, tau, dropout, gate, gated_stages)
