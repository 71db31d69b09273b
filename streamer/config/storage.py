"""The key `archive.storage`: an object storage that closed files are brought to."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field, model_validator

from streamer.config.section import Section


def _checked_url(value: str) -> str:
    if not re.fullmatch(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](/[A-Za-z0-9!_.*'()-]+)*/?", value):
        raise ValueError(f"{value!r} is no place; allowed is one such as s3://bucket/prefix")
    return value


def _checked_endpoint(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+/?", value):
        raise ValueError("it is no endpoint; allowed is one such as https://s3.example.org")
    return value.rstrip("/")


class StorageSettings(Section):
    """One that speaks S3."""

    url: Annotated[str, AfterValidator(_checked_url)]
    """s3://bucket/prefix: below the prefix files are named as in the folder."""
    endpoint: Annotated[str, AfterValidator(_checked_endpoint)] | None = None
    """None: Amazon's."""
    region: Annotated[str, Field(pattern=r"^[a-z0-9-]{1,40}$")] = "us-east-1"
    access_key: Annotated[str, Field(min_length=1)] | None = None
    """None, with `secret_key`: as Amazon's own tools find them."""
    secret_key: Annotated[Annotated[str, Field(min_length=1)] | None, Field(repr=False)] = None
    path_style: bool | None = None
    """The bucket stands in the URL's path and not in the host's name. None: with an endpoint."""
    keep_local_days: Annotated[float, Field(ge=0, le=36_500)] = 1.0
    """That a file stays in the folder too."""

    @model_validator(mode="after")
    def _checked_keys(self) -> "StorageSettings":
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key belong together; allowed are both, or none")
        return self

    @property
    def place(self) -> tuple[str, str]:
        """Bucket and prefix."""
        bucket, _, prefix = self.url.removeprefix("s3://").partition("/")
        return bucket, prefix.rstrip("/")

    @property
    def is_path_style(self) -> bool:
        """How the bucket is named."""
        return self.endpoint is not None if self.path_style is None else self.path_style
