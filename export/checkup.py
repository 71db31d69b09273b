"""The proof once more, on a version that was exported earlier, here or elsewhere, and may have changed since."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from serving.signature import CONTRACT_FILE, Contract, ContractError
from sightline_export.check import Check, Prove
from sightline_export.digests import DIGESTS_FILE, check_digests
from sightline_export.errors import CheckFailed, Unusable
from sightline_export.golden import GOLDEN, Golden, GoldenError, digest
from sightline_export.pictures import Picture, as_batch, drawn_pictures, read_pictures
from sightline_export.report import model_lines
from sightline_export.versions import versions


@dataclass(frozen=True)
class Exported:
    """A version directory as an export left it."""

    version: Path
    contract: Contract
    golden: Golden


@dataclass(frozen=True)
class Checkup:
    """A version that passed."""

    exported: Exported
    checks: list[Check]
    note: str
    """What could not be compared, and why; empty where everything was."""

    def text(self, seconds: float) -> str:
        """A few lines: which version, what it is, which checks it passed."""
        found = self.exported.contract.provenance
        names = ", ".join(check.name for check in self.checks)
        lines = [
            f"checked {self.exported.version}",
            f"  source    {found.get('kind', 'unknown')}, exported by Sightline {found.get('sightline', '?')} "
            f"with TensorFlow {found.get('tensorflow', '?')}",
            *model_lines(self.exported.version, self.exported.contract),
            f"  checks    all {len(self.checks)} passed, within {self.exported.golden.tolerance:g}: {names}",
            *([f"  note      {self.note}"] if self.note else []),
            f"  took      {seconds:.1f} s",
        ]
        return "\n".join(lines)


def find(path: Path) -> Exported:
    """The export at `path`: a version directory, or a model's directory, of which its newest version.

    Raises:
        Unusable: nothing that an export writes is there, or one that has no golden answers.
    """
    numbers = versions(path)
    version = path / str(numbers[-1]) if numbers and not (path / CONTRACT_FILE).is_file() else path
    if not (version / CONTRACT_FILE).is_file():
        raise Unusable(
            f"{path} is no export: it has no {CONTRACT_FILE}; name a version directory, MODELS/NAME/3, or MODELS/NAME"
        )
    try:
        contract = Contract.from_json((version / CONTRACT_FILE).read_text())
    except (OSError, ContractError) as error:
        raise Unusable(f"cannot read {version / CONTRACT_FILE}: {error}") from error
    for kept in (f"{GOLDEN}/answers.json", DIGESTS_FILE):
        if not (version / kept).is_file():
            raise Unusable(f"{version} cannot be checked: it has no {kept}; export it again with this version")
    try:
        return Exported(version, contract, Golden.load(version / GOLDEN))
    except GoldenError as error:
        raise CheckFailed(f"{version} is not as it was exported: {error}") from error


def checkup(exported: Exported, pictures: Path | None, prove: Prove, say: Callable[[str], None]) -> Checkup:
    """Make every check again.

    Args:
        exported: what to check.
        pictures: the directory of the pictures it was proven on, where they were not kept.
        prove: makes the checks; a fresh process, outside tests.
        say: takes one line of progress.

    Raises:
        Unusable: the pictures are not those it was proven on.
        CheckFailed: something is not as it was exported.
    """
    golden, note = _with_pictures(exported, pictures)
    checks, failed = [], []
    try:
        for check in _all(exported.version, golden, prove):
            say(f"  {'ok  ' if check.passed else 'FAIL'} {check.name}: {check.detail}")
            checks.append(check)
            if not check.passed:
                failed.append(f"{check.name}: {check.detail}")
    except CheckFailed as error:
        failed.append(str(error))
    if failed:
        raise CheckFailed(f"{exported.version} is not as it was exported: {'; '.join(failed)}")
    return Checkup(exported, checks, note)


def _all(version: Path, golden: Golden, prove: Prove) -> Iterator[Check]:
    yield check_digests(version)
    yield from prove(version, golden)


def _with_pictures(exported: Exported, pictures: Path | None) -> tuple[Golden, str]:
    """The golden answers with their pictures; where nobody has those, drawn pictures without answers, and why."""
    golden = exported.golden
    if len(golden.pictures) and pictures is None:
        return golden, ""
    found = _fitted(exported.contract, drawn_pictures() if pictures is None else read_pictures(pictures))
    if digest(found) == golden.digest:
        return replace(golden, pictures=found), ""
    if pictures is not None:
        raise Unusable(f"the pictures in {pictures} are not those that {exported.version} was proven on")
    note = "not compared with its source: the pictures it was proven on were not kept; give them with --pictures DIR"
    return replace(golden, pictures=found, answers=[]), note


def _fitted(contract: Contract, pictures: list[Picture]) -> Picture:
    return as_batch(pictures, (contract.width, contract.height), contract.resize, contract.pad_value)
