"""The section `webhooks`: receivers that are told over HTTP."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from streamer.config.section import Section
from streamer.config.server import Network

MOST_WEBHOOKS = 50


def _checked_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s#]*)?(\?[^\s#]*)?", value) or len(value) > 2000:
        raise ValueError("it is no receiver; allowed is one such as https://ntfy.example.org/yard")  # it may be secret
    return value


class WebhookSettings(Section):
    """One receiver."""

    url: Annotated[str, AfterValidator(_checked_url), Field(repr=False)]
    """Its path is a secret with many receivers: nowhere more of it is shown than its host."""
    secret: Annotated[Annotated[str, Field(min_length=16)] | None, Field(repr=False)] = None
    """That what is sent is signed with (Standard Webhooks): whsec_ and base64, or any text. None: nothing is signed."""
    recipe: Literal["plain", "ntfy", "slack", "telegram", "home-assistant"] = "plain"
    """In whose words it is told."""
    picture: Literal["none", "inline", "link", "multipart"] | None = None
    """How the picture comes with it. None: as the recipe has it, and none with plain."""
    chat: str | None = None
    """Telegram's chat id."""
    networks: list[Network] | None = None
    """Where it may be. None: anywhere but loopback, link-local and metadata addresses."""
