"""The provider in one value, and what its host must answer."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast

from flask import current_app
from werkzeug.wrappers import Response

from simulated.openid_provider.clients import Client, Clients
from simulated.openid_provider.grants import Authentication, Grants, Waiting
from simulated.openid_provider.keys import SigningKeys
from simulated.openid_provider.outbox import Outbox
from simulated.state_file import StateFile

EXTENSION = "openid_provider"


class Host(Protocol):
    """The application whose people these are."""

    def find_authentication(self) -> Authentication | None:
        """Who is logged in in the browser that sent the present request."""

    def ask_to_log_in(self, waiting: Waiting, client: Client) -> Response:
        """Leads to the login, which goes on at the waiting request's path."""

    def find_claims(self, subject: str, scopes: Iterable[str]) -> Mapping[str, Any] | None:
        """What these scopes tell of a person, without `sub`; None if there is no such account that may log in."""

    def end_session(self, sid: str) -> None:
        """Ends that session, and tells every client that it signed its person in to (`Provider.sessions_ended`)."""

    def discovery_extras(self) -> Mapping[str, Any]:
        """What the discovery document says besides, under names of the host's own (Discovery 1.0 3)."""

    def render_logout(self, client: Client | None, state: Mapping[str, str]) -> str:
        """The page that asks whether to log out; its form posts `state` to /oauth2/logout/confirmed."""

    def render_logged_out(self) -> str:
        """The page after a logout that leads nowhere."""

    def render_refusal(self, reason: str) -> str:
        """The page for a request that can't be answered to its client."""


@dataclass(frozen=True, slots=True)
class Provider:
    """The parts. The issuer has no slash at its end; `clock` answers seconds since 1970."""

    issuer: str
    file: StateFile
    keys: SigningKeys
    clients: Clients
    grants: Grants
    outbox: Outbox
    host: Host
    clock: Callable[[], float]

    def claims_of(self, subject: str, scope: str) -> dict[str, Any]:
        """Core 5.4: what this scope tells of a person."""
        found = self.host.find_claims(subject, scope.split()) or {}
        return {"sub": subject, **found}

    def subject(self, subject: str) -> dict[str, str]:
        """How an event names a person (RFC 9493 3.2.3)."""
        return {"format": "iss_sub", "iss": self.issuer, "sub": subject}

    def sessions_ended(self, sids: Iterable[str]) -> None:
        """Takes back what these sessions gave, and will tell each client that they signed in to."""
        with self.file.transaction():
            for sid, client_id, subject in self.grants.forget_sessions(list(sids)):
                if client := self.clients.find(client_id):
                    self.outbox.add_logout(client, subject, sid)

    def tell(self, subject: str, event_type: str, event: Mapping[str, Any], about: Mapping[str, Any]) -> None:
        """Will tell of a change every client that this person has ever used. `about` names the person or session."""
        with self.file.transaction():
            for linked in self.grants.linked(subject):
                if client := self.clients.find(linked.client_id):
                    self.outbox.add_event(client, about, event_type, event)


def open_provider(issuer: str, file: StateFile, host: Host, clock: Callable[[], float]) -> Provider:
    """The provider over its host's file, whose schema includes `PROVIDER_SCHEMA`."""
    keys, clients = SigningKeys(file, clock), Clients(file)
    outbox = Outbox(file, issuer, keys, clients, clock)
    return Provider(issuer, file, keys, clients, Grants(file, clock), outbox, host, clock)


def this_provider() -> Provider:
    """The provider whose application answers the present request."""
    return cast(Provider, current_app.extensions[EXTENSION])
