"""Geometric changes of frames: the same for all frames of a sample, different for each sample."""

from __future__ import annotations

import torch
from torch.nn.functional import affine_grid, grid_sample


def rolled(frames: torch.Tensor, offset: torch.Tensor) -> torch.Tensor:
    """Frames (N, T, C, H, W) rolled by `offset` (N, 2), (rows, columns) in pixels; what leaves on one side enters on the other."""
    N, _, _, H, W = frames.shape
    device = frames.device
    rows = (torch.arange(H, device=device) - offset[:, :1].to(device)) % H
    columns = (torch.arange(W, device=device) - offset[:, 1:].to(device)) % W
    n = torch.arange(N, device=device)[:, None, None]
    # The indexed axes come first, around the untouched T and C: (N, H, W, T, C).
    return frames[n, :, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 4, 1, 2)


def mapped(frames: torch.Tensor, matrix: torch.Tensor) -> torch.Tensor:
    """Frames (N, T, C, H, W) transformed by `matrix` (N, 2, 2) about the centre of the frame.

    The cell at (x, y) from the centre, in pixels, gets the value of the cell nearest to matrix @ (x, y), or 0 outside the
    frame. Counts stay whole numbers.
    """
    N, T, C, H, W = frames.shape
    # Coordinates of affine_grid go from -1 to 1 on both axes, whatever their lengths in pixels.
    sides = torch.tensor([[1.0, H / W], [W / H, 1.0]])
    theta = torch.cat([matrix * sides, torch.zeros(N, 2, 1)], 2).to(frames.device)
    grid = affine_grid(theta, [N, 1, H, W], align_corners=False)
    flat = frames.reshape(N, T * C, H, W).float()
    sampled = grid_sample(flat, grid, mode="nearest", padding_mode="zeros", align_corners=False)
    return sampled.reshape(N, T, C, H, W).to(frames.dtype)


def without_squares(frames: torch.Tensor, corner: torch.Tensor, side: torch.Tensor) -> torch.Tensor:
    """Frames (N, T, C, H, W) with a square of `side` (N,) pixels from `corner` (N, 2), row and column, set to 0."""
    H, W = frames.shape[-2:]
    rows = torch.arange(H) - corner[:, :1]
    columns = torch.arange(W) - corner[:, 1:]
    in_rows = (rows >= 0) & (rows < side[:, None])
    in_columns = (columns >= 0) & (columns < side[:, None])
    outside = ~(in_rows[:, :, None] & in_columns[:, None, :])
    return frames * outside[:, None, None].to(frames.device)
