"""`LongRecordings`: samples that are parts of recordings, each opened once and read part by part."""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, TypeVar

from eventbench.errors import BadRecording
from eventbench.recordings.recording import Recording
from eventbench.recordings.windows import extent_of, open_with
from eventbench.sources.base import Decoded, Source
from eventbench.specs.raw_files import file_state
from eventbench.specs.sample import Extent, Sample

OUTSIDE = "outside_sensor"
LARGEST_SENSOR = 65536, 65536
OPEN_RECORDINGS = 2  # samples are read in order of id, and those of one recording stand together
A = TypeVar("A")


class _Opened(NamedTuple):
    """An open recording with the sha256 of its file; `wide` is the same with the events off the sensor, where there are any."""

    recording: Recording
    sha256: str
    wide: Recording | None


class LongRecordings:
    """Recordings of one source; `hash` gives the sha256 of a file, `cache` is where their indexes are kept, None for nowhere."""

    def __init__(
        self,
        source: Source,
        sensor: tuple[int, int] | None,
        hash: Callable[[Path], str],
        cache: Path | None,
    ) -> None:
        self.source, self.sensor, self.cache = source, sensor, cache
        self._hash = hash
        self._open = one_at_a_time(lru_cache(maxsize=OPEN_RECORDINGS)(self._opened))

    def extent(self, path: Path) -> Extent:
        """How long a recording is. Raises BadRecording where it cannot be read."""
        index = extent_of(self.source, path, self.sensor, cache=self.cache)
        return Extent(index.events, index.first_us, index.last_us)

    def read(self, sample: Sample, *, first: bool) -> tuple[Decoded, str]:
        """The events of a sample that is a window or a part of its recording, what was lost, and the sha256 of the file.

        Events off the sensor are counted with the window that they lie in. Of what else a recording lost, and of its notes,
        nobody knows the time: they are told once, with the `first` of its samples. Raises BadRecording where the recording does not have
        what the sample is.
        """
        path = Path(sample.recording)
        recording, sha256, wide = self._open(path)
        _refuse_beyond(sample, recording)
        lost, notes = (dict(recording.lost), recording.notes) if first else ({}, ())
        if sample.part:
            return Decoded(recording.events(*sample.part), lost, notes), sha256
        events = recording.window(*(sample.window or (0, 0)))
        if wide is not None:
            lost.pop(OUTSIDE, None)
            if off := len(wide.window(*(sample.window or (0, 0)))) - len(events):
                lost[OUTSIDE] = off
        return Decoded(events, lost, notes), sha256

    def _opened(self, path: Path) -> _Opened:
        state = _state(path)
        recording = open_with(self.source, path, self.sensor, cache=self.cache, keep_columns=False)
        sha256 = self._hash(path)
        if _state(path) != state:
            raise BadRecording(
                "the file changed while it was read", where=path, fix="run the same command again"
            )
        return _Opened(recording, sha256, self._wide(path, recording))

    def _wide(self, path: Path, recording: Recording) -> Recording | None:
        """The recording with the events that were dropped for being off the sensor; None where they cannot be had."""
        if OUTSIDE not in recording.lost:
            return None
        try:
            wide = open_with(self.source, path, LARGEST_SENSOR, cache=self.cache, keep_columns=False)
        except BadRecording:  # a format of certain sizes
            return None
        return wide if len(wide) - len(recording) == recording.lost[OUTSIDE] else None


def one_at_a_time(function: Callable[[Path], A]) -> Callable[[Path], A]:
    """A cached function that several workers may call: the second waits for what the first is making."""
    lock = threading.Lock()

    def locked(path: Path) -> A:
        with lock:
            return function(path)

    return locked


def _state(path: Path) -> tuple[int, int]:
    try:
        return file_state(path)
    except OSError:
        return -1, -1  # reading it says what is wrong


def _refuse_beyond(sample: Sample, recording: Recording) -> None:
    """Raises BadRecording for a sample that reaches beyond its recording, or has nothing to do with it."""
    events, first_us, last_us = len(recording), recording.first_us, recording.last_us
    if sample.part:
        beyond = sample.part[0] >= events or sample.part[1] > events or sample.part[1] <= 0
    else:
        start, stop = sample.window or (0, 0)
        beyond = first_us is None or last_us is None or start > last_us or stop <= first_us
    if not beyond:
        return
    extent, unit = (sample.part, "events") if sample.part else (sample.window, "us")
    within = f"{events:,} events" if sample.part or not events else f"{first_us} to {last_us} us"
    raise BadRecording(
        f"sample {sample.id} is its {unit} {extent}, which it does not have",
        where=sample.recording,
        allowed=f"what lies in its {within}",
    )
