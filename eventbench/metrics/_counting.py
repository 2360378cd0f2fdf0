"""`counter_of`: what counts the operations of a layer."""

from __future__ import annotations

from torch import nn

from eventbench.metrics._counters.attention import AttentionCounter
from eventbench.metrics._counters.base import Counter
from eventbench.metrics._counters.connections import Connections, computes_a_connection
from eventbench.metrics._counters.feedback import FeedbackCounter
from eventbench.metrics._counters.recurrent import CELLS, CellCounter, SequenceCounter
from eventbench.metrics._libraries import library_of
from eventbench.models.protocols import FeedsSpikesBack

__all__ = ["counter_of"]


def counter_of(module: nn.Module) -> Counter | None:
    """What counts the operations of a layer; None for one that no counter knows, which may multiply nothing at all."""
    library = library_of(module)
    if library is not None and (counter := library.counter_of(module)) is not None:
        return counter
    if computes_a_connection(module):
        return Connections(module)
    if isinstance(module, FeedsSpikesBack) and module.feeds_spikes_back is True:
        return FeedbackCounter(module)
    kind = type(module)
    if isinstance(module, nn.MultiheadAttention) and kind.forward is nn.MultiheadAttention.forward:
        return AttentionCounter(module)
    if isinstance(module, nn.RNNBase) and any(kind.forward is of.forward for of in (nn.RNN, nn.LSTM, nn.GRU)):
        return SequenceCounter(module)
    if isinstance(module, nn.RNNCellBase) and any(kind.forward is cell.forward for cell in CELLS):
        return CellCounter(module)
    return None
