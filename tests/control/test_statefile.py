"""streamer.control.statefile: what survives a restart, whatever happens to the file."""

import json
import os
import stat
import threading
from pathlib import Path

import pytest

from streamer.control.statefile import MAX_BYTES, Kept, StateFile
from streamer.values.errors import Refused
from tests.peers.until import until

KEPT = Kept({"road": {"url": "rtsp://u:p@h/", "sample_fps": 2.0}}, frozenset({"road", "own"}))


def names_in(folder: Path) -> list[str]:
    """The names of the files there."""
    return sorted(path.name for path in folder.iterdir())


def test_what_is_written_is_read(tmp_path: Path) -> None:
    """A file that was written gives the same back, in JSON with a version; no file is nothing kept."""
    file = StateFile(tmp_path / "state.json")
    assert file.read() == Kept()
    file.write(KEPT)
    assert StateFile(file.path).read() == KEPT
    document = json.loads(file.path.read_text())
    assert document == {"version": 1, "streams": KEPT.streams, "paused": ["own", "road"]}


def test_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The file is 0600 from its first moment on, also where one that others may read lay there before."""
    path = tmp_path / "state.json"
    path.write_text('{"version": 1, "streams": {}, "paused": []}')
    path.chmod(0o644)
    StateFile(path).write(KEPT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the new file cannot be finished, the old one stays as it was, nothing lies about, and it is said."""
    file = StateFile(tmp_path / "state.json")
    file.write(KEPT)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Refused, match=r"state\.json cannot be written: No space left on device; nothing was") as no:
        file.write(Kept())
    assert no.value.status == 503
    assert StateFile(file.path).read() == KEPT
    assert names_in(tmp_path) == ["state.json"]


async def test_a_disk_that_hangs_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not on the disk in time is refused, and does not come later; until it answers no more is begun."""
    file, answers, asked = StateFile(tmp_path / "state.json", patience=0.01), threading.Event(), list[int]()
    file.write(Kept())

    def hang(handle: int) -> None:
        asked.append(handle)
        answers.wait()

    with monkeypatch.context() as hanging:
        hanging.setattr(os, "fsync", hang)
        with pytest.raises(Refused, match=r"its disk did not answer within 0\.01 s; nothing was changed"):
            await file.keep(KEPT)
        await until(lambda: asked)  # its thread may be no sooner there than we were patient
        with pytest.raises(Refused, match="its disk does not answer; nothing was changed") as no:
            await file.keep(KEPT)
        assert (no.value.status, len(asked)) == (503, 1)
        answers.set()
        await until(lambda: not any(thread.name == "state" for thread in threading.enumerate()))
    assert file.read() == Kept()
    assert names_in(tmp_path) == ["state.json"]
    patient = StateFile(file.path)
    await patient.keep(KEPT)
    assert patient.read() == KEPT


def test_a_link_is_followed(tmp_path: Path) -> None:
    """A state file that is a link stays one: the file it names is replaced."""
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "state.json"
    link.symlink_to("elsewhere/state.json")
    StateFile(link).write(KEPT)
    assert link.is_symlink()
    assert StateFile(tmp_path / "elsewhere" / "state.json").read() == KEPT


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "it is not JSON"),
        ('{"version": 1, "streams": {', "it is not JSON"),
        ("[" * 100_000, "it is not JSON"),
        ("\xff", "it is not JSON"),
        ("[]", "it is of version None, and 1 is understood here"),
        ('{"version": 2, "streams": {}, "paused": []}', "it is of version 2, and 1 is understood here"),
        ('{"version": 1, "streams": [], "paused": []}', "its streams are not mappings"),
        ('{"version": 1, "streams": {"a": "b"}, "paused": []}', "its streams are not mappings"),
        ('{"version": 1, "streams": {}, "paused": "a"}', "its paused streams are not a list of names"),
        ('{"version": 1, "streams": {}}', "its paused streams are not a list of names"),
        (" " * (MAX_BYTES + 1), "it is larger than 16 MiB"),
    ],
)
def test_what_cannot_be_understood_is_put_aside(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, text: str, says: str
) -> None:
    """A broken file is kept under another name, never over an earlier one, with one line that says why."""
    file = StateFile(tmp_path / "state.json")
    for number in ("", "1", "2"):
        file.path.write_bytes(text.encode("latin-1"))
        caplog.clear()
        assert file.read() == Kept()
        [line] = caplog.messages
        assert line == f"state.json cannot be used: {says}; it is kept as state.json.broken{number}, and begun anew"
    file.write(KEPT)
    assert StateFile(file.path).read() == KEPT
    for number in ("", "1", "2"):
        assert (tmp_path / f"state.json.broken{number}").read_bytes() == text.encode("latin-1")


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    """A change that would make the file larger than is read is refused, and the old file stays."""
    file = StateFile(tmp_path / "state.json")
    file.write(KEPT)
    with pytest.raises(Refused, match="it would be larger than 16 MiB; nothing was changed") as refused:
        file.write(Kept({"a": {"url": "x" * MAX_BYTES}}))
    assert refused.value.status == 503
    assert file.read() == KEPT


def test_what_cannot_be_read_is_not_written_over(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A state file that is there and cannot be read is said once, and every change is refused."""
    file = StateFile(tmp_path / "state.json")
    file.path.mkdir()
    assert file.read() == Kept()
    assert "state.json cannot be read: Is a directory" in caplog.text
    with pytest.raises(Refused, match="cannot be read: Is a directory; nothing was changed"):
        file.write(KEPT)


def test_a_folder_that_cannot_be_synced_is_no_failure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a drive that knows no fsync of folders, what was written counts as written: it has replaced the old file."""
    file, fsync = StateFile(tmp_path / "state.json"), os.fsync

    def files_only(handle: int) -> None:
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(22, "Invalid argument")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", files_only)
    file.write(KEPT)
    assert StateFile(file.path).read() == KEPT


async def test_a_file_that_a_cluster_has_taken_over_is_kept_and_named_to_who_goes_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A second one does not write over the first; who shares it finds it gone; renamed, it counts again."""
    file = StateFile(tmp_path / "state.json")
    file.say_set_by()
    assert caplog.text == ""
    for name in ("state.json.taken-over", "state.json.taken-over1"):
        file.write(KEPT)
        file.say_set_by()
        assert await file.set_by() == name
    assert await StateFile(file.path).set_by() == "state.json.taken-over"
    assert names_in(tmp_path) == ["state.json.taken-over", "state.json.taken-over1"]
    file.say_set_by()
    [record] = caplog.records
    assert "is in state.json.taken-over; for it to count again, rename that to state.json" in record.getMessage()
    (tmp_path / "state.json.taken-over").rename(file.path)
    assert StateFile(file.path).read() == KEPT
