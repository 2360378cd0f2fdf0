"""How the keys of two stores differ, in words."""

from __future__ import annotations

from typing import Any

OTHER_EVENTS = "the store of events was made from other recordings"  # of a stale store of frames


def differences(was: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """How the value of one key differs from that of another, a clause a field; empty when it does not."""
    clauses = []
    for field in sorted(was.keys() | now.keys(), key=list({**now, **was}).index):
        old, new = was.get(field), now.get(field)
        if old != new:
            clauses += _clauses(field, old, new)
    return clauses


def _clauses(field: str, old: Any, new: Any) -> list[str]:
    if field in ("card", "pipeline") and old and new:
        return [f"the {field} has changed: made with {old[:8]}, this is {new[:8]}"]
    if _is_member(old) and _is_member(new):
        if old["name"] == new["name"]:
            return [
                f"made with {old['name']} version {old.get('version')}, this is version {new.get('version')}"
            ]
        return [f"made with the {field} {old['name']}, this is {new['name']}"]
    if field == "steps" and isinstance(old, list) and isinstance(new, list):
        pairs = list(zip(old, new, strict=False))
        if len(old) == len(new) and all(_is_member(a) and _is_member(b) for a, b in pairs):
            return [clause for a, b in pairs if a != b for clause in _clauses("step", a, b)]
        return [f"made with the steps {_steps(old)}, these are {_steps(new)}"]
    return [f"made with {field.replace('_', ' ')} {old}, this is {new}"]


def _is_member(value: Any) -> bool:
    return isinstance(value, dict) and "name" in value


def _steps(steps: list[Any]) -> str:
    return (
        ", ".join(str(step.get("name")) if isinstance(step, dict) else str(step) for step in steps) or "none"
    )
