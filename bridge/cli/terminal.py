"""What every command is made of: settings, the house, the time, and one way to show what came of it."""

import functools
import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Concatenate, ParamSpec

import click

from bridge.flows.context import Context
from bridge.settings import Settings, read_settings
from bridge.wiring import make_context

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Told:
    """What a command has to say: as JSON, and as text for people."""

    wire: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class House:
    """The open house, at one moment."""

    context: Context
    settings: Settings
    now: datetime

    def later(self) -> "House":
        """The same house after somebody has been asked, however long that took."""
        return replace(self, now=datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Terminal:
    """Where a command was typed, and whether a program did it."""

    is_json: bool

    @property
    def has_person(self) -> bool:
        """Whether somebody sits at it who can be asked, and reads the question."""
        return not self.is_json and sys.stdin.isatty() and sys.stderr.isatty()

    def open_house(self) -> House:
        """Read the settings and open the database. Raises SettingsError, CannotOpen."""
        settings = read_settings()
        return House(make_context(settings), settings, datetime.now(UTC))

    def show(self, told: Told) -> None:
        """Print the answer."""
        print(json.dumps(told.wire, ensure_ascii=False) if self.is_json else told.text, flush=True)

    def refuse(self, code: str, message: str) -> None:
        """Print the reason: as JSON on stdout, or as one line on stderr."""
        if self.is_json:
            print(json.dumps({"error": {"code": code, "message": message}}, ensure_ascii=False), flush=True)
        else:
            print(message, file=sys.stderr, flush=True)


def told(function: Callable[Concatenate[House, P], Told]) -> Callable[P, None]:
    """A command's body: it is handed the open house, and what it returns is shown."""

    @functools.wraps(function)
    def run(*args: P.args, **options: P.kwargs) -> None:
        terminal = current_terminal()
        house = terminal.open_house()
        try:
            terminal.show(function(house, *args, **options))
        finally:
            house.context.database.close()

    return json_option(run)


def current_terminal() -> Terminal:
    """Where the command that runs was typed."""
    terminal = click.get_current_context().find_object(Terminal)
    if terminal is None:
        raise AssertionError("a command without a terminal")
    return terminal


def json_option(function: Callable[P, None]) -> Callable[P, None]:
    """Have --json in a command's help; `main` has taken it out of the arguments before."""
    option = click.option("--json", is_flag=True, expose_value=False, help="Print one JSON object and nothing else.")
    return option(function)


def read_secret() -> str:
    """A secret from stdin: its first line. Raises click.UsageError where there is none."""
    if sys.stdin.isatty():
        print("Type the secret and press Enter:", file=sys.stderr)
    try:
        secret = sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise click.UsageError("The secret on stdin is no text in this terminal's encoding.") from error
    if not secret:
        raise click.UsageError("There is no secret on stdin.")
    if not is_text(secret):
        raise click.UsageError("The secret on stdin is no text in this terminal's encoding.")
    return secret


def is_text(typed: str) -> bool:
    """Whether it can be written down: bytes that were no text came in as lone surrogates (PEP 383)."""
    try:
        typed.encode()
    except UnicodeEncodeError:
        return False
    return True


def silence_stdout() -> None:
    """After the reader of a pipe has gone: let nothing complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
