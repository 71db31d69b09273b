"""The folder that answers are written to.

labels/NAME.xml     a picture's labels, in the forms that have a file for each
images/NAME.jpg     the picture itself: a video's frames, and photos with --copy
drawn/NAME.jpg      with its boxes, with --draw
labels.csv …        what a form says of all pictures, made in the end
"""

import errno
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamer.annotate import photo
from streamer.annotate.answer import Answer, Found, Unreadable, stem_of
from streamer.annotate.forms import FORMS
from streamer.annotate.journal import Journal
from streamer.annotate.leftovers import remove_leftovers
from streamer.annotate.shot import Origin, Shot
from streamer.inference.picture import read_picture
from streamer.values.errors import ConfigError, SightlineError
from streamer.values.track import TrackedBox
from streamer.values.whole_file import replace_file
from streamer.view.still import draw

OURS = ("labels", "drawn")
"""Folders in it that hold no pictures to be looked at."""
WHOLE = ("labels.csv", "coco.json", "classes.txt", "data.yaml")
"""Files in it."""
CLOSING = 5.0
"""Seconds that files which are being written get when a run is interrupted."""


@dataclass(frozen=True)
class Wish:
    """What is to be written."""

    form: str
    """One of FORMS."""
    draw: bool = False
    """Pictures with their boxes, too."""
    copy: bool = False
    """The pictures themselves, too."""


class Output:
    """One folder. What is done to its journal is done by one thread at a time; files may be written by several."""

    def __init__(self, folder: Path, wish: Wish) -> None:
        """Make it where it is not there, and take it. Blocks, as all of it.

        Raises:
            ConfigError: it cannot be written to, or another has it.
        """
        self.folder, self._wish, self._form = folder, wish, FORMS[wish.form]
        os.umask(mask := os.umask(0o077))
        self._mode = 0o666 & ~mask
        self._labels: Mapping[int, str] = {}
        self._under_way, self._is_closed = 0, False
        self._changed = threading.Condition()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.journal = Journal(folder)
        except OSError as error:
            raise ConfigError(f"--output {folder}: cannot be written to: {error.strerror or error}") from None
        if self.journal.settings is not None:
            remove_leftovers(folder, WHOLE, (*OURS, "images"))

    def is_ours(self, path: Path) -> bool:
        """Whether an earlier run wrote this picture: a video's frame, or a copy."""
        images = f"{os.path.realpath(self.folder / 'images')}/"
        real = os.path.realpath(path)
        origin = self.journal.origin_of(real[len(images) :]) if real.startswith(images) else None
        return origin is not None and origin.path != real

    def begin(self, labels: Mapping[int, str]) -> None:
        """Be told what the model knows, by class id."""
        self._labels = labels

    def close(self) -> None:
        """Let go of it when what is being written is; may be called twice."""
        with self._changed:
            self._is_closed = True
            self._changed.wait_for(lambda: not self._under_way, CLOSING)
        self.journal.close()

    @property
    def wants_frames(self) -> bool:
        """Whether a video's frames are wanted as pictures."""
        return self._form.trains or self._wish.copy or self._wish.draw

    def refuses(self, name: str, origin: Origin) -> str | None:
        """Why a picture of that name has no place here, as a sentence: another has it."""
        known = self.journal.origin_of(name)
        if known is None or known.path == origin.path or not Path(known.path).exists():
            return None
        return f"its labels would be those of {known.path}; name another --output"

    def has(self, name: str, origin: Origin, *, is_frame: bool) -> bool:
        """Whether nothing is left to do about a picture. What a person has changed since stays as it is.

        Where only its labels are missing they are written: they were asked for in another form, or somebody lost them.

        Raises:
            SightlineError: and the disk does not take them.
        """
        if not self.journal.knows(name, origin):
            return False
        stem = stem_of(name)
        # Of a name that is too long `lexists` says no, where a path's own question fails.
        if (self._wish.draw and not os.path.lexists(self._drawn(stem))) or (
            self._keeps(is_frame=is_frame) and not os.path.lexists(self._image(name))
        ):
            return False
        label = self._label(stem)
        if label is not None and not os.path.lexists(label):
            self._write(label, self._form.label(self.journal.answer(name), self._labels))
        return True

    def has_video(self, name: str, origin: Origin) -> bool:
        """Whether a video was done to its end, and all there is of it is there."""
        return self.journal.knows_video(name, origin) and all(
            self.has(frame, origin, is_frame=True) for frame in self.journal.frames_of(name)
        )

    def write(self, shot: Shot, answer: Answer) -> None:
        """All files about one picture; then it may be noted.

        Raises:
            SightlineError: the disk does not take them.
            Unreadable: the picture is not there any more, or its name is too long for its files.
        """
        if self._keeps(is_frame=shot.seconds is not None):
            self._write(self._image(answer.name), _bytes_of(shot))
        if self._wish.draw:
            self._write(self._drawn(answer.stem), _drawn(_bytes_of(shot), answer.found))
        label = self._label(answer.stem)
        if label is not None:
            self._write(label, self._form.label(answer, self._labels))

    def note(self, answer: Answer, origin: Origin) -> None:
        """A picture's files are there: it is not looked at again.

        Raises:
            SightlineError: the disk does not take it.
        """
        try:
            self.journal.add(answer, origin)
        except OSError as error:
            raise _unwritten(self.journal.path, error) from None

    def note_video(self, name: str, origin: Origin) -> None:
        """All frames of a video are noted. Raises as `note`."""
        try:
            self.journal.add_video(name, origin)
        except OSError as error:
            raise _unwritten(self.journal.path, error) from None

    def finish(self, *, changed: bool) -> None:
        """The files about all pictures: where something was done, or one is missing.

        Raises:
            SightlineError: the disk does not take them.
        """
        for name, content in self._form.whole(self.journal.answers, self._labels):
            if changed or not (self.folder / name).exists():
                self._write(self.folder / name, content)

    def _keeps(self, *, is_frame: bool) -> bool:
        return self._wish.copy or (is_frame and self._form.trains)

    def _label(self, stem: str) -> Path | None:
        return None if self._form.suffix is None else self.folder / "labels" / f"{stem}{self._form.suffix}"

    def _image(self, name: str) -> Path:
        return self.folder / "images" / name

    def _drawn(self, stem: str) -> Path:
        return self.folder / "drawn" / f"{stem}.jpg"

    def _write(self, path: Path, content: bytes) -> None:
        with self._writing():
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(path, content, mode=self._mode)
            except OSError as error:
                if error.errno == errno.ENAMETOOLONG:  # it is this one's, and the others go on
                    raise Unreadable("what is written of it would have a longer name than the disk takes") from None
                raise _unwritten(path, error) from None

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """Threads are not ended with the process in good order: whoever closes waits for them."""
        with self._changed:
            if self._is_closed:
                raise SightlineError(f"{self.folder}: nothing is written there any more")
            self._under_way += 1
        try:
            yield
        finally:
            with self._changed:
                self._under_way -= 1
                self._changed.notify_all()


def _bytes_of(shot: Shot) -> bytes:
    return photo.bytes_of(Path(shot.origin.path)) if shot.jpeg is None else shot.jpeg


def _drawn(data: bytes, found: tuple[Found, ...]) -> bytes:
    with photo.alone(data):
        return draw(read_picture(data), _boxes(found))


def _boxes(found: tuple[Found, ...]) -> list[TrackedBox]:
    return [TrackedBox(0, each.box, each.label, each.class_id, each.score) for each in found]


def _unwritten(path: Path, error: OSError) -> SightlineError:
    return SightlineError(f"{path}: cannot be written: {error.strerror or error}; what is done is kept")
