"""Detections over time: which box is which, and where each is between two samples. Pure.

All tracks stand at the newest answered sample, however late its answer came, and are carried from there to any frame by
the camera's motion and their own: docs/design/tracking.md.
"""

import itertools
from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from streamer.tracking import kalman
from streamer.tracking.camera_path import CameraPath
from streamer.tracking.history import COAST, STEADY, History
from streamer.tracking.kalman import States
from streamer.tracking.matching import Pairs, Rows, match, rows_of
from streamer.tracking.moment import Moment, edged
from streamer.tracking.overtaken import matched
from streamer.tracking.track import NEWEST, Behind, Track
from streamer.tracking.voting import Votes
from streamer.values.detections import Detections
from streamer.values.followed import Followed
from streamer.values.track import TrackedBox

GAP: Final = 2.0
"""Seconds of answered samples after which what none of them shows is given up."""
MOST_TRACKS: Final = 400
"""Beyond, those that were found longest ago are given up."""
STEADY_SPEED: Final = 3
"""Samples that must have found a thing before its speed is told."""

Told = tuple[Followed | None, ...]
"""One for each row of an answer."""


class Tracker:
    """The tracks of one stream."""

    def __init__(self, path: CameraPath | None = None, ids: Iterator[int] | None = None) -> None:
        """Begin with none.

        Args:
            path: where its camera looks; None: it stands still.
            ids: of new tracks, rising; shared by all whose ids must differ.
        """
        self._path = CameraPath() if path is None else path
        self._ids = itertools.count(1) if ids is None else ids
        self._history = History(self._path)
        self._tracks: list[Track] = []
        """Those of the newest moment, in its order."""
        self._model: tuple[str, int] | None = None
        """Who answered last, and in which version."""
        self.half_seen: Told = ()
        """What each row of the newest answer's `faint` is known as; None: it continues nothing."""
        self.overtaken = 0
        """Answers that came after that to a later frame."""
        self.too_late = 0
        """Of these, those from before what is remembered, or of a model that answers no more."""

    def __len__(self) -> int:
        return len(self._tracks)

    def update(self, detections: Detections) -> Told:
        """Take in one sample's answer; gives what each of its rows is known as.

        One that a newer one has overtaken begins nothing and moves nothing: its rows are known as what is followed
        where they are, and as nothing where it comes too late for that.
        """
        newest = self._history.newest
        if newest is not None and detections.pts <= newest.pts:
            return self._overtaken(detections, newest)
        self._hear(detections.model, detections.version)
        states = self._expected(newest, detections)
        strong, faint = rows_of(detections), rows_of(detections.faint)
        expected = Rows(states.boxes, [track.votes.label for track in self._tracks])
        hits = np.array([track.hits for track in self._tracks], np.int64)
        pairs, faintly = match(expected, hits, strong, faint)
        states = _corrected(states, strong, pairs, faint, faintly, detections.width)
        self._see(detections, pairs, faintly)
        # A model that was silent for long missed nothing in that time.
        elapsed = 0.0 if newest is None else min(detections.pts - newest.pts, 2 * self._history.interval)
        for number in self._unseen(pairs, faintly):
            self._tracks[number].missed(elapsed)
        fresh = [row for row in range(len(detections)) if row not in pairs]
        pairs |= {row: len(self._tracks) + place for place, row in enumerate(fresh)}
        self._tracks += [self._new(detections, row) for row in fresh]
        states = states.joined(kalman.begun(strong.boxes[fresh], detections.width))
        told = self._told(detections, pairs, states)
        self.half_seen = () if detections.faint is None else self._told(detections.faint, faintly, states)
        self._remember(detections, states, pairs, faintly)
        return told

    def _overtaken(self, detections: Detections, newest: Moment) -> Told:
        """Take in an answer that came after that to a later frame."""
        spoken = (detections.model, detections.version) == self._model  # what another called things says nothing now
        later, self.half_seen = self._history.after(detections.pts) if spoken else [], ()
        self.overtaken += 1
        self.too_late += not later
        camera = self._path.between(later[0].pts, detections.pts) if later else None
        if camera is None:  # too late, or of another scene
            return (None,) * len(detections)
        strong, faint = rows_of(detections), rows_of(detections.faint)
        pairs, faintly = matched(later[0], camera, detections.pts, self._tracks, strong, faint)
        behind = Behind(len(later), newest.pts - detections.pts)
        self._see(detections, pairs, faintly, behind)
        for number in self._unseen(pairs, faintly):
            self._tracks[number].missed_before(detections.pts, behind)
        if detections.faint is not None:
            self.half_seen = self._told(detections.faint, faintly, newest.states)
        return self._told(detections, pairs, newest.states)

    def at(self, pts: float) -> list[TrackedBox]:
        """Where everything is in the frame at `pts`; on a sampled frame, exactly where the model saw it."""
        return self._history.at(pts)

    def clear(self) -> None:
        """Forget everything but which ids were given."""
        self._tracks.clear()
        self._history.clear()

    def _hear(self, model: str, version: int) -> None:
        """Of a new model or version: what things were called before does not count any more."""
        if self._model not in (None, (model, version)):
            for track in self._tracks:
                track.votes.forget()
        self._model = model, version

    def _expected(self, newest: Moment | None, detections: Detections) -> States:
        """The tracks in the answer's picture, before anything is known of it; after a cut there are none."""
        camera = None if newest is None else self._path.between(newest.pts, detections.pts)
        if newest is None or camera is None:
            self._tracks.clear()
            return kalman.begun(np.zeros((0, 4)), detections.width)
        return newest.states.predicted(detections.pts - newest.pts, detections.width).moved(camera)

    def _see(self, detections: Detections, pairs: Pairs, faintly: Pairs, behind: Behind = NEWEST) -> None:
        """Note for each track what the sample shows of it."""
        tracks, pts = self._tracks, detections.pts
        for rows, answer in ((pairs, detections), (faintly, detections.faint or detections)):
            # As plain numbers: taking them out of the arrays one by one costs as much as all the rest.
            labels, class_ids, scores = answer.labels, answer.class_ids.tolist(), answer.scores.tolist()
            faint = rows is faintly
            for row, number in rows.items():
                tracks[number].seen(pts, labels[row], class_ids[row], scores[row], faint=faint, behind=behind)

    def _new(self, detections: Detections, row: int) -> Track:
        score = float(detections.scores[row])
        votes = Votes(detections.labels[row], int(detections.class_ids[row]), score)
        return Track(next(self._ids), votes, detections.pts, score)

    def _told(self, detections: Detections, pairs: Pairs, states: States) -> Told:
        """What is known of each row's thing, where it is one; of its speed while the camera stands still."""
        stands = self._path.stands(detections.pts, detections.width)
        speeds = np.hypot(*states.velocities[:, :2].T).tolist() if stands else []
        told: list[Followed | None] = []
        for row in range(len(detections)):
            if row not in pairs:
                told.append(None)
                continue
            track = self._tracks[pairs[row]]
            told.append(track.told(speeds[pairs[row]] if stands and track.hits >= STEADY_SPEED else None))
        return tuple(told)

    def _remember(self, detections: Detections, states: States, pairs: Pairs, faintly: Pairs) -> None:
        """Keep the moment, and of the tracks those that are not given up."""
        tracks, edges = self._tracks, edged(states.boxes)
        until = np.full(len(tracks), np.inf)
        for rows, answer in ((pairs, detections), (faintly, detections.faint or detections)):
            if rows:
                edges[list(rows.values())] = answer.boxes[list(rows)]
        for number in self._unseen(pairs, faintly):
            until[number] = tracks[number].last_matched + COAST if tracks[number].hits >= STEADY else -np.inf
        numbers = [number for number, each in enumerate(tracks) if each.missing < GAP]
        if len(numbers) > MOST_TRACKS:
            numbers = sorted(sorted(numbers, key=lambda number: tracks[number].last_matched)[-MOST_TRACKS:])
        if len(numbers) < len(tracks):
            kept: NDArray[np.intp] = np.array(numbers, np.intp)
            states, edges, until = states.take(kept), edges[kept], until[kept]
            self._tracks = [tracks[number] for number in numbers]
        looks = tuple([track.look for track in self._tracks])
        ids = np.fromiter([look[0] for look in looks], np.int64, len(looks))
        self._history.add(Moment(detections.pts, ids, states, edges, until, looks))

    def _unseen(self, pairs: Pairs, faintly: Pairs) -> set[int]:
        """Numbers of the tracks of which a sample showed nothing."""
        return set(range(len(self._tracks))).difference(pairs.values(), faintly.values())


def _corrected(states: States, strong: Rows, pairs: Pairs, faint: Rows, faintly: Pairs, width: int) -> States:
    """The states, with what was found of them."""
    numbers = np.array([*pairs.values(), *faintly.values()], np.intp)
    if not len(numbers):
        return states
    seen = np.concatenate([strong.boxes[list(pairs)], faint.boxes[list(faintly)]])
    return states.corrected(numbers, seen, np.arange(len(numbers)) >= len(pairs), width)
