"""Telegram's Bot API (core.telegram.org/bots/api): `sendMessage`, or `sendPhoto` where there is a picture."""

import json
from typing import Any

from streamer.outlets.document import page_of
from streamer.outlets.webhook.form_data import Part, form_data
from streamer.outlets.webhook.letter import Letter, Post
from streamer.outlets.words import message, title

LONGEST_CAPTION = 1024
"""Characters below a photo; a message may have four times as many."""
METHODS = ("/sendMessage", "/sendPhoto")


def telegram(letter: Letter) -> Post:
    """To a bot's URL, https://api.telegram.org/bot and its token; the method's name is put behind it."""
    said = letter.notification
    page = page_of(said, letter.base)
    text = "\n".join(part for part in (title(said), message(said), page) if part)[:LONGEST_CAPTION]
    bot = letter.url.rstrip("/")
    for method in METHODS:
        bot = bot.removesuffix(method)
    if letter.picture is not None:
        fields = {"chat_id": letter.chat, "caption": text}
        parts = [Part(name, value.encode(errors="replace")) for name, value in fields.items()]
        photo = Part("photo", letter.picture.image, "image/jpeg", "picture.jpg")
        return Post(f"{bot}/sendPhoto", *form_data([*parts, photo]))
    if letter.links is not None:
        return _json(f"{bot}/sendPhoto", {"chat_id": letter.chat, "caption": text, "photo": letter.links.image})
    return _json(f"{bot}/sendMessage", {"chat_id": letter.chat, "text": text})


def _json(url: str, body: dict[str, Any]) -> Post:
    return Post(url, "application/json", json.dumps(body).encode())
