"""Import SpikingJelly's datasets without torchvision and torchaudio, which nothing that is timed here uses."""

from __future__ import annotations

import sys
from types import ModuleType
from unittest.mock import MagicMock


def spikingjelly_datasets() -> ModuleType:
    """`spikingjelly.datasets`, imported with mocks of torchvision and torchaudio, whose binaries would have to fit torch's."""
    names = ["torchvision", "torchvision.datasets", "torchvision.datasets.utils", "torchvision.transforms"]
    names += ["torchaudio", "torchaudio.transforms"]
    modules_before = {name: sys.modules.get(name) for name in names}
    sys.modules.update({name: MagicMock(name=name) for name in names})
    sys.modules["torchvision.datasets"].DatasetFolder = type("DatasetFolder", (), {})  # type: ignore[attr-defined]
    try:
        import spikingjelly.datasets
        import spikingjelly.datasets.utils

        return spikingjelly.datasets
    finally:
        for name, module in modules_before.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
