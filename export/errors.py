"""What can go wrong with an export.

ExportError
 ├─ Unusable      the input, or the place to write to, cannot be used: exit code 2, nothing left behind
 └─ CheckFailed   the model was written and does not do what its source does: exit code 1, nothing left behind
"""


class ExportError(Exception):
    """An export that did not happen; the text is one sentence for the person who asked for it."""

    exit_code = 2

    def __str__(self) -> str:
        # Foreign errors quoted in the text may span lines; a terminal shows one.
        text = " ".join(super().__str__().split())
        return text if len(text) <= 500 else text[:497] + "..."


class Unusable(ExportError):
    """The source, an option or the output directory cannot be used."""

    exit_code = 2


class CheckFailed(ExportError):
    """The exported model differs from its source, or from its own contract."""

    exit_code = 1
