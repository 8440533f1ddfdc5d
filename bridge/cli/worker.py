"""`bridge worker`: background work in a process of its own, for servers that run with --no-worker."""

import signal
import sys
from types import FrameType

import click

from bridge.settings import read_settings
from bridge.wiring import make_context, make_outside
from bridge.worker import work


@click.command()
def worker() -> None:
    """Do background work, such as mail, until it is told to stop (Ctrl-C, SIGTERM)."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    settings = read_settings()
    work(make_context(settings), make_outside(settings))


def _stop(_number: int, _frame: FrameType | None) -> None:
    sys.exit(0)
