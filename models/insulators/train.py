"""Train the insulator detector on a folder of labelled photos and on the project's own rendered scenes.

    python -m models.insulators.train --data DIR --epochs 30 --seed 0 --output build/insulators

DIR holds train/, val/, train.csv and val.csv (see data.py). OUTPUT gets log.csv (one line an epoch), state/ (everything
needed to go on: the same command again resumes), best/ckpt-N and last/ckpt-N (weights only: what
models/insulators/checkpoint ships).
"""

import argparse
import csv
import os
import queue
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf

from models.insulators.backbone import load_imagenet
from models.insulators.composer import Composer
from models.insulators.data import DataError, batches, load_families, load_split
from models.insulators.evaluate import judge_split
from models.insulators.losses import detection_loss
from models.insulators.network import InsulatorDetector
from models.insulators.picture import CLASSES, Picture
from models.insulators.pool import load_pool

PEAK_RATE: Final = 1e-3
WARMUP_STEPS: Final = 200
AVERAGING: Final = 0.998
"""Decay of the shipped weights' moving average over steps."""
COLUMNS: Final = ("epoch", "seconds", "rate", "heat_loss", "box_loss", *(f"{name}_ap50" for name in CLASSES))


class Trainer:
    """The network being trained, its moving average (which is what is judged and kept), and the step."""

    def __init__(self, total_steps: int, peak_rate: float) -> None:
        self.student = InsulatorDetector()
        self.average = InsulatorDetector()
        self.rate = keras.optimizers.schedules.CosineDecay(
            0.0, max(1, total_steps - WARMUP_STEPS), alpha=0.01, warmup_target=peak_rate, warmup_steps=WARMUP_STEPS
        )
        self.optimizer = keras.optimizers.AdamW(self.rate, weight_decay=0.02, clipnorm=20.0)
        self.optimizer.build(self.student.network.trainable_variables)
        self.copy_average(0.0)

    def copy_average(self, decay: float | tf.Tensor) -> None:
        """Move the average towards the student: average = decay * average + (1 - decay) * student."""
        for slow, fast in zip(self.average.network.weights, self.student.network.weights, strict=True):
            slow.value.assign(slow.value * decay + fast.value * (1 - decay))

    @tf.function(reduce_retracing=True)  # type: ignore[untyped-decorator]
    def step(self, images: tf.Tensor, heat: tf.Tensor, boxes: tf.Tensor, weights: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """One batch; returns its heat and box loss."""
        variables = self.student.network.trainable_variables
        with tf.GradientTape() as tape:
            heat_part, box_part = detection_loss(self.student.network(images, training=True), heat, boxes, weights)
            loss = heat_part + box_part
        self.optimizer.apply(tape.gradient(loss, variables), variables)
        done = tf.cast(self.optimizer.iterations.value, tf.float32)
        self.copy_average(tf.minimum(AVERAGING, (1 + done) / (10 + done)))
        return heat_part, box_part


def prefetched(items: Iterator[Any], depth: int = 6) -> Iterator[Any]:
    """Make `items` in a thread of their own, at most `depth` ahead; an error in them is raised here."""
    ready: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=depth)

    def fill() -> None:
        try:
            for item in items:
                ready.put(("item", item))
            ready.put(("end", None))
        except Exception as error:  # noqa: BLE001  # crosses the thread, raised below
            ready.put(("error", error))

    threading.Thread(target=fill, daemon=True, name="batches").start()
    while True:
        kind, value = ready.get()
        if kind == "end":
            return
        if kind == "error":
            raise value
        yield value


def run_epoch(trainer: Trainer, steps: int, made: Iterator[Any], title: str) -> tuple[float, float]:
    """Take every batch of one epoch; returns the mean heat and box loss. Shows one updating line."""
    totals = np.zeros(2)
    for done, (images, targets) in enumerate(prefetched(made), start=1):
        totals += [float(part) for part in trainer.step(images, targets.heat, targets.boxes, targets.weights)]
        if sys.stdout.isatty() or done % 25 == 0 or done == steps:
            end = "" if sys.stdout.isatty() else "\n"
            line = f"{title}  step {done}/{steps}  heat {totals[0] / done:.3f}  box {totals[1] / done:.3f}"
            print(("\r" if sys.stdout.isatty() else "") + line, end=end, flush=True)
    mean = totals / max(1, done)
    return float(mean[0]), float(mean[1])


def validate(detector: InsulatorDetector, pictures: list[Picture]) -> list[float]:
    """AP50 of each class on pictures never trained on."""
    return [row.ap50 for row in judge_split(detector, pictures, detector.min_score).values()]


def train(options: argparse.Namespace) -> None:
    """Everything the command does.

    Raises:
        DataError: the data set cannot be used.
    """
    photos, judged = chosen_photos(options), load_split(options.data, "val")
    rendered = load_pool(options.scenes, options.scene_count, options.seed) if options.scene_count else []
    photos_a_batch = options.batch - (round(options.batch * options.rendered_share) if rendered else 0)
    steps = len(photos) // photos_a_batch
    print(
        f"{len(photos)} photos and {len(rendered)} rendered scenes, {steps} steps an epoch, {len(judged)} to judge by"
    )
    trainer = Trainer(options.epochs * steps, options.rate)
    if options.start:
        for detector in (trainer.student, trainer.average):
            tf.train.Checkpoint(model=detector).restore(
                options.start
            ).expect_partial().assert_existing_objects_matched()
    else:
        load_imagenet(trainer.student.network)
        trainer.copy_average(0.0)
    epoch_done, best = tf.Variable(0, dtype=tf.int64), tf.Variable(0.0)
    state = tf.train.Checkpoint(
        student=trainer.student, average=trainer.average, optimizer=trainer.optimizer, epoch=epoch_done, best=best
    )
    states = tf.train.CheckpointManager(state, str(options.output / "state"), max_to_keep=1)
    if states.restore_or_initialize():
        print(f"going on after epoch {int(epoch_done)} of {options.output}")
    else:
        write_row(options.output / "log.csv", COLUMNS, new=True)
    composer = Composer(photos) if int(epoch_done) < options.epochs else Composer([])
    for epoch in range(int(epoch_done) + 1, options.epochs + 1):
        began = time.monotonic()
        made = batches(
            composer, rendered, batch_size=options.batch, rendered_share=options.rendered_share,
            input_size=(InsulatorDetector.input_width, InsulatorDetector.input_height),
            rng=np.random.default_rng([options.seed, epoch]),
        )  # fmt: skip
        losses = run_epoch(trainer, steps, made, f"epoch {epoch}/{options.epochs}")
        scores = validate(trainer.average, judged)
        seconds = time.monotonic() - began
        rate = float(trainer.rate(trainer.optimizer.iterations.value))
        named = "  ".join(f"{name} {score:.3f}" for name, score in zip(CLASSES, scores, strict=True))
        if sys.stdout.isatty():
            print()
        print(f"epoch {epoch}: {seconds:.0f} s, val AP50  {named}", flush=True)
        write_row(options.output / "log.csv", (epoch, f"{seconds:.1f}", f"{rate:.2e}", *map("{:.4f}".format, losses),
                                               *map("{:.4f}".format, scores)))  # fmt: skip
        epoch_done.assign(epoch)
        if np.nanmean(scores) > float(best):
            best.assign(float(np.nanmean(scores)))
            keep_weights(trainer.average, options.output / "best", epoch)
        keep_weights(trainer.average, options.output / "last", epoch)
        states.save()


def chosen_photos(options: argparse.Namespace) -> list[Picture]:
    """The photos of train.csv that the options leave."""
    left_out: set[str] = set()
    if options.leave_out:
        families = load_families(options.data)
        if options.leave_out not in families:
            raise DataError(f"--leave-out {options.leave_out}: no such family; there are {', '.join(families)}")
        left_out.update(families[options.leave_out])
    photos = [photo for photo in load_split(options.data, "train") if photo.name not in left_out]
    if options.healthy:
        photos = [photo for photo in photos if CLASSES.index("defect") not in photo.classes]
    return photos


def keep_weights(detector: InsulatorDetector, folder: Path, number: int) -> None:
    """Write weights only, as ckpt-`number`, alone in `folder`."""
    shutil.rmtree(folder, ignore_errors=True)
    checkpoint = tf.train.Checkpoint(model=detector)
    tf.train.CheckpointManager(checkpoint, str(folder), max_to_keep=1).save(checkpoint_number=number)


def write_row(path: Path, row: tuple[Any, ...], *, new: bool = False) -> None:
    """Add a row to a csv file, or start it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w" if new else "a", newline="") as file:
        csv.writer(file).writerow(row)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m models.insulators.train", description=__doc__.split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="train/, val/, train.csv and val.csv")
    parser.add_argument("--epochs", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="log, state and best weights")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="the peak of the learning rate")
    parser.add_argument("--healthy", action="store_true", help="leave out every photo with a defect: a start for folds")
    parser.add_argument("--leave-out", metavar="FAMILY", help="leave out a family of defects (defect_families.json)")
    parser.add_argument("--start", metavar="PREFIX", help="weights to start from, a checkpoint prefix (…/ckpt-7)")
    parser.add_argument(
        "--scenes", type=Path, default=Path("build/insulator-scenes.npz"), help="where renders are kept"
    )
    parser.add_argument("--scene-count", type=int, default=640, help="rendered pictures; 0 for photos alone")
    parser.add_argument("--rendered-share", type=float, default=0.25, help="of each batch")
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    try:
        train(options)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
