"""${NAME} in a text, which stands for an environment variable; and the passwords that any text may hold."""

import os
import re
from typing import Any

from streamer.config.explanation import dotted
from streamer.values import url
from streamer.values.errors import ConfigError

_VARIABLE = re.compile(r"\$\{([^}]*)\}")


def substitute(value: Any, where: tuple[Any, ...] = ()) -> Any:
    """Replace ${NAME} in every text by the environment variable NAME.

    Args:
        value: anything that was read.
        where: the keys that lead to it, for the sentence.

    Raises:
        ConfigError: a variable is not set.
    """
    if isinstance(value, dict):
        return {key: substitute(item, (*where, key)) for key, item in value.items()}
    if isinstance(value, list):
        return [substitute(item, (*where, index)) for index, item in enumerate(value)]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        name = match.group(1)
        if name not in os.environ:
            raise ConfigError(f"{dotted(where)}: the environment variable {name} is not set; set it or write the value")
        return os.environ[name]

    return _VARIABLE.sub(variable, value)


def collect_secrets(value: Any, *, trusted: bool = True) -> None:
    """Know every password before the first sentence is written about anything: a URL may stand in the wrong place.

    Those of the configuration file (`trusted`) are known for good. A stranger's are known while something uses them,
    and he has no environment variables.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            collect_secrets(key, trusted=trusted)
            collect_secrets(item, trusted=trusted)
    elif isinstance(value, list):
        for item in value:
            collect_secrets(item, trusted=trusted)
    elif isinstance(value, str):
        url.remember(value, for_good=trusted)
        if trusted:
            url.remember(_VARIABLE.sub(lambda match: os.environ.get(match.group(1), ""), value), for_good=True)
