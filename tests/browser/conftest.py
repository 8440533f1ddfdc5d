"""A Chromium for a whole session, and a fresh context for each test (tests/conftest.py finds the Chromium).

Every context fails its test when the page breaks the Content-Security-Policy, logs an error or gets no answer.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request
from werkzeug.serving import make_server

from bridge.app import create_web
from tests.databases import sqlite_alone
from tests.world import World

NewPage = Callable[..., Page]


@pytest.fixture
def new_page(browser: Browser) -> Iterator[NewPage]:
    """Make pages in contexts of their own, e.g. `new_page(width=360, scheme="dark", script=False)`; `refused`: one
    of them is to be answered by 403 or 429.
    """
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def make(width: int = 1440, scheme: str = "light", script: bool = True, refused: bool = False) -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme="dark" if scheme == "dark" else "light",
            reduced_motion="reduce",
            java_script_enabled=script,
        )
        contexts.append(context)
        page = context.new_page()
        watch(page, faults, refused=refused)
        return page

    yield make
    for context in contexts:
        context.close()
    assert not faults


def watch(page: Page, faults: list[str], *, refused: bool = False) -> None:
    """Collect what a page must never do. Chromium reports a broken policy as an error on the console."""

    def hear(message: ConsoleMessage) -> None:
        if refused and any(f"the server responded with a status of {code}" in message.text for code in (403, 429)):
            return
        if message.type in ("error", "warning"):
            faults.append(f"{page.url}: {message.text}")

    def fail(request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # given up, since the page was left
            faults.append(f"{page.url}: no answer from {request.url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
    page.on("requestfailed", fail)


@contextmanager
def served(app: Flask) -> Iterator[str]:
    """Serve an app on a free loopback port, for as long as the block runs; gives its address."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


engine = sqlite_alone


@pytest.fixture
def address(world: World) -> Iterator[str]:
    """Where the bridge is served over a file's `world`."""
    with served(create_web(world.context)) as address:
        yield address


@pytest.fixture(scope="session")
def screenshots() -> Path | None:
    """Where BRIDGE_TEST_SCREENSHOTS wants pictures of the pages; None for none."""
    wanted = os.environ.get("BRIDGE_TEST_SCREENSHOTS")
    if not wanted:
        return None
    folder = Path(wanted)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
