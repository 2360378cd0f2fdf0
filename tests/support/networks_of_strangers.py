"""More networks as people bring them, each of a kind that had once been counted wrongly or refused; see `networks_of_torch`.

Frames (T, N, 2, 8, 8) -> scores (N, 3).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from tests.support.networks_of_torch import F, summed
from tests.support.small_nets import Through


def residual() -> nn.Module:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        y = m.relu(m.norm(m.stem(x.flatten(0, 1))))
        z = m.second(m.relu(m.first(y)))
        z += m.shortcut(y)
        scores: torch.Tensor = m.head(m.relu(z).mean((2, 3))).unflatten(0, x.shape[:2]).mean(0)
        return scores

    return Through(
        forward, stem=nn.Conv2d(2, 4, 3, padding=1), norm=nn.BatchNorm2d(4), relu=nn.ReLU(inplace=True),
        first=nn.Conv2d(4, 4, 3, 2, 1), second=nn.Conv2d(4, 4, 3, padding=1), shortcut=nn.Conv2d(4, 4, 1, 2),
        head=nn.Linear(4, 3),
    )  # fmt: skip


def unusual_paddings() -> nn.Module:
    return nn.Sequential(
        Through(lambda m, x: x.sum(0)), nn.Conv2d(2, 6, 3, padding=2, dilation=2, groups=2, padding_mode="circular"),
        nn.ReLU(), nn.Conv2d(6, 6, 3, padding="same", padding_mode="reflect", dilation=(1, 2)), nn.ReLU(),
        nn.Conv2d(6, 4, (1, 5), padding=(0, 2), padding_mode="replicate", groups=2), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(4, 3),
    )  # fmt: skip


def windows(x: torch.Tensor) -> torch.Tensor:
    """(N, rows, columns, 8) of 4 x 4 windows: 3 x 3 of them, whose number has no factor in common with T."""
    x = x.sum(0)
    return x.view(len(x), 2, 4, 2, 4, 2).permute(0, 2, 4, 1, 3, 5)[:, :3, :3].flatten(3)


def windows_of_each_sample() -> nn.Module:
    return Through(
        lambda m, x: m.head(m.embed(windows(x).reshape(-1, 8)).relu().view(x.shape[1], 9, 8).mean(1)),
        embed=nn.Linear(8, 8), head=nn.Linear(8, 3),
    )  # fmt: skip


def samples_of_each_window() -> nn.Module:
    return Through(
        lambda m, x: m.head(
            m.embed(windows(x).permute(1, 2, 0, 3).reshape(-1, 8)).relu().view(9, x.shape[1], 8).mean(0)
        ),
        embed=nn.Linear(8, 8), head=nn.Linear(8, 3),
    )  # fmt: skip


def samples_of_each_window_of_each_step() -> nn.Module:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        rows = x.view(*x.shape[:2], 2, 4, 2, 4, 2).permute(0, 3, 5, 1, 2, 4, 6).reshape(-1, 8)
        scores: torch.Tensor = m.head(m.embed(rows).relu().view(-1, x.shape[1], 8).mean(0))
        return scores

    return Through(forward, embed=nn.Linear(8, 8), head=nn.Linear(8, 3))


class Tokens(nn.Module):
    """Learned tokens before those of the samples."""

    def __init__(self) -> None:
        super().__init__()
        self.tokens = nn.Parameter(torch.randn(1, 3, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([self.tokens.expand(len(x), -1, -1), x], 1)


class Queries(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(3, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.queries.expand(len(x), -1, -1)


def embedded(m: Any, x: torch.Tensor) -> torch.Tensor:
    tokens: torch.Tensor = m.embed(x.flatten(2)).transpose(0, 1)
    return tokens


def learned_tokens() -> nn.Module:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        tokens = m.tokens(embedded(m, x))
        scores: torch.Tensor = m.head(m.attend(tokens, tokens, tokens, need_weights=False)[0][:, 0])
        return scores

    attend = nn.MultiheadAttention(8, 2, batch_first=True)
    return Through(forward, embed=nn.Linear(F, 8), tokens=Tokens(), attend=attend, head=nn.Linear(8, 3))


def learned_queries() -> nn.Module:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        keys = embedded(m, x)
        hidden = torch.zeros(keys.shape[:2], dtype=torch.bool)
        hidden[:, 1] = True
        scores: torch.Tensor = m.head(
            m.attend(m.queries(keys), keys, keys, key_padding_mask=hidden)[0].mean(1)
        )
        return scores

    attend = nn.MultiheadAttention(8, 2, batch_first=True)
    return Through(forward, embed=nn.Linear(F, 8), queries=Queries(), attend=attend, head=nn.Linear(8, 3))


def padded_transformer() -> nn.Module:
    """With the defaults of torch, which takes a fast path through nested tensors where nothing watches it."""

    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        tokens = embedded(m, x)
        hidden = torch.zeros(tokens.shape[:2], dtype=torch.bool)
        hidden[:, -1] = True
        scores: torch.Tensor = m.head(m.encode(tokens, src_key_padding_mask=hidden)[:, 0])
        return scores

    encode = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16, batch_first=True), 2)
    return Through(forward, embed=nn.Linear(F, 8), encode=encode, head=nn.Linear(8, 3))


def encoder_and_decoder() -> nn.Module:
    def forward(m: Any, x: torch.Tensor) -> torch.Tensor:
        tokens = embedded(m, x)
        causal = nn.Transformer.generate_square_subsequent_mask(tokens.shape[1])
        scores: torch.Tensor = m.head(m.both(tokens, m.queries(tokens), src_mask=causal).mean(1))
        return scores

    both = nn.Transformer(8, 2, 1, 1, 16, dropout=0.0, batch_first=True)
    return Through(forward, embed=nn.Linear(F, 8), both=both, queries=Queries(), head=nn.Linear(8, 3))


def one_layer_twice() -> nn.Module:
    return Through(
        lambda m, x: m.head(m.again(m.again(summed(m, x).clamp(max=1)).relu())),
        again=nn.Linear(F, F), head=nn.Linear(F, 3),
    )  # fmt: skip


def tied_layers() -> nn.Module:
    model = Through(
        lambda m, x: m.head(m.first(x[0].flatten(1)) + m.second(x[1:].sum(0).flatten(1))),
        first=nn.Linear(F, 8), second=nn.Linear(F, 8), head=nn.Linear(8, 3),
    )  # fmt: skip
    model.second.weight = model.first.weight  # type: ignore[union-attr]
    return model


def table_of_three() -> nn.Module:
    """Counts go to 3, a table of the input's own values has no room for any other."""
    return Through(
        lambda m, x: m.head(m.table((x.amax((0, 2)).flatten(1) > 2).long()).mean(1)),
        table=nn.Embedding(2, 6), head=nn.Linear(6, 3),
    )  # fmt: skip


def table_of_sums() -> nn.Module:
    return Through(
        lambda m, x: m.head(m.table(x.sum((0, 2, 3, 4)).long())),
        table=nn.Embedding(600, 6), head=nn.Linear(6, 3),
    )  # fmt: skip


def parallel() -> nn.Module:
    return nn.Sequential(Through(summed), nn.DataParallel(nn.Linear(F, 3)))


def hypernetwork_of_one_row() -> nn.Module:
    return Through(
        lambda m, x: m.head(torch.addcmul(m.shift(summed(m, x)), m.scale(summed(m, x)), m.scale(summed(m, x)))),
        shift=nn.Linear(F, 8), scale=nn.Linear(F, 8), head=nn.Linear(8, 3),
    )  # fmt: skip


COUNTED: list[Callable[[], nn.Module]] = [
    *(residual, unusual_paddings, windows_of_each_sample, samples_of_each_window),
    *(samples_of_each_window_of_each_step, learned_tokens, learned_queries, padded_transformer),
    *(encoder_and_decoder, one_layer_twice, tied_layers, table_of_three, table_of_sums, parallel),
    *(hypernetwork_of_one_row,),
]


def hooked() -> nn.Module:
    model = Through(lambda m, x: m.head(m.first(summed(m, x))), first=nn.Linear(F, 8), head=nn.Linear(8, 3))
    weight = torch.randn(8, 8)
    model.first.register_forward_hook(lambda _module, _args, output: output @ weight)  # type: ignore[union-attr]
    return model


def sparse() -> nn.Module:
    class Sparse(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.randn(F, 3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.sparse.mm(x.sum(0).flatten(1).to_sparse(), self.weight)

    return nn.Sequential(Sparse())


def fourier() -> nn.Module:
    return Through(
        lambda m, x: m.head(torch.fft.rfft2(x.sum(0)).abs().flatten(1)), head=nn.Linear(2 * 8 * 5, 3)
    )


def mapped() -> nn.Module:
    return Through(lambda m, x: torch.vmap(m.head)(summed(m, x)), head=nn.Linear(F, 3))


def counts_nothing() -> nn.Module:
    class Counts(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

        def count_synaptic_operations(self, inputs: torch.Tensor) -> None:
            raise ValueError(f"no idea of {inputs.ndim} axes")

    return nn.Sequential(Through(summed), Counts(), nn.Linear(F, 3))


NOT_COUNTED: dict[Callable[[], nn.Module], str] = {
    hooked: "the model itself runs mm outside any layer",
    sparse: "'0' runs _sparse_addmm",
    fourier: "the model itself runs _fft_r2c",
    mapped: "'head' runs in torch.vmap",
    counts_nothing: "count_synaptic_operations of '1' raised ValueError: no idea of 2 axes",
}
