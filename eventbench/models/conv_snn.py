"""A plain convolutional spiking network: the baseline for the attention networks."""

from __future__ import annotations

from collections.abc import Sequence

from eventbench.models._backbone import Backbone, BackboneModel


class ConvSNN(BackboneModel):
    """Conv, batch norm, LIF, max pool for each entry of `channels`; a linear readout averaged over time.

    `tau` is the membrane time constant in time steps. Differs from the networks of the TCJA and PFA papers in
    size and head; `tcja_net` and `pfa_net` add an attention module to it.
    """

    def __init__(
        self,
        sensor: tuple[int, int],
        time_steps: int,
        classes: int,
        channels: Sequence[int] = (16, 32, 64),
        tau: float = 2.0,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        self.network = Backbone(sensor, time_steps, classes, channels, tau, dropout)
