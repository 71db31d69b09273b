"""The figures as a table for people."""

from typing import Any

GAP = "    "


def table(figures: dict[str, Any]) -> str:
    """What was played, one line a class, and one a figure of the whole."""
    setting = figures["setting"]
    title = (
        f"{setting['clip']}, {setting['seconds']:.1f} s at {setting['fps']:.4g} frames/s; {setting['model']} version "
        f"{setting['version']}, {setting['sample_fps']:g} samples/s, boxes drawn from score {setting['min_score']:.2f}"
    )
    note = f"Boxes below {setting['min_score']:.2f} are not drawn and add nothing to AP50: docs/evaluate.md"
    return "\n".join([title, "", *_classes(figures["classes"]), "", *_whole(figures), "", note])


def _classes(classes: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    wide = max(12, *(len(name) for name in classes))
    names = f"{'AP50':>6} {'precision':>10} {'recall':>7} {'labels':>7}"
    shown, sampled = (f"{head:>{len(names)}}" for head in ("what viewers saw, every frame", "the model alone, samples"))
    lines = [f"{'':<{wide}} {shown}{GAP}{sampled}", f"{'class':<{wide}} {names}{GAP}{names}"]
    lines += [
        f"{name:<{wide}} {_accuracy(row['shown'])}{GAP}{_accuracy(row['sampled'])}" for name, row in classes.items()
    ]
    return lines


def _accuracy(row: dict[str, Any]) -> str:
    return f"{_share(row['ap50']):>6} {_share(row['precision']):>10} {_share(row['recall']):>7} {row['labelled']:>7}"


def _share(share: float | None) -> str:
    return "–" if share is None else f"{share:.3f}"


def _whole(figures: dict[str, Any]) -> list[str]:
    frames, samples = figures["frames"], figures["samples"]
    rows = [
        ("frames shown", f"{frames['shown']} of {frames['played']}"),
        ("… dropped, never shown", f"{frames['dropped']} ({frames['dropped_share']:.1%})"),
        ("… judged", str(frames["judged"])),
        ("… shown without a fresh result", str(frames["without_result"])),
        ("samples answered", f"{samples['answered']}, {samples['answered_per_second']:.2f} a second"),
        ("age of the result when drawn", _ages(figures["result_age_ms"])),
        ("age of the picture when drawn", _ages(figures["picture_age_ms"])),
        ("boxes a frame", str(figures["boxes_per_frame"])),
    ]
    if figures["ids"] is not None:
        rows += _ids(figures["ids"])
    if frames["unknown"]:
        rows.insert(2, ("… unlike any of the clip", f"{frames['unknown']}, not judged"))
    return [f"{name:<32} {value}" for name, value in rows]


def _ids(ids: dict[str, Any]) -> list[tuple[str, str]]:
    """Only where the truth says which thing is which."""
    minute, each = ids["switches_per_minute"], ids["ids_per_thing"]
    return [
        ("IDF1", _share(ids["idf1"])),
        ("id switches", f"{ids['switches']}" if minute is None else f"{ids['switches']}, {minute:.1f} a minute"),
        ("ids a true thing", "–" if each is None else f"{each:.2f}: {ids['ids']} for {ids['things']}"),
    ]


def _ages(ages: dict[str, float | None]) -> str:
    if ages["p50"] is None:
        return "–"
    return f"{ages['p50']:.0f} ms, 95th percentile {ages['p95']:.0f} ms"
