"""All pages and pictures of the handbook, written to a checkout or held against what is there."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from eventbench import registry
from eventbench.errors import BadSpec
from eventbench.pictures.files import write_png
from tools.handbook import cards
from tools.handbook.dataset_index import dataset_index
from tools.handbook.dataset_pages import dataset_page
from tools.handbook.drawings import MOST_BYTES, picture, same_picture
from tools.handbook.members import documented
from tools.handbook.pipeline_page import pipeline_page

FOLDERS = {"datasets/pages": "*.md", "pipelines/pictures": "*.png"}


def texts() -> dict[str, str]:
    """Path in the checkout -> the page."""
    indices = {"datasets/README.md": dataset_index(), "pipelines/README.md": pipeline_page()}
    return indices | {f"datasets/pages/{page.stem}.md": dataset_page(page) for page in cards.pages()}


def pictures() -> dict[str, Image.Image]:
    """Path in the checkout -> the picture, one a representation."""
    return {
        f"pipelines/pictures/{name}.png": picture(name, about.picture)
        for name, about in documented(registry.representations).items()
    }


def out_of_date(checkout: Path) -> dict[str, str]:
    """Path -> what is wrong with it: missing, not what the code makes, or about something that no longer exists."""
    return _compared(checkout, texts(), pictures())


def _compared(
    checkout: Path, new_texts: dict[str, str], new_pictures: dict[str, Image.Image]
) -> dict[str, str]:
    wrong = {}
    for name in [*new_texts, *new_pictures]:
        path = checkout / name
        if not path.is_file():
            wrong[name] = "not there"
        elif not (
            path.read_text(encoding="utf-8") == new_texts[name]
            if name in new_texts
            else same_picture(path, new_pictures[name])
        ):
            wrong[name] = "out of date"
    strays = _strays(checkout, {*new_texts, *new_pictures})
    return wrong | dict.fromkeys(strays, "of nothing that there is any more")


def write_all(checkout: Path) -> list[str]:
    """Write what is out of date, take away what is of nothing any more; the paths that changed.

    Raises BadSpec for a picture of over 40 kB.
    """
    new_texts, new_pictures = texts(), pictures()
    stale = _compared(checkout, new_texts, new_pictures)
    for name in stale:
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in new_texts:
            path.write_text(new_texts[name], encoding="utf-8")
        elif name in new_pictures:
            write_png(new_pictures[name], path)
            if path.stat().st_size > MOST_BYTES:
                raise BadSpec(f"{path.stat().st_size:,} bytes", where=path, allowed=f"{MOST_BYTES:,}")
        else:
            path.unlink()
    return list(stale)


def _strays(checkout: Path, pages: set[str]) -> list[str]:
    committed = [
        path.relative_to(checkout).as_posix()
        for folder, form in FOLDERS.items()
        for path in sorted((checkout / folder).glob(form))
    ]
    return [name for name in committed if name not in pages]
