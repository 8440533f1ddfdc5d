"""`python -m simulated.google`: opens the state, listens on loopback, says where."""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from simulated.google.app import create_app
from simulated.google.site import open_site
from simulated.openid_provider.errors import ProviderError
from simulated.openid_provider.outbox import Post
from simulated.serving import HOST, listen, serve


def main() -> int:
    """Serves until interrupted. Exit status 1: the port is in use, or a file can't be used."""
    options = _parse_options()
    try:
        listener = listen(options.port)
    except OSError:
        print(f"Port {options.port} of {HOST} is in use. Choose another with --port.", file=sys.stderr)
        return 1
    url = f"http://{HOST}:{listener.getsockname()[1]}"
    try:
        site = open_site(options.state, url, time.time)
        for document in _read(options.clients) if options.clients else ():
            site.provider.clients.register(document)
        for person in _read(options.people) if options.people else ():
            site.accounts.get_or_create(person["email"], person["given_name"], person["family_name"])
    except (ProviderError, OSError, ValueError, KeyError, TypeError) as error:
        print(f"Can't start: {error}", file=sys.stderr)
        return 1
    post = Post(site.provider.outbox)
    try:
        serve(create_app(site), listener, f"Simulated Google: {url}")
    finally:
        post.close()
        site.close()
    return 0


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulated.google", description="Google's accounts, simulated.")
    parser.add_argument("--port", type=int, default=8003, help="port of 127.0.0.1 to listen on; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="folder for its database")
    parser.add_argument("--clients", type=Path, help="JSON file with a list of clients to register")
    parser.add_argument("--people", type=Path, help="JSON file with a list of accounts")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
