"""`bridge demo`: everything on one machine, seeded, so that a newcomer sees the whole story in two minutes.

The bridge, the companies' identity providers, the simulated Twilio and the Google that it offers run as processes of
their own on loopback ports: the bridge on `localhost`, the others on `127.0.0.1`, since cookies ignore ports and
cross-site behaviour should be real.
"""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

import click

from bridge.cli.demo_crew import Crew
from bridge.cli.demo_idp import Idp
from bridge.cli.demo_story import Scene, Story, read_story, seed
from bridge.cli.demo_twilio import DemoGoogle, DemoTwilio
from bridge.cli.terminal import Terminal, Told, json_option
from bridge.domain.errors import Conflict
from bridge.settings import Settings, read_settings
from bridge.wiring import make_context

_CHECKOUT = Path(__file__).parents[2]
_STORY = _CHECKOUT / "config" / "demo"
_HOST = "127.0.0.1"
_SECONDS_TO_SAY_AGAIN = 0.5
_USUAL_ADDRESS = "http://localhost:8000"


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is. `idps`: the address of each connection's company, by the connection's key in the story."""

    port: int
    bridge: str
    idps: Mapping[str, str]
    twilio: str
    google: str


@click.command()
@click.option(
    "--port", type=click.IntRange(1, 65500), default=8000, show_default=True, help="The next ones are used too."
)
@click.pass_obj
@json_option
def demo(terminal: Terminal, port: int) -> None:
    """Everything on one machine, with a workspace of 312 people. Ctrl-C ends it; the next start finds its data."""
    story = read_story(_STORY)
    places = _places(story, port)
    settings = read_settings({**os.environ, "BRIDGE_PUBLIC_URL": places.bridge})
    _check_ports([port + n for n in range(3 + len(places.idps))])
    twilio = DemoTwilio(places.twilio, settings.data_dir / "twilio", _STORY / "twilio_people.json")
    google = DemoGoogle(places.google, settings.data_dir / "google", _STORY / "google_people.json")
    with Crew(settings.data_dir / "demo.log") as crew, _stopped_by_signals():
        _start(crew, settings, places, story, twilio, google)
        _seed(settings, places, story, quiet=terminal.is_json)
        terminal.show(_told(places, story, [*twilio.logins(), *google.logins()]))
        crew.watch()


def _places(story: Story, port: int) -> Places:
    public = os.environ.get("BRIDGE_PUBLIC_URL") or f"http://localhost:{port}"
    idps = {key: f"http://{_HOST}:{port + n}" for n, key in enumerate(story.companies, start=1)}
    twilio, google = (f"http://{_HOST}:{port + n + len(idps)}" for n in (1, 2))
    return Places(port, public, idps, twilio, google)


def _check_ports(ports: list[int]) -> None:
    for port in ports:
        with socket.socket() as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                attempt.bind((_HOST, port))
            except OSError as error:
                raise Conflict(
                    f"Port {port} is in use by another program. The demo needs {ports[0]} to {ports[-1]}: stop that "
                    "program, or choose others with --port."
                ) from error


@contextmanager
def _stopped_by_signals() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does, also where a shell had it ignored; either is a good end."""

    def stop(_number: int, _frame: FrameType | None) -> None:
        # Python drops what is raised in a destructor or a callback: should this be there, the alarm says it again.
        signal.setitimer(signal.ITIMER_REAL, _SECONDS_TO_SAY_AGAIN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM)}
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(0)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(
    crew: Crew, settings: Settings, places: Places, story: Story, twilio: DemoTwilio, google: DemoGoogle
) -> None:
    """The bridge, Google, Twilio and each company's IdP; returns when all of them answer."""
    paths = {"PYTHONPATH": os.pathsep.join([str(_CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])}
    serve = ["bridge", "serve", "--port", str(places.port), "--workers", "2"]
    crew.start("Google", google.arguments(places.twilio), paths)
    crew.start("Twilio", twilio.arguments(places.bridge, google.registration()), paths)
    crew.start("the bridge", serve, {**paths, "BRIDGE_PUBLIC_URL": places.bridge, **twilio.settings()})
    for key, url in places.idps.items():
        file = story.companies[key]
        options = ["--state", str(settings.data_dir / file.stem), "--story", str(file)]
        port = ["--port", url.rpartition(":")[2]]
        crew.start(f"the company IdP of {key}", ["simulated.company_idp", *port, *options], paths)
    for url in (f"http://{_HOST}:{places.port}", places.twilio, places.google, *places.idps.values()):
        crew.wait_for(f"{url}/healthz")


def _seed(settings: Settings, places: Places, story: Story, *, quiet: bool) -> None:
    context = make_context(settings)
    try:
        idps = {key: Idp(url) for key, url in places.idps.items()}
        local = f"http://{_HOST}:{places.port}"
        seed(Scene(context, story, idps, local, datetime.now(UTC), quiet), settings.data_dir / "demo.json")
    finally:
        context.database.close()


def _told(places: Places, story: Story, at_twilio: list[dict[str, Any]]) -> Told:
    first = next(iter(places.idps.values()))
    logins = [{"at": places.bridge, **story.owner_login()}]
    for key, url in places.idps.items():
        logins += [{"at": url, **login} for login in story.featured_logins(key)]
    wire = {
        "bridge": places.bridge,
        "company_idp": first,
        "twilio": places.twilio,
        "workspace": story.slug,
        "logins": [*logins, *at_twilio],
    }
    return Told(wire, _text(places, story, logins, at_twilio))


def _text(places: Places, story: Story, logins: list[dict[str, Any]], at_twilio: list[dict[str, Any]]) -> str:
    lines = ["", "The demo is ready.", "", f"  The bridge      {places.bridge}/w/{story.slug}"]
    lines += [f"  Company's IdP   {url}/console   ({key})" for key, url in places.idps.items()]
    lines += [f"  Twilio          {places.twilio}/console"]
    lines += ["", "Sign in at the bridge with any of these addresses; the company's IdP asks for the password."]
    lines += [f"  {one['email']:<34}{one['password']:<24}{one['what']}" for one in logins]
    lines += ["", "Or log in with Twilio, and come by its Product Switcher:"]
    lines += [f"  {one['email']:<34}{one.get('password', ''):<24}{one['what']}" for one in at_twilio]
    lines += ["", *_commands(places, story)]
    return "\n".join([*lines, "", "Ctrl-C ends it. The next start finds everything again.", ""])


def _commands(places: Places, story: Story) -> list[str]:
    """How to type commands beside it: what they print and mail holds the address, which they can't guess."""
    address = "" if places.bridge == _USUAL_ADDRESS else f"BRIDGE_PUBLIC_URL={places.bridge} "
    command = Path(sys.argv[0])
    shown = command.relative_to(Path.cwd()) if command.is_relative_to(Path.cwd()) else command.name
    return [
        "In another terminal here, commands work on the same data:",
        f"  {address}{shown} scim-log show {story.slug}",
    ]
