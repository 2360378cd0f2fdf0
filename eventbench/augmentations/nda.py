"""NDA: random flip of each sample, then one of roll, rotation, shear or cutout, the same for all its frames."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch

from eventbench.augmentations._moves import mapped, rolled, without_squares
from eventbench.augmentations.base import Augmentation
from eventbench.errors import BadSpec


class Nda(Augmentation, frozen=True, forbid_unknown_fields=True):
    """Geometric augmentation of event frames (Li, Kim, Park, Geller, Panda: Neuromorphic Data Augmentation, ECCV 2022).

    Left and right are swapped with probability `flip`. Then one of four changes is drawn for each sample, all equally
    likely: a roll by up to `roll_px` pixels in both directions, a rotation by up to `rotate_deg` degrees, a shear along x
    by up to `shear`, or a square of up to `cut_px` pixels set to zero. The defaults are those of the paper's strongest
    policy at 48 x 48 pixels. Labels do not change.
    """

    flip: float = 0.5
    roll_px: int = 5
    rotate_deg: float = 30.0
    shear: float = 0.15
    cut_px: int = 8

    def __post_init__(self) -> None:
        limits = {"flip": 1, "roll_px": 2**15, "rotate_deg": 180, "shear": 10, "cut_px": 2**15}
        for name, limit in limits.items():
            value = getattr(self, name)
            if not 0 <= value <= limit:
                raise BadSpec(f"{name} is {value!r}", where="nda", allowed=f"0 to {limit}")

    def apply(
        self, frames: torch.Tensor, labels: torch.Tensor, generator: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Implements `Augmentation.apply`; the labels are returned unchanged."""
        N, height_and_width = len(frames), frames.shape[-2:]

        def uniform(*shape: int) -> torch.Tensor:
            return torch.rand(N, *shape, generator=generator)

        is_flipped = (uniform() < self.flip).to(frames.device)
        frames = torch.where(is_flipped[:, None, None, None, None], frames.flip(-1), frames)
        move_of_sample = torch.randint(4, (N,), generator=generator)
        offset = torch.randint(-self.roll_px, self.roll_px + 1, (N, 2), generator=generator)
        angle = (2 * uniform() - 1) * math.radians(self.rotate_deg)
        slant = (2 * uniform() - 1) * self.shear
        side = torch.randint(self.cut_px + 1, (N,), generator=generator)
        corner = (uniform(2) * torch.tensor([float(length) for length in height_and_width])).long() - side[
            :, None
        ] // 2
        rotation, shear = _rotation(angle), _shear(slant)

        moves: tuple[Callable[[torch.Tensor, torch.Tensor], torch.Tensor], ...] = (
            lambda samples, rows: rolled(samples, offset[rows]),
            lambda samples, rows: mapped(samples, rotation[rows]),
            lambda samples, rows: mapped(samples, shear[rows]),
            lambda samples, rows: without_squares(samples, corner[rows], side[rows]),
        )
        out = frames.clone()
        for number, move in enumerate(moves):
            rows = (move_of_sample == number).nonzero()[:, 0]
            if len(rows):
                on_device = rows.to(frames.device)
                out[on_device] = move(frames[on_device], rows)
        return out, labels


def _rotation(angle: torch.Tensor) -> torch.Tensor:
    """Matrices (N, 2, 2) that turn (x, y) by `angle` (N,), in radians."""
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos, -sin, sin, cos], 1).reshape(-1, 2, 2)


def _shear(slant: torch.Tensor) -> torch.Tensor:
    """Matrices (N, 2, 2) that add `slant` (N,) times y to x."""
    one, zero = torch.ones_like(slant), torch.zeros_like(slant)
    return torch.stack([one, slant, zero, one], 1).reshape(-1, 2, 2)
