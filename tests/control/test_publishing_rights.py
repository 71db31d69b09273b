"""streamer.control.publishing_rights: who may publish."""

import pytest

from streamer.control.publishing_rights import PublishingRights
from streamer.values.errors import Overloaded, Refused


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
    publishing_rights = PublishingRights(names, 1)
    if status == 0:
        publishing_rights.require_name(name)
        return
    with pytest.raises(Refused) as refused:
        publishing_rights.require_name(name)
    assert refused.value.status == status


def test_places_are_counted() -> None:
    """As many may publish as there are places."""
    publishing_rights = PublishingRights(("*",), 2)
    publishing_rights.require_room(1)
    with pytest.raises(Overloaded, match=r"ingress\.max_publishers"):
        publishing_rights.require_room(2)
