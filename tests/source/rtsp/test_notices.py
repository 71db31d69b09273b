"""streamer.source.rtsp.notices: what the log gets of the sentences that strangers cause."""

from streamer.source.rtsp.notices import AT_ONCE, REPEATED, Notices


def test_the_same_is_told_once_a_minute_whatever_else_is_said() -> None:
    """A sentence is not told again within a minute, however many others come meanwhile, and then it is."""
    notices = Notices()
    assert notices.take("a", 0.0) == "a"
    for second in range(1, int(REPEATED)):
        for number in range(200):
            notices.take(f"{second} {number}", float(second))
        assert notices.take("a", float(second)) is None
    assert notices.take("a", REPEATED + AT_ONCE) is not None


def test_different_sentences_are_told_one_a_second() -> None:
    """After the first few one new sentence a second is told, with the number of those held back before it."""
    notices = Notices()
    told = [notices.take(f"{second} {number}", float(second)) for second in range(100) for number in range(200)]
    lines = [line for line in told if line is not None]
    assert len(lines) == AT_ONCE + 99
    assert lines[AT_ONCE] == f"1 0 ({200 - AT_ONCE} more held back before)"
    assert lines[-1] == "99 0 (199 more held back before)"


def test_what_was_held_back_is_told_once_it_is_quiet() -> None:
    """What was held back last is told once as much is allowed again as at first, and once only."""
    notices = Notices()
    for number in range(AT_ONCE + 3):
        notices.take(f"{number}", 0.0)
    assert notices.rest(AT_ONCE - 0.1) is None
    assert notices.rest(float(AT_ONCE)) == "3 more held back"
    assert notices.rest(float(AT_ONCE)) is None


def test_what_was_held_back_may_be_told_later() -> None:
    """A sentence that was held back counts as not told: it is told when it comes again."""
    notices = Notices()
    assert [notices.take(f"{number}", 0.0) for number in range(AT_ONCE + 1)][-1] is None
    assert notices.take(f"{AT_ONCE}", 1.0) == f"{AT_ONCE} (1 more held back before)"
