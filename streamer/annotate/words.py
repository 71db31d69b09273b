"""What the command says of its way and of its end, on the terminal."""

from pathlib import Path

from streamer.annotate.annotation import Tally
from streamer.annotate.listing import Listing


def going(tally: Tally, files: int, seconds: float) -> str:
    """How far it is."""
    return f"{pictures(tally.done)} of {files} files, {_rate(tally, seconds)}{''.join(_also(tally, tally.failed))}"


def done(tally: Tally, listing: Listing, seconds: float, folder: Path | None) -> str:
    """What came of it.

    Args:
        tally: of the run.
        listing: of what was given.
        seconds: from the first picture that was read to the last that was noted.
        folder: that answers are in; None: stdout has them.
    """
    things = ", ".join(f"{count} {label}" for label, count in tally.found.most_common()) or "nothing found"
    said = f"{pictures(tally.done)}: {things}, {_rate(tally, seconds)}" if tally.done else "nothing new"
    others = f", {listing.passed_over} of other kinds passed over" if listing.passed_over else ""
    also = "".join(_also(tally, tally.failed + len(listing.refused)))
    return f"{said}{also}{others}{'' if folder is None else f'; in {folder}'}"


def interrupted(tally: Tally, *, kept: bool) -> str:
    """It was ended half way."""
    return f"stopped after {pictures(tally.done)}{'; the same command goes on from there' if kept else ''}"


def nothing(listing: Listing) -> str:
    """There is nothing to look at."""
    if listing.refused:
        return "nothing of what is given can be read"
    others = f", only {listing.passed_over} files of other kinds" if listing.passed_over else ""
    return f"there is no picture and no video in what is given{others}; -r goes into folders' folders"


def pictures(count: int) -> str:
    """So many of them."""
    return f"{count} picture{'' if count == 1 else 's'}"


def shown(path: Path) -> str:
    """A name as it may stand on a terminal, whatever is in it."""
    return "".join(character if character.isprintable() else "\ufffd" for character in str(path))


def _rate(tally: Tally, seconds: float) -> str:
    return f"{tally.done / max(seconds, 1e-3):.1f} a second"


def _also(tally: Tally, failed: int) -> tuple[str, str]:
    return (
        f", {tally.known} done before" if tally.known else "",
        f", {failed} could not be read" if failed else "",
    )
