"""Advice followed as a person would: the settings that an error or a finding names are set, until the file is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import eventbench as eb
from eventbench.errors import BadRecording
from eventbench.recordings.read import Reading

_SETTING = re.compile(r"--set (?P<key>\w+)=(?P<value>[\w/.-]+)")
_SENSOR = re.compile(r"--sensor (\d+)x(\d+)")


def settings_in(advice: str) -> dict[str, Any]:
    """The first parameter that an advice names, with its value as the command line has it, or the sensor."""
    if match := _SENSOR.search(advice):
        return {"sensor": (int(match[1]), int(match[2]))}
    match = _SETTING.search(advice)
    return {match["key"]: match["value"].rstrip(".")} if match else {}


def reading_of(settings: dict[str, Any]) -> Reading:
    """The settings as doctor takes them."""
    parameters = {key: value for key, value in settings.items() if key != "sensor"}
    return Reading(settings.get("sensor"), "", parameters)


def read_by_advice(path: Path, most: int = 4) -> tuple[eb.Events, dict[str, Any]]:
    """The events, and what had to be set: each refusal's advice is followed. Raises the refusal that names nothing new."""
    settings: dict[str, Any] = {}
    for _ in range(most):
        try:
            return eb.read(path, **settings), settings
        except BadRecording as error:
            new = settings_in(error.fix)
            if not new.items() - settings.items():
                raise
            settings |= new
    raise AssertionError(f"{path.name}: no end of advice: {settings}")
