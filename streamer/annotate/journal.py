"""What has been done, a line a picture: whatever ends a run, the next one goes on behind the last whole line.

{"sightline detect": 1, "model": …}                the settings that all of it was done with
{"origin": [path, size, time], "answer": {…}}      a picture; of two with one name the later counts
{"origin": [path, size, time], "video": name}      a video all of whose frames are done
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from streamer.annotate.answer import Answer
from streamer.annotate.shot import Origin
from streamer.values.errors import ConfigError

NAME = ".sightline-detect.jsonl"
FORMAT = 1

Settings = dict[str, Any]
"""For JSON. What the answers depend on, beside the pictures: of others they would be others."""


class Journal:
    """Of one output folder. One process has it at a time."""

    def __init__(self, folder: Path) -> None:
        """Open it, and read what is there. Blocks.

        Raises:
            ConfigError: another process has it.
            OSError: it cannot be opened.
        """
        self.path = folder / NAME
        self.settings: Settings | None = None
        """Those it was begun with; None: it is new."""
        self._pictures: dict[str, tuple[Origin, int]] = {}
        """By name: where it comes from, and where its line begins."""
        self._videos: dict[str, Origin] = {}
        self._is_strange = False
        """What is there is no journal, or of another version."""
        self._origins: dict[Origin, Origin] = {}
        """One for all frames of a video."""
        self._file: IO[bytes] = self.path.open("a+b")
        try:
            self._lock()
            self._read()
        except BaseException:
            self._file.close()
            raise

    def begin(self, settings: Settings, *, anew: bool) -> None:
        """Go on with what is there, or begin.

        Args:
            settings: of this run.
            anew: forget what is there.

        Raises:
            ConfigError: it was begun with others; says which. Or it is none.
        """
        if self._is_strange and not anew:
            raise ConfigError(f"{self.path}: this is no journal of this version; say --anew to begin another")
        if anew:
            self._file.truncate(0)
            self._is_strange = False
            self._pictures.clear()
            self._videos.clear()
            self.settings = None
        if self.settings is None:
            self._append({"sightline detect": FORMAT, **settings})
            self.settings = settings
        if self.settings != settings:
            keys = [key for key in (*self.settings, *settings) if self.settings.get(key) != settings.get(key)]
            was, now = (json.dumps(of.get(keys[0])) for of in (self.settings, settings))
            raise ConfigError(
                f"--output {self.path.parent}: what is there was made with {keys[0]} {was}, and now it is {now}; "
                "name another folder, or say --anew to have all of it made again"
            )

    def close(self) -> None:
        """Let go of it; may be called twice."""
        self._file.close()

    def knows(self, name: str, origin: Origin) -> bool:
        """Whether a picture has been done, and has not changed since."""
        known = self._pictures.get(name)
        return known is not None and known[0] == origin

    def origin_of(self, name: str) -> Origin | None:
        """Where the picture of that name came from, or the video; None: there was none."""
        known = self._pictures.get(name)
        return known[0] if known is not None else self._videos.get(name)

    def knows_video(self, name: str, origin: Origin) -> bool:
        """Whether all frames of a video have been done, and it has not changed since."""
        return self._videos.get(name) == origin

    def add(self, answer: Answer, origin: Origin) -> None:
        """A picture is done, its files are there."""
        at = self._append({"origin": [origin.path, origin.size, origin.changed_ns], "answer": answer.document()})
        self._pictures[answer.name] = self._origins.setdefault(origin, origin), at

    def add_video(self, name: str, origin: Origin) -> None:
        """All frames of a video are done."""
        self._append({"origin": [origin.path, origin.size, origin.changed_ns], "video": name})
        self._videos[name] = origin

    def frames_of(self, video: str) -> list[str]:
        """The names of a video's frames that have been done."""
        return [name for name in self._pictures if name.rpartition("/")[0] == video]

    def answer(self, name: str) -> Answer:
        """About one picture. Raises KeyError."""
        with self.path.open("rb") as file:
            return self._read_answer(file, name)

    def answers(self) -> Iterator[Answer]:
        """All, by name."""
        with self.path.open("rb") as file:
            for name in sorted(self._pictures):
                yield self._read_answer(file, name)

    def _read_answer(self, file: IO[bytes], name: str) -> Answer:
        file.seek(self._pictures[name][1])
        return Answer.of_document(json.loads(file.readline())["answer"])

    def __len__(self) -> int:
        return len(self._pictures)

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(f"--output {self.path.parent}: another `sightline detect` is writing there") from None

    def _append(self, line: dict[str, Any]) -> int:
        """One line, handed to the system whole; gives where it begins."""
        at = self._file.seek(0, os.SEEK_END)
        self._file.write(f"{json.dumps(line)}\n".encode())
        self._file.flush()
        return at

    def _read(self) -> None:
        self._file.seek(0)
        at = 0
        for number, line in enumerate(self._file):
            if number == 0:
                self.settings = _settings_of(line)
                self._is_strange = self.settings is None
                if self._is_strange:
                    break
            elif not line.endswith(b"\n"):  # whoever wrote it was ended in the middle
                self._file.truncate(at)
                break
            else:
                with suppress(ValueError, KeyError, TypeError):  # after a power cut there may be zeros: done again
                    self._read_line(json.loads(line), at)
            at += len(line)

    def _read_line(self, said: dict[str, Any], at: int) -> None:
        path, size, changed_ns = said["origin"]
        origin = Origin(str(path), int(size), int(changed_ns))
        origin = self._origins.setdefault(origin, origin)
        if "video" in said:
            self._videos[str(said["video"])] = origin
        else:
            self._pictures[Answer.of_document(said["answer"]).name] = origin, at


def _settings_of(line: bytes) -> Settings | None:
    """What the first line says; None: it is none."""
    try:
        said: Settings = json.loads(line)
        return said if said.pop("sightline detect") == FORMAT else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
