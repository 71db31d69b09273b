"""One training run's folder: what it was begun with, how far it came, and its weights.

options.json   what it was begun with: the same command goes on, another one is refused
log.csv        a line an epoch
state/         everything needed to go on
last/ckpt-N    the averaged weights alone, after the newest epoch: what checkpoint/ ships
"""

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import tensorflow as tf

from sightline_models.insulators.data import DataError
from sightline_models.insulators.network import InsulatorDetector


class Run:
    """A run that begins or goes on.

    Args:
        folder: the run's own.
        options: what it is begun with, as JSON can hold it.
        columns: of log.csv.

    Raises:
        DataError: the folder holds a run that was begun with something else.
    """

    def __init__(self, folder: Path, options: dict[str, Any], columns: tuple[str, ...]) -> None:
        self.folder = folder
        begun = folder / "options.json"
        if begun.exists():
            _require_same(folder, json.loads(begun.read_text(encoding="utf-8")), options)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            begun.write_text(json.dumps(options, indent=1) + "\n", encoding="utf-8")
            self._write(columns, mode="w")
        self.epoch = tf.Variable(0, dtype=tf.int64)
        """The newest finished one."""

    def restore(self, **kept: Any) -> None:
        """Take up what `keep` kept last, where there is something."""
        state = tf.train.Checkpoint(epoch=self.epoch, **kept)
        self._states = tf.train.CheckpointManager(state, str(self.folder / "state"), max_to_keep=1)
        self._states.restore_or_initialize()

    def keep(self, epoch: int, weights: InsulatorDetector, row: tuple[Any, ...]) -> None:
        """An epoch is done: its weights, then the state, then its line in the log."""
        keep_weights(weights, self.folder / "last", epoch)
        self.epoch.assign(epoch)
        self._states.save()
        self._write(row, mode="a")

    def _write(self, row: tuple[Any, ...], *, mode: str) -> None:
        with (self.folder / "log.csv").open(mode, newline="") as file:
            csv.writer(file).writerow(row)


def _require_same(folder: Path, before: dict[str, Any], now: dict[str, Any]) -> None:
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            raise DataError(
                f"{folder}: was begun with {name} {before.get(name)!r}, not {now.get(name)!r}; choose another --output"
            )


def begun_with(prefix: str) -> dict[str, Any]:
    """The options of the run that left the weights at `prefix`.

    Raises:
        DataError: it is in no run's folder.
    """
    path = Path(prefix).parents[1] / "options.json"
    try:
        options: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{prefix}: what it was trained on is not known; there is no {path}") from error
    return options


def keep_weights(detector: InsulatorDetector, folder: Path, number: int) -> None:
    """Write weights only, as ckpt-`number`, alone in `folder`; what was there stays until that is done."""
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    checkpoint = tf.train.Checkpoint(model=detector)
    tf.train.CheckpointManager(checkpoint, str(part), max_to_keep=1).save(checkpoint_number=number)
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)
