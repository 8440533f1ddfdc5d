"""`bridge serve`: the production server."""

import sys
from urllib.parse import urlsplit

import click

from bridge import server
from bridge.app import create_app, end_app
from bridge.settings import Settings, read_settings
from bridge.web.unread import render_unread
from bridge.wiring import make_context, make_outside
from bridge.worker import work


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), metavar="N", help="Processes; as many as cores otherwise.")
@click.option("--no-worker", is_flag=True, help="Leave background work, such as mail, to another process.")
def serve(host: str, port: int, workers: int | None, no_worker: bool) -> None:
    """Serve the bridge until it is told to stop (Ctrl-C, SIGTERM)."""
    settings = read_settings()
    make_context(settings).database.close()  # the schema is brought up to date once, before any process forks
    status = server.serve(
        lambda: create_app(settings),
        at_end=end_app,
        host=host,
        port=port,
        workers=workers,
        url_scheme=urlsplit(settings.public_url).scheme,
        trusted_proxies=settings.trusted_proxies,
        render_refusal=render_unread,
        beside=() if no_worker else (lambda: _work(settings),),
    )
    sys.exit(status)


def _work(settings: Settings) -> None:
    work(make_context(settings), make_outside(settings))
