"""The page of a family of data sets: how to obtain them, where files belong, splits and what pins them."""

from __future__ import annotations

from eventbench import registry
from eventbench.layouts.base import Layout
from eventbench.specs.card import Archive, Card
from eventbench.specs.catalog import Named
from tools.handbook import cards
from tools.handbook.cards import Page
from tools.handbook.markdown import GENERATED, bullets, code, fenced, folded, joined, linked, prose, table

MANY_CLASSES = 12
SIMULATED = "Drawn by the simulator: subjects are disjoint between splits."
FIRST_SIGHT = (
    "Where no hash of each recording is published, `eventbench verify datasets --write` pins, at first sight, the ids, "
    "labels and files that are there; from then on `verify` and `preprocess` refuse any other."
)


def dataset_page(page: Page) -> str:
    """The page in Markdown."""
    made_from = ", ".join(
        linked(f"`datasets/{card.path.name}`", f"../{card.path.name}") for card in page.cards
    )
    papers = dict.fromkeys(card.spec.about.paper for card in page.cards if card.spec.about.paper)
    return joined(
        [
            GENERATED.format("the cards in `datasets/` and `tools/handbook/words/families.toml`"),
            f"# {page.title}",
            page.text,
            f"{'Card' if len(page.cards) == 1 else 'Cards'}: {made_from} · [all data sets](../README.md)",
            _overview(page),
            *(f"Paper: {prose(paper)}." for paper in papers),
            "## How to obtain it",
            *_obtain(page),
            "## On disk",
            *_on_disk(page),
            "## Splits and what pins them",
            *_splits(page),
            "## Commands",
            _commands(page),
            "## Notes and traps",
            bullets(page.traps),
            *(_notes(card, named=len(page.cards) > 1) for card in page.cards),
            "## Classes",
            *_classes(page),
        ]
    )


def _overview(page: Page) -> str:
    head = ["card", "title", "sensor", "classes", "samples", "format", "licence"]
    return table(
        head,
        (
            [
                code(card.id),
                linked(card.spec.about.title, card.spec.about.url),
                cards.sensor(card.spec),
                str(len(card.spec.classes)),
                cards.samples(card.spec),
                linked(code(card.spec.source["name"]), "../README.md#formats"),
                card.spec.about.licence,
            ]
            for card in page.cards
        ),
        right=[3],
    )


def _grouped_by_text(page: Page, texts: list[str]) -> list[tuple[str, str]]:
    """(names of cards, text) for each distinct text, one text per card in `texts`; "" for names where all are equal."""
    by_text: dict[str, list[str]] = {}
    for card, text in zip(page.cards, texts, strict=True):
        by_text.setdefault(text, []).append(code(card.id))
    return [("" if len(by_text) == 1 else ", ".join(names), text) for text, names in by_text.items()]


def _under_names(page: Page, texts: list[str]) -> list[str]:
    """The distinct texts, each after the names of its cards unless all cards have the same."""
    return [
        paragraph
        for names, text in _grouped_by_text(page, texts)
        for paragraph in ([f"{names}:"] if names else []) + [text]
    ]


def _obtain(page: Page) -> list[str]:
    texts = []
    for card in page.cards:
        instructions = card.spec.obtain.how
        sentence = prose(instructions[:1].upper() + instructions[1:].rstrip(".")) + "."
        files = card.spec.obtain.files
        texts.append(f"{sentence}\n\n{_files(files)}" if files else sentence)
    return _under_names(page, texts)


def _files(files: list[Archive]) -> str:
    def hashes(file: Archive) -> str:
        return (
            ", ".join(
                f"{kind} `{value}`" for kind, value in (("md5", file.md5), ("sha256", file.sha256)) if value
            )
            or "none stated"
        )

    return table(["file", "hash"], ([linked(code(file.name), file.url), hashes(file)] for file in files))


def _on_disk(page: Page) -> list[str]:
    texts = []
    for card in page.cards:
        layout = _layout(card)
        if layout is None:
            texts.append("Nothing: recordings are simulated when they are read.")
            continue
        lines = layout.tree()
        path_width = max(len(path) for path, _ in lines) + 2
        obtain = card.spec.obtain
        roots = [
            *([f"in `{obtain.folder}/`"] if obtain.folder else []),
            "in a folder named as the card",
            *([f"in `{obtain.tonic}/`, as tonic names it"] if obtain.tonic else []),
        ]
        texts.append(
            f"Below the data folder {', '.join(roots)}, or in the data folder itself:\n\n"
            + fenced("\n".join(f"{path:<{path_width}}{description}" for path, description in lines))
        )
    return _under_names(page, texts)


def _splits(page: Page) -> list[str]:
    rows = [
        [code(card.id), name, split.count, cards.per_class(split), cards.pinned(split)]
        for card in page.cards
        for name, split in card.spec.splits.items()
    ]
    layouts = [_layout(card) for card in page.cards]
    rules = _grouped_by_text(page, [SIMULATED if layout is None else layout.rule() for layout in layouts])
    notes = dict.fromkeys(layout.split_note for layout in layouts if layout is not None)
    unpinned = any(
        card.spec.layout and not all(split.files for split in card.spec.splits.values())
        for card in page.cards
    )
    return [
        bullets(f"{names}: {text[:1].lower()}{text[1:]}" if names else text for names, text in rules)
        if len(rules) > 1
        else rules[0][1],
        *notes,
        table(["card", "split", "samples", "a class", "pinned by"], rows, right=[2]),
        "A folder that differs from what is pinned is refused, and what is missing or another is named.",
        FIRST_SIGHT if unpinned else "",
    ]


def _commands(page: Page) -> str:
    lines = []
    for card in page.cards:
        data_dir = " --data-dir DATA" if card.spec.layout else ""
        download = (
            " --download"
            if card.spec.layout and f"preprocess {card.id} --download" in card.spec.obtain.how
            else ""
        )
        lines += [f"eventbench preprocess {card.id}{data_dir}{download} --pipeline frames_t16-v1"]
    first = page.cards[0]
    if first.spec.layout:
        folder = first.spec.obtain.folder or first.id
        checks = {
            f"eventbench doctor DATA/{folder}": "units, polarity, order, hot pixels, duplicates",
            "eventbench verify datasets --data-dir DATA": "what is there against every card",
        }
        command_width = max(map(len, checks)) + 2
        lines += [f"{command:<{command_width}}# {purpose}" for command, purpose in checks.items()]
    lines.append(f"eventbench show {first.id}")
    return fenced("\n".join(lines), "sh")


def _notes(card: Named[Card], *, named: bool) -> str:
    notes = " ".join(card.spec.about.notes.split())
    return f"{code(card.id)}: {prose(notes)}" if named else prose(notes)


def _classes(page: Page) -> list[str]:
    texts = []
    for card in page.cards:
        names = ", ".join(f"{index} {name}" for index, name in enumerate(card.spec.classes))
        many = len(card.spec.classes) > MANY_CLASSES
        texts.append(folded(f"{len(card.spec.classes)} classes", names) if many else names)
    return _under_names(page, texts)


def _layout(card: Named[Card]) -> Layout | None:
    if card.spec.layout is None:
        return None
    layout: Layout = registry.layouts.build(card.spec.layout, where=card.path.name)
    return layout
