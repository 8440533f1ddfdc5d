"""Somebody's browser at the simulated Twilio: fills in the forms of the page it is on, with their tokens."""

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

URL = "http://127.0.0.1:8002"
PASSWORD = "correct horse battery"


class Form(HTMLParser):
    """The forms of a page: where each goes, and what it sends by itself."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag == "input" and self.forms and "name" in given:
            self.forms[-1][1][given["name"]] = given.get("value", "")


class Browser:
    """One browser; `page` is what it shows, after all redirects within the site."""

    def __init__(self, app: Flask, address: str = URL) -> None:
        self.client: FlaskClient = app.test_client()
        self.address = address
        self.page: TestResponse
        #: The redirects on the way to the page, the last of which may lead to another site.
        self.way: list[str] = []

    def get(self, path: str) -> "Browser":
        """Opens a path, or an address of this site."""
        self.way = []
        return self._arrive(self.client.get(self._path(path), base_url=self.address))

    def send(self, action: str, **typed: str) -> "Browser":
        """Sends the page's form that goes there ("" to the page itself), with what was typed."""
        own, fields = next(form for form in Form(self.page.text).forms if form[0] == action)
        here = urlsplit(self.page.request.url).path
        self.way = []
        return self._arrive(self.client.post(own or here, data=fields | typed, base_url=self.address))

    def link(self, text: str) -> str:
        """Where the page's link or refresh with this text in its address leads."""
        found = re.search(rf'(?:href="|url=)([^"]*{text}[^"]*)"', self.page.text)
        assert found, self.page.text
        return found[1].replace("&amp;", "&")

    @property
    def status(self) -> int:
        """The page's status."""
        return self.page.status_code

    @property
    def text(self) -> str:
        """The page, without the tokens of its forms, which differ each time."""
        return re.sub(r'name="csrf_token" value="[^"]*"', "", self.page.text)

    @property
    def arrived(self) -> dict[str, str]:
        """The query of the address of another site that it was sent to."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.way[-1]).query).items()}

    def shows(self, text: str) -> bool:
        """Whether the page has this text, quotes and apostrophes as typed."""
        return text in self.page.text.replace("&#39;", "'")

    def _arrive(self, answer: TestResponse) -> "Browser":
        while answer.status_code in (302, 303):
            self.way.append(answer.location)
            if urlsplit(answer.location).netloc not in ("", urlsplit(self.address).netloc):
                break
            answer = self.client.get(self._path(answer.location), base_url=self.address)
        self.page = answer
        return self

    def _path(self, address: str) -> str:
        return address.removeprefix(self.address)


def json_of(answer: TestResponse) -> Any:
    """A JSON answer."""
    assert answer.json is not None, answer.text
    return answer.json
