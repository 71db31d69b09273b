"""Which labels of a model are findings, what a person is called for, and which are furniture. Pure."""

import re
from collections.abc import Iterable

from sightline_export.errors import Unusable

_WRONG = re.compile("defect|damage|broken|missing|fault|crack|corros|rust|leak|fire|smoke|intru")
"""What labels hold that name something wrong."""

_HARMLESS = re.compile(
    "default|thrust|trust|crust|fireplace|firem[ae]n|fire ?(?:alarm|door|engine|extinguisher|fighter|hydrant|truck)"
)
"""What looks like it and is none."""


def choose_findings(given: tuple[str, ...] | None, labels: Iterable[str]) -> tuple[str, ...]:
    """The labels to set apart, in the label map's order: those given, else those that name something wrong.

    Raises:
        Unusable: one is given that is no label.
    """
    known = list(dict.fromkeys(labels))
    if given is None:
        return tuple(label for label in known if _names_a_wrong(label))
    if unknown := [label for label in given if label not in known]:
        raise Unusable(f"--findings {unknown[0]!r} is none of the model's labels: {', '.join(known)}")
    return tuple(label for label in known if label in given)


def _names_a_wrong(label: str) -> bool:
    words = re.sub(r"[\W_]+", " ", label).lower()
    return _WRONG.search(_HARMLESS.sub("", words)) is not None
