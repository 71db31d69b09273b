"""What a stream or a model may be called: its name stands in URLs, metric labels and file names. Pure."""

import re

NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
"""A regular expression for the whole of it; web/index.html and web/adding.js say the same to a browser."""
NAMES = "1 to 64 letters, digits, '.', '_' or '-', first a letter or digit"
"""What a name is made of, for a sentence."""


def is_name(text: str) -> bool:
    """Whether a stream or a model may be called that."""
    return re.fullmatch(NAME, text) is not None


def is_pattern(text: str) -> bool:
    """Whether it is a name, or several: * stands for any letters there and ? for one, as fnmatch(3) has it."""
    return re.fullmatch(NAME.replace("0-9", "0-9*?"), text) is not None
