"""A simulated company's IdP as the demo drives it: over HTTP, as its admin and its people do."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from typing import Any
from urllib.parse import urljoin

import requests

from bridge.cli.demo_crew import DemoFailed

_SECONDS = 30
_FORM = re.compile(r"<form\b[^>]*\baction=\"([^\"]*)\"[^>]*>(.*?)</form>", re.DOTALL)
_HIDDEN = re.compile(r"<input\b[^>]*\bname=\"([^\"]*)\"[^>]*\bvalue=\"([^\"]*)\"")


@dataclass(frozen=True, slots=True)
class Idp:
    """The IdP at `url`."""

    url: str

    def metadata(self) -> bytes:
        """Its SAML metadata."""
        return _checked(requests.get(f"{self.url}/metadata", timeout=_SECONDS)).content

    def configure(self, **settings: Any) -> None:
        """Change settings, as its console does."""
        _checked(requests.put(f"{self.url}/api/settings", json=settings, timeout=_SECONDS))

    def push(self) -> Iterator[dict[str, Any]]:
        """Push everybody and every group; a dict as each is done. Raises DemoFailed when it can't go on."""
        with _checked(requests.post(f"{self.url}/api/push", stream=True, timeout=300)) as answer:
            for line in answer.iter_lines():
                told = json.loads(line)
                if "finished" not in told:
                    yield told
                elif told["stopped"] or told["failures"]:
                    raise DemoFailed(f"Pushing stopped: {told['stopped'] or told['failures'][:3]}")

    def sign_in(self, login_url: str, email: str, password: str) -> None:
        """Somebody signs in at the bridge through this IdP, as a browser does it."""
        with requests.Session() as browser:
            page = _checked(browser.get(login_url, timeout=_SECONDS))
            page = _submit(browser, page, email=email, password=password)
            _submit(browser, page)


def _submit(browser: requests.Session, page: requests.Response, **typed: str) -> requests.Response:
    form = _FORM.search(page.text)
    if form is None:
        raise DemoFailed(f"{page.url} shows no form.")
    action, inside = form.groups()
    fields = {name: unescape(value) for name, value in _HIDDEN.findall(inside)} | typed
    target = urljoin(page.url, unescape(action))
    origin = "/".join(page.url.split("/")[:3])
    return _checked(browser.post(target, data=fields, headers={"Origin": origin}, timeout=_SECONDS))


def _checked(answer: requests.Response) -> requests.Response:
    if not answer.ok:
        raise DemoFailed(f"{answer.request.method} {answer.url} was answered {answer.status_code}: {answer.text[:300]}")
    return answer
