"""What the state machine over accounts walks in: the real application over a real database, the people in front of it,
and everything outside of it in this process: Twilio, the companies' identity providers, the mail.

Three people, each with two mailboxes and two browsers. `acme` is a company that tells the truth: Okta (SAML, and
SCIM) and Entra (OpenID Connect, which verifies an address only where it says so). `beta` is one whose identity provider
says whatever anybody likes. Twilio verifies addresses.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask, g, request_started
from sqlalchemy import select
from werkzeug.test import TestResponse

from bridge.app import create_web
from bridge.domain.web_calls import Ask, WebCall, WebReply
from bridge.flows.bearer_secrets import digest
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.connect_oidc import OidcDraft, create_oidc, read_provider
from bridge.flows.context import OPERATOR, Context, TwilioClient
from bridge.flows.deliver import deliver_due
from bridge.flows.outside import NOWHERE
from bridge.flows.saml_connection import load_saml
from bridge.flows.tokens import create_scim_token
from bridge.storage.database import Database, open_database
from bridge.storage.tables import (
    connections,
    directory_users,
    identities,
    memberships,
    second_factors,
    sessions,
    users,
    workspaces,
)
from bridge.web.cookies import SESSION
from bridge.web.current import OUTSIDE
from tests.flows.mailer import KeptMail
from tests.saml import idp
from tests.saml.logouts import redirected
from tests.saml.logouts import request as logout_request
from tests.web.browsing import Company, request_id_in
from tests.web.provider import CLIENT_ID, SECRET, Answer, Provider
from tests.world import make_world

NAMES = ("ann", "bob", "eve")
ADDRESSES = tuple(f"{name}@{domain}" for name in NAMES for domain in ("kicks.example", "home.example"))
DEVICES = tuple(f"{name}'s {what}" for name in NAMES for what in ("laptop", "phone"))
PROVED = "kicks.example"
_LINK = re.compile(
    r"http://localhost:8000/(prove/link|twilio/linked|twilio/email|invitations|reset|account/confirm)/(\S+)"
)
_CODE = re.compile(r"Your code is (\d{6})\.")
_serial = count(1)


def whose(address: str) -> str:
    """Who reads this mailbox, for ever."""
    return address.partition("@")[0]


# -- People ------------------------------------------------------------------------------------------


@dataclass(eq=False)
class TwilioUser:
    """Somebody's account at Twilio, whose address is verified there; `sids`: its sessions there."""

    sub: str
    human: str
    email: str
    sids: list[str] = field(default_factory=list)
    closed: bool = False


@dataclass(eq=False)
class Proof:
    """What a login of a browser stands on. `over` for good, `ended_in` some workspaces for good."""

    kind: str
    subject: str
    at: datetime
    connection: str | None = None
    workspace: str | None = None
    sid: str | None = None
    factor: bool = False
    over: bool = False
    idled: bool = False
    ended_in: set[str] = field(default_factory=set)

    def holds(self, now: datetime) -> bool:
        """Whether anything may come of it still."""
        return not self.over and now < self.at + timedelta(days=7)


@dataclass(frozen=True)
class Arrival:
    """Somebody came from Twilio, and nobody here is linked to them: `token` names that."""

    token: str
    user: TwilioUser
    sid: str


@dataclass(eq=False)
class Device:
    """A browser of somebody's, and what the model knows of its session."""

    name: str
    app: Flask
    account: str | None = None
    proofs: list[Proof] = field(default_factory=list)
    arrivals: list[Arrival] = field(default_factory=list)
    proving: list[tuple[str, Proof]] = field(default_factory=list)
    under_way: tuple[str, TwilioUser, str] | None = None

    def __post_init__(self) -> None:
        self.client = self.app.test_client()

    @property
    def human(self) -> str:
        """Whose it is."""
        return self.name.partition("'")[0]

    @property
    def cookie(self) -> str | None:
        """The session's secret."""
        found = self.client.get_cookie(SESSION)
        return found.value if found else None

    def get(self, path: str, **query: str) -> TestResponse:
        """Follow a link, from an address that nobody counts."""
        return self.client.get(path, query_string=query or None, environ_base=_somewhere())

    def post(self, path: str, **fields: str) -> TestResponse:
        """Send a form; tests of their own hold that it takes its token."""
        return self.client.post(path, data=fields, environ_base=_somewhere())


def _somewhere() -> dict[str, str]:
    number = next(_serial)
    return {"REMOTE_ADDR": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}


@dataclass(frozen=True)
class Letter:
    """A mail with a link of ours."""

    to: str
    kind: str
    path: str


# -- What is stored ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Account:
    """A row of `users`, by outside id, and what hangs on it."""

    id: str
    email: str
    proved: bool
    twilio: str | None
    told: datetime | None  # when Twilio last said something of it
    password: bool
    identities: tuple[tuple[str, str], ...]
    seats: tuple[tuple[str, str], ...]  # workspaces of active memberships, and those memberships
    left: tuple[tuple[str, str], ...]  # of removed ones
    factors: tuple[tuple[str, str], ...]  # of which kind, and their ids
    closed: bool

    @property
    def owner(self) -> str:
        """Who reads its mail."""
        return whose(self.email)


def read_accounts(database: Database) -> dict[str, Account]:
    """Every account of one of the three people, by id, as the database has it."""
    with database.snapshot() as rows:
        told = rows.execute(_USERS).all()
        linked, seated, shown = (rows.execute(chosen).all() for chosen in (_IDENTITIES, _SEATS, _FACTORS))
    return {
        row.uid: Account(
            id=row.uid,
            email=row.email_ci,
            proved=row.email_proved_at is not None,
            twilio=row.twilio_sub,
            told=row.twilio_told_at,
            password=row.password_hash is not None,
            identities=tuple((one.uid, one.subject) for one in linked if one.user_id == row.id),
            seats=tuple((s.slug, s.uid) for s in seated if s.user_id == row.id and s.status == "active"),
            left=tuple((s.slug, s.uid) for s in seated if s.user_id == row.id and s.status != "active"),
            factors=tuple((one.kind, one.uid) for one in shown if one.user_id == row.id),
            closed=row.closed_at is not None,
        )
        for row in told
        if whose(row.email_ci) in NAMES
    }


_USERS = select(users).order_by(users.c.id)
_IDENTITIES = (
    select(identities.c.user_id, identities.c.subject, connections.c.uid)
    .join(connections, connections.c.id == identities.c.connection_id)
    .order_by(identities.c.linked_at, identities.c.subject)
)
_SEATS = (
    select(memberships.c.user_id, memberships.c.uid, memberships.c.status, workspaces.c.slug)
    .join(workspaces, workspaces.c.id == memberships.c.workspace_id)
    .order_by(memberships.c.id)
)
_OF_RECORD = (
    select(users.c.uid)
    .join(memberships, memberships.c.user_id == users.c.id)
    .join(directory_users, directory_users.c.membership_id == memberships.c.id)
    .where(users.c.closed_at.is_(None))
)
_FACTORS = select(second_factors.c.user_id, second_factors.c.kind, second_factors.c.uid).order_by(second_factors.c.id)


# -- Outside -----------------------------------------------------------------------------------------


@dataclass
class PatientProvider(Provider):
    """One that remembers with each code whom it is about: logins there are under way side by side."""

    said: dict[str, dict[str, Any]] = field(default_factory=dict)

    def consent(self, location: str, **said: Any) -> str:
        """Somebody signs in there: the way back, with a code."""
        back = super().consent(location, **said)
        self.said[parse_qs(urlsplit(back).query)["code"][0]] = self.claims
        return back

    def token_answer(self, form: Mapping[str, str]) -> Answer:
        """The token endpoint: each code once, with its verifier (RFC 7636 4.6)."""
        self.claims = self.said.pop(form.get("code", ""), self.claims)
        return super().token_answer(form)


class Inside:
    """Calls to providers that are in this process."""

    def __init__(self, *providers: Provider) -> None:
        self.providers = {urlsplit(one.url).netloc: one for one in providers}

    @contextmanager
    def turn(self, whose: str = "", provider: str = "") -> Iterator[Ask]:
        """There is room for everybody."""
        yield self.ask

    def ask(self, call: WebCall) -> WebReply:
        """What the provider answers."""
        parts = urlsplit(call.url)
        form = {name: values[0] for name, values in parse_qs((call.form or b"").decode()).items()}
        return WebReply(*self.providers[parts.netloc].answer(parts.path, form))


class Lab:
    """The application of one process, and a database that is new for each walk. `done` counts what went well."""

    def __init__(self, template: Path) -> None:
        self.template, self.path = template, template.with_name("accounts.db")
        self.database = open_database(f"sqlite:///{self.path}", synchronous="NORMAL")
        self.app: Flask | None = None
        self.steps = 0
        self.done: dict[str, int] = {}

    def fresh(self) -> Database:
        """The database, with the schema and no rows."""
        self.database.close()
        for ending in ("", "-wal", "-shm"):
            Path(f"{self.path}{ending}").unlink(missing_ok=True)
        shutil.copyfile(self.template, self.path)
        return self.database

    def app_over(self, context: Context) -> Flask:
        """The application over this context, without the secrets of forms: they have tests of their own."""
        if self.app is None:
            self.app = create_web(context)
            self.app.testing = True
            self.app.config["WTF_CSRF_ENABLED"] = False
        self.app.extensions["bridge"] = context
        return self.app


class Outdoors:
    """The application, and whoever speaks to it from outside. `now` is the time for all of them."""

    def __init__(self, lab: Lab) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)
        database = lab.fresh()
        acme = make_world(database, self.now)
        make_world(database, self.now, slug="beta", owner="otto@beta.example")
        self.twilio, self.entra, self.liar = (
            PatientProvider(f"https://{name}.example", kid=name) for name in ("twilio", "entra", "liar")
        )
        inside = Inside(self.twilio, self.entra, self.liar)
        self.context = replace(acme.context, twilio=TwilioClient(self.twilio.url, CLIENT_ID, SECRET))
        self.app = lab.app_over(self.context)
        self.app.extensions[OUTSIDE] = replace(NOWHERE, calls=inside, twilio=inside)
        made = create_saml(
            self.context, OPERATOR, "acme", SamlDraft(idp.KICKS.metadata_with_logout, name="Kicks"), self.now
        )
        self.okta = Company(idp.KICKS, load_saml(self.context, made.id).sp, made.id)
        self.ids = {
            "okta": self.okta.connection_id,
            "entra": self._connect("acme", self.entra, inside.ask),
            "liar": self._connect("beta", self.liar, inside.ask),
        }
        self.scim = {"okta": self._token("acme", "okta"), "liar": self._token("beta", "liar")}
        self.devices = {name: Device(name, self.app) for name in DEVICES}
        self.codes: dict[str, str] = {}
        request_started.connect(self._set_clock, self.app)

    def end(self) -> None:
        """The walk is over."""
        request_started.disconnect(self._set_clock, self.app)

    def _set_clock(self, _sender: Flask, **_: Any) -> None:
        g.now = self.now

    def _connect(self, slug: str, provider: Provider, ask: Ask) -> str:
        draft = OidcDraft(issuer=provider.url, client_id=CLIENT_ID, client_secret=SECRET, name=provider.kid.title())
        found = read_provider(provider.url, ask)
        return create_oidc(self.context, OPERATOR, slug, draft, found, self.now).id

    def _token(self, slug: str, connection: str) -> str:
        return create_scim_token(self.context, OPERATOR, slug, self.ids[connection], None, "pushes", self.now).token

    def another(self, human: str) -> Device:
        """A browser that was never here before."""
        return Device(f"{human}'s new one", self.app)

    def accounts(self) -> dict[str, Account]:
        """Every account of the three, as stored, but for those that were closed."""
        return {one.id: one for one in read_accounts(self.context.database).values() if not one.closed}

    def session_id(self, device: Device) -> str | None:
        """The outside id of a browser's session."""
        with self.context.database.reading() as rows:
            hashed = digest(device.cookie or "")
            found: str | None = rows.execute(select(sessions.c.uid).where(sessions.c.hash == hashed)).scalar()
        return found

    def account_of_record(self, record: str) -> str | None:
        """The outside id of the account that a pushed record is about; None where it was closed, too."""
        with self.context.database.reading() as rows:
            found: str | None = rows.execute(_OF_RECORD.where(directory_users.c.uid == record)).scalar()
        return found

    def letters(self) -> list[Letter]:
        """The links in the mails that leave now; a code that one brings is put aside."""
        mailer = KeptMail()
        deliver_due(self.context, mailer, self.now)
        self.codes |= {mail.to: code[1] for mail in mailer.sent if (code := _CODE.search(mail.text))}
        found = ((mail.to, _LINK.search(mail.text)) for mail in mailer.sent)
        return [Letter(to, link[1], f"/{link[1]}/{link[2]}") for to, link in found if link]

    # -- Twilio and the companies' providers ---------------------------------------------------------

    def times(self) -> dict[str, int]:
        """The times of a token that is made now."""
        return {"iat": int(self.now.timestamp()), "exp": int((self.now + timedelta(minutes=5)).timestamp())}

    def at_twilio(self, device: Device, user: TwilioUser, *, fresh: bool = False) -> tuple[str, str]:
        """Somebody logs in at Twilio, with a second factor, `fresh` once more: the way back, and the session there."""
        sid = f"{user.sub}-{next(_serial)}"
        user.sids.append(sid)
        said = {"sub": user.sub, "email": user.email, "sid": sid, "amr": ["pwd", "mfa"], "name": user.human}
        asked = "/twilio/login" + ("?fresh=1" if fresh else "")
        return self._consent(device, asked, self.twilio, auth_time=int(self.now.timestamp()), **said), sid

    def at_provider(self, device: Device, name: str, **said: Any) -> TestResponse:
        """Somebody logs in by OpenID Connect at their company, and comes back."""
        provider = {"entra": self.entra, "liar": self.liar}[name]
        return device.get(self._consent(device, f"/oidc/{self.ids[name]}/login", provider, **said))

    def _consent(self, device: Device, path: str, provider: Provider, **said: Any) -> str:
        location = device.get(path).headers.get("Location", "")
        if not location.startswith(provider.url):
            return "/login"  # refused here already
        parts = urlsplit(provider.consent(location, **self.times(), **said))
        return f"{parts.path}?{parts.query}"

    def at_okta(self, device: Device, email: str, *, fresh: bool = False) -> TestResponse:
        """Somebody logs in by SAML at their company, `fresh` once more, and comes back."""
        told = device.get(self.okta.path("login"), **({"fresh": "1"} if fresh else {}))
        if told.status_code != 302:
            return told
        asked = request_id_in(told.headers["Location"])
        form = idp.sign_in(
            self.okta.idp,
            self.okta.sp,
            self.now,
            email=email,
            name_id=f"{device.human}@okta",
            in_response_to=asked,
            authenticated=self.now,
        )
        posted = self.app.test_client().post(self.okta.path("acs"), data=form)
        return device.get(posted.headers["Location"]) if posted.status_code == 303 else posted

    def tell(
        self, event: str, sub: str, said: Mapping[str, Any], *, sid: str | None = None, at: datetime | None = None
    ) -> int:
        """Twilio's server pushes a Security Event Token (RFC 8935). Returns the status."""
        who: dict[str, Any] = {"format": "iss_sub", "iss": self.twilio.url, "sub": sub}
        if sid:
            who = {"format": "complex", "user": who, "session": {"format": "opaque", "id": sid}}
        claims: dict[str, Any] = {"iss": self.twilio.url, "aud": CLIENT_ID, "jti": token_urlsafe(8), "sub_id": who}
        claims |= {"iat": int((at or self.now).timestamp()), "events": {event: dict(said)}}
        token = self.twilio.sign(claims, typ="secevent+jwt")
        pushed = self.app.test_client().post("/twilio/events", data=token, content_type="application/secevent+jwt")
        return pushed.status_code

    def say_goodbye(self, sid: str) -> int:
        """Twilio's server tells that a session there ended (Back-Channel Logout 1.0). Returns the status."""
        token = self.twilio.logout_token(sub=None, sid=sid, **self.times())
        told = self.app.test_client().post("/twilio/backchannel-logout", data={"logout_token": token})
        return told.status_code

    def say_goodbye_at_work(self, company: str, subject: str) -> int:
        """Somebody signed out at their company, everywhere: it tells so. Returns the status."""
        stranger = self.app.test_client()
        if company == "okta":
            said = {"issuer": self.okta.idp.entity_id, "name_id": subject, "session_index": ()}
            query = redirected(logout_request(self.okta.sp, self.now, **said))
            return stranger.get(self.okta.path("slo"), query_string=query.decode()).status_code
        token = self.entra.logout_token(sub=subject, **self.times())
        path = f"/oidc/{self.ids[company]}/backchannel-logout"
        return stranger.post(path, data={"logout_token": token}).status_code

    def push(self, method: str, path: str, company: str, body: Any = None) -> TestResponse:
        """A company's provider calls `/scim/v2`."""
        sent = {"Authorization": f"Bearer {self.scim[company]}"}
        return self.app.test_client().open(f"/scim/v2{path}", method=method, json=body, headers=sent)
