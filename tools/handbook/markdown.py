"""Pieces of Markdown: tables whose cells cannot break them, code, what is folded away."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

GENERATED = "<!-- Made by `make docs` from {}: edit those, not this page. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table; the columns numbered in `right` are numbers."""
    rule = ["---:" if k in right else "---" for k in range(len(head))]
    lines = [head, rule, *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """One line, in which no bar ends the cell."""
    return re.sub(r"\s+", " ", text).strip().replace("|", "\\|")


def code(text: object) -> str:
    """As code."""
    return f"`{text}`"


def fenced(text: str, kind: str = "") -> str:
    """A block of code in the language `kind`."""
    return f"```{kind}\n{text.rstrip()}\n```"


def folded(title: str, text: str) -> str:
    """Text that a click on its title unfolds."""
    return f"<details><summary>{title}</summary>\n\n{text}\n\n</details>"


def bullets(items: Iterable[str]) -> str:
    """A list of points."""
    return "\n".join(f"* {' '.join(item.split())}" for item in items)


def linked(text: str, url: str) -> str:
    """A link; the text alone where there is no address."""
    return f"[{text}]({url})" if url else text


_ADDRESS = r"https?://[^\s,;)]*[^\s,;).:]"
_COMMAND = r"eventbench preprocess \w+ --download"
_CALL = r"\w+_\w+\([^)]*\)"
_NAME = r"[\w./-]*(?:[<*{][\w.,/<>{}*-]*|_[\w./<>{}*-]*)[\w>}*/]"
_MARKED = re.compile(rf"(?P<address>{_ADDRESS})|`[^`]*`|(?P<name>{_COMMAND}|{_CALL}|{_NAME})")


def prose(text: str) -> str:
    """A sentence of a card's: addresses become links, names of files and functions code, so that no sign in them is lost."""

    def marked(match: re.Match[str]) -> str:
        if address := match["address"]:
            return code(address) if "<" in address else f"<{address}>"
        return code(match["name"]) if match["name"] else match[0]

    return _MARKED.sub(marked, " ".join(text.split()))


def joined(parts: Iterable[str]) -> str:
    """Paragraphs with a blank line between, and an end of line."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"
