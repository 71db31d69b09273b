"""How well a break is found that was never seen: each family of broken insulators left out in turn.

    python -m sightline_models.insulators.folds --data DIR --start build/start/last/ckpt-48 --output build/folds

START has seen no photographed defect: `train --healthy`. A fold goes on from it with the photos of train.csv less one
family's, and is judged by every photo of that family, of train.csv and val.csv alike. OUTPUT gets a run's folder a fold
and folds.json with each fold's figures; a fold that is there already is not trained again.
"""

import argparse
import json
import math
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from serving.accuracy import Accuracy
from sightline_models.insulators.data import DataError, load_families, load_split
from sightline_models.insulators.evaluate import judge_split, report
from sightline_models.insulators.inference import load_checkpoint
from sightline_models.insulators.picture import CLASSES, Picture
from sightline_models.insulators.run import begun_with

ByFamily = dict[str, dict[str, Accuracy]]
"""The figures of each class, by family."""


def train_fold(options: argparse.Namespace, family: str) -> str:
    """Train on everything but `family`, where that is not done yet; returns the prefix of the weights.

    Raises:
        DataError: training failed; it has said why.
    """
    output = options.output / family
    train = [sys.executable, "-P", "-m", "sightline_models.insulators.train"]
    command = [*train, "--data", options.data, "--leave-out", family]
    command += ["--epochs", str(options.epochs), "--rate", str(options.rate), "--seed", str(options.seed)]
    command += ["--start", options.start, "--output", output]
    if subprocess.run(command, check=False).returncode:
        raise DataError(f"{output}: the fold without {family} could not be trained")
    return str(output / "last" / f"ckpt-{options.epochs}")


def pictures_of(families: dict[str, list[str]], pictures: list[Picture]) -> dict[str, list[Picture]]:
    """Every family's pictures.

    Raises:
        DataError: there is no family, or one without a defect to be found.
    """
    if not families:
        raise DataError("defect_families.json names no family")
    found = {}
    for family, names in families.items():
        found[family] = [picture for picture in pictures if picture.name in set(names)]
        if not any(CLASSES.index("defect") in picture.classes for picture in found[family]):
            raise DataError(f"defect_families.json: no picture of {family} with a defect is in train.csv or val.csv")
    return found


def run(options: argparse.Namespace) -> None:
    """Train and judge every fold, and the start itself, which has seen no family at all.

    Raises:
        DataError: the data cannot be used, or the start has seen defects.
    """
    if not begun_with(options.start).get("healthy"):
        raise DataError(f"--start {options.start}: was not trained with --healthy, and has seen what it is judged by")
    pictures = load_split(options.data, "train") + load_split(options.data, "val")
    families = pictures_of(load_families(options.data), pictures)
    start = load_checkpoint(options.start)
    judged: dict[str, ByFamily] = {"start": {}, "folds": {}}
    for family, mine in families.items():
        judged["start"][family] = judge_split(start, mine, start.min_score)
        report(f"{family}, by the start", judged["start"][family], start.min_score)
    for family, mine in families.items():
        detector = load_checkpoint(train_fold(options, family))
        judged["folds"][family] = judge_split(detector, mine, detector.min_score)
        report(f"{family}, never seen", judged["folds"][family], detector.min_score)
    for title, figures in judged.items():
        aps = [row["defect"].ap50 for row in figures.values()]
        print(f"{title}: defect AP50 {np.mean(aps):.3f} on average, {min(aps):.3f} at worst, of {len(aps)} families")
    text = json.dumps(_as_json(judged), indent=1, allow_nan=False)
    (options.output / "folds.json").write_text(text + "\n", encoding="utf-8")


def _as_json(judged: dict[str, ByFamily]) -> dict[str, Any]:
    """The figures with null for what cannot be said."""
    return {
        title: {
            family: {
                name: {key: None if math.isnan(value) else value for key, value in asdict(row).items()}
                for name, row in by_class.items()
            }
            for family, by_class in figures.items()
        }
        for title, figures in judged.items()
    }


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sightline_models.insulators.folds", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="with defect_families.json")
    parser.add_argument(
        "--start", required=True, metavar="PREFIX", help="weights that have seen no photographed defect"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--rate", type=float, default=4e-4, help="the peak of the learning rate")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        run(options)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
