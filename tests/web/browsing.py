"""A browser and a company's IdP in front of the real application: forms are sent as they were shown, answers are
signed by `tests.saml.idp`.
"""

import base64
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask, g, request_started
from flask.testing import FlaskClient
from lxml import etree
from werkzeug.test import TestResponse

from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.context import OPERATOR, Context
from bridge.flows.saml_connection import load_saml
from saml.service_provider import ServiceProvider
from tests.saml import idp
from tests.saml.idp import TestIdp

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
_REFERENCE = re.compile(r'id="reference"[^>]*>([2-9A-HJ-NP-Z]{4}-[2-9A-HJ-NP-Z]{4})<')


@dataclass(frozen=True)
class Company:
    """A company's IdP and its connection to a workspace."""

    idp: TestIdp
    sp: ServiceProvider
    connection_id: str

    def path(self, what: str) -> str:
        """`/saml/<connection>/<what>`."""
        return f"/saml/{self.connection_id}/{what}"

    def answer(self, **said: Any) -> dict[str, str]:
        """A signed answer at this moment, good but for what is said."""
        return idp.sign_in(self.idp, self.sp, datetime.now(UTC).replace(microsecond=0), **said)


def connect(
    context: Context, slug: str, issuer: TestIdp = idp.KICKS, *, name: str = "Okta", idp_initiated: bool = False
) -> Company:
    """A SAML connection of the workspace, made from the IdP's metadata."""
    draft = SamlDraft(issuer.metadata, name=name, preset="okta", allow_idp_initiated=idp_initiated)
    made = create_saml(context, OPERATOR, slug, draft, datetime.now(UTC))
    return Company(issuer, load_saml(context, made.id).sp, made.id)


class Surfer:
    """One browser, with its cookies."""

    def __init__(self, app: Flask) -> None:
        self.client: FlaskClient = app.test_client()

    def get(self, path: str, **query: str) -> TestResponse:
        """Follow a link."""
        return self.client.get(path, query_string=query or None)

    def logins_begun(self) -> dict[str, str]:
        """The cookies of its logins under way, by name, the oldest first."""
        sent = self.get("/healthz").request.cookies.items()
        return {name: value for name, value in sent if name.startswith("bridge_login_")}

    def submit(self, path: str, page: TestResponse, **fields: str) -> TestResponse:
        """Send the form of a page that was shown, with its token."""
        return self.client.post(path, data={"csrf_token": token_in(page), **fields})

    def agree(self, path: str, **fields: str) -> TestResponse:
        """Open a page that asks, such as that of a mailed link, and press its button. What asks nothing is answered."""
        shown = self.get(path)
        return self.submit(path.partition("?")[0], shown, **fields) if shown.status_code == 200 else shown

    def start(self, company: Company, **query: str) -> str:
        """Go to the IdP. Returns the id of the request that arrives there."""
        return request_id_in(self.get(company.path("login"), **query).headers["Location"])

    def bring(self, app: Flask, company: Company, form: dict[str, str]) -> TestResponse:
        """The IdP's page posts its answer: from another site, so without our cookies. Then the browser goes on."""
        posted = self.post_cross_site(app, company, form)
        return self.get(posted.headers["Location"]) if posted.status_code == 303 else posted

    def post_cross_site(self, app: Flask, company: Company, form: dict[str, str]) -> TestResponse:
        """Only the first half of it. Cookies that the answer sets are kept: it is a page of ours by then."""
        apart = app.test_client()
        posted = apart.post(company.path("acs"), data=form)
        for kept in posted.headers.getlist("Set-Cookie"):
            name, _, rest = kept.partition("=")
            self.client.set_cookie(name, rest.partition(";")[0])
        return posted

    def sign_in(self, app: Flask, company: Company, *, return_to: str = "", **said: Any) -> TestResponse:
        """A whole login, from the link to the page after it."""
        query = {"return_to": return_to} if return_to else {}
        return self.bring(app, company, company.answer(in_response_to=self.start(company, **query), **said))

    def enter_password(self, email: str, password: str, **query: str) -> TestResponse:
        """Sign in by password, by way of both pages."""
        shown = self.get("/login", way="password", **query)
        return self.submit("/login", shown, email=email, password=password, way="password", **query)

    def session(self) -> Any:
        """What `/session` says, None when signed out."""
        told = self.get("/session")
        return told.json if told.status_code == 200 else None

    def workspaces(self) -> list[str]:
        """The slugs of the workspaces that the session reaches."""
        told = self.session()
        return [workspace["slug"] for workspace in told["workspaces"]] if told else []


def token_in(page: TestResponse) -> str:
    """The secret of the first form of a page."""
    found = _TOKEN.search(page.text)
    assert found is not None, page.text
    return found[1]


def reference_in(page: TestResponse) -> str | None:
    """The reference that a refusal shows."""
    found = _REFERENCE.search(page.text)
    return found[1] if found else None


def request_id_in(url: str) -> str:
    """The ID of the AuthnRequest in an address of the Redirect binding."""
    return authn_request_in(url).get("ID", "")


def authn_request_in(url: str) -> etree._Element:
    """The AuthnRequest in an address of the Redirect binding (SAML Bindings 3.4.4.1)."""
    return message_in(url)


def message_in(url: str, field: str = "SAMLRequest") -> etree._Element:
    """Whichever message is in an address of the Redirect binding."""
    (packed,) = parse_qs(urlsplit(url).query)[field]
    return etree.fromstring(zlib.decompress(base64.b64decode(packed), -15))


@contextmanager
def at(app: Flask, now: datetime) -> Iterator[None]:
    """Requests inside the block happen at `now`."""

    def set_clock(_sender: Flask, **_: Any) -> None:
        g.now = now

    with request_started.connected_to(set_clock, app):
        yield
