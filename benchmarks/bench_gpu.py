"""The rows that want a GPU, in one command: `make bench-gpu`. Without one each says "not measured"; none is ever estimated.

A group of rows is what is measured together, its contenders in turns and checked equal before. To add rows, put a `Group`
into `groups()`, or, for a module that prints its own, a line at the end of `main`.

SpikingJelly 2.0 has no CuPy backend any more; its native CUDA and Triton kernels stand for it, whichever of them its
installation brings.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import torch
from paired import Claim, compare, machine, summary

Row = tuple[str, str, float]  # what, against whom, how many times (or which share) is asked


class Group(NamedTuple):
    """Rows that one function measures; it gives a claim for each row that it could, and prints why not for others."""

    rows: list[Row]
    measure: Callable[[int], list[Claim]]


STEPS = 16
SIZES = (24, 26, 28)  # neuron-steps, as powers of two
NORSE, COMPILED, COPY = "Norse LIFBoxCell loop", "torch.compile of that loop", "copy bandwidth (share)"
JELLY = {"cuda": "SpikingJelly, native CUDA", "triton": "SpikingJelly, Triton"}


def _what(power: int) -> str:
    return f"LIF fwd+bwd on the GPU, 2^{power} neuron-steps"


def _lif_rows() -> list[Row]:
    asked = {NORSE: 20.0, COMPILED: 3.0, JELLY["cuda"]: 1.2, JELLY["triton"]: 1.2, COPY: 0.75}
    return [(_what(power), against, times) for power in SIZES for against, times in asked.items()]


def measure_lif(rounds: int) -> list[Claim]:
    """All contenders at each size, in float32, and the share of the copy bandwidth."""
    claims: list[Claim] = []
    for power in SIZES:
        claims += _lif_at(power, rounds)
        torch.cuda.empty_cache()
    return claims


def _lif_at(power: int, rounds: int) -> list[Claim]:
    from bench_lif import check, inputs, like_norse, like_spikingjelly, norse_loop, step

    x, g = inputs((STEPS, (1 << power) // STEPS), "cuda")
    loop = norse_loop(indexed=False)
    norse = {
        NORSE: norse_loop(),
        "Norse LIFBoxCell over x.unbind(0)": loop,
        COMPILED: torch.compile(loop),
    }
    jelly = {name: node for key, name in JELLY.items() if (node := _spikingjelly(key, x)) is not None}
    ours = like_norse(backend="triton")
    for name, peer in norse.items():
        check(name, ours, peer, x, g)
    for name, peer in jelly.items():
        check(name, like_spikingjelly(backend="triton"), peer, x, g)
    repeats = max(1, 1 << (26 - power))
    calls = {"eventbench LIF": _synchronised(step(ours, x, g), repeats)}
    calls |= {name: _synchronised(step(peer, x, g), repeats) for name, peer in norse.items()}
    what, asked = _what(power), {against: times for _, against, times in _lif_rows()}
    items = x.numel() * repeats
    claims = compare(
        what, calls, {name: asked[name] for name in (NORSE, COMPILED)}, rounds=rounds, items=items
    )
    calls = {"eventbench LIF": _synchronised(step(like_spikingjelly(backend="triton"), x, g), repeats)}
    calls |= {name: _synchronised(step(peer, x, g), repeats) for name, peer in jelly.items()}
    claims += compare(what, calls, {name: asked[name] for name in jelly}, rounds=rounds, items=items)
    return [*claims, _share(what, x, g, rounds)]


def _share(what: str, x: torch.Tensor, g: torch.Tensor, rounds: int) -> Claim:
    """How much of a copy's bytes per second the kernels reach, for what must move: x, s, h forward, g, h, dx backward."""
    from bench_lif import like_spikingjelly, step
    from paired import times_ms

    layer, into = like_spikingjelly(backend="triton"), torch.empty_like(x, requires_grad=False)
    calls = {
        "ours": _synchronised(step(layer, x, g), 10),
        "copy": _synchronised(lambda: into.copy_(x.detach()), 10),
    }
    times = {
        name: sorted(durations)[len(durations) // 2] for name, durations in times_ms(calls, rounds).items()
    }
    return Claim(what, COPY, 0.75, (6 / times["ours"]) / (2 / times["copy"]))


def _spikingjelly(implementation: str, x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """SpikingJelly forced to one implementation, None (and why) where its installation has not got it."""
    from bench_lif import spikingjelly_node
    from spikingjelly._ops.lif import _selection

    node = spikingjelly_node()

    def forced(x: torch.Tensor) -> torch.Tensor:
        # Read from the environment once, at import, so that one process can only be switched here.
        if _selection._requested != implementation:  # noqa: SLF001
            _selection._requested = implementation  # noqa: SLF001
            _selection._selections.clear()  # noqa: SLF001
        return node(x)

    try:
        forced(x[:, :1024].detach())
    except (RuntimeError, ImportError) as reason:
        print(f"{JELLY[implementation]}: not measured: {' '.join(str(reason).split())[:200]}")
        return None
    return forced


def _synchronised(call: Callable[[], object], repeats: int) -> Callable[[], None]:
    """The call several times over and the wait for the device, so that a launch's cost is shared out as in training."""

    def calls() -> None:
        for _ in range(repeats):
            call()
        torch.cuda.synchronize()

    return calls


def groups() -> list[Group]:
    """Everything there is to measure on a GPU."""
    return [Group(_lif_rows(), measure_lif)]


def main() -> None:
    """Measure every group and print every row with what was asked and what was measured."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    gpu = torch.cuda.is_available()
    print(f"{machine('torch', 'triton', 'norse', 'spikingjelly')}")
    print(f"{torch.cuda.get_device_name() if gpu else 'no GPU: every row is left unmeasured'}\n")
    measured: dict[tuple[str, str], float] = {}
    for group in groups() if gpu else []:
        measured |= {(claim.what, claim.against): claim.measured for claim in group.measure(rounds)}
    print(f"{'what':52}{'against':34}{'asked':>8}{'measured':>14}")
    for group in groups():
        for what, against, asked in group.rows:
            value = measured.get((what, against))
            shown = "not measured" if value is None else f"{value:.2f}"
            short = "  short" if value is not None and value < asked else ""
            print(f"{what:52}{against:34}{asked:8g}{shown:>14}{short}")
    print("\n== training")
    import training_gpu

    summary(training_gpu.run(rounds))


if __name__ == "__main__":
    main()
