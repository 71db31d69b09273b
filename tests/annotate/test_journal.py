"""streamer.annotate.journal: what outlives a run."""

from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.annotate.answer import Answer, Found
from streamer.annotate.journal import NAME, Journal
from streamer.annotate.shot import Origin
from streamer.values.errors import ConfigError

SETTINGS = {"model": "numbers", "min_score": {"insulator": 0.4}}
ORIGIN = Origin("/photos/a.jpg", 1000, 17)

answers = st.lists(
    st.builds(
        Answer,
        name=st.text(min_size=1, max_size=8),
        width=st.integers(1, 9000),
        height=st.integers(1, 9000),
        found=st.lists(
            st.builds(
                Found,
                label=st.text(max_size=5),
                class_id=st.integers(0, 90),
                score=st.floats(0, 1),
                box=st.tuples(*[st.floats(0, 9000)] * 4),
            ),
            max_size=2,
        ).map(tuple),
        seconds=st.none() | st.floats(0, 1e6),
    ),
    max_size=5,
    unique_by=lambda answer: answer.name,
)


def written(folder: Path, said: list[Answer]) -> Path:
    """A journal with these answers, in a folder; its file."""
    path = folder / NAME
    path.unlink(missing_ok=True)
    journal = Journal(folder)
    journal.begin(SETTINGS, anew=False)
    for answer in said:
        journal.add(answer, ORIGIN)
    journal.close()
    return path


@settings(max_examples=40)
@given(said=answers, kept=st.floats(0, 1))
def test_whatever_ends_it_whole_lines_count(
    tmp_path_factory: pytest.TempPathFactory, said: list[Answer], kept: float
) -> None:
    """Cut off anywhere behind its first line, a journal has the answers of its whole lines and takes the others."""
    path = written(tmp_path_factory.mktemp("journal"), said)
    content = path.read_bytes()
    head = content.index(b"\n") + 1
    cut = content[: head + round(kept * (len(content) - head))]
    path.write_bytes(cut)
    journal = Journal(path.parent)
    journal.begin(SETTINGS, anew=False)
    whole = cut.count(b"\n") - 1
    assert list(journal.answers()) == sorted(said[:whole], key=lambda answer: answer.name)
    for answer in said[whole:]:
        assert not journal.knows(answer.name, ORIGIN)
        journal.add(answer, ORIGIN)
    journal.close()
    assert path.read_bytes() == content


def test_lines_that_are_none_are_done_again(tmp_path: Path) -> None:
    """What a power cut left of a line costs that picture alone."""
    said = [Answer(name, 4, 3, ()) for name in ("a", "b", "c")]
    path = written(tmp_path, said)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\0" * (len(lines[2]) - 1) + b"\n", b'{"origin": 7}\n', lines[3]]))
    with closing(Journal(tmp_path)) as journal:
        assert [answer.name for answer in journal.answers()] == ["a", "c"]


def test_a_changed_file_is_not_known(tmp_path: Path) -> None:
    """Another file, or one of another size or time, is not what was looked at."""
    written(tmp_path, [Answer("a.jpg", 4, 3, ())])
    others = (Origin("/b.jpg", 1000, 17), Origin("/photos/a.jpg", 999, 17), Origin("/photos/a.jpg", 1000, 18))
    with closing(Journal(tmp_path)) as journal:
        assert journal.knows("a.jpg", ORIGIN)
        assert [other for other in others if journal.knows("a.jpg", other)] == []


def test_one_process_has_it(tmp_path: Path) -> None:
    """A second run into the same folder is refused while the first goes on."""
    first = Journal(tmp_path)
    with pytest.raises(ConfigError, match="another `sightline detect` is writing there"):
        Journal(tmp_path)
    first.close()
    Journal(tmp_path).close()


def test_what_is_no_journal_is_left_alone(tmp_path: Path) -> None:
    """A file of that name with something else in it is said to be none, and stays until --anew."""
    (tmp_path / NAME).write_text('{"format": 9}\nmine\n')
    with closing(Journal(tmp_path)) as journal:
        with pytest.raises(ConfigError, match="no journal of this version"):
            journal.begin(SETTINGS, anew=False)
        assert (tmp_path / NAME).read_text() == '{"format": 9}\nmine\n'
        journal.begin(SETTINGS, anew=True)
        assert (tmp_path / NAME).read_text().count("\n") == 1
