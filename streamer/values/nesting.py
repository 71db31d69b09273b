"""How deep mappings and lists lie within each other: what goes down a thousand times breaks whoever walks it. Pure."""

from typing import Any

SETTINGS_DEPTH = 5
"""Of a stream's settings, themselves among them: settings, zones, one zone, its points, one point."""


def goes_deeper(value: Any, depth: int = SETTINGS_DEPTH) -> bool:
    """Whether mappings and lists lie within each other more than `depth` times."""
    if not isinstance(value, dict | list):
        return False
    return depth == 0 or any(
        goes_deeper(part, depth - 1) for part in (value.values() if isinstance(value, dict) else value)
    )
