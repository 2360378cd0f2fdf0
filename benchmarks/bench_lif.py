"""LIF forward and backward on the CPU against Norse's LIFBoxCell stepped in a loop and SpikingJelly's multi-step LIFNode.

One thread, and the allocator is set to keep freed memory, for all contenders. Against each peer ours has the peer's
settings: Norse's default surrogate and its reset, through which the gradient flows; SpikingJelly's ATan with a detached
reset, as TCJA and PFA use it. Spikes and gradients are compared before anything is timed. What a forward saves for its
backward is counted by storage, without the input.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import torch
from paired import Claim, compare, machine, summary
from saved_memory import saved_bytes

from eventbench.layers import LIF
from eventbench.training.heap import keep_heap

SHAPES = {
    (16, 16, 64, 32, 32): (7.0, 1.5),
    (100, 128, 128): (19.0, 8.0),
}  # how many times faster ours must be than Norse, SpikingJelly

Spiking = Callable[[torch.Tensor], torch.Tensor]


def norse_loop(indexed: bool = True) -> Spiking:
    """Norse's cell over T, as its own modules step it: x[t], whose gradient is of full size at each step, or over unbind."""
    from norse.torch import LIFBoxCell
    from norse.torch.functional.lif_box import LIFBoxParameters

    cell = LIFBoxCell(LIFBoxParameters(tau_mem_inv=torch.tensor(500.0), method="super"), dt=0.001)

    def spikes(x: torch.Tensor) -> torch.Tensor:
        state, out = None, []
        for current in (x[t] for t in range(len(x))) if indexed else x.unbind(0):
            z, state = cell(current, state)
            out.append(z)
        return torch.stack(out)

    return spikes


def spikingjelly_node() -> Spiking:
    """SpikingJelly's LIFNode over all steps, reset before each call."""
    from spikingjelly.activation_based import functional, neuron, surrogate

    node = neuron.LIFNode(
        tau=2.0, surrogate_function=surrogate.ATan(alpha=2.0), detach_reset=True, step_mode="m"
    )

    def spikes(x: torch.Tensor) -> torch.Tensor:
        functional.reset_net(node)
        return node(x)

    return spikes


def like_norse(**settings: object) -> LIF:
    """Ours with the settings of `norse_loop`."""
    return LIF(tau=2.0, surrogate="super", detach_reset=False, **settings)  # type: ignore[arg-type]


def like_spikingjelly(**settings: object) -> LIF:
    """Ours with the settings of `spikingjelly_node`."""
    return LIF(tau=2.0, surrogate="atan", alpha=2.0, detach_reset=True, **settings)  # type: ignore[arg-type]


def inputs(
    shape: tuple[int, ...], device: str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[torch.Tensor, torch.Tensor]:
    """Currents that make about a third of the neurons fire, and a cotangent."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(shape, generator=generator) * 1.5 + 0.8
    g = torch.randn(shape, generator=generator)
    return x.to(device, dtype).requires_grad_(), g.to(device, dtype)


def step(spiking: Spiking, x: torch.Tensor, g: torch.Tensor) -> Callable[[], None]:
    """Forward and backward, as a call."""

    def call() -> None:
        x.grad = None
        spiking(x).backward(g)

    return call


def check(name: str, ours: Spiking, peer: Spiking, x: torch.Tensor, g: torch.Tensor) -> None:
    """Exit unless both give the same spikes and gradients.

    SpikingJelly fires on h >= threshold and adds in another order, so a neuron whose membrane is within 1e-5 of the
    threshold may differ; its input is then set to 0 in `x` itself. More than one neuron in 100,000 is refused.
    """
    with torch.no_grad():
        differing = (ours(x) != peer(x)).any(0)
        if int(differing.sum()) * 100_000 > differing.numel() + 100_000 or not _on_threshold(
            ours, peer, x[:, differing]
        ):
            raise SystemExit(
                f"{name}: {int(differing.sum()):,} of {differing.numel():,} neurons fire differently"
            )
        x[:, differing] = 0
    results = []
    for spiking in (ours, peer):
        spikes = spiking(x)
        results.append((spikes.detach(), torch.autograd.grad(spikes, x, g)[0]))
    (our_spikes, our_gradient), (peer_spikes, peer_gradient) = results
    if not torch.equal(our_spikes, peer_spikes):
        raise SystemExit(f"{name}: spikes are not the peer's")
    torch.testing.assert_close(our_gradient, peer_gradient, rtol=1e-4, atol=1e-5)


def _on_threshold(ours: Spiking, peer: Spiking, x: torch.Tensor) -> bool:
    """Whether every neuron of (T, M) differs first at a step whose membrane, in float64, is the threshold within 1e-5."""
    if not x.numel():
        return True
    our_spikes, peer_spikes = ours(x[:, None])[:, 0], peer(x[:, None])[:, 0]
    for i in range(x.shape[1]):
        v = 0.0
        for t in range(len(x)):
            h = v + (x[t, i].item() - v) / 2
            if our_spikes[t, i] != peer_spikes[t, i]:
                if abs(h - 1) > 1e-5:
                    return False
                break
            v = 0.0 if our_spikes[t, i] else h
    return True


def run(rounds: int) -> list[Claim]:
    """Print the tables: speed against either peer, and the bytes saved for the backward."""
    heap_is_kept = keep_heap()
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    print(f"one thread; the heap is {'kept' if heap_is_kept else 'not kept'} between steps, for all\n")
    claims: list[Claim] = []
    try:
        for shape, (against_norse, against_jelly) in SHAPES.items():
            claims += _against(shape, "Norse LIFBoxCell loop", against_norse, rounds)
            claims += _against(shape, "SpikingJelly LIFNode, multi-step", against_jelly, rounds)
    finally:
        torch.set_num_threads(threads)
    return claims


def _against(shape: tuple[int, ...], peer: str, required: float, rounds: int) -> list[Claim]:
    norse = peer.startswith("Norse")
    x, g = inputs(shape)
    ours: Spiking = like_norse() if norse else like_spikingjelly()
    peers = {peer: norse_loop() if norse else spikingjelly_node()}
    if norse:
        peers["Norse LIFBoxCell over x.unbind(0)"] = norse_loop(indexed=False)
    for name, spiking in peers.items():
        check(name, ours, spiking, x, g)
    calls = {"eventbench LIF": step(ours, x, g)}
    calls |= {name: step(spiking, x, g) for name, spiking in peers.items()}
    what = f"LIF fwd+bwd {shape}".replace(" ", "").replace("LIFfwd+bwd", "LIF fwd+bwd ")
    claims = compare(what, calls, {peer: required}, rounds=rounds, items=x.numel(), unit="Mupd/s")
    our_bytes, peer_bytes = saved_bytes(ours, x, [x]), saved_bytes(peers[peer], x, [x])
    size = x.numel() * x.element_size()
    print(
        f"  saved for backward, in sizes of x: ours {our_bytes / size:.2f}, {peer} {peer_bytes / size:.2f}\n"
    )
    if norse:
        claims.append(Claim(f"{what}, bytes saved", peer, 3.0, peer_bytes / our_bytes))
    return claims


if __name__ == "__main__":
    print(f"{machine('torch', 'norse', 'spikingjelly')}\n")
    summary(run(int(sys.argv[1]) if len(sys.argv) > 1 else 9))
