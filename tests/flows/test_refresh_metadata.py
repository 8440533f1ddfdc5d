"""Metadata is read again each day; what is bad leaves the last good version, and owners are told (issue: SAML)."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from lxml import etree
from sqlalchemy import select

from bridge.domain.errors import Conflict, Forbidden, Invalid, OutsideFailed
from bridge.domain.workspace import Connection
from bridge.flows.administer import NewWorkspace, WorkspaceDraft, create_workspace
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.connect_oidc import OidcDraft, create_oidc, load_oidc
from bridge.flows.context import OPERATOR, Context
from bridge.flows.deliver import deliver_due
from bridge.flows.outside import Fetch, Outside
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.refresh_metadata import (
    TOLD_AFTER_FAILURES,
    failing,
    metadata_states,
    refresh_due,
    refresh_now,
)
from bridge.flows.saml_connection import load_saml
from bridge.flows.trusted_idp import hold_metadata_to, replace_metadata
from bridge.outside import web
from bridge.storage.connections import set_connection
from bridge.storage.metadata_refreshes import Refresh, claim_due
from bridge.storage.tables import metadata_refreshes
from oidc.provider import parse_discovery
from saml.certificates import certificate_facts
from tests.flows.audit import audit_events
from tests.flows.idp_server import SSO, IdpServer, certificate, idp_server, metadata
from tests.flows.mailer import KeptMail
from tests.saml.idp import keys, sign

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OLD = certificate("old", datetime(2027, 11, 1, tzinfo=UTC))
NEW = certificate("new", datetime(2029, 11, 1, tzinfo=UTC))
OVER = certificate("over", datetime(2026, 11, 1, tzinfo=UTC))


@pytest.fixture
def idp() -> Iterator[IdpServer]:
    with idp_server() as server:
        server.body = metadata([OLD])
        yield server


@pytest.fixture
def outside() -> Outside:
    """The real way out, to this machine too."""
    return Outside(partial(web.fetch, allow_private=True), KeptMail())


@pytest.fixture
def acme(context: Context, made: NewWorkspace, idp: IdpServer, now: datetime) -> Connection:
    """A connection whose metadata stands at the server's address, read a moment ago; its first refresh is planned."""
    return connected(context, idp.url, now, name="Acme")


def connected(context: Context, url: str, now: datetime, *, name: str) -> Connection:
    found = create_saml(context, OPERATOR, "kicks", SamlDraft(metadata([OLD]), name=name), now)
    change_config(context, found, now, metadata_url=url)
    refresh_due(context, Outside(unreachable, KeptMail()), now)
    return load_saml(context, found.id).connection


def change_config(context: Context, found: Connection, now: datetime, **entries: Any) -> None:
    with context.changing(OPERATOR, now) as change:
        config = load_saml(context, found.id).connection.config
        set_connection(change, found.key, config={**config, **entries})


def unreachable(url: str, *, timeout: float, max_bytes: int) -> bytes:
    raise AssertionError(f"nothing is due, and yet {url} is fetched")


def state(context: Context, found: Connection) -> Refresh:
    return metadata_states(context, "kicks")[found.id]


def trusted(context: Context, found: Connection) -> tuple[str, ...]:
    return load_saml(context, found.id).idp.certificates


def mails(context: Context, now: datetime) -> list[str]:
    """The subjects of what was mailed since the last look."""
    mailer = KeptMail()
    deliver_due(context, mailer, now)
    return [mail.subject for mail in mailer.sent]


# -- When ------------------------------------------------------------------------------------------------------------


def test_it_is_read_once_a_day_more_or_less(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    hours = []
    for hour in range(85):
        if refresh_due(context, outside, now + hour * HOUR):
            hours.append(hour)
    assert len(idp.asked) == len(hours) == 3
    assert all(21 <= after - before <= 28 for before, after in pairwise([0, *hours]))


def test_the_time_between_is_a_setting(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    hasty = replace(context, metadata_refresh_every=2 * HOUR)
    refresh_due(hasty, outside, now + 27 * HOUR)
    assert refresh_due(hasty, outside, now + 29.3 * HOUR) == 1


def test_connections_are_not_read_all_at_once(
    context: Context, made: NewWorkspace, idp: IdpServer, now: datetime
) -> None:
    for n in range(5):
        connected(context, idp.url, now, name=f"No {n}")
    times = {one.next_at for one in metadata_states(context, "kicks").values()}
    assert len(times) == 5


def test_what_was_given_as_a_file_is_read_from_nowhere(
    context: Context, okta: Connection, outside: Outside, now: datetime
) -> None:
    assert refresh_due(context, Outside(unreachable, KeptMail()), now + 30 * DAY) == 0
    assert metadata_states(context, "kicks") == {}
    with pytest.raises(Invalid, match="came from no address"):
        refresh_now(context, outside.fetch, OPERATOR, "kicks", okta.id, now)


def test_a_connection_that_is_off_is_left_alone_until_it_is_on(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    set_enabled(context, OPERATOR, "kicks", acme.id, False, now)
    assert refresh_due(context, outside, now + 3 * DAY) == 0
    set_enabled(context, OPERATOR, "kicks", acme.id, True, now)
    assert refresh_due(context, outside, now + 3 * DAY) == 1


def test_another_address_begins_anew_and_none_ends_it(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    idp.status = 500
    refresh_due(context, outside, now + 2 * DAY)
    assert state(context, acme).failures == 1
    change_config(context, acme, now, metadata_url=idp.url + "/elsewhere")
    refresh_due(context, outside, now + 2 * DAY)
    assert (state(context, acme).failures, state(context, acme).tried_at) == (0, None)
    change_config(context, acme, now, metadata_url=None)
    assert refresh_due(context, Outside(unreachable, KeptMail()), now + 9 * DAY) == 0


def test_two_workers_read_it_once(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    later = now + 2 * DAY
    threads = [threading.Thread(target=refresh_due, args=[context, outside, later]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(idp.asked) == 1


def test_who_is_killed_in_the_middle_leaves_it_to_another_after_ten_minutes(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    later = now + 2 * DAY
    with context.database.writing() as connection:
        claim_due(connection, later, until=later + timedelta(minutes=10), at_most=20)
    assert refresh_due(context, outside, later + timedelta(minutes=9)) == 0
    assert refresh_due(context, outside, later + timedelta(minutes=10)) == 1


def test_one_that_fails_costs_the_others_nothing(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    other = connected(context, idp.url + "/other", now, name="Other")

    def fetch(url: str, *, timeout: float, max_bytes: int) -> bytes:
        if url == idp.url:
            raise RuntimeError("a fault of ours")
        return outside.fetch(url, timeout=timeout, max_bytes=max_bytes)

    assert refresh_due(context, replace(outside, fetch=fetch), now + 2 * DAY) == 1
    assert state(context, other).error is None
    assert "operator" in (state(context, acme).error or "")


# -- What is new -----------------------------------------------------------------------------------------------------


def test_a_new_certificate_is_trusted_audited_and_mailed_of(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    idp.body, later = metadata([OLD, NEW], sso=f"{SSO}/2"), now + 2 * DAY
    assert refresh_due(context, outside, later) == 1
    assert trusted(context, acme) == (OLD, NEW)
    assert load_saml(context, acme.id).idp.sso_redirect_url == f"{SSO}/2"
    actor, kind, after = audit_events(context)[-1]
    assert (actor, kind) == ("system", "connection.metadata_refreshed")
    assert after["certificates"] == [certificate_facts(pem).sha256 for pem in (OLD, NEW)]
    assert after["sso_redirect_url"] == f"{SSO}/2"
    assert state(context, acme).changed_at == later
    mailer = KeptMail()
    deliver_due(context, mailer, later)
    [mail] = mailer.sent
    assert mail.to == "marcus@kicks.example"
    assert "it now signs with the certificate CN=new" in mail.text
    assert f"its sign-in address is now {SSO}/2" in mail.text


def test_the_same_metadata_changes_nothing(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    before = audit_events(context)
    refresh_due(context, outside, now + 2 * DAY)
    assert audit_events(context) == before
    assert load_saml(context, acme.id).connection == acme
    assert (state(context, acme).good_at, state(context, acme).changed_at) == (now + 2 * DAY, None)


def test_certificates_in_another_order_are_the_same(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    for certificates in ([OLD, NEW], [NEW, OLD]):
        idp.body = metadata(certificates)
        refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now)
    assert load_saml(context, acme.id).connection.version == acme.version + 1


def test_what_older_versions_of_the_bridge_did_not_keep_is_no_change(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    idp_then = {name: value for name, value in acme.config["idp"].items() if not name.startswith("slo_")}
    change_config(context, acme, now, idp={**idp_then, "slo_url": None})
    before = audit_events(context)
    assert refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now).changes == ()
    assert audit_events(context) == before


def test_the_rest_of_a_change_is_audited_without_a_mail(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    mails(context, now)
    idp.body = metadata([OLD], asks="true")
    assert refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now).changes
    assert audit_events(context)[-1][2] == {"want_requests_signed": True}
    assert mails(context, now) == []


def test_settings_of_the_connection_stay(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    change_config(context, acme, now, allow_idp_initiated=True)
    idp.body = metadata([NEW])
    refresh_due(context, outside, now + 2 * DAY)
    assert load_saml(context, acme.id).allow_idp_initiated
    assert load_saml(context, acme.id).connection.config["metadata_url"] == idp.url


# -- At once ---------------------------------------------------------------------------------------------------------


def test_an_owner_has_it_read_now(
    context: Context, marcus: str, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    idp.body = metadata([NEW])
    done = refresh_now(context, outside.fetch, marcus, "kicks", acme.id, now)
    assert ["no longer" in change for change in done.changes] == [False, True]
    assert done.connection.version == acme.version + 1
    assert audit_events(context)[-1][:2] == (marcus, "connection.metadata_refreshed")


def test_nobody_else_does(context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime) -> None:
    other = create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    with pytest.raises(Forbidden):
        refresh_now(context, outside.fetch, f"user:{other.owner.id}", "kicks", acme.id, now)
    assert idp.asked == []


def test_it_is_read_even_before_the_worker_has_planned_it(
    context: Context, okta: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    change_config(context, okta, now, metadata_url=idp.url)
    with pytest.raises(Invalid, match="doesn't describe"):  # it is another IdP's
        refresh_now(context, outside.fetch, OPERATOR, "kicks", okta.id, now)
    assert state(context, okta).failures == 1


# -- What is bad -----------------------------------------------------------------------------------------------------

BAD = {
    "another IdP": (metadata([NEW], entity_id="https://evil.example"), "doesn't describe"),
    "no certificate": (metadata([]), "no signing certificate"),
    "only expired certificates": (metadata([OVER]), "has expired"),
    "its validity is over": (metadata([NEW], attributes='validUntil="2026-11-20T08:59:59Z"'), "was valid until"),
    "its validity is no time": (metadata([NEW], attributes='validUntil="soon"'), "no time"),
    "an address that isn't encrypted any more": (metadata([NEW], sso="http://idp.kicks.example/sso"), "https"),
    "an address that is none": (metadata([NEW], sso="javascript:alert(1)"), "http"),
    "a web page": (b"<!DOCTYPE html><html>Sign in</html>", "web page"),
    "no XML": (b"{}", "isn't XML"),
    "nothing": (b"", "isn't XML"),
    "an entity": (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "DOCTYPE"),
    "a service provider": (metadata([NEW]).replace(b"IDPSSO", b"SPSSO"), "no identity provider"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_metadata_leaves_the_last_good_one_and_says_why(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime, name: str
) -> None:
    idp.body, why = BAD[name]
    before = audit_events(context)
    with pytest.raises(Invalid, match=why) as refusal:
        refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now)
    assert refusal.value.field == "idp_metadata"
    assert load_saml(context, acme.id).connection == acme
    assert state(context, acme).error == refusal.value.text
    assert (state(context, acme).tried_at, state(context, acme).good_at) == (now, None)
    assert audit_events(context) == before
    idp.body = metadata([NEW])
    refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now)
    assert (state(context, acme).error, trusted(context, acme)) == (None, (NEW,))


@pytest.mark.parametrize("status", [404, 500, 204])
def test_a_server_without_metadata_is_as_bad(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime, status: int
) -> None:
    idp.status, idp.body = status, b""
    with pytest.raises(Invalid, match=f"status {status}"):
        refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now)
    assert trusted(context, acme) == (OLD,)


def test_it_is_read_over_an_encrypted_connection_only(
    context: Context, acme: Connection, outside: Outside, now: datetime
) -> None:
    for url in ("http://idp.kicks.example/metadata", "ftp://idp.kicks.example/metadata", "file:///etc/passwd"):
        change_config(context, acme, now, metadata_url=url)
        with pytest.raises(Invalid, match="https addresses only"):
            refresh_now(context, unreachable, OPERATOR, "kicks", acme.id, now)


def test_private_addresses_are_read_only_when_the_operator_allows(
    context: Context, acme: Connection, idp: IdpServer, now: datetime
) -> None:
    with pytest.raises(Invalid, match="private network"):
        refresh_now(context, partial(web.fetch, allow_private=False), OPERATOR, "kicks", acme.id, now)
    assert idp.asked == []


def test_one_certificate_that_is_over_beside_a_good_one_is_no_harm(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    idp.body = metadata([OVER, NEW])
    refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now)
    assert trusted(context, acme) == (OVER, NEW)


def test_owners_are_told_once_when_it_goes_on_failing(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    mails(context, now)
    tries: list[int] = []
    told: list[tuple[int, str]] = []
    idp.status = 500
    for hour in range(24 * 6):
        moment = now + 2 * DAY + hour * HOUR
        refresh_due(context, outside, moment)
        if len(idp.asked) > len(tries):
            tries.append(hour)
        told += [(hour, subject) for subject in mails(context, moment)]
    assert tries[:5] == [0, 1, 3, 7, 15]
    assert all(20 <= after - before <= 27 for before, after in pairwise(tries[5:]))
    assert told == [(7, "The metadata of Acme can’t be read")]
    [event] = [after for _, kind, after in audit_events(context) if kind == "connection.metadata_failing"]
    assert event["failures"] == TOLD_AFTER_FAILURES
    [(found, how)] = failing(context)
    assert (found.id, "status 500" in (how.error or "")) == (acme.id, True)


def test_when_it_goes_well_again_the_count_begins_anew(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    for round_ in (1, 2):
        idp.status = 500
        for _ in range(TOLD_AFTER_FAILURES):
            with pytest.raises(Invalid):
                refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now)
        idp.status = 200
        refresh_now(context, outside.fetch, OPERATOR, "kicks", acme.id, now)
        kinds = [kind for _, kind, _ in audit_events(context)]
        assert kinds.count("connection.metadata_failing") == kinds.count("connection.metadata_recovered") == round_
    assert failing(context) == []


# -- Meanwhile -------------------------------------------------------------------------------------------------------


def meanwhile(fetch: Fetch, do: Callable[[], object]) -> Fetch:
    """Fetch, and have something happen before the answer is taken."""

    def fetching(url: str, *, timeout: float, max_bytes: int) -> bytes:
        body = fetch(url, timeout=timeout, max_bytes=max_bytes)
        do()
        return body

    return fetching


def test_a_connection_that_was_changed_meanwhile_wins(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    by_hand = metadata([NEW], entity_id="https://other.example")
    fetch = meanwhile(outside.fetch, lambda: replace_metadata(context, OPERATOR, "kicks", acme.id, by_hand, now))
    idp.body = metadata([OLD, NEW])
    with pytest.raises(Conflict, match="changed meanwhile"):
        refresh_now(context, fetch, OPERATOR, "kicks", acme.id, now)
    assert load_saml(context, acme.id).idp.entity_id == "https://other.example"


def test_a_failure_of_an_address_that_was_replaced_meanwhile_is_not_noted(
    context: Context, acme: Connection, idp: IdpServer, now: datetime
) -> None:
    def fetch(url: str, *, timeout: float, max_bytes: int) -> bytes:
        change_config(context, acme, now, metadata_url=f"{idp.url}/2")
        raise OutsideFailed("Nobody answers.")

    assert refresh_due(context, Outside(fetch, KeptMail()), now + 2 * DAY) == 0
    refresh_due(context, Outside(unreachable, KeptMail()), now)
    assert state(context, acme).failures == 0


def test_another_change_meanwhile_is_kept_beside_the_new_metadata(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    idp.body = metadata([NEW])
    fetch = meanwhile(outside.fetch, lambda: change_config(context, acme, now, force_authn=True))
    refresh_now(context, fetch, OPERATOR, "kicks", acme.id, now)
    loaded = load_saml(context, acme.id)
    assert (loaded.force_authn, loaded.idp.certificates) == (True, (NEW,))


def test_one_that_is_deleted_meanwhile_is_gone(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    fetch = meanwhile(outside.fetch, lambda: delete_connection(context, OPERATOR, "kicks", acme.id, now))
    assert refresh_due(context, replace(outside, fetch=fetch), now + 2 * DAY) == 0
    with context.database.reading() as connection:
        assert connection.execute(select(metadata_refreshes)).all() == []


# -- OpenID Connect --------------------------------------------------------------------------------------------------


@pytest.fixture
def provider(context: Context, made: NewWorkspace, now: datetime) -> Connection:
    """An OpenID Connect connection."""
    known = parse_discovery(discovery(), ISSUER)
    return create_oidc(context, OPERATOR, "kicks", OidcDraft(ISSUER, "bridge", "a secret"), known, now)


ISSUER = "https://op.kicks.example"


def discovery(issuer: str = ISSUER, **said: str) -> bytes:
    """What stands at an issuer's discovery address."""
    endpoints = {name: f"{issuer}/{name}" for name in ("authorization_endpoint", "token_endpoint", "jwks_uri")}
    return json.dumps({"issuer": issuer, "response_types_supported": ["code"], **endpoints, **said}).encode()


def answering(body: bytes, asked: list[str]) -> Fetch:
    def fetch(url: str, *, timeout: float, max_bytes: int) -> bytes:
        asked.append(url)
        return body

    return fetch


def test_a_providers_discovery_document_is_read_again_too(
    context: Context, provider: Connection, now: datetime
) -> None:
    asked: list[str] = []
    moved = Outside(answering(discovery(token_endpoint=f"{ISSUER}/new"), asked), KeptMail())
    assert refresh_due(context, moved, now) == 0
    assert refresh_due(context, moved, now + 2 * DAY) == 1
    assert asked == [f"{ISSUER}/.well-known/openid-configuration"]
    assert load_oidc(context, provider.id).provider.token_endpoint == f"{ISSUER}/new"
    assert audit_events(context)[-1][1:] == ("connection.metadata_refreshed", {"token_endpoint": f"{ISSUER}/new"})
    assert "OpenID Connect has changed how it signs people in to Kicks Co" in mails(context, now + 2 * DAY)


@pytest.mark.parametrize(
    "body", [b"", b"[]", discovery("https://evil.example"), discovery(jwks_uri="http://op.example/")]
)
def test_a_bad_discovery_document_leaves_the_last_good_one(
    context: Context, provider: Connection, now: datetime, body: bytes
) -> None:
    with pytest.raises(Invalid):
        refresh_now(context, answering(body, []), OPERATOR, "kicks", provider.id, now)
    assert load_oidc(context, provider.id).connection == provider
    assert state(context, provider).failures == 1
    assert refresh_now(context, answering(discovery(), []), OPERATOR, "kicks", provider.id, now).changes == ()


@pytest.mark.parametrize(
    ("says", "hours"),
    [
        ('cacheDuration="PT6H"', 6),
        ('cacheDuration="PT1S"', 1),
        ('validUntil="2026-11-22T19:00:00Z"', 5),
        ('cacheDuration="PT8H" validUntil="2026-11-22T19:00:00Z"', 5),
    ],
    ids=["cache duration", "too short", "valid until", "both"],
)
def test_it_is_read_as_often_as_it_wants_but_each_hour_at_most(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime, says: str, hours: int
) -> None:
    """SAML Metadata 2.3.2."""
    later = datetime(2026, 11, 22, 9, tzinfo=UTC)
    assert now < later
    idp.body = metadata([OLD], attributes=says)
    refresh_due(context, outside, later)
    assert state(context, acme).next_at == later + hours * HOUR


@pytest.mark.parametrize("says", ['cacheDuration="P30D"', 'cacheDuration="soon"', ""])
def test_more_seldom_than_usual_it_is_not(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime, says: str
) -> None:
    idp.body = metadata([OLD], attributes=says)
    refresh_due(context, outside, now + 2 * DAY)
    assert 21 * HOUR < (state(context, acme).next_at or now) - (now + 2 * DAY) < 27 * HOUR


def test_metadata_that_should_be_signed_is_not_read_unsigned(
    context: Context, acme: Connection, idp: IdpServer, outside: Outside, now: datetime
) -> None:
    hold_metadata_to(context, OPERATOR, "kicks", acme.id, [keys("federation").certificate], now)
    idp.body = metadata([NEW])
    assert refresh_due(context, outside, now + 2 * DAY) == 0
    assert "isn't signed" in (state(context, acme).error or "")
    assert trusted(context, acme) == (OLD,)
    root = etree.fromstring(idp.body)
    root.set("ID", "_acme")
    sign(root, "federation")
    idp.body = etree.tostring(root)
    assert refresh_due(context, outside, now + 4 * DAY) == 1
    assert trusted(context, acme) == (NEW,)
