"""What is written for people is true where a machine can tell: links lead on, commands exist, lists are whole."""

import ast
import re
import shlex
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import click
import pytest

from bridge.cli.main import bridge
from oidc import claims, id_token, logout_token
from saml import logout
from saml.bindings import QUERY
from saml.gate import GATE
from saml.rules import RULES
from tests.flows.mails import all_mails

ROOT = Path(__file__).parent.parent
DOCS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "config").rglob("*.md")])

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_INLINE = re.compile(r"`(bridge [a-z][^`]*)`")
_EVENT = re.compile(r"[a-z_]+\.[a-z_]+")


def _id(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _prose(text: str) -> str:
    return _FENCE.sub("", text)


# -- Links -----------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The fragments that headings get, as code hosts make them."""
    headings = re.findall(r"^#+ (.+)$", _prose(text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken_links(path: Path) -> list[str]:
    """The relative links of a page that lead nowhere."""
    return [link for link in _LINK.findall(_prose(path.read_text())) if not _leads_somewhere(path, link)]


def _leads_somewhere(path: Path, link: str) -> bool:
    if re.match(r"[a-z]+:", link):
        return True
    file, _, fragment = link.partition("#")
    target = path.parent / file if file else path
    if not target.exists() or ROOT not in target.resolve().parents:
        return False
    return not fragment or target.suffix != ".md" or fragment in anchors(target.read_text())


@pytest.mark.parametrize("path", DOCS, ids=_id)
def test_relative_links_lead_somewhere(path: Path) -> None:
    assert broken_links(path) == []


def test_a_link_that_leads_nowhere_is_seen() -> None:
    readme = ROOT / "README.md"
    assert _leads_somewhere(readme, "docs/reference/scim.md#errors")
    assert not _leads_somewhere(readme, "docs/nowhere.md")
    assert not _leads_somewhere(readme, "docs/reference/scim.md#nowhere")
    assert not _leads_somewhere(readme, "../elsewhere")


def test_decisions_are_numbered_one_after_another_each_as_its_heading_says() -> None:
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:4] for page in pages] == [f"{number:04}" for number in range(1, len(pages) + 1)]
    for number, page in enumerate(pages, 1):
        assert page.read_text().startswith(f"# {number}. "), page.name


# -- Commands --------------------------------------------------------------------------------------------------------


def commands(text: str) -> Iterator[list[str]]:
    """The `bridge …` commands in a page's fences, each as its arguments."""
    for kind, block in _FENCE.findall(text):
        if kind in ("sh", "console"):
            for line in block.replace("\\\n", " ").splitlines():
                yield from _commands_of(line, prompted=kind == "console")


def _commands_of(line: str, *, prompted: bool) -> Iterator[list[str]]:
    if prompted != line.startswith("$ "):
        return
    words = shlex.split(line.removeprefix("$ "), comments=True)
    for name in ("bridge", ".venv/bin/bridge"):
        if name in words:
            yield list(takewhile(lambda word: word not in ("|", ">", "<"), words[words.index(name) + 1 :]))


def find_command(words: list[str]) -> tuple[click.Command, list[str]]:
    """The command that words name, and its own arguments. Raises click.UsageError where there is none."""
    command: click.Command = bridge
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0]) if words else None
        if found is None:
            raise click.UsageError(f"No such command: {words}")
        command, words = found, words[1:]
    return command, words


def check_command(words: list[str]) -> None:
    """Parse a command as `bridge` would, without running it. Raises click.UsageError."""
    command, arguments = find_command(words)
    try:
        command.make_context("bridge", list(arguments))
    except click.BadParameter as error:
        if not (error.param and isinstance(error.param.type, click.Path)):  # the page's file isn't here
            raise


@pytest.mark.parametrize("path", DOCS, ids=_id)
def test_commands_in_fences_are_understood(path: Path) -> None:
    for words in commands(path.read_text()):
        check_command(words)


@pytest.mark.parametrize("path", DOCS, ids=_id)
def test_commands_in_sentences_exist(path: Path) -> None:
    for text in _INLINE.findall(_prose(path.read_text())):
        command: click.Command = bridge
        for word in text.split()[1:]:
            if not isinstance(command, click.Group) or not re.fullmatch(r"[a-z-]+", word):
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, text
            command = found


@pytest.mark.parametrize(
    "line",
    [
        "bridge juggle",
        "bridge workspace create kicks",
        "bridge mapping list kicks --everything",
        "bridge workspace set-plan kicks enormous",
        "bridge access check kicks a@kicks.example delete source:orders",
    ],
)
def test_a_command_that_is_not_there_is_seen(line: str) -> None:
    [words] = commands(f"```sh\nprintf x | {line} # so\n```\n")
    with pytest.raises(click.UsageError):
        check_command(words)


def test_the_guides_hold_commands_at_all() -> None:
    assert sum(len(list(commands(path.read_text()))) for path in DOCS) > 20


# -- Lists that must be whole ----------------------------------------------------------------------------------------


def listed(page: str) -> set[str]:
    """The names in the first column of a page's tables."""
    return set(re.findall(r"^\| `([^`]+)`", (ROOT / "docs" / "reference" / page).read_text(), re.MULTILINE))


def _recorded() -> set[str]:
    """Every type of audit event in the code: texts of that form about a subject that is recorded."""
    files = [path for part in ("flows", "storage") for path in (ROOT / "bridge" / part).glob("*.py")]
    trees = [ast.parse(path.read_text()) for path in files]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    typed = {text for text in texts if _EVENT.fullmatch(text)}
    calls = (node for node in nodes if isinstance(node, ast.Call) and _called(node) in _KIND_IS)
    arguments = [argument for call in calls for argument in call.args[_KIND_IS[_called(call)] :][:1]]
    direct = {argument.value for argument in arguments if isinstance(argument, ast.Constant)}
    subjects = {str(kind).partition(".")[0] for kind in direct}
    return {text for text in typed if text.partition(".")[0] in subjects}


#: Which argument says the type of an event.
_KIND_IS = {"record": 1, "record_by": 2}


def _called(call: ast.Call) -> str:
    return str(getattr(call.func, "attr", ""))


def test_every_type_of_audit_event_is_listed() -> None:
    recorded = _recorded()
    assert len(recorded) > 40
    assert {name for name in listed("audit-events.md") if _EVENT.fullmatch(name)} == recorded


def test_every_mail_is_listed() -> None:
    assert listed("mails.md") == set(all_mails())


def test_every_check_of_a_saml_response_is_listed() -> None:
    assert listed("sign-in.md") == {item.name for item in GATE} | {rule.name for rule in RULES}


def test_every_check_of_a_logout_message_is_listed() -> None:
    assert listed("single-logout.md") == {one.name for table in (QUERY, logout.GATE, logout.RULES) for one in table}


@pytest.mark.parametrize(("page", "rules"), [("sign-in.md", RULES), ("single-logout.md", (*QUERY, *logout.RULES))])
def test_every_rule_of_a_saml_message_is_listed_with_its_paragraph(page: str, rules: tuple[Any, ...]) -> None:
    text = (ROOT / "docs" / "reference" / page).read_text()
    for rule in rules:
        assert re.search(rf"^\| `{rule.name}` \| .* \| {re.escape(rule.paragraph)} \|$", text, re.MULTILINE), rule.name


def test_every_check_and_preset_of_openid_connect_is_listed() -> None:
    checks = {check.name for check in (*id_token.CHECKS, *logout_token.CHECKS)}
    assert listed("openid-connect.md") == checks | set(claims.PRESETS)


def test_every_check_of_openid_connect_is_listed_with_its_paragraph() -> None:
    page = (ROOT / "docs" / "reference" / "openid-connect.md").read_text()
    for check in (*id_token.CHECKS, *logout_token.CHECKS):
        assert re.search(rf"^\| `{check.name}` \| .* \| {re.escape(check.paragraph)} \|$", page, re.MULTILINE), check


def test_what_a_preset_of_openid_connect_reads_is_listed() -> None:
    page = (ROOT / "docs" / "reference" / "openid-connect.md").read_text()
    for name, preset in claims.PRESETS.items():
        [row] = re.findall(rf"^\| `{name}` \| (.*) \| (.*) \| (.*) \|$", page, re.MULTILINE)
        assert tuple(re.findall(r"`([^`]+)`", row[0])) == preset.email
        assert tuple(re.findall(r"`([^`]+)`", row[1])) == preset.groups
        assert row[2].startswith("refused" if preset.says_verified else "taken")
