"""Synaptic operations of a sample: additions where a layer's input is binary, multiply-adds where it is not.

Definition, after NeuroBench (Yik et al., arXiv 2304.04640), with its three figures: a synaptic operation is a pair of a
non-zero weight and a non-zero input that are multiplied. It is an accumulate (AC) where the layer's input, over the whole
recording of that sample, is only 0 and 1, or only -1, 0 and 1; else a multiply-accumulate (MAC). So an attention gate or an
average pool turns the next layer's ACs into MACs, and a first layer whose input has counts above 1 runs MACs.

Differs from NeuroBench 2.3, where one value that is not binary anywhere in a *batch* makes the whole batch MACs: here it
is decided per sample, and no figure depends on the batch size. Attention is counted too (below).

* Counted, exactly: Linear and convolutions, transposed ones too, with stride, padding, dilation, groups and edges; RNN, GRU
  and LSTM, cells and sequences; multi-head attention; the recurrent layers of Norse and of this package; SpikingJelly's
  layers of several steps. Weights are those that the model is scored with; biases are free.
* Declared by a module: `gates_input = True` (TCJA), which makes each non-zero input of the module one MAC, for the gate it
  is multiplied with; `count_synaptic_operations(self, inputs) -> (acs, macs, dense)` (PFA), three tensors (N,) of whole
  numbers, for everything the module multiplies itself, a gate included. Its child layers are still counted as layers.
* Free: neuron updates and their parameters, pooling, activations (PReLU), scales, added positions, look-ups (Embedding), and
  normalisation: BatchNorm is a fixed affine map at inference; the others cost little compared with the layers around them.
* The figure is not counted where there are other products, of matrices or all pairs: the reason names the place.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import EventbenchError, NotCounted
from eventbench.metrics._counters.base import Call, Counter
from eventbench.metrics._counters.order import ALLOWED, disproved, orders
from eventbench.metrics._counters.tally import Tally
from eventbench.metrics._counters.trial import pair
from eventbench.metrics._counters.undeclared import undeclared_products
from eventbench.metrics._counting import counter_of
from eventbench.metrics._watch import Watch, module_label
from eventbench.metrics.base import Figure, ModelMetric
from eventbench.models.protocols import CountsSynapticOperations, gates_its_input

NAME = "synaptic_operations"
DECLARE = "give the module a method count_synaptic_operations(inputs) -> (acs, macs, dense)"


class SynapticOperations(ModelMetric):
    """Mean operations of a sample: `.effective_acs`, `.effective_macs`, and `.dense`, as if nothing were zero.

    The rows of a layer's input must be in one of the orders of `_counters/order.py`, the same at each call; where a shape
    fits several, `probe` finds the right one by changing one of two samples. The inputs of a layer that is called several
    times in a forward, step by step for instance, are taken together; a layer that is never called multiplies nothing. For a
    model in which nothing is counted or declared the figures do not exist and `value` is empty.
    """

    _watch: Watch | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:
        """Place hooks on every layer that is counted or declares its operations."""
        self._counters: dict[str, Counter] = {}
        self._watched: dict[str, nn.Module] = {}
        for name, module in model.named_modules():
            declares = isinstance(module, CountsSynapticOperations)
            if isinstance(module, torch.jit.ScriptModule):
                if any(True for _ in module.parameters()):
                    self.give_up(f"{module_label(name)} is scripted, so its layers cannot be watched")
                continue
            if not declares and (counter := counter_of(module)) is not None:
                self._counters[name] = counter
            if name in self._counters or declares or gates_its_input(module):
                self._watched[name] = module
        self._samples = 0
        self._tallies = {name: Tally(device) for name in self._watched}
        self._watch = Watch(
            model,
            self._watched,
            begin=self._begin,
            before=self._before,
            after=self._after,
            give_up=self.give_up,
        )

    def _begin(self) -> None:
        for tally in self._tallies.values():
            tally.reset()

    def _before(self, name: str, module: nn.Module, call: Call) -> None:
        """Operations that a module declares, of its input before it may change that."""
        assert self._watch is not None
        tally = self._tallies[name]
        tally.called = True
        if isinstance(module, CountsSynapticOperations):
            acs, macs, dense = _declared(name, module, call.x, self._watch.samples)
            tally.add_declared(acs.sum(), macs.sum(), dense.sum())
        if gates_its_input(module):
            macs = (call.x != 0).sum()
            tally.add_declared(torch.zeros_like(macs), macs, torch.full_like(macs, call.x.numel()))

    def _after(self, name: str, _module: nn.Module, call: Call) -> None:
        watch = self._watch
        if name not in self._counters or watch is None:
            return
        tally = self._tallies[name]
        for x, axes in self._inputs(name, call):
            tally.orders &= orders(x.shape[:axes], watch.steps, watch.samples)
            if not tally.orders:
                raise NotCounted(
                    f"the input of {module_label(name)} has shape {tuple(x.shape)} for T={watch.steps} and "
                    f"N={watch.samples}: which rows belong to which sample is not known",
                    allowed=f"{ALLOWED}, the same at each call",
                )
        tally.add_call(self._counters[name].count(call), sorted(tally.orders), watch.steps, watch.samples)

    def _inputs(self, name: str, call: Call) -> list[tuple[torch.Tensor, int]]:
        """Each input of a layer, its axes of steps and samples first, and their number."""
        try:
            return list(self._counters[name].inputs(call))
        except NotCounted as reason:
            raise NotCounted(f"{module_label(name)}: {reason.unlocated}") from None

    def update(self, frames: torch.Tensor) -> None:
        """Add the counts of the last forward to the totals."""
        self._samples += frames.shape[1]
        for tally in self._tallies.values():
            if tally.called:
                tally.commit()

    def close(self) -> None:
        """Remove the hooks."""
        if self._watch is not None:
            self._watch.close()

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """With two samples, find undeclared products, and which rows of each layer's input are whose."""
        declared = {name for name, m in self._watched.items() if isinstance(m, CountsSynapticOperations)}
        undeclared = undeclared_products(model, pair(model, frames, 0), {*self._counters, *declared})
        for name, operator in undeclared.items():
            self.give_up(f"{module_label(name)} runs {operator} outside any layer that is counted; {DECLARE}")
            return
        self._try_orders(model, frames)

    def _try_orders(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Keep of each layer's orders those in which no row of a sample changes when only the other sample does."""
        kept, changed = (self._inputs_of(model, pair(model, frames, number)) for number in (0, 1))
        for name, inputs in kept.items():
            tally = self._tallies[name]
            for (x, axes), (other, _) in zip(inputs, changed.get(name, []), strict=False):
                if x.shape == other.shape and (differs := (x != other).flatten(axes)).ndim > axes:
                    rows = differs.any(axes)
                    tally.orders -= {
                        order for order in tally.orders if disproved(rows, order, frames.shape[0])
                    }

    def _inputs_of(self, model: nn.Module, frames: torch.Tensor) -> dict[str, list[tuple[torch.Tensor, int]]]:
        seen: dict[str, list[tuple[torch.Tensor, int]]] = {}

        def keep(name: str, _module: nn.Module, call: Call) -> None:
            inputs = self._inputs(name, call)
            for x, axes in inputs:
                self._tallies[name].orders &= orders(x.shape[:axes], watch.steps, watch.samples)
            seen.setdefault(name, []).extend((x.detach().clone(), axes) for x, axes in inputs)

        layers = {name: self._watched[name] for name in self._counters}
        watch = Watch(model, layers, after=keep, give_up=self.give_up)
        try:
            with torch.no_grad():
                model(frames)
        finally:
            watch.close()
        return seen

    def value(self) -> dict[str, Figure]:
        """The three means; empty where nothing is counted or declared."""
        if self._watch is None or self._samples == 0:
            raise EventbenchError("no sample was scored", where=NAME)
        if not self._watched:
            return {}
        sums = torch.zeros(3, dtype=torch.int64)
        for name, tally in self._tallies.items():
            totals = tally.settled() if tally.orders else None
            if totals is None:
                raise NotCounted(
                    f"which rows of the input of {module_label(name)} belong to which sample is not known",
                    allowed=ALLOWED,
                )
            sums += totals.cpu()
        keys = ("effective_acs", "effective_macs", "dense")
        return {
            key: Figure(total / self._samples, "operations/sample", "lower")
            for key, total in zip(keys, sums.tolist(), strict=True)
        }


def _declared(
    name: str, module: CountsSynapticOperations, x: torch.Tensor, samples: int
) -> tuple[torch.Tensor, ...]:
    """The counts of the module's own method for an input: three int64 tensors (N,). Raises NotCounted for others."""
    try:
        counts: object = module.count_synaptic_operations(x)
    except Exception as error:
        raise NotCounted(
            f"count_synaptic_operations of {module_label(name)} raised {type(error).__name__}: {error}"
        ) from error
    allowed = f"three tensors of whole numbers, shape ({samples},): acs, macs, dense"
    if not isinstance(counts, tuple) or len(counts) != 3:
        raise NotCounted(f"{module_label(name)} counts {counts!r}", allowed=allowed)
    for count in counts:
        if not isinstance(count, torch.Tensor) or tuple(count.shape) != (samples,) or count.is_complex():
            raise NotCounted(f"{module_label(name)} counts {count!r}", allowed=allowed)
        if count.is_floating_point() and not torch.equal(count, count.round()):
            raise NotCounted(f"{module_label(name)} counts parts of an operation", allowed=allowed)
    return tuple(count.to(device=x.device, dtype=torch.int64) for count in counts)
