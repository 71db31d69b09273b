"""The digests of a version's files, in the form of `sha256sum`, so that a copy can be told from a damaged one.

(cd MODELS/NAME/3 && sha256sum --check assets.extra/SHA256SUMS)
"""

from pathlib import Path

from sightline_export.check import Check
from sightline_export.source import sha256

DIGESTS_FILE = "assets.extra/SHA256SUMS"


def write_digests(version: Path) -> None:
    """Write the digest of every file that is in the version directory now."""
    files = sorted(path.relative_to(version) for path in version.rglob("*") if path.is_file())
    lines = [f"{sha256(version / file)}  {file.as_posix()}" for file in files]
    (version / DIGESTS_FILE).write_text("\n".join(lines) + "\n")


def check_digests(version: Path) -> Check:
    """Whether every file is still the one that was exported; files that came later do not count.

    Raises:
        OSError: there is no list of digests.
    """
    lines = (version / DIGESTS_FILE).read_text().splitlines()
    expected = {file: digest for digest, _, file in (line.partition("  ") for line in lines)}
    missing = [file for file in expected if not (version / file).is_file()]
    changed = [file for file in expected if file not in missing and sha256(version / file) != expected[file]]
    problems = [
        f"{', '.join(files)} {what}" for files, what in ((missing, "missing"), (changed, "not as exported")) if files
    ]
    return Check("files", not problems, "; ".join(problems) or f"all {len(expected)} as they were exported")
