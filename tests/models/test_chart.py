"""The folds as a picture."""

import re

from sightline_models.insulators.chart import draw


def test_every_family_has_a_bar_as_high_as_its_figure() -> None:
    """Two bars a family, in the order of the record, whose heights are in the ratio of the figures."""
    record = {
        title: {family: {"defect": {"ap50": value}} for family, value in (("S1", low), ("S2", 2 * low))}
        for title, low in (("start", 0.2), ("folds", 0.4))
    }
    bars = [float(height) for height in re.findall(r'class="bar"[^>]* height="([0-9.]+)"', draw(record))]
    assert [round(bar / bars[0], 2) for bar in bars] == [1.0, 2.0, 2.0, 4.0]
