"""What Twilio tells by itself: logout tokens, and Security Event Tokens by RFC 8935 (product.md 3.4)."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from bridge.storage.tables import audit, users
from tests.databases import sqlite_alone
from tests.flows.logins import PASSWORD, account, join
from tests.web.browsing import Surfer
from tests.web.provider import Provider, impatient, json_answer, key, running_provider
from tests.web.twilio import CAEP, RENAMED, RISC, TwilioSide, set_up
from tests.world import World

ANN = "ann@acme.example"
MOVED, PURGED, DISABLED = f"{RISC}/identifier-changed", f"{RISC}/account-purged", f"{RISC}/account-disabled"
REVOKED, CREDENTIALS = f"{CAEP}/session-revoked", f"{CAEP}/credential-change"
engine = sqlite_alone  # one engine will do: what is written is written by flows that have their tests on both


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def twilio(world: World, app: Flask, provider: Provider) -> TwilioSide:
    impatient(app, 5)
    provider.answers.clear()
    return TwilioSide(provider, set_up(world, app, provider))


@pytest.fixture
def ann(world: World, twilio: TwilioSide, app: Flask) -> Surfer:
    """A member, linked to the Twilio user `mei`, who came by Twilio alone, in its session s1."""
    join(world, account(world, ANN, password=PASSWORD))
    twilio.link(Surfer(app), ANN, PASSWORD, email=ANN, name="Ann", sid="s0")
    surfer = Surfer(app)
    twilio.log_in(surfer, email=ANN, name="Ann", sid="s1")
    assert surfer.workspaces() == ["acme"]
    return surfer


def told_of(world: World, kind: str) -> list[Any]:
    with world.context.database.reading() as rows:
        return list(rows.execute(select(audit.c.after).where(audit.c.type == kind)).scalars())


# -- Signing out there -------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [{"sid": "s1"}, {"sub": None, "sid": "s1"}, {}], ids=["both", "session", "person"])
def test_a_logout_there_ends_the_login_here_once(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, said: dict[str, Any]
) -> None:
    token = twilio.provider.logout_token(**said)
    posted = [client.post("/twilio/backchannel-logout", data={"logout_token": token}) for _ in range(2)]
    assert [one.status_code for one in posted] == [200, 400]
    assert ann.session() is None


def test_a_logout_of_another_session_or_person_ends_nothing(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient
) -> None:
    for said in ({"sid": "s2"}, {"sub": "another"}):
        token = twilio.provider.logout_token(**said)
        assert client.post("/twilio/backchannel-logout", data={"logout_token": token}).status_code == 200
    assert ann.session() is not None


def test_an_answer_of_before_the_logout_signs_nobody_in(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, app: Flask
) -> None:
    late = Surfer(app)
    location = twilio.provider.consent(twilio.start(late), sid="s9", email=ANN)
    client.post("/twilio/backchannel-logout", data={"logout_token": twilio.provider.logout_token(sid="s9")})
    assert twilio.come_back(late, location).status_code == 403
    assert late.session() is None


def test_nor_does_one_of_before_a_logout_of_the_whole_person(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, app: Flask
) -> None:
    now, late = int(datetime.now(UTC).timestamp()), Surfer(app)
    everywhere = twilio.provider.logout_token(iat=now - 5, sid=None)
    assert client.post("/twilio/backchannel-logout", data={"logout_token": everywhere}).status_code == 200
    assert ann.session() is None
    assert twilio.log_in(late, email=ANN, iat=now - 10, sid="s9").status_code == 403
    twilio.log_in(late, email=ANN, iat=now, sid="s9")
    assert late.workspaces() == ["acme"]


@pytest.mark.parametrize("said", [{"aud": "another"}, {"iss": "https://evil.example"}, {"events": {}}, {"nonce": "n"}])
def test_a_logout_token_that_isnt_good_ends_nothing(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, said: dict[str, Any]
) -> None:
    token = twilio.provider.logout_token(**said)
    told = client.post("/twilio/backchannel-logout", data={"logout_token": token})
    assert (told.status_code, told.json and told.json["error"]) == (400, "invalid_request")
    assert ann.session() is not None


# -- Events ------------------------------------------------------------------------------------------


def test_a_new_name_arrives_without_a_login(world: World, twilio: TwilioSide, ann: Surfer, client: FlaskClient) -> None:
    told = twilio.push(client, twilio.event(RENAMED, event={"claims": {"name": "Ann Marie"}}))
    assert (told.status_code, told.data) == (202, b"")
    assert ann.session()["user"]["name"] == "Ann Marie"
    assert told_of(world, "user.renamed") == [{"name": "Ann"}, {"name": "Ann Marie"}]


def test_a_new_address_arrives_by_the_account_it_names(twilio: TwilioSide, ann: Surfer, client: FlaskClient) -> None:
    event = {"new-value": "ann@home.example", "email_verified": True}
    event["account"] = {"format": "iss_sub", "iss": twilio.provider.url, "sub": "mei"}
    twilio.push(client, twilio.event(MOVED, event=event, sub_id={"format": "email", "email": ANN}))
    assert ann.session()["user"]["email"] == "ann@home.example"


@pytest.mark.parametrize(
    ("event", "about"),
    [
        pytest.param({"new-value": "x@home.example"}, {}, id="nobody says verified"),
        pytest.param({"new-value": "not an address", "email_verified": True}, {}, id="no address"),
        pytest.param(
            {"new-value": "x@home.example", "email_verified": True}, {"iss": "https://e.example"}, id="other issuer"
        ),
        pytest.param({"new-value": "x@home.example", "email_verified": True}, {"format": "email"}, id="by address"),
        pytest.param({"new-value": "x@home.example", "email_verified": True}, {"sub": "another"}, id="other person"),
    ],
)
def test_an_event_that_says_too_little_changes_nothing(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, event: dict[str, Any], about: dict[str, str]
) -> None:
    whose = {"format": "iss_sub", "iss": twilio.provider.url, "sub": "mei"} | about
    assert twilio.push(client, twilio.event(MOVED, event=event, sub_id=whose)).status_code == 202
    assert ann.session()["user"]["email"] == ANN


def test_an_event_counts_once_and_what_is_older_than_the_last_word_not_at_all(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient
) -> None:
    first = twilio.event(RENAMED, event={"claims": {"name": "First"}})
    second = twilio.event(RENAMED, event={"claims": {"name": "Second"}})
    long_ago = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    older = twilio.event(RENAMED, event={"claims": {"name": "Older"}}, iat=long_ago)
    for token in (first, second, first, older):
        assert twilio.push(client, token).status_code == 202
    assert ann.session()["user"]["name"] == "Second"


def test_a_session_that_was_ended_there_ends_here(twilio: TwilioSide, ann: Surfer, client: FlaskClient) -> None:
    person = {"format": "iss_sub", "iss": twilio.provider.url, "sub": "mei"}
    for sid, stays in (("s7", True), ("s1", False)):
        about = {"format": "complex", "user": person, "session": {"format": "opaque", "id": sid}}
        assert twilio.push(client, twilio.event(REVOKED, sub_id=about)).status_code == 202
        assert (ann.session() is not None) is stays


def test_a_disabled_account_is_signed_out_and_stays_linked(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, app: Flask
) -> None:
    twilio.push(client, twilio.event(DISABLED, iat=int(datetime.now(UTC).timestamp()) - 5))
    assert ann.session() is None
    twilio.log_in(again := Surfer(app), email=ANN, sid="s2")
    assert again.workspaces() == ["acme"]


@pytest.mark.parametrize("kind", [DISABLED, REVOKED], ids=["disabled", "every-session"])
def test_an_answer_of_before_all_of_them_ended_signs_nobody_in(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, app: Flask, kind: str
) -> None:
    now, late = int(datetime.now(UTC).timestamp()), Surfer(app)
    twilio.push(client, twilio.event(kind, iat=now - 5))
    twilio.push(client, twilio.event(kind, iat=now - 60))
    assert twilio.log_in(late, email=ANN, iat=now - 10, sid="s8").status_code == 403
    assert late.session() is None
    twilio.log_in(late, email=ANN, iat=now, sid="s9")
    assert late.workspaces() == ["acme"]


def test_an_event_that_only_names_a_session_ends_none(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, app: Flask
) -> None:
    about = {"format": "complex", "user": {"format": "iss_sub", "iss": twilio.provider.url, "sub": "mei"}}
    about |= {"session": {"format": "opaque", "id": "s1"}}
    for kind in (CREDENTIALS, "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change"):
        assert twilio.push(client, twilio.event(kind, sub_id=about)).status_code == 202
    assert ann.session() is not None
    twilio.log_in(again := Surfer(app), email=ANN, sid="s1")
    assert again.workspaces() == ["acme"]


def test_closing_the_twilio_account_unlinks_and_deletes_nothing(
    world: World, twilio: TwilioSide, ann: Surfer, client: FlaskClient, app: Flask
) -> None:
    late = Surfer(app)
    location = twilio.provider.consent(twilio.start(late), sid="s9", email=ANN)
    twilio.mails()
    twilio.push(client, twilio.event(PURGED))
    assert ann.session() is None
    assert twilio.come_back(late, location).status_code == 403
    with world.context.database.reading() as rows:
        left = rows.execute(select(users.c.email, users.c.twilio_sub, users.c.closed_at).where(users.c.email == ANN))
        assert [tuple(row) for row in left] == [(ANN, None, None)]
    again = Surfer(app)
    again.enter_password(ANN, PASSWORD)
    assert again.workspaces() == ["acme"]
    assert [mail.subject for mail in twilio.mails()] == ["Your Twilio account was closed"]


def test_a_changed_credential_there_is_told_here(
    world: World, twilio: TwilioSide, ann: Surfer, client: FlaskClient
) -> None:
    twilio.push(client, twilio.event(CREDENTIALS, event={"credential_type": "password", "change_type": "update"}))
    assert told_of(world, "user.twilio_credentials_changed") == [None]
    assert ann.session() is not None


@pytest.mark.parametrize(
    ("said", "err"),
    [
        pytest.param({"iss": "https://evil.example"}, "invalid_issuer", id="issuer"),
        pytest.param({"aud": "another"}, "invalid_audience", id="audience"),
        pytest.param({"typ": "JWT"}, "invalid_request", id="an ID token's type"),
        pytest.param({"typ": "logout+jwt"}, "invalid_request", id="a logout token's type"),
        pytest.param({"nonce": "n"}, "invalid_request", id="nonce"),
        pytest.param({"exp": 4102444800}, "invalid_request", id="exp"),
        pytest.param({"jti": None}, "invalid_request", id="no id"),
        pytest.param({"iat": None}, "invalid_request", id="no time"),
        pytest.param({"iat": 1}, "invalid_request", id="too old"),
        pytest.param({"iat": 4102444800}, "invalid_request", id="from the future"),
        pytest.param({"events": {}}, "invalid_request", id="no event"),
        pytest.param({"events": {"a": {}, "b": {}}}, "invalid_request", id="two events"),
        pytest.param({"events": {RENAMED: "x"}}, "invalid_request", id="no object"),
    ],
)
def test_a_token_that_isnt_good_is_refused_by_its_reason(
    twilio: TwilioSide, ann: Surfer, client: FlaskClient, said: dict[str, Any], err: str
) -> None:
    told = twilio.push(client, twilio.event(RENAMED, event={"claims": {"name": "Mallory"}}, **said))
    assert told.status_code == 400
    assert told.json is not None
    assert told.json["err"] == err
    assert told.json["description"]
    assert ann.session()["user"]["name"] == "Ann"


def test_a_token_by_a_key_that_isnt_twilios_is_refused(twilio: TwilioSide, ann: Surfer, client: FlaskClient) -> None:
    token = twilio.event(RENAMED, event={"claims": {"name": "Mallory"}})
    published = json_answer({"keys": [key("other").as_dict(private=False)]})
    twilio.provider.answers["/keys"] = lambda: published
    head, claims, _ = token.split(".")
    _, _, signature = twilio.event(RENAMED).split(".")
    told = twilio.push(client, f"{head}.{claims}.{signature}")
    assert (told.status_code, told.json and told.json["err"]) == (400, "invalid_key")
    assert ann.session()["user"]["name"] == "Ann"


@pytest.mark.parametrize("body", [b"", b"a.b.c", b"\xff\xfe", b"." * 399_000, b"{}", b"[" * 10_000])
def test_nonsense_is_a_400(twilio: TwilioSide, client: FlaskClient, body: bytes) -> None:
    told = client.post("/twilio/events", data=body, content_type="application/secevent+jwt")
    assert told.status_code == 400
    assert told.json is not None
    assert told.json["err"] == "invalid_request"


def test_another_type_a_get_and_a_bridge_without_twilio_are_told_apart(
    world: World, twilio: TwilioSide, client: FlaskClient, app: Flask
) -> None:
    assert client.post("/twilio/events", data="x", content_type="text/plain").status_code == 400
    assert client.get("/twilio/events").status_code == 405
    assert (
        client.post("/twilio/events", data=b"x" * 500_000, content_type="application/secevent+jwt").status_code == 413
    )
    app.extensions["bridge"] = world.context
    assert twilio.push(client, twilio.event(RENAMED)).status_code == 404
