"""A simulated Google that really listens, and Twilio's registration there."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from simulated.google.app import create_app
from simulated.google.site import Site, open_site
from simulated.serving import listen
from simulated.twilio.google import Google
from tests.simulated.twilio.browser import URL
from tests.simulated.twilio.listening import address, serving
from tests.simulated.twilio.relying_party import SECRET


@contextmanager
def listening(state: Path, twilio: str = URL) -> Iterator[Site]:
    """A Google with two people, which knows the Twilio at that address, for the length of a block."""
    listener = listen(0)
    site = open_site(state, address(listener), time.time, durable=False)
    names = {"client_id": "twilio", "client_secret": SECRET, "client_name": "Twilio"}
    site.provider.clients.register({**names, "redirect_uris": [f"{twilio}/google/callback"]})
    site.accounts.get_or_create("noor.haddad@kicks.example", "Noor", "Haddad")
    site.accounts.get_or_create("priya.raman@kicks.example", "Priya", "Raman")
    with serving(create_app(site), listener):
        yield site
    site.close()


def registration(site: Site) -> Google:
    """What Twilio knows of it."""
    return Google(site.public_url, "twilio", SECRET, time.time)
