"""The door: takes `--json` out of the arguments, runs a command, and turns what it raises into an exit status."""

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NoReturn

import click

from bridge.cli.terminal import Terminal, is_text, silence_stdout
from bridge.domain.errors import DomainError
from bridge.settings import SettingsError

DONE, REFUSED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130


#: Every command, in the order of `bridge --help`, and the module of this package that holds it.
COMMANDS = {
    "demo": "demo",
    "serve": "serve",
    "worker": "worker",
    "workspace": "workspace",
    "connection": "connection",
    "domain": "domain",
    "scim-token": "scim_token",
    "scim-client": "scim_client",
    "scim-log": "scim_log",
    "sign-in-log": "sign_in_log",
    "api-token": "api_token",
    "resource": "resource",
    "label": "label",
    "user-group": "user_group",
    "grant": "grant",
    "mapping": "mapping",
    "access": "access",
    "export": "as_code",
    "plan": "as_code",
    "apply": "as_code",
    "directory": "directory",
    "users": "users",
    "db": "db",
    "simulate": "simulate",
    "doctor": "doctor",
    "backup": "db",
    "restore": "db",
}


class Commands(click.Group):
    """Imports a command when it is asked for: none waits for what others need, such as the server's half a second."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every command's name."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = getattr(import_module(f"bridge.cli.{COMMANDS[cmd_name]}"), cmd_name.replace("-", "_"))
        return found


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def bridge() -> None:
    """Connects companies' identity providers to a multi-workspace product, and can say why anybody may do anything."""


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit: 0 done, 1 refused, 2 wrong usage or settings."""
    typed, is_json = _take_json(list(sys.argv[1:] if arguments is None else arguments))
    sys.exit(_run(typed, Terminal(is_json)))


def _take_json(arguments: list[str]) -> tuple[list[str], bool]:
    """`--json` may stand anywhere before a `--`."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options = [argument for argument in arguments[:end] if argument != "--json"]
    return options + arguments[end:], len(options) < end


def _run(arguments: list[str], terminal: Terminal) -> int:
    try:
        _check_text(arguments)
        status = bridge.main(arguments, prog_name="bridge", standalone_mode=False, obj=terminal)
        return status if isinstance(status, int) else DONE
    except click.UsageError as error:
        terminal.refuse("usage", _usage(error, terminal.is_json))
        return WRONG_USAGE
    except SettingsError as error:
        terminal.refuse("settings", str(error))
        return WRONG_USAGE
    except DomainError as error:
        terminal.refuse(error.code, error.text)
        return REFUSED
    except click.ClickException as error:
        terminal.refuse("refused", error.format_message())
        return REFUSED
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except BrokenPipeError:
        silence_stdout()
        return REFUSED


def _check_text(arguments: list[str]) -> None:
    """Refuse bytes that are no text: Python reads them as lone surrogates, which nothing can store or print."""
    for number, argument in enumerate(arguments, start=1):
        if not is_text(argument):
            raise click.UsageError(f"Argument {number} is no text in this terminal's encoding: {argument!a}.")


def _usage(error: click.UsageError, is_json: bool) -> str:
    message = error.format_message()
    return message if is_json or error.ctx is None else f"{error.ctx.get_usage()}\n{message}"
