"""Slack's incoming webhooks (docs.slack.dev): a text, and blocks; a picture only where Slack can fetch it."""

import json
from typing import Any

from streamer.outlets.document import page_of
from streamer.outlets.webhook.letter import Letter, Post
from streamer.outlets.words import message, title


def slack(letter: Letter) -> Post:
    """To a webhook's URL."""
    said = letter.notification
    heading, text = _escaped(title(said)), _escaped(message(said))
    page = page_of(said, letter.base)
    shown = f"*{heading}*" if page is None else f"*<{page}|{heading}>*"
    blocks: list[dict[str, Any]] = [{"type": "section", "text": {"type": "mrkdwn", "text": f"{shown}\n{text}"}}]
    if letter.links is not None:
        blocks.append({"type": "image", "image_url": letter.links.image, "alt_text": title(said)})
    body = {"text": f"{heading}: {text}", "blocks": blocks}
    return Post(letter.url, "application/json", json.dumps(body).encode())


def _escaped(text: str) -> str:
    """What Slack takes for its own signs, written so that it does not."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
