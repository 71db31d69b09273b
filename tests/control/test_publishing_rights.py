"""streamer.control.publishing_rights: who may publish."""

import pytest

from streamer.control.publishing_rights import PublishingRights
from streamer.values.errors import Overloaded, Refused


@pytest.mark.parametrize(
    ("shown", "may"),
    [
        ("Bearer sesame-open", True),
        ("bearer sesame-open", True),
        ("Bearer  sesame-open ", True),
        (None, False),
        ("", False),
        ("Bearer", False),
        ("Bearer sesame", False),
        ("Bearer sesame-openx", False),
        ("Bearer sésame-open", False),
        ("Basic sesame-open", False),
        ("sesame-open", False),
    ],
)
def test_the_token_alone_opens(shown: str | None, may: bool) -> None:
    """The very token, as a Bearer token, is taken; everything else is 401, and the sentence does not carry it."""
    publishing_rights = PublishingRights(("*",), "sesame-open", 1)
    if may:
        publishing_rights.require_token(shown)
        return
    with pytest.raises(Refused) as refused:
        publishing_rights.require_token(shown)
    assert refused.value.status == 401
    assert "sesame" not in str(refused.value)


def test_without_a_token_nothing_is_asked() -> None:
    """Where none is configured, none is asked, and one that is shown all the same does no harm."""
    PublishingRights(("*",), None, 1).require_token(None)
    PublishingRights(("*",), None, 1).require_token("Bearer x")


@pytest.mark.parametrize(
    ("names", "name", "status"),
    [
        (("*",), "anything", 0),
        (("phone", "drone-*"), "drone-7", 0),
        (("phone", "drone-*"), "phone", 0),
        (("phone", "drone-*"), "phone2", 403),
        (("phone", "drone-*"), "Phone", 403),
        (("cam-?",), "cam-10", 403),
        ((), "anything", 403),
        (("*",), "", 400),
        (("*",), ".hidden", 400),
        (("*",), "a/b", 400),
        (("*",), "a\n", 400),
        (("*",), "x" * 65, 400),
    ],
)
def test_names_follow_the_patterns(names: tuple[str, ...], name: str, status: int) -> None:
    """A name that one of the patterns matches may be published; what is no name is 400, what none matches 403."""
    publishing_rights = PublishingRights(names, None, 1)
    if status == 0:
        publishing_rights.require_name(name)
        return
    with pytest.raises(Refused) as refused:
        publishing_rights.require_name(name)
    assert refused.value.status == status


def test_places_are_counted() -> None:
    """As many may publish as there are places."""
    publishing_rights = PublishingRights(("*",), None, 2)
    publishing_rights.require_room(1)
    with pytest.raises(Overloaded, match=r"ingress\.max_publishers"):
        publishing_rights.require_room(2)
