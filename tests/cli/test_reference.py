"""docs/reference/commands.md names every command with every option, and shows the JSON that it prints."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest

from bridge.cli.main import bridge
from tests.cli.conftest import METADATA, Shell

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "commands.md").read_text()


@dataclass(frozen=True, slots=True)
class Section:
    """What the page says of one command."""

    usage: str
    text: str

    @property
    def wire(self) -> Any:
        """The JSON that it shows, or None."""
        shown = re.search(r"```json\n(.*?)```", self.text, re.DOTALL)
        return json.loads(shown[1]) if shown else None


def _sections() -> dict[str, Section]:
    """By the command's name: `mapping add`."""
    found = re.findall(r"^### bridge ([a-z-]+(?: [a-z-]+)*)([^\n]*)\n(.*?)(?=^##|\Z)", PAGE, re.MULTILINE | re.DOTALL)
    return {name: Section(usage, text) for name, usage, text in found}


def _commands(group: click.Group, *path: str) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from _commands(command, *path, name)
        else:
            yield " ".join([*path, name]), command


SECTIONS = _sections()
COMMANDS = dict(_commands(bridge))


def test_every_command_is_named_and_no_other() -> None:
    assert set(SECTIONS) == set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_is_named_and_no_other(name: str) -> None:
    options = [option for option in COMMANDS[name].params if isinstance(option, click.Option)]
    real = {written for option in options for written in (*option.opts, *option.secondary_opts)} - {"--json"}
    assert real == set(re.findall(r"`(--[a-z-]+)`", SECTIONS[name].text))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_is_in_the_heading(name: str) -> None:
    arguments = [argument for argument in COMMANDS[name].params if isinstance(argument, click.Argument)]
    assert len(SECTIONS[name].usage.split()) == len(arguments)


def shape(value: Any) -> Any:
    """The keys of a JSON value, all the way down; None for an empty list, which says nothing of its elements."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    return [shape(value[0])] if isinstance(value, list) and value else None


def _agree(one: Any, other: Any) -> bool:
    """Whether two shapes have the same keys; an empty list, or null, agrees with whatever may be in its place."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_agree(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return _agree(one[0], other[0])
    return one is None or other is None


def test_shapes_agree_when_their_keys_do() -> None:
    assert _agree(shape({"a": [], "b": [{"c": 1}]}), shape({"a": [{"d": 1}], "b": [{"c": 2}, {}]}))
    assert not _agree(shape({"a": [{"c": 1}]}), shape({"a": [{"d": 1}]}))
    assert not _agree(shape({"a": 1}), shape({"a": 1, "b": 2}))


#: One after the other, in one workspace. CONNECTION, GRANT, API, SCIM and RULE stand for ids that came before.
STORY = (
    "workspace list",
    "connection create kicks --kind saml --preset okta --idp-metadata METADATA",
    "connection list kicks",
    "connection set kicks CONNECTION --clock-skew 90 --name-id-format persistent",
    "connection rotate-key kicks CONNECTION begin",
    "connection rotate-key kicks CONNECTION cancel",
    "connection show kicks CONNECTION",
    "domain add kicks kicks.example --connection CONNECTION",
    "domain list kicks",
    "domain remove kicks kicks.example",
    "scim-token create kicks --connection CONNECTION --expires-in 365",
    "scim-token list kicks",
    "scim-token revoke kicks SCIM",
    "scim-log show kicks --connection CONNECTION --failed --limit 2",
    "sign-in-log show kicks --connection CONNECTION --refused --limit 2",
    "connection test kicks CONNECTION",
    "api-token create kicks --role source_admin",
    "api-token list kicks",
    "api-token revoke kicks API",
    "resource add kicks source Orders --id orders --label environment:prod",
    "resource list kicks",
    "label add kicks team:web --description x",
    "label describe kicks team:web y",
    "label list kicks",
    "label delete kicks team:web",
    "user-group create kicks Guild",
    "user-group list kicks",
    "grant add kicks --user-group Guild --role source_admin --on source:orders",
    "mapping add kicks --connection CONNECTION --pattern eng-* --gives-role source_admin --on label:environment:prod",
    "mapping preview kicks --disable RULE",
    "mapping change kicks RULE --connection CONNECTION --pattern eng-* --gives-role source_admin",
    "resource label kicks source:orders --label environment:prod",
    "mapping delete kicks RULE",
    "export kicks",
    "plan FILE",
    "apply FILE",
    "access check kicks nobody@kicks.example edit source:orders",
    "access who kicks edit source:orders",
    "access gives kicks --user-group Guild",
    "access history kicks marcus@kicks.example",
    "resource delete kicks source:orders",
    "user-group delete kicks Guild",
    "connection disable kicks CONNECTION",
    "workspace require-sso kicks off",
    "workspace hipaa kicks on",
    "workspace require-second-factor kicks on",
    "workspace mailed-codes kicks off",
    "workspace break-glass kicks marcus@kicks.example",
    "workspace rename kicks Shoes",
    "workspace set-plan kicks team",
    "db upgrade",
    "doctor",
    "backup BACKUP",
)


_FILE = """
version: 1
workspace: kicks
resources: [{type: source, id: refunds, name: Refunds}]
"""


def test_the_json_on_the_page_is_what_the_commands_print(kicks: Shell, tmp_path: Path) -> None:
    known = {"METADATA": str(METADATA), "BACKUP": str(tmp_path / "backup.tgz"), "FILE": str(tmp_path / "kicks.yaml")}
    (tmp_path / "kicks.yaml").write_text(_FILE)
    for line in STORY:
        name = next(name for name in COMMANDS if line.startswith(f"{name} ") or line == name)
        printed = kicks.json(*(known.get(word, word) for word in line.split()))
        known |= _ids(name, printed)
        assert _agree(shape(SECTIONS[name].wire), shape(printed)), name


def _ids(name: str, printed: Any) -> dict[str, str]:
    called = {
        "connection create": ("CONNECTION", "connection"),
        "mapping add": ("RULE", "mapping"),
        "scim-token create": ("SCIM", None),
        "api-token create": ("API", None),
    }
    word, key = called.get(name, ("", None))
    return {word: str((printed[key] if key else printed)["id"])} if word else {}
