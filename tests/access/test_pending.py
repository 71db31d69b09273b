"""streamer.access.pending: sign-ins that are under way elsewhere."""

import base64
import hashlib
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from streamer.access.pending import LASTS, MOST, Pending, PendingSignIns
from streamer.values.errors import Refused
from tests.peers.clock import FakeClock


def begin(sign_ins: PendingSignIns, browser: str = "b", address: str = "10.0.0.1") -> Pending:
    """One sign-in."""
    return sign_ins.begin(browser, address, "https://cameras.example.org/back", "/")


def test_who_comes_back_goes_on_and_does_so_once() -> None:
    """The browser that began it gets what it began; a second time there is nothing to end."""
    sign_ins = PendingSignIns(FakeClock())
    begun = begin(sign_ins)
    assert sign_ins.end(begun.state, "b") is begun
    with pytest.raises(Refused, match="was ended already") as refused:
        sign_ins.end(begun.state, "b")
    assert refused.value.status == 400


def test_another_browser_cannot_end_it_nor_take_it_away() -> None:
    """A way back that somebody else is sent is not his, and stays open for whose it is."""
    sign_ins = PendingSignIns(FakeClock())
    begun = begin(sign_ins)
    for other in ("", "c"):
        with pytest.raises(Refused, match="in another browser"):
            sign_ins.end(begun.state, other)
    assert sign_ins.end(begun.state, "b") is begun


def test_it_ends_by_itself() -> None:
    """After ten minutes nobody comes back, and nothing of it is kept."""
    clock = FakeClock()
    sign_ins = PendingSignIns(clock)
    begun = begin(sign_ins)
    clock.advance(LASTS)
    with pytest.raises(Refused, match="longer than ten minutes"):
        sign_ins.end(begun.state, "b")
    assert len(sign_ins) == 0


@pytest.mark.parametrize("address", [lambda _: "192.0.2.1", lambda number: f"2001:db8::{number:x}"])
def test_strangers_push_out_their_own(address: Callable[[int], str]) -> None:
    """They are bounded, and who begins very many keeps nobody else from coming back, by all of his IPv6 addresses."""
    sign_ins = PendingSignIns(FakeClock())
    anna = begin(sign_ins)
    flood = [begin(sign_ins, address=address(number)) for number in range(2 * MOST)]
    assert len(sign_ins) == MOST
    assert sign_ins.end(anna.state, "b") is anna
    assert sign_ins.end(flood[-1].state, "b") is flood[-1]
    with pytest.raises(Refused):
        sign_ins.end(flood[0].state, "b")


def test_nothing_of_it_can_be_guessed_or_repeated() -> None:
    """State, nonce and verifier are 32 random bytes each, and in no log: repr does not show them."""
    sign_ins = PendingSignIns(FakeClock())
    one, two = begin(sign_ins), begin(sign_ins)
    secrets = {each for begun in (one, two) for each in (begun.state, begun.nonce, begun.verifier)}
    assert len(secrets) == 6
    for each in secrets:
        assert re.fullmatch(r"[A-Za-z0-9_-]{43}", each)  # RFC 7636 section 4.1 wants 43 to 128 of these
        assert each not in repr(one) + repr(two)


def test_the_challenge_is_the_one_of_the_standard() -> None:
    """As in RFC 7636, appendix B."""
    begun = replace(begin(PendingSignIns(FakeClock())), verifier="dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert begun.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    digest = hashlib.sha256(begun.verifier.encode()).digest()
    assert base64.urlsafe_b64decode(begun.challenge + "=") == digest
