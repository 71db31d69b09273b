"""streamer.inference.news: a line in the log, and when it is worth another."""

from streamer.inference.news import PAUSE, News
from tests.peers.clock import FakeClock


def test_a_sentence_is_news_once() -> None:
    """What goes on being so is said once; when it is over and comes back, again."""
    clock = FakeClock()
    news = News(clock)
    assert news.is_news("away")
    clock.advance(1000)
    assert not news.is_news("away")
    news.over()
    assert news.is_news("away")


def test_changing_words_are_said_once_a_second() -> None:
    """However the words change there is one line a second at the most, and the last of them is not lost."""
    clock = FakeClock()
    news = News(clock)
    said = []
    for look in range(50):
        clock.advance(0.2)
        said.append(news.is_news(f"refused {look}"))
    assert sum(said) == 10
    assert not news.is_news("away")
    clock.advance(PAUSE)
    assert news.is_news("away")
