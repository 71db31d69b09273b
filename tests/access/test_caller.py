"""streamer.access.caller: one replica says to another who asks, and nobody else can."""

import json
from base64 import urlsafe_b64encode
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.access.action import Action
from streamer.access.caller import LASTS, LONGEST, Caller, Question, about, checked, signed
from streamer.access.principal import Grant, Principal
from streamer.values.errors import Refused

KEY = b"k" * 32
NOW = 1_800_000_000.0
QUESTION = Question("hangar-2", "GET", "/api/streams/porch/frame.jpg?at=1")
VERA = Caller(Principal("user", "vera", (Grant(frozenset({Action.VIEW}), ("porch",)),)), "192.0.2.7")

TEXTS = st.text(max_size=40) | st.text('anx"\\[], \n0123./', max_size=40) | st.just("\udcff")
GRANTS = st.builds(Grant, st.frozensets(st.sampled_from(Action)), st.lists(TEXTS | st.just("*"), max_size=4).map(tuple))
PRINCIPALS = st.builds(
    Principal,
    st.sampled_from(("open", "nobody", "user", "token", "proxy", "link")),
    TEXTS,
    st.lists(GRANTS, max_size=4).map(tuple),
)
CALLERS = st.builds(Caller, PRINCIPALS, TEXTS, TEXTS)
QUESTIONS = st.builds(Question, TEXTS, st.sampled_from(("GET", "HEAD", "POST", "PATCH", "DELETE")), TEXTS)


@given(CALLERS, QUESTIONS, st.floats(0, 4e9), st.floats(0, LASTS, exclude_max=True))
def test_who_is_asked_knows_who_asks(caller: Caller, question: Question, now: float, later: float) -> None:
    """Whoever asks whatever of whomever is known there as he is here, for as long as it counts."""
    value = signed(caller, question, KEY, now)
    assert value.isascii()
    assert "\n" not in value
    assert checked(value, question, KEY, min(now + later, now + LASTS - 0.001)) == caller


@given(CALLERS, QUESTIONS, QUESTIONS)
def test_it_opens_nothing_else(caller: Caller, question: Question, other: Question) -> None:
    """At another replica, by another method, for another path or query it is refused."""
    value = signed(caller, question, KEY, NOW)
    if question == other:
        other = replace(other, target=other.target + "/")
    with pytest.raises(Refused) as refusal:
        checked(value, other, KEY, NOW)
    assert refusal.value.status == 401


@given(st.data())
def test_nothing_of_it_can_be_changed(data: st.DataObject) -> None:
    """A character that is another one, or is not there, makes it nobody's."""
    value = signed(VERA, QUESTION, KEY, NOW)
    at = data.draw(st.integers(0, len(value) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda each: each != value[at]) | st.just(""))
    with pytest.raises(Refused):
        checked(value[:at] + other + value[at + 1 :], QUESTION, KEY, NOW)


@given(TEXTS | st.just("1.e30=.") | st.just("1..") | st.just("1." + "x" * LONGEST))
def test_what_is_none_is_refused_in_a_sentence(value: str) -> None:
    """Whatever stands there, it is 401 and no fault of ours."""
    with pytest.raises(Refused) as refusal:
        checked(value, QUESTION, KEY, NOW)
    assert refusal.value.status == 401
    assert "is not believed" in str(refusal.value)


def test_another_key_signs_nothing() -> None:
    """Who has another key, or none, says nothing that counts."""
    for key in (b"", b"j" * 32):
        with pytest.raises(Refused, match=r"another `cluster\.key`"):
            checked(signed(VERA, QUESTION, key, NOW), QUESTION, KEY, NOW)


@pytest.mark.parametrize("apart", [LASTS, 3600.0, -LASTS - 1, -3600.0])
def test_it_counts_for_half_a_minute(apart: float) -> None:
    """After that, and long before it, it is refused, and the clocks are named as what may be wrong."""
    with pytest.raises(Refused, match="clocks"):
        checked(signed(VERA, QUESTION, KEY, NOW), QUESTION, KEY, NOW + apart)


def test_the_signature_is_compared_before_anything_is_read() -> None:
    """What an unsigned payload says is looked at by nobody, however it is built."""
    payload = urlsafe_b64encode(json.dumps({"until": NOW + 10, "kind": "user", "name": "anna"}).encode()).decode()
    with pytest.raises(Refused, match="signed for another request"):
        checked(f"1.{payload}.{'0' * 64}", QUESTION, KEY, NOW)


@given(PRINCIPALS, TEXTS)
def test_no_more_is_passed_on_than_one_stream_takes(principal: Principal, stream: str) -> None:
    """He may there to that stream what he may here, and to no other more than here."""
    narrowed = about(principal, stream)
    for action in Action:
        assert narrowed.may(action, stream) == principal.may(action, stream)
        assert narrowed.may_everywhere(action) <= principal.may_everywhere(action)


def test_who_sees_hundreds_of_streams_fits_in_a_header() -> None:
    """It does not grow with what somebody may elsewhere."""
    names = tuple(f"camera-{number:04}-of-a-long-name" for number in range(500))
    principal = Principal("proxy", "𝓋" * 256, (Grant(frozenset(Action), names), Grant(frozenset(Action), names[1:])))
    caller = Caller(about(principal, names[7]), "2001:db8::1", "/sightline")
    assert len(signed(caller, QUESTION, KEY, NOW)) < LONGEST
