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
from tools.handbook.pipeline_page import pipeline_page
from tools.handbook.words import RepresentationWords, of_members

FOLDERS = {"datasets/pages": "*.md", "pipelines/pictures": "*.png"}


def texts() -> dict[str, str]:
    """Path in the checkout -> the page."""
    made = {"datasets/README.md": dataset_index(), "pipelines/README.md": pipeline_page()}
    return made | {f"datasets/pages/{page.stem}.md": dataset_page(page) for page in cards.pages()}


def pictures() -> dict[str, Image.Image]:
    """Path in the checkout -> the picture, one a representation."""
    words = of_members(registry.representations, RepresentationWords)
    return {f"pipelines/pictures/{name}.png": picture(name, told) for name, told in words.items()}


def out_of_date(checkout: Path) -> dict[str, str]:
    """Path -> what is wrong with it: not there, not what the code makes, or of nothing that there is any more."""
    return _compared(checkout, texts(), pictures())


def _compared(
    checkout: Path, made_texts: dict[str, str], made_pictures: dict[str, Image.Image]
) -> dict[str, str]:
    wrong = {}
    for name in [*made_texts, *made_pictures]:
        path = checkout / name
        if not path.is_file():
            wrong[name] = "not there"
        elif not (
            path.read_text(encoding="utf-8") == made_texts[name]
            if name in made_texts
            else same_picture(path, made_pictures[name])
        ):
            wrong[name] = "out of date"
    strays = _strays(checkout, {*made_texts, *made_pictures})
    return wrong | dict.fromkeys(strays, "of nothing that there is any more")


def write_all(checkout: Path) -> list[str]:
    """Write what is out of date, take away what is of nothing any more; the paths that changed.

    Raises BadSpec for a picture of over 40 kB.
    """
    made_texts, made_pictures = texts(), pictures()
    stale = _compared(checkout, made_texts, made_pictures)
    for name in stale:
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in made_texts:
            path.write_text(made_texts[name], encoding="utf-8")
        elif name in made_pictures:
            write_png(made_pictures[name], path)
            if path.stat().st_size > MOST_BYTES:
                raise BadSpec(f"{path.stat().st_size:,} bytes", where=path, allowed=f"{MOST_BYTES:,}")
        else:
            path.unlink()
    return list(stale)


def _strays(checkout: Path, made: set[str]) -> list[str]:
    there = [
        path.relative_to(checkout).as_posix()
        for folder, form in FOLDERS.items()
        for path in sorted((checkout / folder).glob(form))
    ]
    return [name for name in there if name not in made]
