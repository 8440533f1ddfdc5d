"""`bridge simulate`: plays an identity provider against any SCIM server.

The player is a program of its own, as in the demo, since the bridge knows nothing of the simulated world. It is handed
this terminal: stdin with the token, stdout, stderr, and Ctrl-C, after which it cleans up before it ends.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import click

from bridge.cli.terminal import Terminal, json_option

_CHECKOUT = Path(__file__).parents[2]


@click.command()
@click.argument("idp", type=click.Choice(["okta", "entra", "onelogin"]))
@click.option("--scim-url", required=True, metavar="URL", help="The server's base address, such as https://…/scim/v2.")
@click.option("--token-stdin", is_flag=True, help="Read the bearer token from stdin.  [required]")
@click.option(
    "--app",
    type=click.Choice(["catalog", "wizard"]),
    help="okta: an app of its catalog (otherwise), or one of its wizard, which sends PUT also to deactivate.",
)
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False),
    metavar="FILE",
    help="The CA's certificate in PEM, where the server's is from a CA of your own.",
)
@click.option("--users", type=click.IntRange(3, 10_000), default=5, show_default=True, help="How many to make.")
@click.option("--groups", type=click.IntRange(1, 1_000), default=2, show_default=True, help="How many to make.")
@click.pass_obj
@json_option
def simulate(
    terminal: Terminal,
    idp: str,
    scim_url: str,
    token_stdin: bool,
    app: str | None,
    ca_file: str | None,
    users: int,
    groups: int,
) -> None:
    """Play an IdP against any SCIM server: push people and groups, read them back, say what came back wrong, clean up.

    For entra, its compatibility flag may end the address: …/scim/v2?aadOptscim062020

    Exit status 0: nothing wrong. 1: faults. 2: wrong usage, or there is no SCIM server, or it refuses the token. 130:
    broken off by Ctrl-C.
    """
    if not token_stdin:
        raise click.UsageError("The token is read from stdin: add --token-stdin, and pipe the token in or type it.")
    options = ["--scim-url", scim_url, "--token-stdin", "--users", str(users), "--groups", str(groups)]
    options += [*(["--app", app] if app else []), *(["--ca-file", ca_file] if ca_file else [])]
    command = [sys.executable, "-m", "simulated.examiner", idp, *options, *(["--json"] if terminal.is_json else [])]
    with _signals_passed_on() as players:
        players.append(subprocess.Popen(command, env=_environ()))  # noqa: S603 - our own program
        sys.exit(players[0].wait())


def _environ() -> dict[str, str]:
    path = [str(_CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path)}


@contextmanager
def _signals_passed_on() -> Iterator[list["subprocess.Popen[bytes]"]]:
    """SIGTERM goes on to the player; the terminal's Ctrl-C has reached it already. Either way its end is awaited."""
    players: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        for player in players:
            player.send_signal(number)

    def wait_on(_number: int, _frame: FrameType | None) -> None:
        """Nothing: the player has had the terminal's Ctrl-C itself."""

    before = {
        signal.SIGTERM: signal.signal(signal.SIGTERM, pass_on),
        signal.SIGINT: signal.signal(signal.SIGINT, wait_on),
    }
    try:
        yield players
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
