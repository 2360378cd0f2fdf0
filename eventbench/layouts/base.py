"""What a layout is: the samples of a dataset folder, in an order that no file system decides."""

from __future__ import annotations

from abc import abstractmethod
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import msgspec

from eventbench.specs.sample import Extent, Sample

if TYPE_CHECKING:
    from eventbench.specs.card import Card


PUBLISHERS_SPLIT = "The publisher's, one folder or file a split."  # the `rule` of most layouts


class Layout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A way of laying recordings out in folders. Its fields are the parameters a card sets.

    `skip` has patterns of files that are no recordings of their own, such as copies: of names ("*_small*"), or of paths
    below the data set's folder ("test/*/0*"). `tree` and `rule` are for the documentation; `split_note` is a sentence
    that it adds once a page. A layout that `cuts` lists recordings whole, and says in `cut` what samples each is.
    """

    split_note: ClassVar[str] = ""
    cuts: ClassVar[bool] = False
    skip: list[str] = []

    def skips(self, path: str) -> bool:
        """Whether a file, by its path below the data set's folder, is left out: it matches `skip`, or is no recording.

        `._name` is what macOS writes beside `name` on disks of other systems.
        """
        name = path.rpartition("/")[2]
        if name.startswith("._"):
            return True
        return bool(self.skip) and any(fnmatch(name, form) or fnmatch(path, form) for form in self.skip)

    @abstractmethod
    def samples(self, card: Card, root: Path) -> list[Sample]:
        """Every sample under `root`, sorted by id. Raises BadDataset where the folder is not laid out so."""
        raise NotImplementedError

    def cut(self, sample: Sample, extent: Extent) -> list[Sample]:  # noqa: ARG002  # for layouts that cut
        """The samples that a recording is cut into, known its extent, all of its split; itself where nothing is cut."""
        return [sample]

    @abstractmethod
    def tree(self) -> list[tuple[str, str]]:
        """(path below the dataset's folder, what it is), a line of the tree each."""
        raise NotImplementedError

    @abstractmethod
    def rule(self) -> str:
        """How a recording comes into a split, in a sentence."""
        raise NotImplementedError
