"""NDA: each sample flipped by chance, and one of rolled, rotated, sheared or partly cut out, all its frames alike."""

from __future__ import annotations

import math

import torch

from eventbench.augmentations._moves import mapped, rolled, without_squares
from eventbench.augmentations.base import Augmentation
from eventbench.errors import BadSpec


class Nda(Augmentation, frozen=True, forbid_unknown_fields=True):
    """Geometric augmentation of event frames (Li, Kim, Park, Geller, Panda: Neuromorphic Data Augmentation, ECCV 2022).

    Left and right are exchanged with probability `flip`; then one of four, drawn evenly for every sample: rolled by up to
    `roll_px` pixels both ways, rotated by up to `rotate_deg` degrees, sheared along x by up to `shear`, or a square of up
    to `cut_px` pixels set to zero. The defaults are those of the paper's strongest policy at 48 x 48 pixels. Labels stay.
    """

    flip: float = 0.5
    roll_px: int = 5
    rotate_deg: float = 30.0
    shear: float = 0.15
    cut_px: int = 8

    def __post_init__(self) -> None:
        limits = {"flip": 1, "roll_px": 2**15, "rotate_deg": 180, "shear": 10, "cut_px": 2**15}
        for name, most in limits.items():
            value = getattr(self, name)
            if not 0 <= value <= most:
                raise BadSpec(f"{name} is {value!r}", where="nda", allowed=f"0 to {most}")

    def apply(
        self, frames: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        N, H = len(frames), frames.shape[-2:]

        def even(*shape: int) -> torch.Tensor:
            return torch.rand(N, *shape, generator=generator)

        flipped = (even() < self.flip).to(frames.device)
        frames = torch.where(flipped[:, None, None, None, None], frames.flip(-1), frames)
        which = torch.randint(4, (N,), generator=generator)
        by = torch.randint(-self.roll_px, self.roll_px + 1, (N, 2), generator=generator)
        angle = (2 * even() - 1) * math.radians(self.rotate_deg)
        slant = (2 * even() - 1) * self.shear
        side = torch.randint(self.cut_px + 1, (N,), generator=generator)
        corner = (even(2) * torch.tensor([float(s) for s in H])).long() - side[:, None] // 2
        cos, sin, one, zero = angle.cos(), angle.sin(), torch.ones(N), torch.zeros(N)
        turned = torch.stack([cos, -sin, sin, cos], 1).reshape(N, 2, 2)
        sheared = torch.stack([one, slant, zero, one], 1).reshape(N, 2, 2)
        matrix = torch.where((which == 1)[:, None, None], turned, sheared)
        moves = (
            lambda chosen, rows: rolled(chosen, by[rows]),
            lambda chosen, rows: mapped(chosen, matrix[rows]),
            lambda chosen, rows: mapped(chosen, matrix[rows]),
            lambda chosen, rows: without_squares(chosen, corner[rows], side[rows]),
        )
        out = frames.clone()
        for number, move in enumerate(moves):
            rows = (which == number).nonzero()[:, 0]
            if len(rows):
                here = rows.to(frames.device)
                out[here] = move(frames[here], rows)
        return out, labels
