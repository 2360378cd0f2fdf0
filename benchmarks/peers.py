"""Peers as they can be imported: SpikingJelly's datasets want torchvision and torchaudio, which nothing timed here uses."""

from __future__ import annotations

import sys
from types import ModuleType
from unittest.mock import MagicMock


def spikingjelly_datasets() -> ModuleType:
    """`spikingjelly.datasets`, imported with stand-ins for torchvision and torchaudio: their binaries must fit torch's."""
    names = ["torchvision", "torchvision.datasets", "torchvision.datasets.utils", "torchvision.transforms"]
    names += ["torchaudio", "torchaudio.transforms"]
    held = {name: sys.modules.get(name) for name in names}
    sys.modules.update({name: MagicMock(name=name) for name in names})
    sys.modules["torchvision.datasets"].DatasetFolder = type("DatasetFolder", (), {})  # type: ignore[attr-defined]
    try:
        import spikingjelly.datasets
        import spikingjelly.datasets.utils

        return spikingjelly.datasets
    finally:
        for name, module in held.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
