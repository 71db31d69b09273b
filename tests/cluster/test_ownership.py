"""streamer.cluster.ownership: what replicas do with streams, in made-up time."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from streamer.cluster.assignment import bound
from streamer.cluster.claims import Claim
from streamer.cluster.ownership import Claiming, Ownership
from streamer.cluster.shared import SharedStream
from tests.cluster.crowd import by_id, member, streams
from tests.cluster.world import World

SHARED = streams(12)

_faults = st.lists(
    st.tuples(st.sampled_from(["cut", "join", "stop", "go on", "restart"]), st.integers(0, 1), st.integers(1, 24)),
    max_size=8,
)
"""What befalls which of the first two, and quarters of a second until the next."""


def _befalls(world: World, fault: str, number: int) -> None:
    puppet = world.puppets[number]
    match fault:
        case "cut" | "join":
            puppet.is_cut = fault == "cut"
        case "stop" | "go on":
            puppet.is_stopped = fault == "stop"
        case _:
            world.restart(number)


@given(_faults)
@settings(max_examples=40)
def test_whatever_befalls_two_of_three_all_is_well_ten_seconds_later(faults: list[tuple[str, int, int]]) -> None:
    """No stream is unowned for more than 8 s while one sees it, two never act on one epoch, and in the end all are run
    once.
    """
    world = World("abc", SHARED)
    world.pass_(4)
    unowned = Counter[str]()
    for fault, number, ticks in faults:
        _befalls(world, fault, number)
        for _ in range(ticks):
            world.pass_(0.25)
            runs = world.runs()
            unowned = Counter({each.name: unowned[each.name] + 1 for each in SHARED if not runs[each.name]})
            assert all(ticks <= 32 for ticks in unowned.values())
    for puppet in world.puppets:
        puppet.is_cut = puppet.is_stopped = False
    world.pass_(10)
    assert world.is_whole()
    acted = Counter(epoch for puppet in [*world.puppets, *world.ghosts] for epoch in puppet.epochs)
    assert all(count == 1 for count in acted.values())


def test_replicas_that_start_together_share_from_the_beginning() -> None:
    """Each stream is claimed once, and nobody is above its bound."""
    world = World("abc", SHARED)
    world.pass_(4)
    assert world.is_whole()
    members = by_id(*(puppet.member for puppet in world.puppets))
    for puppet in world.puppets:
        assert len(puppet.ownership.held) <= bound(puppet.member, members.values(), len(SHARED))
    claimed = [record.stream for record in world.store.written if isinstance(record, Claim)]
    assert len(set(claimed[: len(SHARED)])) == len(SHARED)  # one may have moved since


def test_one_that_comes_later_is_given_a_stream_a_second() -> None:
    """From those above their share, until a fifth too many is left."""
    world = World("ab", SHARED)
    world.puppets[1].is_stopped = True
    world.pass_(5)
    world.puppets[1].is_stopped = False
    seen = 0
    for _ in range(12):
        world.pass_(1)
        now = len(world.puppets[1].ownership.held)
        assert now <= seen + 1
        seen = now
    assert world.is_whole()
    assert seen >= 4


def test_after_a_partition_the_lower_epoch_lets_go_with_what_it_hears() -> None:
    """Both run the stream while they cannot hear each other, and one as soon as they can."""
    world = World("ab", SHARED)
    world.pass_(4)
    world.puppets[0].is_cut = True
    world.pass_(8)
    assert set(world.runs().values()) == {1, 2}
    world.puppets[0].is_cut = False
    world.pass_(0.25)
    assert world.is_whole()


def test_a_camera_that_bears_one_client_is_let_go_before_another_takes_it() -> None:
    """So it never has two; the others are run on."""
    shared = [SharedStream(each.name, on_partition="release") for each in SHARED[:6]] + SHARED[6:]
    world = World("ab", shared)
    world.pass_(4)
    kept = set(world.puppets[0].ownership.held) & {each.name for each in SHARED[6:]}
    world.puppets[0].is_cut = True
    for _ in range(40):
        world.pass_(0.25)
        runs = world.runs()
        assert all(runs[each.name] <= 1 for each in shared[:6])
    assert set(world.puppets[0].ownership.held) == kept


def test_a_bucket_that_was_lost_is_filled_again_by_who_runs_the_streams() -> None:
    """Epochs begin anew, and no stream stops for it."""
    world = World("abc", SHARED)
    world.pass_(12)  # until nothing moves any more
    before = [set(puppet.ownership.held) for puppet in world.puppets]
    for puppet in world.puppets:
        puppet.is_cut = True
    world.pass_(1)
    world.store.written.clear()
    world.store.last.clear()
    world.store.born = "second"
    for puppet in world.puppets:
        puppet.is_cut = False
    world.pass_(6)
    assert [set(puppet.ownership.held) for puppet in world.puppets] == before
    assert set(world.store.last) == {stream.name for stream in SHARED}


def test_a_store_that_lost_its_last_writes_is_believed() -> None:
    """The bucket is the same and counts the lost revisions again: in the end each stream is run once."""
    world = World("abc", SHARED)
    world.pass_(4)
    kept = len(world.store.written)
    world.puppets[1].is_cut = True
    world.pass_(8)
    for puppet in world.puppets:
        puppet.is_cut = True
    world.pass_(1)
    del world.store.written[kept:]
    claims = [record for record in world.store.written if isinstance(record, Claim)]
    world.store.last = {claim.stream: claim.epoch for claim in claims}
    for puppet in world.puppets:
        puppet.is_cut = False
    world.pass_(10)
    assert world.is_whole()


def test_who_does_not_hear_itself_takes_nobody_s_streams() -> None:
    """A watch that is lost silences all at once; when it is back, each has the whole time again to be heard."""
    ownership = Ownership("a-00000000", on_gain=lambda stream, epoch: None, on_loss=lambda stream: None)
    ownership.share(streams(1))
    ownership.opens("first")
    ownership.heard_claim(Claim(streams(1)[0].name, "b-00000000", 1), 0.0)
    ownership.listens(0.0)
    claims = []
    for quarter in range(100):
        now = quarter / 4
        ownership.spoke(now)
        is_lost = 4.75 <= now < 12  # we were heard a moment later than b
        if now % 1 == 0 and now <= 4:
            ownership.heard_member(member("b"), 2 + quarter, now)
        if now % 1 == 0.5 and not is_lost:
            ownership.heard_member(member("a"), 2 + quarter, now)
        claims += [now for step in ownership.turn(now) if isinstance(step, Claiming)]
    assert claims[0] >= 12 + 4


def test_a_newer_claim_of_our_own_is_told_of_too() -> None:
    """Another had it meanwhile, of which we did not hear: what we keep of it is kept by the newer one from now on."""
    gained, lost = list[tuple[str, int]](), list[str]()
    ownership = Ownership("a-00000000", on_gain=lambda *said: gained.append(said), on_loss=lost.append)
    ownership.opens("first")
    for epoch in (5, 5, 8):
        ownership.heard_claim(Claim("road", "a-00000000", epoch), 0.0)
    ownership.opens("another")
    ownership.heard_claim(Claim("road", "a-00000000", 2), 0.0)
    assert gained == [("road", 5), ("road", 8), ("road", 2)]
    assert (lost, ownership.held) == ([], {"road": 2})


def test_who_stalls_gives_no_stream_to_the_dead() -> None:
    """After a stall each has the whole time again to be heard, and until then nobody is given anything."""
    ownership = Ownership("a-00000000", on_gain=lambda stream, epoch: None, on_loss=lambda stream: None)
    ownership.share(streams(12))
    ownership.opens("first")
    ownership.heard_member(member("b"), 1, 0.0)
    ownership.listens(0.0)
    revision, given = 1, []
    for quarter in range(200):
        now = quarter / 4
        if 20 < now < 23:  # starting what was b's
            continue
        ownership.spoke(now)
        if quarter % 4 == 0:
            revision += 1
            ownership.heard_member(member("a"), revision, now)
        for step in ownership.turn(now):
            if isinstance(step, Claiming):
                revision += 1
                ownership.heard_claim(Claim(step.stream, step.owner, revision), now)
                given += [] if step.owner == ownership.me else [now]
    assert len(ownership.held) == 12
    assert given == []


def test_a_camera_of_one_client_is_let_go_when_nats_is_away_and_not_with_each_connection() -> None:
    """A connection that ends is made anew within a second, mostly."""
    lost: list[str] = []
    ownership = Ownership("a-00000000", on_gain=lambda stream, epoch: None, on_loss=lost.append)
    ownership.share([SharedStream("road", on_partition="release")])
    ownership.opens("first")
    ownership.listens(0.0)
    ownership.spoke(0.0)
    ownership.heard_claim(Claim("road", ownership.me, 1), 0.0)
    ownership.deaf()
    ownership.turn(2.75)
    assert lost == []
    ownership.turn(3.0)
    assert lost == ["road"]


def test_who_hears_nothing_knows_it() -> None:
    """What it wrote has come back only where that record was heard, or a newer one, and while it listens."""
    ownership = Ownership("a-00000000", on_gain=lambda stream, epoch: None, on_loss=lambda stream: None)
    ownership.opens("first")
    ownership.listens(0.0)
    assert not ownership.hears(7)
    ownership.heard_member(member("a"), 7, 0.0)
    assert ownership.hears(7)
    assert not ownership.hears(8)
    ownership.heard_member(member("a"), 9, 0.0)
    assert ownership.hears(8)
    ownership.deaf()
    assert not ownership.hears(8)


def test_a_stream_that_is_no_more_is_given_up() -> None:
    """Its owner deletes the claim, and then runs it no more."""
    world = World("ab", SHARED)
    world.pass_(4)
    for puppet in world.puppets:
        puppet.ownership.share(SHARED[1:])
    world.pass_(1)
    assert world.runs()[SHARED[0].name] == 0
    assert sum(world.runs().values()) == len(SHARED) - 1


def test_what_an_older_epoch_says_is_not_listened_to() -> None:
    """Neither a gain nor a loss comes of it."""
    told: list[str] = []
    ownership = Ownership("a-0", on_gain=lambda stream, epoch: told.append(f"{stream} {epoch}"), on_loss=told.append)
    ownership.listens(0.0)
    ownership.heard_claim(Claim("cam", "a-0", 5), 0.0)
    ownership.heard_claim(Claim("cam", "b-0", 4), 0.1)
    ownership.heard_claim(Claim("cam", None, 5), 0.2)
    assert told == ["cam 5"]
    ownership.heard_claim(Claim("cam", "b-0", 6), 0.3)
    ownership.heard_claim(Claim("cam", "a-0", 5), 0.4)
    assert told == ["cam 5", "cam"]


def test_who_comes_back_within_the_time_of_a_death_need_not_wait_for_his_own() -> None:
    """What he ran before is run again as soon as he has listened."""
    world = World("abc", SHARED)
    world.pass_(4)
    world.restart(0)
    world.pass_(2.75)
    assert world.is_whole()
