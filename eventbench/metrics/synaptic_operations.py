"""Synaptic operations of a sample: additions where a layer's input is binary, multiply-adds where it is not.

Definition, after NeuroBench (Yik et al., arXiv 2304.04640), with its three figures: in every Linear, Conv1d and Conv2d, a
synaptic operation is a pair of a non-zero weight and a non-zero input that are multiplied. It is an accumulate (AC) where
the layer's input, over the whole recording of that sample, is only 0 and 1, or only -1, 0 and 1; else a
multiply-accumulate (MAC). So an attention gate or an average pool turns the next layer's ACs into MACs, and a first layer
whose input has counts above 1 runs MACs.

Differs from NeuroBench 2.3, where one value that is not binary anywhere in a *batch* makes the whole batch MACs: here it
is decided per sample, and no figure depends on the batch size. Attention is counted too (below).

* Counted: the layers above, exactly, with stride, padding, dilation, groups and edges. Weights are those that the model is
  scored with; biases are free.
* Declared by a module: `gates_input = True` (TCJA), which makes each non-zero input of the module one MAC, for the gate it
  is multiplied with; `count_synaptic_operations(self, inputs) -> (acs, macs, dense)` (PFA), three tensors (N,) of whole
  numbers, for everything the module multiplies itself, a gate included. Its child layers are still counted as layers.
* Not counted: neuron updates, pooling, activations, and normalisation (`IGNORED`): BatchNorm is a fixed affine map at
  inference; LayerNorm, GroupNorm and InstanceNorm cost little compared with the layers around them.
* Refused, never skipped: other modules with weights, matrix products outside all of these modules, and layers that are
  never called.
"""

from __future__ import annotations

import torch
from torch import nn

from eventbench.errors import BadSubmission, EventbenchError
from eventbench.metrics._order import ALLOWED, by_sample, orders
from eventbench.metrics._pairs import Pairs, is_counted
from eventbench.metrics._tally import Tally
from eventbench.metrics._undeclared import undeclared_products
from eventbench.metrics._watch import Watch, module_label
from eventbench.metrics.base import Figure, ModelMetric
from eventbench.models.protocols import CountsSynapticOperations, gates_its_input, is_spiking

IGNORED = (
    nn.BatchNorm1d,
    nn.BatchNorm2d,
    nn.BatchNorm3d,
    nn.InstanceNorm1d,
    nn.InstanceNorm2d,
    nn.InstanceNorm3d,
    nn.LayerNorm,
    nn.GroupNorm,
)
NAME = "synaptic_operations"
DECLARE = "give the module a method count_synaptic_operations(inputs) -> (acs, macs, dense)"


def _refuse_unknown_weights(name: str, module: nn.Module) -> None:
    """Raises BadSubmission for a module with parameters that does not declare its operations."""
    for key, parameter in module.named_parameters(recurse=False):
        # A spiking layer may train one time constant or threshold per channel; a matrix is synapses.
        if is_spiking(module) and sum(s > 1 for s in parameter.shape) <= 1:
            continue
        raise BadSubmission(
            f"{module_label(name)} is a {type(module).__name__} with the parameter {key!r}: its operations are unknown",
            where=NAME,
            allowed="parameters in Linear, Conv1d, Conv2d and normalisation layers",
            fix=DECLARE,
        )


class SynapticOperations(ModelMetric):
    """Mean operations of a sample: `.effective_acs`, `.effective_macs`, and `.dense`, as if nothing were zero.

    Inputs of a layer must be in one of two orders, the same at each call: leading axis N, or leading axes T, N, flattened
    (row t·N+n) or not. The inputs of a layer that is called several times in a forward, step by step for instance, are
    taken together. For a model in which nothing is counted or declared the figures do not exist and `value` is empty.

    Raises BadSubmission for what cannot be counted: in `start` or in the forward where possible, else in `probe`, which
    runs one sample to find undeclared products, or in `value`.
    """

    _watch: Watch | None = None

    def start(self, model: nn.Module, device: torch.device) -> None:
        """Place hooks on every layer that is counted or declares its operations; refuse other modules with weights."""
        self._pairs: dict[str, Pairs] = {}
        watched = {}
        for name, module in model.named_modules():
            if not isinstance(module, CountsSynapticOperations):
                if is_counted(module):
                    self._pairs[name] = Pairs(module)
                elif not isinstance(module, IGNORED):
                    _refuse_unknown_weights(name, module)
            if name in self._pairs or isinstance(module, CountsSynapticOperations) or gates_its_input(module):
                watched[name] = module
        self._samples = 0
        self._probed = False
        self._called: set[str] = set()
        self._tallies = {name: Tally(device) for name in watched}
        self._watched = watched
        self._watch = Watch(model, watched, begin=self._begin, before=self._before, after=self._after)

    def _begin(self) -> None:
        for tally in self._tallies.values():
            tally.reset()

    def _before(self, name: str, module: nn.Module, x: torch.Tensor) -> None:
        assert self._watch is not None
        tally = self._tallies[name]
        tally.called = True
        if isinstance(module, CountsSynapticOperations):
            acs, macs, dense = _declared(name, module, x, self._watch.samples)
            tally.add_declared(acs.sum(), macs.sum(), dense.sum())
        if gates_its_input(module):
            macs = (x != 0).sum()
            tally.add_declared(torch.zeros_like(macs), macs, torch.full_like(macs, x.numel()))

    def _possible_orders(self, name: str, x: torch.Tensor, watch: Watch) -> set[str]:
        """The orders that all inputs of a layer so far can be in, `x` included. Raises BadSubmission for none."""
        tally = self._tallies[name]
        tally.orders &= orders(self._pairs[name].leading(x) or (), watch.steps, watch.samples)
        if not tally.orders:
            raise BadSubmission(
                f"the input of {module_label(name)} has shape {tuple(x.shape)} for T={watch.steps} and "
                f"N={watch.samples}: which rows belong to which sample is not known",
                where=NAME,
                allowed=f"{ALLOWED}, the same at each call",
            )
        return tally.orders

    def _after(self, name: str, _module: nn.Module, x: torch.Tensor, _output: object) -> None:
        # After the call, so that an input of the wrong shape raises the layer's own error.
        watch = self._watch
        if name not in self._pairs or watch is None:
            return
        tally, possible = self._tallies[name], self._possible_orders(name, x, watch)
        rows = self._pairs[name].count(x)
        for order in possible:
            pairs = by_sample(rows.pairs, order, watch.steps, watch.samples).sum(1)
            ternary = by_sample(rows.ternary, order, watch.steps, watch.samples).all(1)
            tally.add_layer(order, pairs, ternary)
        tally.add_dense(rows.dense)

    def update(self, frames: torch.Tensor) -> None:
        """Add the counts of the last forward to the totals."""
        self._samples += frames.shape[1]
        for name, tally in self._tallies.items():
            if tally.called:
                self._called.add(name)
                tally.commit()

    def close(self) -> None:
        """Remove the hooks."""
        if self._watch is not None:
            self._watch.close()

    def probe(self, model: nn.Module, frames: torch.Tensor) -> None:
        """Run one sample twice: to find undeclared products, and the order of each layer's input."""
        sample = frames[:, :1].contiguous()
        accounted = {
            name
            for name, m in self._watched.items()
            if name in self._pairs or isinstance(m, CountsSynapticOperations)
        }
        undeclared = undeclared_products(model, sample, accounted)
        if undeclared:
            raise BadSubmission(
                f"{'; '.join(undeclared)} outside any layer that is counted",
                where=NAME,
                fix=DECLARE,
            )

        def narrow_orders(name: str, _module: nn.Module, x: torch.Tensor, _output: object) -> None:
            self._possible_orders(name, x, watch)

        # With one sample no shape fits both orders, unless T is 1 and they are the same.
        layers = {name: self._watched[name] for name in self._pairs}
        watch = Watch(model, layers, after=narrow_orders)
        try:
            with torch.no_grad():
                model(sample)
        finally:
            watch.close()

    def value(self) -> dict[str, Figure]:
        """The three means; empty where nothing is counted or declared."""
        if self._watch is None or self._samples == 0:
            raise EventbenchError("no sample was scored", where=NAME)
        unused = sorted(set(self._watched) - self._called)
        if unused:
            raise BadSubmission(
                f"{module_label(unused[0])} was never called as a module",
                where=NAME,
                fix="take it out of the model, or call it instead of using its weight elsewhere",
            )
        if not self._watched:
            return {}
        sums = [0, 0, 0]
        for name, tally in self._tallies.items():
            totals = {tuple(tally.totals[order].tolist()) for order in tally.orders}
            if len(totals) > 1:
                raise EventbenchError(
                    f"T and N are equal in every batch, so the order of {module_label(name)}'s input is not known",
                    where=NAME,
                    fix="call probe before value",
                )
            sums = [a + b for a, b in zip(sums, totals.pop(), strict=True)]
        keys = ("effective_acs", "effective_macs", "dense")
        return {
            key: Figure(total / self._samples, "operations/sample", "lower")
            for key, total in zip(keys, sums, strict=True)
        }


def _declared(
    name: str, module: CountsSynapticOperations, x: torch.Tensor, samples: int
) -> tuple[torch.Tensor, ...]:
    """The counts of the module's own method for an input: three int64 tensors (N,). Raises BadSubmission for others."""
    counts: object = module.count_synaptic_operations(x)
    allowed = f"three tensors of whole numbers, shape ({samples},): acs, macs, dense"
    if not isinstance(counts, tuple) or len(counts) != 3:
        raise BadSubmission(f"{module_label(name)} counts {counts!r}", where=NAME, allowed=allowed)
    for count in counts:
        if not isinstance(count, torch.Tensor) or tuple(count.shape) != (samples,) or count.is_complex():
            raise BadSubmission(f"{module_label(name)} counts {count!r}", where=NAME, allowed=allowed)
        if count.is_floating_point() and not torch.equal(count, count.round()):
            raise BadSubmission(
                f"{module_label(name)} counts parts of an operation", where=NAME, allowed=allowed
            )
    return tuple(count.to(device=x.device, dtype=torch.int64) for count in counts)
