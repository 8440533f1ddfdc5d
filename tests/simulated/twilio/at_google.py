"""A simulated Google that really listens, and Twilio's registration there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

from werkzeug.serving import WSGIRequestHandler, make_server

from simulated.google.app import create_app
from simulated.google.site import Site, open_site
from simulated.serving import HOST, listen
from simulated.twilio.google import Google
from tests.simulated.twilio.browser import URL
from tests.simulated.twilio.relying_party import SECRET

TWILIO = {
    "client_id": "twilio",
    "client_secret": SECRET,
    "client_name": "Twilio",
    "redirect_uris": [f"{URL}/google/callback"],
}


class Silent(WSGIRequestHandler):
    """Says nothing on the test's output."""

    def log(self, *_: object) -> None: ...


@contextmanager
def listening(state: Path, redirect_uri: str = f"{URL}/google/callback") -> Iterator[Site]:
    """A Google with two people, for the length of a block."""
    listener = listen(0)
    site = open_site(state, f"http://{HOST}:{listener.getsockname()[1]}", time.time, durable=False)
    site.provider.clients.register({**TWILIO, "redirect_uris": [redirect_uri]})
    site.accounts.get_or_create("noor.haddad@kicks.example", "Noor", "Haddad")
    site.accounts.get_or_create("priya.raman@kicks.example", "Priya", "Raman")
    listener.listen()
    app = create_app(site)
    server = make_server(HOST, 0, app, threaded=True, request_handler=Silent, fd=listener.fileno())
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        listener.close()
        site.close()


def registration(site: Site) -> Google:
    """What Twilio knows of it."""
    return Google(site.public_url, "twilio", SECRET, time.time)
