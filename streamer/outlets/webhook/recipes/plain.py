"""The document as it is; Home Assistant takes it so too, as `trigger.json` of an automation that a webhook triggers."""

import json
from base64 import b64encode
from typing import Any

from streamer.outlets.document import document
from streamer.outlets.webhook.form_data import Part, form_data
from streamer.outlets.webhook.letter import Letter, Post

JPEG = "image/jpeg"
JSON = "application/json"


def plain(letter: Letter) -> Post:
    """JSON; with a picture beside it, a form of two parts, `notification` and `picture`."""
    said = document(letter.notification, _shown(letter), letter.base)
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    if letter.form != "multipart" or letter.picture is None:
        return Post(letter.url, JSON, body, is_document=True)
    picture = Part("picture", letter.picture.image, JPEG, f"{letter.notification.event['id']}.jpg")
    kind, whole = form_data([Part("notification", body, JSON), picture])
    return Post(letter.url, kind, whole, is_document=True)


def _shown(letter: Letter) -> dict[str, Any] | None:
    if letter.links is not None:
        links = letter.links
        return {"type": JPEG, "url": links.image, "thumbnail_url": links.thumbnail, "expires_at": links.expires_at}
    if letter.picture is None:
        return None
    if letter.form == "multipart":
        return {"type": JPEG, "part": "picture"}
    return {"type": JPEG, "base64": b64encode(letter.picture.image).decode()}
