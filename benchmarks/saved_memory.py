"""Memory that a forward saves for its backward, counted by storage."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch


def saved_bytes(
    forward: Callable[[torch.Tensor], torch.Tensor], x: torch.Tensor, excluded: Iterable[torch.Tensor]
) -> int:
    """Bytes that `forward(x)` saves for its backward, each storage once, those of the `excluded` tensors not."""
    storages: dict[int, int] = {}

    def pack(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        storages[storage.data_ptr()] = storage.nbytes()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        output = forward(x)
    not_counted = {tensor.untyped_storage().data_ptr() for tensor in excluded}
    del output
    return sum(size for pointer, size in storages.items() if pointer not in not_counted)
