"""`eb.open_recording`: a long recording, to read windows of it without reading it whole."""

from __future__ import annotations

from os import PathLike
from typing import Any

from eventbench.files.progress import Progress, no_progress
from eventbench.home import places
from eventbench.recordings import windows
from eventbench.recordings.read import Reading, warn_of_unit
from eventbench.recordings.recording import Recording


def open_recording(
    path: str | PathLike[str],
    sensor: tuple[int, int] | None = None,
    source: str = "",
    *,
    cache_dir: str | PathLike[str] | None = None,
    progress: Progress = no_progress,
    **parameters: Any,
) -> Recording:
    """A long recording, to read windows of it: `.window(start_us, stop_us)`, `.windows(duration_us=...)`, `.events(first, stop)`.

    The first opening goes through the file once to find where it can be cut, and keeps that in the cache; from then on a
    window is read without what is before it. A changed file is gone through anew. Memory does not grow with the length.

    Parameters
    ----------
    path, sensor, source, parameters : as in `eb.read`
    cache_dir : the folder of the cache; None takes EVENTBENCH_CACHE, or the user's cache folder
    progress : is called with the work of the first opening

    Raises what `eb.read` of the file raises, and BadStore where the cache cannot be written. Warns as `eb.read` does.
    """
    cache = places(cache=None if cache_dir is None else str(cache_dir)).cache
    recording = windows.open_recording(
        path, Reading(sensor, source, parameters), cache=cache, progress=progress
    )
    warn_of_unit(path, recording.notes)
    return recording
