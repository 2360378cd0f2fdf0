"""Small sound files of every format, written by the tests' writers or cut from real recordings, and ways to harm them."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np

# Whole numbers at which lengths, offsets and counts go wrong.
MAGIC = sorted(
    {0, *(2**k + d for k in (7, 8, 15, 16, 20, 24, 31, 32, 40, 63) for d in (-1, 0, 1)), 2**64 - 1}
)


def seeds(source: str, recordings: Path | None) -> list[bytes]:
    """Sound files of one source; the generated ones, and heads of real recordings where that folder is at hand.

    Both are in the file of the source's name in tests/support/formats. Raises LookupError where there is none.
    """
    module = format_of(source)
    heads = getattr(module, "heads", None)
    generated: list[bytes] = module.seeds()
    return [*generated, *(heads(recordings) if recordings and heads else [])]


def format_of(source: str) -> ModuleType:
    """The file in tests/support/formats that has the seeds of a source."""
    try:
        return importlib.import_module(f"tests.support.formats.{source}")
    except ModuleNotFoundError as error:
        missing = f"no seeds for the source {source!r}: write tests/support/formats/{source}.py with seeds()"
        raise LookupError(missing) from error


def harmed(data: bytes, others: list[bytes], rng: np.random.Generator) -> bytes:  # noqa: C901  # a case a kind of harm
    """The file with one to four things done to it, most of them near its beginning, where sizes and offsets stand."""
    now = bytearray(data)
    for _ in range(int(rng.integers(1, 5))):
        reach = max(1, len(now) if rng.random() < 0.5 else min(len(now), 600))
        at, size = int(rng.integers(reach)), int(2 ** rng.integers(0, 9))
        match rng.integers(9):
            case 0:
                for k in rng.integers(0, reach, rng.integers(1, 9)).tolist():
                    now[k : k + 1] = bytes([(now[k] if k < len(now) else 0) ^ 1 << int(rng.integers(8))])
            case 1:
                now[at : at + 1] = bytes(
                    [int(rng.choice([0, 1, 0x7F, 0x80, 0xFE, 0xFF, int(rng.integers(256))]))]
                )
            case 2 | 3:
                width = int(rng.choice([2, 4, 8]))
                value = MAGIC[int(rng.integers(len(MAGIC)))] % 2 ** (8 * width)
                at -= at % width if rng.random() < 0.5 else 0
                now[at : at + width] = value.to_bytes(width, "little" if rng.random() < 0.7 else "big")
            case 4:
                del now[at:]
            case 5:
                del now[at : at + size]
            case 6:
                now[at:at] = now[at : at + size] * int(rng.integers(1, 4))
            case 7:
                now[at:at] = rng.bytes(size) if rng.random() < 0.5 else bytes(size)
            case 8:
                other = others[int(rng.integers(len(others)))]
                start = int(rng.integers(max(1, len(other))))
                now[at : at + size] = other[start : start + size]
    return bytes(now)
