"""The benchmarks that need a GPU, in one command: `make bench-gpu`. Without a GPU each row says "not measured".

The rows of a group are measured together, its contenders in turns after they were checked to be equal. To add rows, put a
`Group` into `groups()`, or, for a module that prints its own, a line at the end of `main`. SpikingJelly 2.0 has no CuPy
backend any more; it is measured with its native CUDA and Triton kernels, as far as they are installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import NamedTuple

import torch
from paired import Claim, compare, machine, summary

Row = tuple[str, str, float]  # what is timed, against what, the ratio (or share) that is required


class Group(NamedTuple):
    """Rows that one function measures; it returns a claim for each row it could measure and prints why it could not."""

    rows: list[Row]
    measure: Callable[[int], list[Claim]]


STEPS = 16
SIZES = (24, 26, 28)  # neuron-steps, as powers of two
NORSE, COMPILED, COPY = "Norse LIFBoxCell loop", "torch.compile of that loop", "copy bandwidth (share)"
JELLY = {"cuda": "SpikingJelly, native CUDA", "triton": "SpikingJelly, Triton"}


def _what(power: int) -> str:
    return f"LIF fwd+bwd on the GPU, 2^{power} neuron-steps"


def _lif_rows() -> list[Row]:
    required = {NORSE: 20.0, COMPILED: 3.0, JELLY["cuda"]: 1.2, JELLY["triton"]: 1.2, COPY: 0.75}
    return [(_what(power), against, ratio) for power in SIZES for against, ratio in required.items()]


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
    what, required = _what(power), {against: ratio for _, against, ratio in _lif_rows()}
    items = x.numel() * repeats
    claims = compare(
        what, calls, {name: required[name] for name in (NORSE, COMPILED)}, rounds=rounds, items=items
    )
    calls = {"eventbench LIF": _synchronised(step(like_spikingjelly(backend="triton"), x, g), repeats)}
    calls |= {name: _synchronised(step(peer, x, g), repeats) for name, peer in jelly.items()}
    claims += compare(what, calls, {name: required[name] for name in jelly}, rounds=rounds, items=items)
    return [*claims, _share_of_copy_bandwidth(what, x, g, rounds)]


def _share_of_copy_bandwidth(what: str, x: torch.Tensor, g: torch.Tensor, rounds: int) -> Claim:
    """The kernels' bytes per second as a share of a copy's, counting x, s, h forward and g, h, dx backward."""
    from bench_lif import like_spikingjelly, step
    from paired import times_ms

    layer, target = like_spikingjelly(backend="triton"), torch.empty_like(x, requires_grad=False)
    calls = {
        "ours": _synchronised(step(layer, x, g), 10),
        "copy": _synchronised(lambda: target.copy_(x.detach()), 10),
    }
    times = {
        name: sorted(durations)[len(durations) // 2] for name, durations in times_ms(calls, rounds).items()
    }
    return Claim(what, COPY, 0.75, (6 / times["ours"]) / (2 / times["copy"]))


def _spikingjelly(implementation: str, x: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """SpikingJelly forced to one implementation; prints why and returns None where that is not installed."""
    from bench_lif import spikingjelly_node
    from spikingjelly._ops.lif import _selection

    node = spikingjelly_node()

    def forced(x: torch.Tensor) -> torch.Tensor:
        # Read from the environment only once, at import, so a running process can only be switched here.
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
    """The call `repeats` times, then one wait for the device, so that the cost of a launch is spread as in training."""

    def calls() -> None:
        for _ in range(repeats):
            call()
        torch.cuda.synchronize()

    return calls


def groups() -> list[Group]:
    """All groups of rows."""
    return [Group(_lif_rows(), measure_lif)]


def main() -> None:
    """Measure every group and print every row with the ratio that is required and the one measured."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 15
    gpu = torch.cuda.is_available()
    print(f"{machine('torch', 'triton', 'norse', 'spikingjelly')}")
    print(f"{torch.cuda.get_device_name() if gpu else 'no GPU: every row is left unmeasured'}\n")
    measured: dict[tuple[str, str], float] = {}
    for group in groups() if gpu else []:
        measured |= {(claim.what, claim.against): claim.measured for claim in group.measure(rounds)}
    print(f"{'what':52}{'against':34}{'required':>9}{'measured':>14}")
    for group in groups():
        for what, against, required in group.rows:
            value = measured.get((what, against))
            value_text = "not measured" if value is None else f"{value:.2f}"
            short = "  short" if value is not None and value < required else ""
            print(f"{what:52}{against:34}{required:9g}{value_text:>14}{short}")
    print("\n== training")
    import training_gpu

    summary(training_gpu.run(rounds))


if __name__ == "__main__":
    main()
