"""`datasets/README.md`: the tables of data sets, of layouts and of formats."""

from __future__ import annotations

from eventbench import registry
from eventbench.sources.base import Source
from tools.handbook import cards
from tools.handbook.markdown import GENERATED, code, joined, linked, table
from tools.handbook.members import documented, parameters, shipped_names


def dataset_index() -> str:
    """The page in Markdown."""
    return joined(
        [
            GENERATED.format(
                "the cards here, each member's `about` in `eventbench/sources/` and `eventbench/writers/`, and `tools/handbook/words/families.toml`"
            ),
            "# Data sets and formats",
            "A card, `<name>.toml`, says what a data set is: the format of its recordings, where they lie, how many there are "
            "in each split, what they are pinned by, how to obtain them. A data set in a known format is one more card; "
            "nothing else has to be told of it. [Your own data](OWN_DATA.md): from a folder to a ranked board. [Odd files](ODD_FILES.md): "
            "what happens with files that are damaged, or that other programs wrote. [What other readers answer](OTHER_READERS.md), "
            "where it is not what the file holds.",
            "```sh\neventbench ls datasets\neventbench preprocess nmnist --data-dir DATA --pipeline frames_t16-v1\n"
            "eventbench verify datasets --data-dir DATA\n```",
            "## Data sets",
            _datasets(),
            "Licences are the publishers', of the recordings; where none is known here, ask before you redistribute. "
            "Accuracies on two cards of one data set are on different splits: never compare them.",
            "## Layouts",
            "How recordings lie in folders, and what says the label and the split of each. A card names one in `[layout]`; "
            "`eventbench show NAME` explains its parameters.",
            _layouts(),
            "## Formats",
            "`eb.read` and `eventbench doctor` take a file in any of these. The format is told by the content before the name. "
            "Out of every reader come the same four columns: `t` int64 us in order, `x` and `y` uint16 from the top left, `p` "
            "uint8, 0 OFF and 1 ON. What cannot be that is refused in one line with the file and the place in it: truncated "
            "files, times that step back, events off the sensor.",
            _formats(),
            "`eventbench show NAME` has the layout of a format's words, its parameters and its source. A reader that has "
            'parameters takes them in the card: `source = { name = "text_columns", order = "xytp", unit = "s" }`. '
            "Where nobody says the unit of times and the events contradict the usual one, `eb.read` warns (`eb.EventbenchWarning`) and every command "
            "says so, with the unit to set.",
            "## Formats that are written",
            "`eventbench convert IN OUT` and `events.save(path)` write a recording for others. The ending says the format, or `--to NAME` and "
            "`writer=`; `--write KEY=VALUE`, or a keyword of `save`, sets a parameter. Each file is read back and compared before it gets its "
            "name. A value that a format cannot hold is refused, never clamped: `--from-zero` takes the time of the first event off "
            "all, and says how much that was.",
            _writers(),
        ]
    )


def _datasets() -> str:
    rows = []
    for page in cards.pages():
        for card in page.cards:
            about = card.spec.about
            rows.append(
                [
                    linked(code(card.id), f"pages/{page.stem}.md"),
                    about.title,
                    cards.sensor(card.spec),
                    str(len(card.spec.classes)),
                    cards.samples(card.spec),
                    linked(code(card.spec.source["name"]), "#formats"),
                    about.licence.partition(":")[0],
                    linked(cards.short_paper(about.paper) or "this package", about.url),
                ]
            )
    head = ["card", "data set", "sensor", "classes", "samples", "format", "licence", "paper"]
    return table(head, rows, right=[3])


def _layouts() -> str:
    rows = [
        [code(name), registry.layouts.summary(name), parameters(registry.layouts.get(name))]
        for name in shipped_names(registry.layouts)
    ]
    return table(["layout", "what", "parameters"], rows)


def _writers() -> str:
    rows = []
    for name, about in documented(registry.writers).items():
        writer = registry.writers.get(name)
        endings = " ".join(map(code, writer.suffixes))
        what = f"{about.what} ({endings})" if endings else about.what
        rows.append(
            [code(name), what, parameters(writer), about.sensor, about.holds, about.readers, about.traps]
        )
    return table(["writer", "what", "parameters", "sensor", "holds", "tried with", "known traps"], rows)


def _formats() -> str:
    rows = []
    for name, about in documented(registry.sources).items():
        source: type[Source] = registry.sources.get(name)
        endings = " ".join(map(code, source.suffixes))
        rows.append(
            [
                code(name),
                f"{about.what} ({endings})" if endings else about.what,
                about.recognised,
                about.sensor,
                about.unit,
                about.polarity,
                about.traps,
            ]
        )
    head = ["source", "what", "recognised by", "sensor from", "time unit", "polarity", "known traps"]
    return table(head, rows)
