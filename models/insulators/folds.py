"""How well a break is found that was never seen: each family of broken insulators left out in turn.

    python -m models.insulators.folds --data DIR --start build/start/last/ckpt-48 --epochs 6 --output build/folds

START has seen no photographed defect: `train --healthy`. A fold goes on from it with the photos of all families but
one, and is judged by every photo of that one, of train.csv and val.csv alike. OUTPUT gets a folder a fold and
folds.json with each fold's figures; a fold that is there already is not trained again.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from models.insulators.data import DataError, load_families, load_split
from models.insulators.evaluate import judge_split, report
from models.insulators.inference import load_checkpoint
from models.insulators.picture import Picture
from serving.accuracy import Accuracy


def train_fold(options: argparse.Namespace, family: str) -> str:
    """Train on everything but `family`; returns the prefix of the weights.

    Raises:
        DataError: training failed; it has said why.
    """
    output = options.output / family
    prefix = output / "last" / f"ckpt-{options.epochs}"
    if not prefix.with_suffix(".index").exists():
        command = [sys.executable, "-m", "models.insulators.train", "--data", options.data, "--leave-out", family]
        command += ["--epochs", str(options.epochs), "--rate", str(options.rate), "--seed", str(options.seed)]
        command += ["--output", output, *(["--start", options.start] if options.start else [])]
        if subprocess.run(command, check=False).returncode:
            raise DataError(f"{output}: the fold without {family} could not be trained")
    return str(prefix)


def judge_family(detector: Any, pictures: list[Picture], names: list[str]) -> dict[str, Accuracy]:
    """Every figure on the pictures with these names."""
    return judge_split(detector, [picture for picture in pictures if picture.name in set(names)], detector.min_score)


def run(options: argparse.Namespace) -> None:
    """Train and judge every fold, and the start itself, which has seen no family at all."""
    families = load_families(options.data)
    pictures = load_split(options.data, "train") + load_split(options.data, "val")
    rows: dict[str, dict[str, Accuracy]] = {}
    starts: dict[str, dict[str, Accuracy]] = {}
    start = load_checkpoint(options.start)
    for family, names in families.items():
        starts[family] = judge_family(start, pictures, names)
        report(f"{family}, by the start", starts[family], start.min_score)
    for family, names in families.items():
        detector = load_checkpoint(train_fold(options, family))
        rows[family] = judge_family(detector, pictures, names)
        report(f"{family}, never seen", rows[family], detector.min_score)
    for title, figures in (("start", starts), ("folds", rows)):
        aps = [row["defect"].ap50 for row in figures.values()]
        print(f"{title}: defect AP50 {np.mean(aps):.3f} on average, {min(aps):.3f} at worst, of {len(aps)} families")
    record = {
        title: {family: {name: asdict(row) for name, row in by_class.items()} for family, by_class in figures.items()}
        for title, figures in (("start", starts), ("folds", rows))
    }
    (options.output / "folds.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m models.insulators.folds", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="with defect_families.json")
    parser.add_argument(
        "--start", required=True, metavar="PREFIX", help="weights that have seen no photographed defect"
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--rate", type=float, default=5e-4, help="the peak of the learning rate")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        run(options)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
