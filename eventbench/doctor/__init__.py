"""The examination of recordings: what a file says, what is wrong with it, what to do. Nothing is printed or changed here."""

from eventbench.doctor.candidate import holds_many, known_endings
from eventbench.doctor.findings import Finding, verdict
from eventbench.doctor.folder import Folder, by_format, examine_folder
from eventbench.doctor.recording import Examined, examine

__all__ = [
    "Examined",
    "Finding",
    "Folder",
    "by_format",
    "examine",
    "examine_folder",
    "holds_many",
    "known_endings",
    "verdict",
]
