"""The figures as a table for people."""

from typing import Any

ROWS = (
    ("start", "listening_seconds", "start to listening", "s", "≤ 2"),
    ("start", "resident_mb", "memory before the first stream", "MB", "≤ 150"),
    ("viewers", "core_share_unwatched", "a 720p30 stream nobody watches", "core", ""),
    ("viewers", "core_share_one_viewer", "… with one WebRTC viewer", "core", ""),
    ("viewers", "core_share_per_added_viewer", "… each further viewer", "core", "≤ 0.03"),
    ("viewers", "frames_per_second_slowest_viewer", "… the slowest of them receives", "frames/s", ""),
    ("model_server", "images_per_second", "the model server, batches of 8", "images/s", ""),
    ("model_server", "model_alone_per_second", "… the SavedModel alone, likewise", "images/s", ""),
    ("model_server", "share_of_model_alone", "… served ÷ alone", "", "≥ 0.9"),
    ("model_server", "overhead_ms_p50", "a call of 8 x 320 x 320, model apart", "ms", "≤ 8"),
    ("model_server", "overhead_ms_p95", "… 95th percentile", "ms", ""),
    ("saturation", "results_per_second", "results at saturation", "/s", ""),
    ("saturation", "model_alone_per_second", "the model alone, before and after", "/s", ""),
    ("saturation", "share_of_model_alone", "… results ÷ model alone", "", ""),
    ("saturation", "age_ms_p50", "age of results at saturation, median", "ms", ""),
    ("saturation", "age_ms_p99", "… 99th percentile", "ms", ""),
    ("saturation", "service_cpu_ms_per_result", "service's processor time a result", "ms", ""),
)


def table(figures: dict[str, dict[str, Any]]) -> str:
    """One line a figure: what, how much, and what was promised."""
    lines = []
    for section, key, name, unit, promise in ROWS:
        value = figures[section][key]
        shown = ", ".join(str(part) for part in value) if isinstance(value, list) else str(value)
        lines.append(f"{name:<40} {shown:>14} {unit:<9} {promise}".rstrip())
    return "\n".join(lines)
