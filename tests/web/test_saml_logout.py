"""Single logout over HTTP, both ways and both bindings: it ends what it names and nothing else, and never fails to."""

import base64
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from lxml import etree
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.context import OPERATOR
from bridge.flows.own_connections import set_enabled
from bridge.flows.saml_connection import load_saml
from bridge.flows.sessions import sweep_expired
from bridge.storage.connections import find_by_uid
from bridge.storage.tables import connections, ended_logins, sign_in_attempts
from saml.bindings import open_query
from saml.markup import PERSISTENT, TRANSIENT, UNSPECIFIED
from tests.flows.audit import audit_events
from tests.flows.logins import PASSWORD, account, join, prove_domain
from tests.saml.idp import KICKS, NS, TestIdp
from tests.saml.logouts import LOGOUT_ATTACKS, LogoutAttack, posted, redirected, request, response
from tests.web.browsing import Company, Surfer, at, message_in, reference_in
from tests.world import World

MEI = "mei@kicks.example"


def now() -> datetime:
    """This moment, as messages write it."""
    return datetime.now(UTC).replace(microsecond=0)


def connect(world: World, issuer: TestIdp = KICKS, name: str = "Kicks", **idp: Any) -> Company:
    """A connection to an IdP that has an address for single logout."""
    made = create_saml(world.context, OPERATOR, "acme", SamlDraft(issuer.metadata_with_logout, name=name), now())
    company = Company(issuer, load_saml(world.context, made.id).sp, made.id)
    set_idp(world, company, **idp)
    return company


def set_idp(world: World, company: Company, **values: Any) -> None:
    """What the connection knows of its IdP is otherwise."""
    with world.context.database.writing() as connection:
        found = find_by_uid(connection, company.connection_id)
        assert found is not None
        config = {**found.config, "idp": {**found.config["idp"], **values}}
        connection.execute(update(connections).where(connections.c.id == found.key).values(config=config))


@pytest.fixture
def company(world: World) -> Company:
    """The company, whose IdP speaks single logout."""
    return connect(world)


def ask(company: Company, **said: Any) -> bytes:
    """A LogoutRequest of the company's IdP, now."""
    return request(company.sp, now(), issuer=company.idp.entity_id, **said)


def deliver(app: Flask, company: Company, sent: bytes | Mapping[str, str]) -> TestResponse:
    """A message arrives from another site, without any cookie of ours."""
    client = app.test_client()
    if isinstance(sent, bytes):
        return client.get(company.path("slo"), query_string=sent.decode())
    return client.post(company.path("slo"), data=dict(sent))


def answer_in(company: Company, told: TestResponse) -> etree._Element:
    """The LogoutResponse that the bridge sends by Redirect, its signature checked."""
    assert told.status_code == 303
    url = told.headers["Location"]
    assert url.startswith("https://idp.kicks.example/slo?SAMLResponse=")
    opened = open_query(urlsplit(url).query.encode(), company.sp.certificates)
    return etree.fromstring(opened.octets)


# -- The IdP ends sessions here ----------------------------------------------------------------------


@pytest.mark.parametrize("send", [redirected, posted], ids=["by redirect", "by post"])
def test_a_request_ends_the_session_and_is_answered(
    world: World, app: Flask, company: Company, surfer: Surfer, send: Any
) -> None:
    surfer.sign_in(app, company, session_index="_s1")
    told = deliver(app, company, send(ask(company, id="_l1", session_index=("_s1",))))
    root = answer_in(company, told)
    assert (root.get("InResponseTo"), root.get("Destination")) == ("_l1", "https://idp.kicks.example/slo")
    codes = [code.get("Value") for code in root.iter(f"{{{NS['samlp']}}}StatusCode")]
    assert codes == ["urn:oasis:names:tc:SAML:2.0:status:Success"]
    assert surfer.session() is None
    ends = [after for _, kind, after in audit_events(world.context) if kind == "session.ended"]
    assert ends == [{"by": "saml", "connection": company.connection_id}]


def test_relay_state_is_given_back_as_it_came(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    state = "ü & <script> " + "x" * 200
    told = deliver(app, company, redirected(ask(company, session_index=()), relay_state=state))
    assert parse_qs(urlsplit(told.headers["Location"]).query)["RelayState"] == [state]


def test_only_the_session_that_is_named_ends(app: Flask, company: Company) -> None:
    desk, phone, ines = Surfer(app), Surfer(app), Surfer(app)
    desk.sign_in(app, company, session_index="_s1")
    phone.sign_in(app, company, session_index="_s2")
    ines.sign_in(app, company, email="ines@kicks.example", session_index="_s1")
    deliver(app, company, redirected(ask(company, session_index=("_s1",))))
    assert [one.workspaces() for one in (desk, phone, ines)] == [[], ["acme"], ["acme"]]
    deliver(app, company, redirected(ask(company, session_index=())))
    assert [one.workspaces() for one in (desk, phone, ines)] == [[], [], ["acme"]]


def test_somebody_elses_session_index_ends_nothing(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company, session_index="_s1")
    told = deliver(app, company, redirected(ask(company, name_id="ines@kicks.example", session_index=("_s1",))))
    assert answer_in(company, told) is not None  # nothing of hers is here: done
    assert surfer.workspaces() == ["acme"]


def test_a_name_in_another_format_is_another_name(app: Flask, company: Company, surfer: Surfer) -> None:
    """SAML Core 2.2.2, 8.3: where both sides say which; many leave it out, and a name is the same then."""
    surfer.sign_in(app, company, name_id="kicks-7", name_id_format=PERSISTENT)
    named = {"name_id": "kicks-7", "session_index": ()}
    deliver(app, company, redirected(ask(company, **named, format=TRANSIENT)))
    assert surfer.workspaces() == ["acme"]
    for said in (PERSISTENT, UNSPECIFIED, None):
        before = now() - timedelta(seconds=2)
        surfer.sign_in(app, company, name_id="kicks-7", name_id_format=PERSISTENT)
        deliver(app, company, redirected(request(company.sp, before, **named, format=said)))
        assert surfer.session() is None
    surfer.sign_in(app, company, name_id="kicks-7", name_id_format=UNSPECIFIED)
    deliver(app, company, redirected(ask(company, **named, format=PERSISTENT)))
    assert surfer.session() is None


def test_a_name_of_another_domain_is_another_name(app: Flask, company: Company, surfer: Surfer) -> None:
    """SAML Core 2.2.2, 8.3.7: NameQualifier, where both sides give one."""
    named = {"name_id": "kicks-7", "session_index": (), "format": PERSISTENT}
    here = "https://idp.kicks.example/saml"
    surfer.sign_in(app, company, name_id="kicks-7", name_id_format=PERSISTENT, name_qualifier=here)
    deliver(app, company, redirected(ask(company, **named, name_qualifier="https://other.example")))
    assert surfer.workspaces() == ["acme"]
    deliver(app, company, redirected(ask(company, **named, name_qualifier=here)))
    assert surfer.session() is None
    surfer.sign_in(app, company, name_id="kicks-7", name_id_format=PERSISTENT)
    deliver(app, company, redirected(ask(company, **named, name_qualifier=here)))
    assert surfer.session() is None


# -- What was said before, and arrives after (SAML Core 3.7.3.2) --------------------------------------


@pytest.fixture
def logged_out(app: Flask, company: Company) -> datetime:
    """Mei's session `_s1` at the IdP ended a minute ago, said by a request without a limit of its own."""
    ended = now() - timedelta(minutes=1)
    deliver(
        app, company, redirected(request(company.sp, ended, name_id="kicks-7", session_index=("_s1",), format=None))
    )
    return ended


def arrive(app: Flask, company: Company, made: datetime, **said: Any) -> Surfer:
    """An answer that the IdP made then arrives now."""
    surfer = Surfer(app)
    surfer.sign_in(app, company, **{"name_id": "kicks-7", "session_index": "_s1", "issued": made, **said})
    return surfer


def test_an_assertion_of_before_its_sessions_logout_signs_nobody_in(
    world: World, app: Flask, company: Company, logged_out: datetime
) -> None:
    before = logged_out - timedelta(seconds=1)
    for index in ("_s1", None):  # of none it can't be told
        assert arrive(app, company, before, session_index=index).session() is None
    with world.context.database.reading() as rows:
        refused = select(sign_in_attempts.c.code).where(sign_in_attempts.c.outcome == "refused")
        assert rows.execute(refused).scalars().all() == ["ended_at_idp"] * 2


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (0, {}),
        (1, {}),
        (-1, {"session_index": "_s2"}),
        (-1, {"name_id": "kicks-8"}),
    ],
    ids=["in the same second", "after it", "of another session", "of somebody else"],
)
def test_what_the_logout_was_not_about_signs_in(
    app: Flask, company: Company, logged_out: datetime, after: int, said: dict[str, str]
) -> None:
    made = logged_out + timedelta(seconds=after)
    assert arrive(app, company, made, **said).workspaces() == ["acme"]


def test_an_assertion_of_before_a_logout_of_all_sessions_signs_nobody_in(app: Flask, company: Company) -> None:
    ended = now() - timedelta(minutes=1)
    said = {"name_id": "kicks-7", "session_index": (), "format": PERSISTENT}
    deliver(app, company, redirected(request(company.sp, ended, **said)))
    before = ended - timedelta(seconds=1)
    assert arrive(app, company, before, name_id_format=PERSISTENT).session() is None
    assert arrive(app, company, before).session() is None
    assert arrive(app, company, before, name_id_format=TRANSIENT).workspaces() == ["acme"]  # another name
    assert arrive(app, company, ended + timedelta(seconds=1)).workspaces() == ["acme"]


def test_another_connections_logout_refuses_nothing(world: World, app: Flask, company: Company) -> None:
    prove_domain(world, "kicks.example")
    other = connect(world, TestIdp(entity_id="https://two.example", key="other"), name="Two")
    deliver(app, other, redirected(ask(other, name_id="kicks-7", session_index=()), key="other"))
    assert arrive(app, company, now() - timedelta(minutes=1)).workspaces() == ["acme"]


@pytest.mark.parametrize(
    ("not_on_or_after", "days"),
    [(None, 1), (timedelta(minutes=5), 1), (timedelta(days=3), 3), (timedelta(days=300), 7)],
    ids=["unsaid", "minutes", "days", "months"],
)
def test_a_logout_is_remembered_for_a_day_or_as_it_says_and_a_week_at_most(
    world: World, app: Flask, company: Company, not_on_or_after: timedelta | None, days: int
) -> None:
    said = now()
    until = None if not_on_or_after is None else said + not_on_or_after
    deliver(app, company, redirected(request(company.sp, said, not_on_or_after=until)))
    for moment, left in ((timedelta(days=days, seconds=-1), 1), (timedelta(days=days), 0)):
        sweep_expired(world.context, said + moment)
        with world.context.database.reading() as rows:
            assert len(rows.execute(select(ended_logins)).all()) == left


def test_another_connection_of_the_workspace_ends_nothing(world: World, app: Flask, company: Company) -> None:
    prove_domain(world, "kicks.example")  # so that both may vouch for her
    other = connect(world, TestIdp(entity_id="https://two.example", key="other"), name="Two")
    surfer = Surfer(app)
    surfer.sign_in(app, company, session_index="_s1")
    surfer.sign_in(app, other, session_index="_s1")
    assert len(surfer.session()["authenticated_by"]) == 2
    deliver(app, other, redirected(ask(other, session_index=("_s1",)), key="other"))
    (left,) = surfer.session()["authenticated_by"]
    assert left["connection"] == company.connection_id


def test_what_else_the_session_holds_stays(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    join(world, account(world, MEI, password=PASSWORD))
    surfer.enter_password(MEI, PASSWORD)
    surfer.sign_in(app, company, session_index="_s1")
    deliver(app, company, redirected(ask(company, session_index=("_s1",))))
    assert [one["kind"] for one in surfer.session()["authenticated_by"]] == ["password"]


def test_a_transient_name_ends_what_it_named(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company, name_id="_t1", name_id_format=TRANSIENT, session_index=None)
    deliver(app, company, redirected(ask(company, name_id="_t2", format=TRANSIENT, session_index=())))
    assert surfer.workspaces() == ["acme"]
    deliver(app, company, redirected(ask(company, name_id="_t1", format=TRANSIENT, session_index=())))
    assert surfer.session() is None


def test_a_login_under_way_ends_too(app: Flask, company: Company, surfer: Surfer) -> None:
    """SAML Core 3.7.3.2: its answer was proved, and the browser has not fetched it yet."""
    form = company.answer(in_response_to=surfer.start(company), session_index="_s1")
    fetched = app.test_client().post(company.path("acs"), data=form).headers["Location"]
    deliver(app, company, redirected(ask(company, session_index=("_s1",))))
    assert surfer.get(fetched).status_code == 403
    assert surfer.session() is None


@pytest.mark.parametrize("send", [redirected, posted], ids=["by redirect", "by post"])
def test_a_request_counts_once(app: Flask, company: Company, surfer: Surfer, send: Any) -> None:
    sent = send(ask(company, session_index=()))
    answer_in(company, deliver(app, company, sent))
    surfer.sign_in(app, company)
    again = deliver(app, company, sent)
    assert (again.status_code, reference_in(again) is not None) == (403, True)
    assert surfer.workspaces() == ["acme"]


def test_it_is_answered_by_post_where_the_idp_takes_that(world: World, app: Flask, surfer: Surfer) -> None:
    company = connect(world, slo_by_post=True)
    surfer.sign_in(app, company)
    told = deliver(app, company, redirected(ask(company, session_index=()), relay_state="theirs"))
    (form,) = etree.HTML(told.text).iter("form")
    fields = {field.get("name"): field.get("value", "") for field in form.iter("input")}
    assert (form.get("action"), fields["RelayState"]) == ("https://idp.kicks.example/slo", "theirs")
    assert b"SignatureValue" in base64.b64decode(fields["SAMLResponse"])
    assert "form-action 'self' https: http:;" in told.headers["Content-Security-Policy"]
    assert surfer.session() is None


def test_an_idp_without_an_address_for_answers_gets_none(world: World, app: Flask, surfer: Surfer) -> None:
    company = connect(world)
    surfer.sign_in(app, company)
    set_idp(world, company, slo_url=None)
    told = deliver(app, company, redirected(ask(company, session_index=())))
    assert told.headers["Location"] == "/logout?sso=done"
    assert surfer.session() is None


# -- The bridge tells the IdP ------------------------------------------------------------------------


def leave(surfer: Surfer) -> TestResponse:
    """Sign out by the button."""
    return surfer.submit("/logout", surfer.get("/logout"))


def test_signing_out_here_tells_the_idp(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(
        app, company, session_index="_s1", name_id="kicks-7", name_id_format=PERSISTENT, sp_name_qualifier=None
    )
    told = leave(surfer)
    assert surfer.session() is None  # ours first, whatever becomes of the message
    url = told.headers["Location"]
    assert url.startswith("https://idp.kicks.example/slo?SAMLRequest=")
    root = etree.fromstring(open_query(urlsplit(url).query.encode(), company.sp.certificates).octets)
    named = root.find("saml:NameID", NS)
    assert named is not None
    assert (named.text, named.get("Format")) == ("kicks-7", PERSISTENT)
    assert root.findtext("samlp:SessionIndex", None, NS) == "_s1"
    shown = surfer.get(_answered(app, company, root.get("ID", "")).headers["Location"])
    assert "You are signed out" in shown.text
    assert "didn’t confirm" not in shown.text


def test_from_any_page_it_goes_by_a_page_in_between(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    told = surfer.submit("/logout", surfer.get("/logout"), **{"from": "page"})
    assert told.status_code == 200
    assert told.headers["Refresh"].startswith("0; url=https://idp.kicks.example/slo?SAMLRequest=")
    assert surfer.session() is None


def _answered(app: Flask, company: Company, request_id: str, **said: Any) -> TestResponse:
    xml = response(request_id, company.sp, now(), issuer=company.idp.entity_id, **said)
    return deliver(app, company, redirected(xml, field="SAMLResponse", key=company.idp.key))


@pytest.mark.parametrize("status", [{"status": "Responder", "inner": "PartialLogout"}, {"status": "Requester"}])
def test_a_logout_that_the_idp_could_not_finish_is_said_plainly(
    app: Flask, company: Company, surfer: Surfer, status: dict[str, str]
) -> None:
    surfer.sign_in(app, company)
    request_id = message_in(leave(surfer).headers["Location"]).get("ID", "")
    told = _answered(app, company, request_id, **status)
    assert told.headers["Location"] == "/logout?sso=partial"
    shown = surfer.get("/logout?sso=partial")
    assert "didn’t confirm that you are signed out everywhere" in shown.text


def test_an_answer_counts_once_and_for_its_own_connection(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    other = connect(world, TestIdp(entity_id="https://two.example", key="other"), name="Two")
    surfer.sign_in(app, company)
    request_id = message_in(leave(surfer).headers["Location"]).get("ID", "")
    assert _answered(app, other, request_id).status_code == 403
    assert _answered(app, company, "_x" + request_id).status_code == 403
    assert _answered(app, company, request_id).status_code == 303
    assert _answered(app, company, request_id).status_code == 403


def test_each_idp_of_the_session_is_told_one_after_the_other(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    prove_domain(world, "kicks.example")
    two = TestIdp(entity_id="https://two.example", base_url="https://two.example", key="other")
    other = connect(world, two, name="Two")
    surfer.sign_in(app, company)
    surfer.sign_in(app, other)
    first = leave(surfer).headers["Location"]
    assert first.startswith("https://two.example/slo?")
    answered = _answered(app, other, message_in(first).get("ID", ""), status="Requester").headers["Location"]
    assert answered.startswith(f"{other.path('slo')}/next?handle=")
    second = surfer.get(answered).headers["Location"]
    assert second.startswith("https://idp.kicks.example/slo?")
    last = _answered(app, company, message_in(second).get("ID", "")).headers["Location"]
    assert last == "/logout?sso=partial"  # the first refused


def test_only_the_browser_that_signed_out_is_led_to_the_next_idp(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    """An IdP that answers by itself, in the browser's place, doesn't read the name at the next."""
    prove_domain(world, "kicks.example")
    two = TestIdp(entity_id="https://two.example", base_url="https://two.example", key="other")
    other = connect(world, two, name="Two")
    stranger = Surfer(app)
    stranger.start(company)  # has a cookie, of its own
    for thief in (app.test_client(), stranger.client):
        surfer.sign_in(app, company, name_id="kicks-7")
        surfer.sign_in(app, other)
        request_id = message_in(leave(surfer).headers["Location"]).get("ID", "")
        handle = _answered(app, other, request_id).headers["Location"]
        told = thief.get(handle)
        assert (told.status_code, "Location" in told.headers, "kicks-7" in told.text) == (403, False, False)
        assert surfer.get(handle).status_code == 403  # spent by that


def test_a_chain_is_followed_for_a_minute_once_and_from_its_own_connection(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    prove_domain(world, "kicks.example")
    two = TestIdp(entity_id="https://two.example", base_url="https://two.example", key="other")
    other = connect(world, two, name="Two")

    def answered() -> str:
        surfer.sign_in(app, company)
        surfer.sign_in(app, other)
        return _answered(app, other, message_in(leave(surfer).headers["Location"]).get("ID", "")).headers["Location"]

    late, elsewhere, good = answered(), answered(), answered()
    with at(app, now() + timedelta(seconds=62)):
        assert surfer.get(late).status_code == 403
    assert surfer.get(elsewhere.replace(other.connection_id, company.connection_id)).status_code == 403
    assert [surfer.get(good).status_code for _ in range(2)] == [303, 403]


def test_a_browser_that_lost_its_cookie_is_given_one_to_follow_the_chain(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    prove_domain(world, "kicks.example")
    two = TestIdp(entity_id="https://two.example", base_url="https://two.example", key="other")
    other = connect(world, two, name="Two")
    for source in ("", "page"):
        surfer.sign_in(app, company)
        surfer.sign_in(app, other)
        surfer.client.delete_cookie("bridge_browser")
        told = surfer.submit("/logout", surfer.get("/logout"), **({"from": source} if source else {}))
        url = told.headers.get("Location") or told.headers["Refresh"].partition("url=")[2]
        answered = _answered(app, other, message_in(url).get("ID", ""))
        assert surfer.get(answered.headers["Location"]).headers["Location"].startswith("https://idp.kicks.example/")


def test_who_never_hears_from_the_idp_is_signed_out_all_the_same(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    cookie = surfer.client.get_cookie("bridge_session")
    assert cookie is not None
    leave(surfer)
    surfer.client.set_cookie("bridge_session", cookie.value)
    assert surfer.session() is None


@pytest.mark.parametrize("how", ["disabled", "no address"])
def test_an_idp_that_cannot_be_told_is_left_out(
    world: World, app: Flask, company: Company, surfer: Surfer, how: str
) -> None:
    join(world, account(world, MEI, password=PASSWORD))
    surfer.enter_password(MEI, PASSWORD)
    surfer.sign_in(app, company)
    if how == "disabled":
        set_enabled(world.context, OPERATOR, "acme", company.connection_id, False, now())
    else:
        set_idp(world, company, slo_url=None)
    assert leave(surfer).headers["Location"] == "/logout?sso=partial"
    assert surfer.session() is None


def test_by_post_where_the_idp_takes_that(world: World, app: Flask, surfer: Surfer) -> None:
    company = connect(world, slo_by_post=True)
    surfer.sign_in(app, company)
    told = leave(surfer)
    (form,) = etree.HTML(told.text).iter("form")
    (field,) = form.iter("input")
    assert (form.get("action"), field.get("name")) == ("https://idp.kicks.example/slo", "SAMLRequest")
    root = etree.fromstring(base64.b64decode(field.get("value", "")))
    xml = response(root.get("ID", ""), company.sp, now())
    assert deliver(app, company, posted(xml, field="SAMLResponse")).status_code == 303


def test_without_an_idp_that_wants_to_know_one_is_just_signed_out(world: World, app: Flask, surfer: Surfer) -> None:
    join(world, account(world, MEI, password=PASSWORD))
    surfer.enter_password(MEI, PASSWORD)
    assert leave(surfer).headers["Location"] == "/login"


def test_metadata_names_the_address_in_both_bindings(company: Company, surfer: Surfer) -> None:
    root = etree.fromstring(surfer.get(company.path("metadata")).data)
    services = list(root.iter("{urn:oasis:names:tc:SAML:2.0:metadata}SingleLogoutService"))
    assert [one.get("Location") for one in services] == [f"http://localhost:8000{company.path('slo')}"] * 2
    assert len({one.get("Binding") for one in services}) == 2


# -- Refused -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", LOGOUT_ATTACKS, ids=lambda attack: attack.name)
def test_a_bad_message_is_a_refusal_with_its_reference_and_ends_nothing(
    world: World, app: Flask, attack: LogoutAttack
) -> None:
    """The attacks of tests/saml: some name other addresses and times here, and are refused for that."""
    company, surfer = connect(world), Surfer(app)
    surfer.sign_in(app, company, session_index="_session1")
    told = deliver(app, company, attack.make())
    assert 400 <= told.status_code < 500
    assert "Location" not in told.headers
    with world.context.database.reading() as rows:
        refs = set(
            rows.execute(select(sign_in_attempts.c.ref).where(sign_in_attempts.c.outcome == "refused")).scalars()
        )
    assert reference_in(told) in refs
    assert surfer.workspaces() == ["acme"]
    answer_in(company, deliver(app, company, redirected(ask(company))))  # the next good one works
    assert surfer.session() is None


BAD: dict[str, Any] = {
    "unsigned": lambda company: redirected(ask(company)).partition(b"&SigAlg=")[0],
    "by another key": lambda company: redirected(ask(company), key="mallory"),
    "unsigned, by post": lambda company: posted(ask(company), signed=False),
    "by another key, by post": lambda company: posted(ask(company), key="mallory"),
    "to the place for answers": lambda company: redirected(ask(company, destination=company.sp.acs_url)),
    "of another connection": lambda company: redirected(ask(replace_slo(company))),
    "of another issuer": lambda company: redirected(request(company.sp, now(), issuer="https://evil.example")),
    "old": lambda company: redirected(request(company.sp, datetime(2026, 1, 1, tzinfo=UTC), not_on_or_after=None)),
}


def replace_slo(company: Company) -> Company:
    """The same for another address of ours."""
    elsewhere = "http://localhost:8000/saml/00000000-0000-4000-8000-000000000000/slo"
    return Company(company.idp, replace(company.sp, slo_url=elsewhere), company.connection_id)


@pytest.mark.parametrize("bad", BAD)
def test_what_is_good_but_for_one_thing_ends_nothing(app: Flask, company: Company, surfer: Surfer, bad: str) -> None:
    surfer.sign_in(app, company, session_index="_session1")
    told = deliver(app, company, BAD[bad](company))
    assert (told.status_code, reference_in(told) is not None) == (403, True), told.text
    assert surfer.workspaces() == ["acme"]


def test_two_messages_in_one_form_or_beside_it_are_refused(app: Flask, company: Company) -> None:
    form = posted(ask(company, session_index=()))
    encoded = form["SAMLRequest"]
    client, path = app.test_client(), company.path("slo")
    for told in (
        client.post(path, data={"SAMLRequest": [encoded, encoded]}),
        client.post(path, data=form, query_string=redirected(ask(company)).decode()),
        client.post(path, data=form, content_type="multipart/form-data"),
        client.post(path, data={"SAMLRequest": "A" * 700_000}),
        client.post(path),
        client.get(path),
    ):
        assert 400 <= told.status_code < 500, told.status_code
    assert deliver(app, company, form).status_code == 303


def test_there_is_no_logout_where_there_is_no_connection(app: Flask) -> None:
    path = "/saml/00000000-0000-4000-8000-000000000000/slo"
    assert app.test_client().get(path).status_code == 404
    assert app.test_client().post(path).status_code == 404
