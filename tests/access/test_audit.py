"""streamer.access.audit: who did what is written down, found again, and holds up nothing."""

import asyncio
import fcntl
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access import audit as module
from streamer.access.audit import KEPT, WAITING, Audit
from streamer.access.audit_file import BLOCK, AuditFile
from streamer.access.deed import LONGEST, Deed, read_deed
from streamer.values.errors import Refused
from tests.peers.until import until

NOW = 1_800_000_000.0


def audit_in(folder: Path) -> Audit:
    """One that writes there, and believes that it is NOW."""
    return Audit(folder / "a.audit.jsonl", wall=lambda: NOW)


def deeds(count: int) -> list[Deed]:
    """So many, one a second, by two people, each to a target of its own."""
    return [
        Deed(NOW - count + number, ("anna", "ben")[number % 2], ("user add", "sign in")[number // 2 % 2], str(number))
        for number in range(count)
    ]


@given(st.floats(0, 1e10), st.lists(st.text(), min_size=5, max_size=5), st.booleans())
def test_a_deed_is_one_line(at: float, texts: list[str], ok: bool) -> None:
    """Whatever a stranger calls himself stays one line, is read again, and is not longer than it may be."""
    who, what, target, address, detail = texts
    line = Deed(at, who, what, target, address, ok, detail).line()
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    read = read_deed(line)
    if any("\ud800" <= letter <= "\udfff" for text in texts for letter in text):
        return  # half of a letter, which JSON can carry and text cannot
    assert read is not None
    assert (read.who, read.ok) == (who[:LONGEST], ok)
    assert abs(read.at - at) <= 0.001


async def test_what_is_told_is_written_and_found(tmp_path: Path) -> None:
    """The newest come first, page by page, each once; only its owner may read the file."""
    audit, told = audit_in(tmp_path), deeds(25)
    for deed in told:
        audit.note(deed)
    found, cursor = list[Deed](), None
    while True:
        page, cursor = await audit.search(cursor=cursor, limit=10)
        found += page
        if cursor is None:
            break
        audit.note(Deed(NOW, "anna", "sign in"))  # what comes meanwhile moves nothing
    assert found == told[::-1]
    assert stat.S_IMODE((tmp_path / "a.audit.jsonl").stat().st_mode) == 0o600


async def test_a_search_says_who_what_and_when(tmp_path: Path) -> None:
    """Each limit takes away what does not fit, and nothing else; a word finds all that begin with it."""
    audit, told = audit_in(tmp_path), deeds(40)
    for deed in told:
        audit.note(deed)
    assert (await audit.search(who="anna"))[0] == [deed for deed in told[::-1] if deed.who == "anna"]
    assert (await audit.search(what="user"))[0] == [deed for deed in told[::-1] if deed.what == "user add"]
    assert (await audit.search(what="use"))[0] == []
    assert (await audit.search(since=NOW - 10, until=NOW - 5))[0] == told[30:35][::-1]
    assert (await audit.search(who="ben", what="sign in", since=NOW - 3))[0] == [told[-1]]
    page, cursor = await audit.search(who="ben", limit=20)
    assert (len(page), cursor) == (20, None), "no cursor where nothing more would come"


@given(st.lists(st.integers(0, 400), min_size=1, max_size=40), st.integers(1, 7), st.integers(300, 3000))
def test_every_deed_is_found_once_across_files(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], limit: int, max_bytes: int
) -> None:
    """However long lines are and wherever a file is full, the newest are found in order, page by page."""
    file = AuditFile(tmp_path_factory.mktemp("audit") / "a.jsonl", max_bytes)
    told = [Deed(NOW, "anna", "sign in", str(number), detail="x" * size) for number, size in enumerate(sizes)]
    for deed in told:
        file.append([deed])
    found, cursor = list[str](), None
    while True:
        page, cursor = file.search(lambda _: True, cursor, limit)
        found += [deed.target for deed in page]
        if cursor is None:
            break
    newest = [deed.target for deed in told[::-1]]
    assert found == newest[: len(found)]
    assert len(found) == len(told) or sum(len(deed.line()) for deed in told) > max_bytes


def test_the_files_stay_small(tmp_path: Path) -> None:
    """A full file becomes the older one and takes its place: there are two, neither larger than it may be."""
    file = AuditFile(tmp_path / "a.audit.jsonl", 4096)
    for deed in deeds(500):
        file.append([deed])
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert set(sizes) == {"a.audit.jsonl", "a.audit.jsonl.1"}
    assert max(sizes.values()) <= 4096
    assert len(file.search(lambda _: True, None, 1000)[0]) > 4096 // 110


@pytest.mark.parametrize("torn", [b'{"at": 1.0, "who": "an', b"\xff\xfe", b"\n\n", b"x" * 3 * BLOCK, b"7\n"])
async def test_a_torn_line_is_skipped(tmp_path: Path, torn: bytes) -> None:
    """What a power cut left of a line hides neither what was written before nor what comes behind."""
    audit, told = audit_in(tmp_path), deeds(4)
    for deed in told[:2]:
        audit.note(deed)
    await audit.close()
    with (tmp_path / "a.audit.jsonl").open("ab") as file:
        file.write(torn)
    assert (await audit.search())[0] == told[:2][::-1]
    for deed in told[2:]:
        audit.note(deed)
    assert (await audit.search())[0] == told[::-1]


async def test_a_full_disk_costs_deeds_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be written is counted, and said once; no half of it stays, and it goes on when there is room."""
    audit, write = audit_in(tmp_path), os.write
    audit.note(Deed(NOW, "anna", "sign in"))
    await audit.close()
    before = (tmp_path / "a.audit.jsonl").read_bytes()

    def full(handle: int, content: bytes) -> int:
        write(handle, content[:7])
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "write", full)
        for number in range(3):
            audit.note(Deed(NOW, "ben", "sign in", str(number)))
            await audit.close()
        disk.setattr(os, "write", lambda handle, content: write(handle, content[:7]))
        audit.note(Deed(NOW, "ben", "sign in", "half"))
        await audit.close()
    assert audit.dropped == 4
    assert caplog.text.count("the audit cannot be written: No space left on device") == 1
    assert (tmp_path / "a.audit.jsonl").read_bytes() == before
    audit.note(Deed(NOW, "carl", "sign in"))
    assert [deed.who for deed in (await audit.search())[0]] == ["carl", "anna"]
    assert audit.error is None


async def test_a_disk_that_hangs_holds_up_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Telling returns at once; so many wait, the newest of them; the oldest are dropped and counted."""
    answers, write = threading.Event(), os.write

    def hang(handle: int, content: bytes) -> int:
        answers.wait()
        return write(handle, content)

    monkeypatch.setattr(os, "write", hang)
    audit = audit_in(tmp_path)
    running = asyncio.create_task(audit.run())
    audit.note(Deed(NOW, "anna", "user add", "first"))
    await until(lambda: not audit._waiting)
    for number in range(WAITING + 5):
        audit.note(Deed(NOW, "anna", "user add", str(number)))
    assert (audit.dropped, len(audit._waiting)) == (5, WAITING)
    answers.set()
    found, _ = await audit.search(limit=2 * WAITING)
    assert [found[0].target, found[-2].target, found[-1].target] == [str(WAITING + 4), "5", "first"]
    running.cancel()


async def test_the_end_of_a_service_loses_nothing_and_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was told last is written when the task that writes is gone; a disk that hangs holds up no end."""
    audit, answers, write = audit_in(tmp_path), threading.Event(), os.write
    running = asyncio.create_task(audit.run())
    for number in range(3):
        audit.note(Deed(NOW, "anna", "sign in", str(number)))
    await asyncio.sleep(0)
    running.cancel()
    await audit.close()
    assert [deed.target for deed in (await audit.search())[0]] == ["2", "1", "0"]

    def hang(handle: int, content: bytes) -> int:
        answers.wait()
        return write(handle, content)

    monkeypatch.setattr(os, "write", hang)
    monkeypatch.setattr(module, "PATIENCE", 0.01)
    audit.note(Deed(NOW, "anna", "sign in", "late"))
    await audit.close()
    with pytest.raises(Refused, match="its disk did not answer") as no:
        await audit.search()
    assert no.value.status == 503
    answers.set()


async def test_an_audit_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A search is refused in a sentence, with 503."""
    (tmp_path / "a.audit.jsonl").mkdir()
    with pytest.raises(Refused, match="the audit cannot be read: Is a directory") as no:
        await audit_in(tmp_path).search()
    assert no.value.status == 503


async def test_after_ninety_days_a_deed_is_forgotten(tmp_path: Path) -> None:
    """What is older is not found, and is taken out of both files when the service starts, and once a day."""
    file = AuditFile(tmp_path / "a.audit.jsonl", 300)
    for age in (KEPT + 5, KEPT + 1, KEPT - 5, 5):
        file.append([Deed(NOW - age, "anna", "sign in", str(age))])
    audit = audit_in(tmp_path)
    assert [deed.target for deed in (await audit.search())[0]] == ["5", str(KEPT - 5)]
    running = asyncio.create_task(audit.run())
    texts = [tmp_path / "a.audit.jsonl", tmp_path / "a.audit.jsonl.1"]
    await until(lambda: b"".join(path.read_bytes() for path in texts).count(b"\n") == 2)
    running.cancel()
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in texts)


@pytest.mark.parametrize("cursor", ["", "x", "1", "zz-1", "1-zz", "ffffffff-0", "1-" + "9" * 1000])
async def test_a_cursor_that_is_none_is_said(tmp_path: Path, cursor: str) -> None:
    """What no search gave, and one whose file is no more, is refused in a sentence."""
    audit = audit_in(tmp_path)
    audit.note(deeds(1)[0])
    with pytest.raises(Refused, match="cursor") as no:
        await audit.search(cursor=cursor)
    assert no.value.status == 400


def test_who_writes_waits_his_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While another process gives a full file its other name, an append waits, and then goes into the new file."""
    file, path, asked = AuditFile(tmp_path / "a.jsonl"), tmp_path / "a.jsonl", threading.Event()
    file.append([Deed(NOW, "anna", "sign in", "before")])
    flock = fcntl.flock

    def waits(handle: int, how: int) -> None:
        asked.set()
        flock(handle, how)

    with path.open("rb") as theirs:
        flock(theirs, fcntl.LOCK_EX)
        monkeypatch.setattr("streamer.access.audit_file.fcntl.flock", waits)
        writing = threading.Thread(target=file.append, args=[[Deed(NOW, "ben", "sign in", "behind")]])
        writing.start()
        assert asked.wait(30)
        path.rename(tmp_path / "a.jsonl.1")
    writing.join()
    assert b"behind" in path.read_bytes()
    assert b"behind" not in (tmp_path / "a.jsonl.1").read_bytes()


def test_two_processes_write_one_audit(tmp_path: Path) -> None:
    """The service and commands beside it append while files fill up and follow each other; no line is torn or lost."""
    path = tmp_path / "a.audit.jsonl"
    code = (
        "import sys; from pathlib import Path; from streamer.access.audit_file import AuditFile;"
        "from streamer.access.deed import Deed;"
        f"file = AuditFile(Path({str(path)!r}), 30_000);"
        "[file.append([Deed(1.0, sys.argv[1], 'sign in', str(n))]) for n in range(200)]"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, who]) for who in ("anna", "ben")]
    assert [writer.wait() for writer in writers] == [0, 0]
    found, _ = AuditFile(path).search(lambda _: True, None, 1000)
    assert len(found) == 400
    for who in ("anna", "ben"):
        assert [deed.target for deed in found[::-1] if deed.who == who] == [str(number) for number in range(200)]


async def test_without_a_file_the_newest_are_found() -> None:
    """A service that follows no file remembers what was done last."""
    audit = Audit(None, wall=lambda: NOW)
    for deed in (told := deeds(WAITING + 3)):
        audit.note(deed)
        await audit.close()
    assert await audit.search(limit=3) == (told[-3:][::-1], None)
    assert len((await audit.search(limit=10 * WAITING))[0]) == WAITING


def test_deeds_are_not_written_through_a_link(tmp_path: Path) -> None:
    """A link of the audit's name, whose target is there or is not, gets none of them, and is said to be in the way."""
    file, path = tmp_path / "another's", tmp_path / "a.audit.jsonl"
    path.symlink_to(file)
    for content in None, b"[settings]":
        if content is not None:
            file.write_bytes(content)
        with pytest.raises(OSError, match="is a link"):
            AuditFile(path).append(deeds(1))
    assert file.read_bytes() == b"[settings]"
