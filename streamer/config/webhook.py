"""The section `webhooks`: receivers that are told over HTTP."""

import re
from base64 import b64decode
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from streamer.config.section import Section
from streamer.config.server import Network

MOST_WEBHOOKS = 50


def _checked_url(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s#]*)?(\?[^\s#]*)?", value) or len(value) > 2000:
        raise ValueError("it is no receiver; allowed is one such as https://ntfy.example.org/yard")  # it may be secret
    return value


def _checked_secret(value: str) -> str:
    if value.startswith("whsec_"):
        text = value.removeprefix("whsec_")
        try:
            b64decode(text + "=" * (-len(text) % 4), validate=True)
        except ValueError:
            raise ValueError("behind whsec_ is no base64; allowed is that, or any text of 16 characters") from None
    return value


Recipe = Literal["plain", "ntfy", "slack", "telegram", "home-assistant"]
PictureForm = Literal["none", "inline", "link", "multipart"]

FORMS: dict[Recipe, tuple[PictureForm, ...]] = {
    "plain": ("none", "inline", "link", "multipart"),
    "home-assistant": ("none", "inline", "link"),
    "ntfy": ("inline", "none", "link"),
    "slack": ("none", "link"),
    "telegram": ("multipart", "none", "link"),
}
"""How a picture may come with each recipe; where nothing is said, as the first."""


class WebhookSettings(Section):
    """One receiver."""

    url: Annotated[str, AfterValidator(_checked_url), Field(repr=False)]
    """Its path is a secret with many receivers: nowhere more of it is shown than its host."""
    secret: Annotated[
        Annotated[str, Field(min_length=16), AfterValidator(_checked_secret)] | None, Field(repr=False)
    ] = None
    """That what is sent is signed with (Standard Webhooks): whsec_ and base64, or any text. None: nothing is signed."""
    recipe: Recipe = "plain"
    """In whose words it is told."""
    picture: PictureForm | None = None
    """How the picture comes with it. None: as the recipe has it, and none with plain."""
    chat: int | Annotated[str, Field(min_length=1, max_length=100)] | None = None
    """Telegram's chat id, or @ and the name of a channel."""
    networks: list[Network] | None = None
    """Where it may be. None: anywhere but loopback, link-local and metadata addresses."""

    @property
    def form(self) -> PictureForm:
        """How the picture comes with it."""
        return self.picture or FORMS[self.recipe][0]

    @model_validator(mode="after")
    def _checked_recipe(self) -> "WebhookSettings":
        forms = FORMS[self.recipe]
        if self.form not in forms:
            raise ValueError(f"no picture comes as {self.form} with {self.recipe}; allowed are {', '.join(forms)}")
        if (self.chat is None) == (self.recipe == "telegram"):
            raise ValueError("the recipe telegram needs a chat, its id or a channel's @name, and no other has one")
        return self
