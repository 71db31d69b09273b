"""Members and streams that are made up."""

from hypothesis import strategies as st

from streamer.cluster.member import Member
from streamer.cluster.shared import SharedStream

SITES = ("north", "south")


def member(name: str, capacity: int = 10, site: str | None = None, life: str = "00000000") -> Member:
    """One that lives where it is told."""
    labels = {} if site is None else {"site": site}
    return Member(name=name, life=life, url=f"http://{name}:8080", capacity=capacity, labels=labels)


def by_id(*members: Member) -> dict[str, Member]:
    """As the room has them."""
    return {each.id: each for each in members}


def streams(count: int) -> list[SharedStream]:
    """Without labels."""
    return [SharedStream(f"cam{number}") for number in range(count)]


_sites = st.sampled_from([None, *SITES])


@st.composite
def crowds(draw: st.DrawFn, least: int = 1) -> dict[str, Member]:
    """One to six members of all capacities, in sites or in none."""
    count = draw(st.integers(least, 6))
    return by_id(*(member(f"m{n}", draw(st.integers(1, 40)), draw(_sites)) for n in range(count)))


@st.composite
def many_streams(draw: st.DrawFn) -> list[SharedStream]:
    """None to forty, in sites or in none."""
    sites = draw(st.lists(_sites, max_size=40))
    return [SharedStream(f"cam{n}", {} if site is None else {"site": site}) for n, site in enumerate(sites)]
