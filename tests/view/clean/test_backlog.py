"""streamer.view.clean.backlog: what a viewer is still to be sent, whatever comes and however slow he is."""

import itertools
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from streamer.view.clean.backlog import BEHIND, MOST_BYTES, MOST_MESSAGES, MOST_PICTURES, Backlog
from streamer.view.clean.wire import form_of, picture_message, sampled_message, text
from tests.view.clean.peers import FORM, Shown, coded, kinds, read

FORM_MESSAGE = text(form_of(FORM, 1))
STEPS = st.lists(
    st.sampled_from(["key", "picture", "picture", "picture", "boxes", "form", "take", "take"]), max_size=60
)


def taken(backlog: Backlog) -> list[Shown | dict[str, Any]]:
    """All that waits."""
    found = list[bytes]()
    while (message := backlog.take()) is not None:
        found.append(message)
    return read(b"".join(found))


def number_of(shown: Shown) -> int:
    """Which picture it is."""
    return int(shown.data.split()[1])


@given(STEPS, st.integers(0, 200), st.integers(0, 4))
def test_what_is_sent_can_be_decoded_and_all_else_is_counted(steps: list[str], flood: int, keys: int) -> None:
    """No picture is sent but a key picture or one right behind the one before it; what is left out is told in gaps."""
    backlog, sent, put = Backlog(), list[Shown | dict[str, Any]](), 0
    backlog.begin(FORM_MESSAGE, [picture_message(coded(0, key=True))])
    for step in [*steps, *["picture"] * flood, *["key"] * keys]:
        if step in ("key", "picture"):
            put += 1
            backlog.put_picture(picture_message(coded(put, key=step == "key")), is_key=step == "key")
        elif step == "boxes":
            backlog.put(sampled_message(1, put))
        elif step == "form":  # and its key picture
            put += 1
            backlog.put_form(FORM_MESSAGE)
            backlog.put_picture(picture_message(coded(put, key=True)), is_key=True)
        elif (message := backlog.take()) is not None:
            sent += read(message)
        assert backlog.waiting_pictures <= MOST_PICTURES + 1
        assert len(backlog) <= MOST_MESSAGES + 3
    sent += taken(backlog)
    pictures = [each for each in sent if isinstance(each, Shown)]
    for before, each in itertools.pairwise(pictures):
        assert each.is_key or number_of(each) == number_of(before) + 1
    assert len(pictures) + backlog.dropped == put + 1
    told = sum(each["pictures"] for each in sent if isinstance(each, dict) and each["type"] == "gap")
    assert told <= backlog.dropped  # what was left out at the end is told with the next key picture
    assert (backlog.waiting_bytes, backlog.waiting_pictures) == (0, 0)


def test_who_is_too_slow_goes_on_with_a_key_picture() -> None:
    """What waited is left out, which is said before the picture he goes on with; the form is not."""
    backlog = Backlog()
    backlog.begin(None, [])
    backlog.put_form(FORM_MESSAGE)
    for number in range(MOST_PICTURES + 5):
        backlog.put_picture(picture_message(coded(number, key=number == 0)), is_key=number == 0)
    assert kinds(taken(backlog)) == ["form"]
    backlog.put_picture(picture_message(coded(200, key=True)), is_key=True)
    news = taken(backlog)
    assert kinds(news) == ["gap", "key"]
    assert news[0] == {"type": "gap", "pictures": MOST_PICTURES + 5}
    assert backlog.dropped == MOST_PICTURES + 5


def test_who_is_behind_when_a_key_picture_comes_goes_on_with_that() -> None:
    """A little is caught up with; more would be shown late for ever."""
    for waiting, expected in ((BEHIND, ["key", *["picture"] * (BEHIND - 1), "key"]), (BEHIND + 1, ["gap", "key"])):
        backlog = Backlog()
        backlog.begin(None, [])
        for number in range(waiting):
            backlog.put_picture(picture_message(coded(number, key=number == 0)), is_key=number == 0)
        backlog.put_picture(picture_message(coded(waiting, key=True)), is_key=True)
        assert kinds(taken(backlog)) == expected


def test_a_long_group_is_sent_whole() -> None:
    """Who comes late is sent all of it, however much, and may have as much waiting beside it as anybody."""
    backlog = Backlog()
    group = [picture_message(coded(number, key=number == 0, data=b"x" * 20_000)) for number in range(400)]
    assert sum(map(len, group)) > MOST_BYTES
    backlog.begin(FORM_MESSAGE, group)
    for number in range(400, 440):
        backlog.put_picture(picture_message(coded(number)), is_key=False)
    assert kinds(taken(backlog)) == ["form", "group", "key", *["picture"] * 439]
    assert backlog.dropped == 0


def test_a_picture_larger_than_all_that_may_wait_is_sent_alone() -> None:
    """A key picture of 8K is no reason to send nothing."""
    backlog = Backlog()
    backlog.begin(None, [])
    backlog.put_picture(picture_message(coded(0, key=True, data=b"x" * (MOST_BYTES + 1))), is_key=True)
    assert kinds(taken(backlog)) == ["key"]


def test_nothing_is_said_of_pictures_that_are_not_sent() -> None:
    """Before the first key picture, and behind a gap, there is nothing that boxes belong to."""
    backlog = Backlog()
    backlog.begin(FORM_MESSAGE, [])
    backlog.put(sampled_message(1, 1))
    backlog.put_picture(picture_message(coded(1)), is_key=False)
    assert kinds(taken(backlog)) == ["form"]
    assert backlog.dropped == 0
