"""streamer.outlets.webhook.recipes: each receiver is told in the words and the shape that its own documentation has."""

import json
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import Message
from email.policy import HTTP
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamer.outlets.webhook.letter import Letter, PictureLinks, Post
from streamer.outlets.webhook.recipes.ntfy import ntfy
from streamer.outlets.webhook.recipes.slack import slack
from streamer.outlets.webhook.recipes.telegram import telegram
from streamer.outlets.webhook.webhook import RECIPES
from tests.outlets.memory_outbox import EVENT, PICTURE, told

BASE = "https://cam.example/sightline"
PAGE = f"{BASE}/#+events?event={EVENT['id']}"
LINKS = PictureLinks(f"{BASE}/api/events/x/picture?signature=1", f"{BASE}/api/events/x/thumbnail", 1_800_086_400)
TELEGRAM = "https://api.telegram.org/bot123:abc"


def form_of(post: Post) -> dict[str, Message]:
    """The fields of a form."""
    whole = message_from_bytes(f"Content-Type: {post.type}\r\n\r\n".encode() + post.body, policy=HTTP)
    return {str(part.get_param("name", header="content-disposition")): part for part in whole.iter_parts()}


def test_ntfy_has_title_and_tags_in_headers_and_the_message_in_the_body() -> None:
    """POST to a topic: docs.ntfy.sh/publish."""
    post = ntfy(Letter(told(), "https://ntfy.example/yard", base=BASE))
    assert post.url == "https://ntfy.example/yard"
    assert post.headers == {"X-Title": "person in yard", "X-Tags": "rotating_light", "X-Click": PAGE}
    assert post.body.decode().startswith("night: since ")
    assert post.body.decode().endswith(", 87 %, gate")


def test_ntfy_has_a_picture_as_the_body() -> None:
    """An attachment with a file's name; the message is a header then. A link is fetched by who looks at it."""
    post = ntfy(Letter(told(), "https://ntfy.example/yard", "inline", PICTURE))
    assert (post.type, post.body) == ("image/jpeg", PICTURE.image)
    assert post.headers["X-Filename"].endswith(".jpg")
    assert post.headers["X-Message"].startswith("night: since ")
    linked = ntfy(Letter(told(), "https://ntfy.example/yard", "link", links=LINKS))
    assert linked.headers["X-Attach"] == LINKS.image
    assert linked.body.startswith(b"night: since ")


@given(st.text(min_size=1, max_size=60))
def test_no_label_breaks_out_of_a_header(label: str) -> None:
    """Whatever a model calls a class: headers stay on one line, in ASCII, and say what is legible of it (RFC 2047)."""
    post = ntfy(Letter(told(label=label), "https://ntfy.example/yard", "inline", PICTURE))
    for value in post.headers.values():
        assert value.isascii()
        assert value.isprintable()
    title = str(make_header(decode_header(post.headers["X-Title"])))
    legible = " ".join("".join(each if each.isprintable() else " " for each in label).split())
    assert title.split() == f"{legible} in yard".encode(errors="replace").decode().split()


def test_slack_has_a_text_and_blocks() -> None:
    """docs.slack.dev: a section in mrkdwn, and an image only by a URL that Slack can fetch."""
    post = slack(
        Letter(told(label="<!channel> & co"), "https://hooks.slack.example/services/x", "link", links=LINKS, base=BASE)
    )
    body = json.loads(post.body)
    assert post.type == "application/json"
    assert body["text"].startswith("&lt;!channel&gt; &amp; co in yard: night: since ")
    section, image = body["blocks"]
    assert section["type"] == "section"
    assert section["text"]["type"] == "mrkdwn"
    assert section["text"]["text"].startswith(f"*<{PAGE}|&lt;!channel&gt; &amp; co in yard>*\nnight: since ")
    assert image == {"type": "image", "image_url": LINKS.image, "alt_text": "<!channel> & co in yard"}
    assert len(json.loads(slack(Letter(told(), "https://x.example/")).body)["blocks"]) == 1


@pytest.mark.parametrize("url", [TELEGRAM, f"{TELEGRAM}/", f"{TELEGRAM}/sendMessage"])
def test_telegram_has_its_method_in_the_path(url: str) -> None:
    """core.telegram.org/bots/api: sendMessage with chat_id and text, however much of the URL was written."""
    post = telegram(Letter(told(), url, chat="-100123", base=BASE))
    assert post.url == f"{TELEGRAM}/sendMessage"
    body = json.loads(post.body)
    assert body["chat_id"] == "-100123"
    assert body["text"].startswith("person in yard\nnight: since ")
    assert body["text"].endswith(f"\n{PAGE}")


def test_telegram_has_a_picture_as_a_photo() -> None:
    """sendPhoto as a form, with the text as its caption of 1,024 characters at the most; or by a URL."""
    post = telegram(Letter(told(label="x" * 2000), TELEGRAM, "multipart", PICTURE, chat="@yard"))
    assert post.url == f"{TELEGRAM}/sendPhoto"
    form = form_of(post)
    assert form.keys() == {"chat_id", "caption", "photo"}
    assert form["chat_id"].get_payload() == "@yard"
    assert form["photo"].get_payload(decode=True) == PICTURE.image
    assert form["photo"].get_filename() == "picture.jpg"
    assert len(str(form["caption"].get_payload())) <= 1024
    linked = telegram(Letter(told(), TELEGRAM, "link", links=LINKS, chat="@yard"))
    assert (linked.url, json.loads(linked.body)["photo"]) == (f"{TELEGRAM}/sendPhoto", LINKS.image)


def test_home_assistant_has_json_that_its_webhook_trigger_reads() -> None:
    """`trigger.json` there is a mapping where the content type has "json" in it; title and message are at hand."""
    post = RECIPES["home-assistant"](Letter(told(), "http://ha.local:8123/api/webhook/x", base=BASE))
    body: dict[str, Any] = json.loads(post.body)
    assert "json" in post.type
    assert (body["kind"], body["title"], body["url"]) == ("alert", "person in yard", PAGE)


@pytest.mark.parametrize("recipe", sorted(RECIPES))
def test_everybody_can_be_tested_and_told_of_an_end(recipe: str) -> None:
    """Of a test there is no event, and none is looked for."""
    for letter in (told(kind="test"), told(kind="alert_ended", ended_at=1_800_000_034.0)):
        post = RECIPES[recipe](Letter(letter, TELEGRAM, chat="1", base=BASE))
        said = post.body.decode() + str(post.headers)
        assert ("A test" in said) == (letter.kind == "test")
        assert ("has gone" in said) == (letter.kind != "test")
