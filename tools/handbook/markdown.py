"""Markdown elements: tables, code, lists, links, folded text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

GENERATED = "<!-- Made by `make docs` from {}: edit those, not this page. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A table; the columns whose indices are in `right` are aligned to the right."""
    rule = ["---:" if k in right else "---" for k in range(len(head))]
    lines = [head, rule, *([cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    """The text of a cell: one line, with bars escaped."""
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
    """A bulleted list."""
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
    """Text of a card as Markdown: addresses become links, names of files and functions code, so that no sign is lost."""

    def marked(match: re.Match[str]) -> str:
        if address := match["address"]:
            return code(address) if "<" in address else f"<{address}>"
        return code(match["name"]) if match["name"] else match[0]

    return _MARKED.sub(marked, " ".join(text.split()))


def joined(parts: Iterable[str]) -> str:
    """Paragraphs separated by blank lines, with a newline at the end; empty ones are left out."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"
