"""Where a card's recordings lie, and how they come into splits, in words: one function a layout."""

from __future__ import annotations

from eventbench.layouts.class_folders import ClassFolders
from eventbench.layouts.labelled_windows import LabelledWindows
from eventbench.layouts.path_pattern import PathPattern
from eventbench.layouts.rows import Rows
from eventbench.layouts.split_by_rank import SplitByRank

ORDERS = {
    "name": "name as text (10 before 2)",
    "number": "the number the name ends in",
    "sha256": "sha256 of the seed {} and the id",
}


def tree(layout: object) -> list[tuple[str, str]]:
    """(path, what it is) below the data set's folder. Raises KeyError for a layout that is not described here."""
    if isinstance(layout, ClassFolders):
        return [
            (f"{folder}/<class>/*{layout.suffix}", f"split {split}")
            for split, folder in layout.folders.items()
        ]
    if isinstance(layout, PathPattern):
        return [
            (
                path.replace("{", "<").replace("}", ">"),
                f"split {split}; <number> is the class, from {layout.first_class}",
            )
            for split, path in layout.patterns.items()
        ]
    if isinstance(layout, Rows):
        return [
            (file, f"split {split}, a recording a row, labels beside them")
            for split, file in layout.files.items()
        ]
    if isinstance(layout, SplitByRank):
        folder = f"{layout.folder}/" if layout.folder else ""
        return [(f"{folder}<class>/*{layout.suffix}", "every recording; the split is by rank")]
    if isinstance(layout, LabelledWindows):
        folder = f"{layout.folder}/" if layout.folder else ""
        label, start, stop = layout.columns
        return [
            (f"{folder}<name>{layout.suffix}", "a long recording"),
            (
                layout.labels.replace("{stem}", "<name>"),
                f"its samples: {label}, {start}, {stop} ({layout.unit})",
            ),
            *(
                (file, f"the recordings of split {split}, a name a line")
                for split, file in layout.lists.items()
            ),
        ]
    raise KeyError(type(layout).__name__)


def rule(layout: object) -> str:
    """How a recording comes into a split, in a sentence."""
    if isinstance(layout, SplitByRank):
        order = ORDERS[layout.order].format(layout.seed)
        parts, done = [], 0
        for split, percent in layout.parts:
            parts.append(f"{split} the {'first' if not done else 'next'} {percent} %")
            done += percent
        left_out = (
            f" Left out: names like {', '.join(f'`{name}`' for name in layout.skip)}." if layout.skip else ""
        )
        return f"Of each class, in order of {order}: {', '.join(parts)}, rounded up.{left_out}"
    if isinstance(layout, LabelledWindows):
        if layout.chosen:
            named = "; ".join(
                f"{split} {', '.join(f'`{name}`' for name in names)}"
                for split, names in layout.chosen.items()
            )
            return f"By recording, listed in the card: {named}; all others {layout.rest}."
        return "By recording, as the publisher's lists say."
    if isinstance(layout, PathPattern | ClassFolders | Rows):
        return "The publisher's, one folder or file a split."
    return "Drawn by the simulator: subjects are disjoint between splits."
