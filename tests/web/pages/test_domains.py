"""The page Domains: claimed, told what proves it, looked for, routed, let go."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask

from bridge.domain.domains import Domain, Looked
from bridge.flows.administer import set_plan
from bridge.flows.domains import add_domain, list_domains, trust_domain
from bridge.flows.own_connections import set_enabled
from bridge.outside.calls import Calls
from bridge.web.current import OUTSIDE
from tests.web.browsing import Surfer
from tests.web.pages.conftest import Acme, Send
from tests.world import World

PAGE = "/w/acme/domains"
ABSENT = Looked(problem="There is no name _bridge-challenge.acme.example in DNS.", absent=frozenset({"dns", "meta"}))


@pytest.fixture
def published(app: Flask) -> Iterator[set[str]]:
    """The tokens that DNS has."""
    tokens: set[str] = set()
    before = app.extensions[OUTSIDE]
    app.extensions[OUTSIDE] = replace(
        before, look_for_proof=lambda _, token: Looked("dns") if token in tokens else ABSENT, errands=Calls()
    )
    yield tokens
    app.extensions[OUTSIDE] = before


def claims(acme: Acme) -> tuple[Domain, ...]:
    return list_domains(acme.world.context, "acme")


def test_a_claim_says_what_to_put_where(acme: Acme, olga: Surfer, send: Send) -> None:
    assert "No domain yet" in olga.get(PAGE).text
    told = send(PAGE, domain="Acme.EXAMPLE", connection=acme.world.connection.id)
    assert told.headers["Location"].endswith("/domains?selected=acme.example")
    [made] = claims(acme)
    assert made.connection_id == acme.world.connection.id
    shown = olga.get(told.headers["Location"]).text
    assert '<code id="record-name">_bridge-challenge.acme.example</code>' in shown
    assert f'<code id="record-value">{made.token}</code>' in shown
    assert "&lt;meta name=&#34;bridge-domain-verification&#34;" in shown
    assert "Not proved" in shown
    assert "Verify now" in shown


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("co.uk", "everybody can register"),
        ("gmail.com", "Anybody can have"),
        ("", "is no domain"),
        ("<b>", "no domain"),
    ],
)
def test_what_cannot_be_claimed_is_told_beside_the_field(acme: Acme, send: Send, name: str, text: str) -> None:
    told = send(PAGE, domain=name)
    assert told.status_code == 422
    assert text in told.text.partition('id="f-domain-error"')[2]
    assert claims(acme) == ()


def test_a_domain_of_another_workspace_is_claimed_without_saying_by_whom(acme: Acme, other: World, send: Send) -> None:
    add_domain(other.context, "operator", "other", "shared.example", None, other.now)
    trust_domain(other.context, "operator", "other", "shared.example", other.now)
    told = send(PAGE, domain="shared.example")
    assert told.status_code == 409
    assert "claimed by another workspace" in told.text
    assert "Other" not in told.text.partition("<main")[2]


def test_verifying_says_plainly_what_was_found(acme: Acme, olga: Surfer, send: Send, published: set[str]) -> None:
    send(PAGE, domain="acme.example")
    told = send(f"{PAGE}/acme.example/verify", f"{PAGE}?selected=acme.example")
    assert told.status_code == 409
    assert "acme.example isn’t proved: There is no name _bridge-challenge.acme.example in DNS." in told.text
    assert told.text.count("There is no name") == 1, "said once"
    assert "Not found yet" in olga.get(f"{PAGE}?selected=acme.example").text, "and stays to be read"
    published.add(claims(acme)[0].token)
    told = send(f"{PAGE}/acme.example/verify", f"{PAGE}?selected=acme.example")
    shown = olga.get(told.headers["Location"]).text
    assert "Proved" in shown
    assert "by its DNS record" in shown
    assert "Look again" in shown


def test_both_forms_of_a_name_are_shown(olga: Surfer, send: Send) -> None:
    send(PAGE, domain="p\u0430ypal.example")
    assert "p\u0430ypal.example (xn--pypal-4ve.example)" in olga.get(PAGE).text


def test_its_people_are_sent_to_another_connection(acme: Acme, send: Send) -> None:
    send(PAGE, domain="acme.example")
    send(f"{PAGE}/acme.example/route", f"{PAGE}?selected=acme.example", route_to=acme.world.connection.id)
    assert claims(acme)[0].connection_id == acme.world.connection.id
    send(f"{PAGE}/acme.example/route", f"{PAGE}?selected=acme.example", route_to="")
    assert claims(acme)[0].connection_id is None


def test_where_its_people_are_sent_is_what_the_sign_in_page_does(acme: Acme, olga: Surfer, send: Send) -> None:
    okta = acme.world.connection.id
    send(PAGE, domain="acme.example", connection=okta)
    trust_domain(acme.world.context, "operator", "acme", "acme.example", acme.world.now)
    assert '<td class="b-wide">Okta</td>' in olga.get(PAGE).text
    set_enabled(acme.world.context, "operator", "acme", okta, False, acme.world.now)
    assert "A password: Okta is off" in olga.get(PAGE).text
    send(f"{PAGE}/acme.example/route", f"{PAGE}?selected=acme.example", route_to="")
    assert "A password: no connection is on" in olga.get(PAGE).text
    set_plan(acme.world.context, "operator", "acme", "team", acme.world.now)
    assert "A password: the team plan has no single sign-on" in olga.get(PAGE).text


def test_a_connection_that_is_gone_is_said_on_the_page(acme: Acme, send: Send) -> None:
    send(PAGE, domain="acme.example")
    told = send(f"{PAGE}/acme.example/route", f"{PAGE}?selected=acme.example", route_to=str(uuid4()))
    assert told.status_code == 404
    assert "has no connection" in told.text
    assert "Claim a domain" in told.text


def test_letting_go_names_what_follows(acme: Acme, olga: Surfer, send: Send, published: set[str]) -> None:
    send(PAGE, domain="acme.example")
    published.add(claims(acme)[0].token)
    send(f"{PAGE}/acme.example/verify", f"{PAGE}?selected=acme.example")
    assert "Another workspace can prove it" in olga.get(f"{PAGE}/acme.example/remove").text
    assert send(f"{PAGE}/acme.example/remove").status_code == 303
    assert claims(acme) == ()
    assert acme.told()[-1] == "domain.removed"


def test_only_owners_see_it(kim: Surfer) -> None:
    assert kim.get(PAGE).status_code == 403


@pytest.mark.parametrize("name", ["nothing.example", "..", "%00", "x" * 3000, "<b>"])
def test_names_that_were_never_claimed_are_no_fault_of_ours(olga: Surfer, send: Send, name: str) -> None:
    assert 400 <= olga.get(f"{PAGE}/{name}/remove").status_code < 500
    assert 400 <= send(f"{PAGE}/{name}/verify", PAGE).status_code < 500
