"""Twilio as the bridge's tests see it: an OpenID provider that signs people in, and tells of them, as it is told."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from secrets import token_urlsafe
from typing import Any
from urllib.parse import urlsplit

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bridge.domain.mail import Mail
from bridge.flows.context import Context, TwilioClient
from bridge.flows.deliver import deliver_due
from tests.flows.mailer import KeptMail
from tests.web.browsing import Surfer
from tests.web.provider import CLIENT_ID, SECRET, Provider
from tests.world import World

RISC = "https://schemas.openid.net/secevent/risc/event-type"
CAEP = "https://schemas.openid.net/secevent/caep/event-type"
RENAMED = "https://schemas.simulated-twilio.example/secevent/event-type/profile-changed"


def set_up(world: World, app: Flask, provider: Provider) -> Context:
    """The operator gives the bridge Twilio's three settings."""
    context = replace(world.context, twilio=TwilioClient(provider.url, CLIENT_ID, SECRET))
    app.extensions["bridge"] = context
    return context


@dataclass(frozen=True)
class TwilioSide:
    """Twilio, and the bridge that knows it."""

    provider: Provider
    context: Context

    def start(self, surfer: Surfer, **query: str) -> str:
        """The browser goes there. Returns the address that it arrives at."""
        told = surfer.get("/twilio/login", **query)
        assert told.status_code == 302, told.text
        return told.headers["Location"]

    def log_in(self, surfer: Surfer, *, query: dict[str, str] | None = None, **said: Any) -> TestResponse:
        """A whole login; `said` goes into the ID token."""
        location = self.start(surfer, **(query or {}))
        return self.come_back(surfer, self.provider.consent(location, **({"amr": ["pwd", "sms", "mfa"]} | said)))

    def come_back(self, surfer: Surfer, location: str) -> TestResponse:
        """The browser follows Twilio's redirect."""
        parts = urlsplit(location)
        return surfer.get(f"{parts.path}?{parts.query}")

    def arrive(self, surfer: Surfer, **said: Any) -> str:
        """Somebody unknown comes for the first time. Returns the path of the page that welcomes them."""
        told = self.log_in(surfer, **said)
        assert told.status_code == 303, told.text
        assert told.headers["Location"].startswith("/twilio/welcome/")
        return told.headers["Location"]

    def create(self, surfer: Surfer, **said: Any) -> TestResponse:
        """Somebody unknown makes an account."""
        path = self.arrive(surfer, **said)
        return surfer.submit(f"{path}/create", surfer.get(path))

    def link(self, surfer: Surfer, own: str, password: str, **said: Any) -> TestResponse:
        """Somebody unknown links the account that they have."""
        path = self.arrive(surfer, **said).replace("/welcome/", "/link/")
        surfer.enter_password(own, password)
        return surfer.submit(path, surfer.get(path))

    def event(self, kind: str, *, sub: str = "mei", event: dict[str, Any] | None = None, **said: Any) -> str:
        """A Security Event Token at this moment, good but for what is said (RFC 8417 2.2)."""
        usual: dict[str, Any] = {"iss": self.provider.url, "aud": CLIENT_ID, "jti": token_urlsafe(8)}
        usual |= {"iat": int(datetime.now(UTC).timestamp()), "events": {kind: event or {}}}
        usual |= {"sub_id": {"format": "iss_sub", "iss": self.provider.url, "sub": sub}}
        typ = said.pop("typ", "secevent+jwt")
        return self.provider.sign({name: value for name, value in (usual | said).items() if value is not None}, typ=typ)

    def push(self, client: FlaskClient, token: str) -> TestResponse:
        """Twilio's server tells."""
        return client.post("/twilio/events", data=token, content_type="application/secevent+jwt")

    def mails(self) -> list[Mail]:
        """What is due is sent."""
        mailer = KeptMail()
        deliver_due(self.context, mailer, datetime.now(UTC))
        return mailer.sent


def path_in(mail: Mail, kind: str) -> str:
    """The path of a mailed link."""
    return str(re.findall(rf"(/twilio/{kind}/\S+)", mail.text)[-1])
