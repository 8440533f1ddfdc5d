"""Starts the simulated Twilio as a program, as the demo does, and logs in over HTTP."""

import json
import re
import sys
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import requests

from tests.simulated.program import running_program
from tests.simulated.twilio.browser import PASSWORD, Form


def command(name: str, state: Path, *more: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "simulated.twilio", name, "--state", str(state), *more]


def running(state: Path, *more: str) -> AbstractContextManager[str]:
    """Its address, while it serves on a free port."""
    return running_program(command("serve", state, "--port", "0", *more))


def write(path: Path, document: Any) -> str:
    """A JSON file's path, for the command line."""
    path.write_text(json.dumps(document), encoding="utf-8")
    return str(path)


class Visitor(requests.Session):
    """A browser by real HTTP."""

    def submit(self, page: requests.Response, action: str, **typed: str) -> requests.Response:
        """Sends the page's form that goes there."""
        fields = next(fields for to, fields in Form(page.text).forms if to == action)
        address = urljoin(page.url, action)
        return self.post(address, data=fields | typed, timeout=30)

    def log_in(self, page: requests.Response, email: str) -> str:
        """Types password and SMS into the login page; answers where the client's request goes on."""
        page = self.submit(page, "/login", email=email, password=PASSWORD)
        phone = self.get(urljoin(page.url, "/simulated/phone"), timeout=30)
        page = self.submit(page, "/second-factor", code=re.findall(r"<p>(\d{6}) is your", phone.text)[0])
        found = re.search(r'url=([^"]+)"', page.text)
        assert found, page.text
        go_on: str = urljoin(page.url, found[1].replace("&amp;", "&"))
        return go_on
