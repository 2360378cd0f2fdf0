"""All pages and pictures of the handbook: write them into a checkout, or compare them with those in it."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from eventbench import registry
from eventbench.errors import BadSpec
from eventbench.pictures.files import write_png
from tools.handbook import cards
from tools.handbook.dataset_index import dataset_index
from tools.handbook.dataset_pages import dataset_page
from tools.handbook.drawings import MAX_BYTES, draw_picture, is_same_picture
from tools.handbook.members import documented
from tools.handbook.pipeline_page import pipeline_page

GENERATED_FILES = {"datasets/pages": "*.md", "pipelines/pictures": "*.png"}


def texts() -> dict[str, str]:
    """Path in the checkout -> the text of the page."""
    indices = {"datasets/README.md": dataset_index(), "pipelines/README.md": pipeline_page()}
    return indices | {f"datasets/pages/{page.stem}.md": dataset_page(page) for page in cards.pages()}


def pictures() -> dict[str, Image.Image]:
    """Path in the checkout -> the picture, one for each representation."""
    return {
        f"pipelines/pictures/{name}.png": draw_picture(name, about.picture)
        for name, about in documented(registry.representations).items()
    }


def out_of_date(checkout: Path) -> dict[str, str]:
    """Path -> its problem: missing, not what the code generates, or about something that no longer exists."""
    return _differences(checkout, texts(), pictures())


def _differences(
    checkout: Path, new_texts: dict[str, str], new_pictures: dict[str, Image.Image]
) -> dict[str, str]:
    problems = {}
    for name in [*new_texts, *new_pictures]:
        path = checkout / name
        if not path.is_file():
            problems[name] = "missing"
        elif not (
            path.read_text(encoding="utf-8") == new_texts[name]
            if name in new_texts
            else is_same_picture(path, new_pictures[name])
        ):
            problems[name] = "out of date"
    strays = _strays(checkout, {*new_texts, *new_pictures})
    return problems | dict.fromkeys(strays, "about something that no longer exists")


def write_all(checkout: Path) -> list[str]:
    """Write the files that are out of date and delete those without a subject; returns the paths that changed.

    Raises BadSpec for a picture of over 40 kB.
    """
    new_texts, new_pictures = texts(), pictures()
    stale = _differences(checkout, new_texts, new_pictures)
    for name in stale:
        path = checkout / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name in new_texts:
            path.write_text(new_texts[name], encoding="utf-8")
        elif name in new_pictures:
            write_png(new_pictures[name], path)
            if path.stat().st_size > MAX_BYTES:
                raise BadSpec(
                    f"the picture has {path.stat().st_size:,} bytes", where=path, allowed=f"{MAX_BYTES:,}"
                )
        else:
            path.unlink()
    return list(stale)


def _strays(checkout: Path, generated: set[str]) -> list[str]:
    """Files in the folders of generated ones that are not among the `generated`."""
    committed = [
        path.relative_to(checkout).as_posix()
        for folder, pattern in GENERATED_FILES.items()
        for path in sorted((checkout / folder).glob(pattern))
    ]
    return [name for name in committed if name not in generated]
