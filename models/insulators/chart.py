"""The folds as a picture: for each family of breaks, how well it is found by a network that never saw it.

python -m sightline_models.insulators.chart build/folds/folds.json models/insulators/folds.svg
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any, Final
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 260
LEFT, TOP, BOTTOM = 44, 40, 34
SERIES: Final = (
    ("start", "no photographed break seen at all", "#9db8c7"),
    ("folds", "the other families of train.csv seen", "#1f6f8b"),
)


def draw(record: dict[str, Any]) -> str:
    """folds.json as SVG: a group of bars a family, the defect's AP50 upwards."""
    families = list(record["folds"])
    floor, height = HEIGHT - BOTTOM, HEIGHT - BOTTOM - TOP
    group = (WIDTH - LEFT - 12) / len(families)
    bar = group * 0.32

    def y(value: float) -> float:
        return floor - value * height

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
        f'font-family="system-ui, sans-serif" font-size="12" fill="#333">',
        "<title>AP50 of defects of families never seen</title>",
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
    ]
    for value in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - 12}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(value) + 4:.1f}" text-anchor="end">{value:g}</text>')
    for number, family in enumerate(families):
        middle = LEFT + group * (number + 0.5)
        for side, (name, _, colour) in enumerate(SERIES):
            value = record[name][family]["defect"]["ap50"]
            x = middle + (side - 1) * bar
            parts.append(
                f'<rect class="bar" x="{x:.1f}" y="{y(value):.1f}" width="{bar - 3:.1f}" '
                f'height="{value * height:.1f}" fill="{colour}"/>'
            )
            parts.append(
                f'<text x="{x + bar / 2 - 1.5:.1f}" y="{y(value) - 4:.1f}" text-anchor="middle" '
                f'font-size="10">{value:.2f}</text>'
            )
        parts.append(f'<text x="{middle:.1f}" y="{floor + 18}" text-anchor="middle">{escape(family)}</text>')
    for number, (_, meaning, colour) in enumerate(SERIES):
        x = LEFT + number * 250
        parts.append(f'<rect x="{x}" y="10" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="20">{meaning}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sightline_models.insulators.chart", description=__doc__.split("\n")[0]
    )
    parser.add_argument("record", type=Path, help="folds.json, as sightline_models.insulators.folds leaves it")
    parser.add_argument("output", type=Path, help="an SVG file")
    options = parser.parse_args()
    try:
        picture = draw(json.loads(options.record.read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, ZeroDivisionError) as error:
        print(f"{options.record}: not what sightline_models.insulators.folds writes ({error})", file=sys.stderr)
        return 2
    try:
        options.output.write_text(picture, encoding="utf-8")
    except OSError as error:
        print(f"{options.output}: cannot be written: {error.strerror}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
