"""What the documentation says of `sightline export` is what the command takes."""

import re
import shlex

import pytest

from sightline_export import cli
from tests.peers.required import REPOSITORY

PAGES = ("README.md", "docs/export.md", "docs/models.md")
COMMAND = re.compile(r"^(?:\$ )?(?:\.venv/bin/)?(?:sightline|python -m) export (?P<words>.*)$", re.MULTILINE)


def commands(page: str) -> list[list[str]]:
    """The words after `export` of every command in a page's code blocks."""
    blocks = re.findall(r"```(?:sh|console)\n(.*?)```", (REPOSITORY / page).read_text(), re.DOTALL)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [shlex.split(match["words"], comments=True) for match in COMMAND.finditer(text)]


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_documentation_are_taken(page: str) -> None:
    """Every export, inspect and check that a page shows is understood, option by option."""
    found = commands(page)
    assert found
    for words in found:
        _, rest = cli._command(words)
        if words[0] == "inspect":
            cli.inspect_parser().parse_args(rest)
        elif "--check" in words:
            cli.check_parser().parse_args(rest)
        else:
            cli.parser().parse_args(rest)


def test_every_option_is_documented() -> None:
    """The page of the exporter has every option that the command has."""
    text = (REPOSITORY / "docs" / "export.md").read_text()
    options = {
        option for action in cli.parser()._actions for option in action.option_strings if option.startswith("--")
    }
    assert [option for option in sorted(options - {"--help"}) if f"`{option}" not in text] == []
