"""Owners are warned of certificates and tokens that end: once each, by mail and audit event (issue: SAML; 4.2)."""

import threading
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bridge.domain.mail import Mail
from bridge.domain.workspace import Connection
from bridge.flows.administer import NewWorkspace
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.context import OPERATOR, Context
from bridge.flows.deliver import deliver_due
from bridge.flows.own_connections import set_enabled
from bridge.flows.rotate_key import begin_rotation, finish_rotation
from bridge.flows.tokens import create_scim_token
from bridge.flows.trusted_idp import replace_metadata
from bridge.flows.warn_expiries import connection_expiries, near_expiries, warn_of_expiries
from bridge.storage.secret_box import SecretBox
from tests.flows.audit import audit_events
from tests.flows.idp_server import certificate, metadata
from tests.flows.mailer import KeptMail

DAY = timedelta(days=1)


@pytest.fixture
def acme(context: Context, made: NewWorkspace, now: datetime) -> Connection:
    """A connection whose IdP's only certificate ends in 40 days."""
    return create_saml(context, OPERATOR, "kicks", SamlDraft(ending(now, 40), name="Acme"), now)


def ending(now: datetime, *days: int) -> bytes:
    """An IdP's metadata with certificates that end in so many days."""
    return metadata([certificate(f"ends in {after}", now + after * DAY) for after in days])


def mailed(context: Context, now: datetime) -> list[Mail]:
    mailer = KeptMail()
    deliver_due(context, mailer, now)
    return mailer.sent


def warned_days(context: Context, now: datetime, days: int) -> list[tuple[int, str]]:
    """Have it looked at twice a day for so many days: when which mail came."""
    mailed(context, now)
    told = []
    for half in range(2 * days):
        moment = now + half * DAY / 2
        warn_of_expiries(context, moment)
        told += [(half // 2, mail.subject) for mail in mailed(context, moment)]
    return told


def test_an_idps_certificate_is_warned_of_four_times(context: Context, acme: Connection, now: datetime) -> None:
    told = warned_days(context, now, 90)
    assert [day for day, _ in told] == [10, 26, 37, 40]
    assert [subject.split(" on ")[0] for _, subject in told] == [
        *["The certificate of Acme ends"] * 3,
        "The certificate of Acme ended",
    ]
    events = [event for event in audit_events(context) if "certificate_" in event[1]]
    assert [kind for _, kind, _ in events] == [
        *["connection.certificate_ending"] * 3,
        "connection.certificate_ended",
    ]
    assert [after["warned_at"] for _, _, after in events] == [30, 14, 3, 0]
    assert all(actor == "system" for actor, _, _ in events)


def test_the_mail_says_what_ends_and_what_to_do(context: Context, acme: Connection, now: datetime) -> None:
    mailed(context, now)
    warn_of_expiries(context, now + 38 * DAY)
    [mail] = mailed(context, now + 38 * DAY)
    assert mail.to == "marcus@kicks.example"
    assert "Kicks Co with a certificate that ends on 30 December 2026, 09:00 UTC" in mail.text
    assert "new metadata" in mail.text
    assert "new metadata" in (mail.html or "")


def test_while_another_is_good_nobody_is_warned(context: Context, acme: Connection, now: datetime) -> None:
    replace_metadata(context, OPERATOR, "kicks", acme.id, ending(now, 40, 800), now)
    assert warned_days(context, now, 60) == []


def test_a_new_certificate_ends_the_warnings(context: Context, acme: Connection, now: datetime) -> None:
    assert warn_of_expiries(context, now + 27 * DAY) == 1
    replace_metadata(context, OPERATOR, "kicks", acme.id, ending(now, 800), now)
    assert warn_of_expiries(context, now + 38 * DAY) == 0


def test_who_was_away_is_warned_once_not_for_what_went_by(context: Context, acme: Connection, now: datetime) -> None:
    assert [warn_of_expiries(context, now + day * DAY) for day in (38, 38, 39, 41, 75, 80)] == [1, 0, 0, 1, 0, 0]


def test_connections_that_are_off_are_not_warned_of(context: Context, acme: Connection, now: datetime) -> None:
    set_enabled(context, OPERATOR, "kicks", acme.id, False, now)
    assert warn_of_expiries(context, now + 38 * DAY) == 0


def test_our_own_certificate_is_warned_of_until_its_key_is_rotated(
    context: Context, okta: Connection, now: datetime
) -> None:
    replace_metadata(context, OPERATOR, "kicks", okta.id, ending(now, 9000), now)
    [ours] = [one for one in connection_expiries(context, "kicks", now)[okta.id] if one.kind == "our_certificate"]
    mailed(context, now)
    assert warn_of_expiries(context, ours.ends_at - 10 * DAY) == 1
    [mail] = mailed(context, ours.ends_at)
    assert mail.subject.startswith("The bridge’s certificate for Okta ends on")
    begin_rotation(context, OPERATOR, "kicks", okta.id, ours.ends_at - 9 * DAY)
    assert warn_of_expiries(context, ours.ends_at - 2 * DAY) == 1
    finish_rotation(context, OPERATOR, "kicks", okta.id, ours.ends_at - 2 * DAY)
    assert warn_of_expiries(context, ours.ends_at + DAY) == 0


def test_tokens_are_warned_of(context: Context, okta: Connection, now: datetime) -> None:
    create_scim_token(context, OPERATOR, "kicks", okta.id, 60, "", now)
    create_scim_token(context, OPERATOR, "kicks", okta.id, None, "", now)
    assert [day for day, _ in warned_days(context, now, 90)] == [30, 46, 57, 60]
    kinds = [kind for _, kind, _ in audit_events(context) if kind.startswith("token.e")]
    assert kinds == ["token.ending", "token.ending", "token.ending", "token.ended"]


def test_two_workers_warn_once(context: Context, acme: Connection, now: datetime) -> None:
    given: list[int] = []
    look = [lambda: given.append(warn_of_expiries(context, now + 38 * DAY))] * 4
    threads = [threading.Thread(target=one) for one in look]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(given) == [0, 0, 0, 1]


def test_pages_are_told_the_first_end_first(
    context: Context, acme: Connection, okta: Connection, now: datetime
) -> None:
    replace_metadata(context, OPERATOR, "kicks", acme.id, ending(now, 20, 40), now)
    found = connection_expiries(context, "kicks", now)
    assert [one.kind for one in found[acme.id]] == ["idp_certificate", "our_certificate"]
    assert found[acme.id][0].ends_at == now + 40 * DAY
    assert set(found) == {acme.id, okta.id}


def test_an_operator_sees_what_is_near(context: Context, acme: Connection, okta: Connection, now: datetime) -> None:
    create_scim_token(context, OPERATOR, "kicks", okta.id, 30, "", now)
    assert [one.name for one in near_expiries(context, now)] == ["Okta provisioning"]
    assert [one.name for one in near_expiries(context, now + 20 * DAY)] == ["Okta provisioning", "Acme"]


def test_a_connection_whose_key_is_gone_holds_up_no_warning(context: Context, acme: Connection, now: datetime) -> None:
    without = replace(context, secrets=SecretBox(("another key, long enough",)))
    assert [one.kind for one in connection_expiries(without, "kicks", now)[acme.id]] == ["idp_certificate"]
    assert warn_of_expiries(without, now + 38 * DAY) == 1
