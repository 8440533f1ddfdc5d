"""`python -m simulated.twilio`: serves, registers clients, rotates keys, disables accounts."""

import argparse
import json
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from simulated.openid_provider.errors import ProviderError
from simulated.openid_provider.outbox import Post
from simulated.serving import HOST, listen, serve
from simulated.twilio.app import create_app
from simulated.twilio.changes import set_active
from simulated.twilio.errors import Invalid, TwilioError
from simulated.twilio.google import read_google
from simulated.twilio.people import load_people_once
from simulated.twilio.site import Site, open_site

REFUSALS = (TwilioError, ProviderError, OSError, ValueError, KeyError)


def main() -> int:
    """Exit status 1: refused, with the reason on one line."""
    options = _parse_options()
    try:
        run = {"serve": _serve, "register": _register, "rotate-keys": _rotate, "disable": _switch, "enable": _switch}
        return run[options.command](options)
    except REFUSALS as error:
        print(f"Can't {options.command}: {error}", file=sys.stderr)
        return 1


def _serve(options: argparse.Namespace) -> int:
    try:
        listener = listen(options.port)
    except OSError:
        print(f"Port {options.port} of {HOST} is in use. Choose another with --port.", file=sys.stderr)
        return 1
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    google = read_google(_read(options.google), time.time) if options.google else None
    site = open_site(options.state, url, time.time, google)
    for document in _read(options.clients) if options.clients else ():
        site.provider.clients.register(document)
    if options.people:
        load_people_once(site, _read(options.people))
    post = Post(site.provider.outbox)
    try:
        serve(create_app(site), listener, f"Simulated Twilio: {url}")
    finally:
        post.close()
        site.close()
    return 0


def _register(options: argparse.Namespace) -> int:
    with closing(_open(options)) as site:
        client = site.provider.clients.register(_read(options.file))
    print(f"Registered {client.client_id} ({client.client_name}).")
    return 0


def _rotate(options: argparse.Namespace) -> int:
    with closing(_open(options)) as site:
        print(f"Signs with {site.provider.keys.rotate().kid} from now on.")
    return 0


def _switch(options: argparse.Namespace) -> int:
    with closing(_open(options)) as site:
        if not site.public_url:
            raise Invalid("nobody has an account before the first start.")
        account = set_active(site, options.email, active=options.command == "enable")
    print(f"{account.name} is {options.command}d.")
    return 0


def _open(options: argparse.Namespace) -> Site:
    """The state of a site that may be running: its address is in there."""
    return open_site(options.state, "", time.time)


def _read(path: Path) -> Any:
    return json.loads(sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8"))


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulated.twilio", description="Twilio Unified Login, simulated.")
    commands = parser.add_subparsers(dest="command", required=True)
    texts = {
        "serve": "listen on loopback until interrupted",
        "register": "add or replace a client; a running server knows it at once",
        "rotate-keys": "sign with a new key; the last stays published for a day",
        "disable": "nobody logs in to this account any more; products hear of it",
        "enable": "the account works again; products hear of it",
    }
    parts = {name: commands.add_parser(name, help=text, description=text) for name, text in texts.items()}
    for part in parts.values():
        part.add_argument("--state", type=Path, required=True, help="folder of its database")
    serving = parts["serve"]
    serving.add_argument("--port", type=int, default=8002, help="port of 127.0.0.1 to listen on; 0 takes a free one")
    serving.add_argument("--clients", type=Path, help="JSON file with a list of clients to register")
    serving.add_argument("--people", type=Path, help="JSON file with people who have accounts, read at the first start")
    serving.add_argument("--google", type=Path, help="JSON file: issuer, client_id, client_secret of our registration")
    parts["register"].add_argument("file", type=Path, help="JSON file with the client's metadata; - is stdin")
    for name in ("disable", "enable"):
        parts[name].add_argument("email", help="the account's address")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
