"""EventMix: mixes two samples through a random mask of space and time; labels are weighted by the events of each."""

from __future__ import annotations

import torch

from eventbench.augmentations.base import Augmentation
from eventbench.errors import BadSpec


class EventMix(Augmentation, frozen=True, forbid_unknown_fields=True):
    """Mixes each sample with another of the batch through a random mask of space and time.

    Source: Shen, Zhao, Zeng: EventMix, Information Sciences 644, 2023.

    The mask of a sample is the region where a sum of `blobs` 3-D Gaussians over (t, y, x), with random centres and widths
    for every sample, is largest; its share of all cells is drawn from Beta(alpha, alpha). Inside it the sample keeps its
    own cells; outside it gets those of the other. The weight of a label is its share of the events in the mixture (the
    paper's "ratio of events"), one half if there are none. A batch is mixed with probability `probability`.
    """

    alpha: float = 1.0
    blobs: int = 3
    probability: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1000:
            raise BadSpec(f"alpha is {self.alpha!r}", where="event_mix", allowed="above 0, up to 1000")
        if not 1 <= self.blobs <= 100:
            raise BadSpec(f"blobs is {self.blobs!r}", where="event_mix", allowed="1 to 100")
        if not 0 <= self.probability <= 1:
            raise BadSpec(f"probability is {self.probability!r}", where="event_mix", allowed="0 to 1")

    def apply(
        self, frames: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Implements `Augmentation.apply`; labels (N, classes) become weighted means of two rows."""
        if torch.rand((), generator=generator) >= self.probability:
            return frames, labels
        N, T, _, H, W = frames.shape
        is_own = self._masks(N, (T, H, W), generator).to(frames.device)[:, :, None]
        partner = torch.randperm(N, generator=generator).to(frames.device)
        mixed = torch.where(is_own, frames, frames[partner])
        own_events, all_events = _events(torch.where(is_own, mixed, 0)), _events(mixed)
        share = torch.where(all_events > 0, own_events / all_events.clamp(min=1e-30), 0.5)[:, None]
        return mixed, share * labels + (1 - share) * labels[partner]

    def _masks(self, N: int, shape: tuple[int, int, int], generator: torch.Generator) -> torch.Tensor:
        """The cells that each sample keeps: bool (N, T, H, W), on the CPU."""
        field = torch.zeros(N, *shape)
        for _ in range(self.blobs):
            blob = torch.ones(N, 1, 1, 1)
            for axis, size in enumerate(shape):
                centre, width = torch.rand(N, 1, generator=generator), torch.rand(N, 1, generator=generator)
                position = (torch.arange(size) + 0.5) / size
                profile = torch.exp(-0.5 * ((position - centre) / (0.1 + 0.4 * width)) ** 2)
                blob = blob * profile.reshape(N, *(size if a == axis else 1 for a in range(3)))
            field += blob
        share = _beta(self.alpha, N, generator)
        ordered = field.reshape(N, -1).sort(1, descending=True).values
        cells = ordered.shape[1]
        threshold = ordered.gather(1, (share * cells).long().clamp(max=cells - 1)[:, None])
        return field > threshold[:, :, None, None]


def _events(frames: torch.Tensor) -> torch.Tensor:
    """The sum over all cells of each sample of (N, T, C, H, W): (N,)."""
    return frames.float().abs().sum(tuple(range(1, frames.dim())))


def _beta(alpha: float, N: int, generator: torch.Generator) -> torch.Tensor:
    """N draws from Beta(alpha, alpha); torch's own distributions take no generator."""
    parameters = torch.full((2, N), float(alpha))
    gammas = torch._standard_gamma(parameters, generator=generator)  # noqa: SLF001  # no public function takes a generator
    return gammas[0] / gammas.sum(0).clamp(min=1e-30)
