"""What every section of the configuration is."""

from collections.abc import Callable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from streamer.values.errors import ConfigError
from streamer.values.name import NAME

Name = Annotated[str, Field(pattern=f"^{NAME}$")]
"""Of a stream or a model."""


class Section(BaseModel):
    """A mapping whose keys are all known; values are never converted from another type, but where a key says so."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def checked(check: Callable[[str], str]) -> Callable[[str], str]:
    """A check that raises ConfigError, as pydantic takes one."""

    def validate(value: str) -> str:
        try:
            return check(value)
        except ConfigError as error:
            raise ValueError(str(error)) from None

    return validate
