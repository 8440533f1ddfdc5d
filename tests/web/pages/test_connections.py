"""Connections: listed, made, set, switched, their keys rotated, deleted."""

import io
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import ClassVar

import pytest
from lxml import etree
from werkzeug.test import TestResponse

from bridge.domain.errors import OutsideFailed
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.presets import PRESETS, SAML
from bridge.domain.web_calls import Ask, WebCall, WebReply
from bridge.domain.workspace import Connection
from bridge.flows.administer import set_plan
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.connect_oidc import OidcDraft, create_oidc, load_oidc
from bridge.flows.connection_settings import read_settings
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.oidc_settings import OidcSettings, read_oidc_settings
from bridge.flows.outside import NOWHERE
from bridge.flows.own_connections import find_own, list_connections
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.saml_connection import load_saml
from bridge.flows.trusted_idp import replace_metadata, signers_of
from bridge.outside.calls import Calls
from bridge.web.current import OUTSIDE
from oidc import claims
from oidc.provider import Provider as OidcProvider
from saml import attributes
from tests.saml import idp
from tests.saml.idp import keys
from tests.saml.test_metadata_signature import described
from tests.saml.test_metadata_signature import signed as signed_metadata
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, Acme, Send, carried_by
from tests.world import World

ALL = "/w/acme/connections"
NEW = f"{ALL}/new/saml/okta"
URL = "https://idp.kicks.example/metadata"
METADATA = idp.KICKS.metadata


@pytest.fixture
def okta(acme: Acme) -> Connection:
    """A connection with keys and an IdP, made off."""
    draft = SamlDraft(METADATA, name="Kicks IdP", preset="okta", enabled=False, metadata_url=URL)
    return create_saml(acme.world.context, OPERATOR, "acme", draft, acme.world.now)


class Web:
    """What stands at addresses outside."""

    def __init__(self) -> None:
        self.answers: dict[str, bytes] = {URL: METADATA}

    def __call__(self, url: str, *, timeout: float, max_bytes: int) -> bytes:
        if url not in self.answers:
            raise OutsideFailed(f"{url} answered with status 404 instead of 200.")
        return self.answers[url]


@pytest.fixture
def outside(acme: Acme) -> Iterator[Web]:
    """The way out, to a web of one address."""
    web = Web()
    acme.app.extensions[OUTSIDE] = replace(NOWHERE, fetch=web, errands=Calls())
    yield web
    acme.app.extensions[OUTSIDE] = NOWHERE


def path(found: Connection, page: str = "") -> str:
    return f"{ALL}/{found.id}{page}"


def now(acme: Acme, found: Connection) -> Connection:
    return find_own(acme.world.context, "acme", found.id)


def hidden(page: TestResponse, name: str) -> str:
    found = re.search(rf'name="{name}" value="([^"]*)"', page.text)
    assert found is not None, page.text
    return found[1]


def copied(page: TestResponse) -> set[str]:
    """Every value with a copy button."""
    return {unescape(one) for one in re.findall(r'<div class="b-copy"><code id="[^"]+">([^<]+)<', page.text)}


def make(olga: Surfer, form: str = NEW, **fields: object) -> TestResponse:
    shown = olga.get(form)
    return olga.submit(form, shown, reserved=hidden(shown, "reserved"), **fields)  # type: ignore[arg-type]


# -- The list ----------------------------------------------------------------------------------------


def test_list_tells_state_people_certificate_and_domains(acme: Acme, olga: Surfer, okta: Connection) -> None:
    html = olga.get(ALL).text
    assert "Kicks IdP" in html
    assert "SAML 2.0" in html
    assert ">Off</span>" in html
    assert "never" in html
    assert re.search(r"Until \d+ \w+ 20\d\d|Expires", html)


def test_a_workspace_without_one_is_shown_the_way(olga: Surfer, acme: Acme, okta: Connection) -> None:
    for one in list_connections(acme.world.context, "acme"):
        assert confirm(olga, path(one, "/delete"), typed_name=one.name).status_code == 303
    html = olga.get(ALL).text
    assert "No connections yet" in html
    assert 'href="/w/acme/connections/new"' in html


def test_a_small_plan_is_told_what_is_missing(acme: Acme, olga: Surfer, okta: Connection) -> None:
    set_plan(acme.world.context, OPERATOR, "acme", "team", acme.world.now)
    html = olga.get(ALL).text
    assert "Single sign-on needs the business plan" in html
    assert "New connection" not in html
    assert make(olga, way="file", metadata_xml=METADATA.decode()).status_code == 403
    assert "Not in the plan" in html


@pytest.mark.parametrize("page", ["", "/new", "/new/saml/okta"])
def test_only_owners_see_connections(kim: Surfer, page: str) -> None:
    assert kim.get(f"{ALL}{page}").status_code == 403


def test_only_owners_change_them(acme: Acme, kim: Surfer, okta: Connection) -> None:
    shown = kim.get(acme.page_of(KIM))
    for page in ("", "/certificates", "/settings", "/disable", "/delete"):
        assert kim.get(path(okta, page)).status_code == 403
    for page in ("/enable", "/disable", "/delete", "/settings", "/certificates/next-key", "/certificates/refresh"):
        assert kim.submit(path(okta, page), shown, typed_name="Kicks IdP", name="x").status_code == 403
    assert now(acme, okta) == okta


def test_another_workspaces_connection_is_not_there(olga: Surfer, other: World) -> None:
    for page in ("", "/certificates", "/settings", "/disable", "/delete"):
        assert olga.get(path(other.connection, page)).status_code == 404


# -- Making one --------------------------------------------------------------------------------------


def test_every_preset_can_be_chosen_and_says_what_to_copy(acme: Acme, olga: Surfer) -> None:
    html = olga.get(f"{ALL}/new").text
    for key in SAML:
        assert f'href="/w/acme/connections/new/saml/{key}"' in html
        shown = olga.get(f"{ALL}/new/saml/{key}")
        assert any(one.endswith("/acs") for one in copied(shown)), key
        assert any(one.endswith("/metadata") for one in copied(shown)), key
    assert olga.get(f"{ALL}/new/saml/nobody").status_code == 404
    assert olga.get(f"{ALL}/new/ldap/okta").status_code == 404


def test_what_the_form_showed_are_the_addresses_of_what_is_made(acme: Acme, olga: Surfer, outside: Web) -> None:
    shown = olga.get(NEW)
    fields = {"way": "url", "metadata_url": URL, "name": "Okta at Kicks", "idp_initiated": "yes"}
    told = olga.submit(NEW, shown, reserved=hidden(shown, "reserved"), **fields)
    made = next(one for one in list_connections(acme.world.context, "acme") if one.name == "Okta at Kicks")
    assert told.headers["Location"] == path(made)
    loaded = load_saml(acme.world.context, made.id)
    assert {loaded.sp.acs_url, loaded.sp.entity_id} <= copied(shown)
    assert (made.enabled, loaded.allow_idp_initiated, made.config["metadata_url"]) == (False, True, URL)
    assert "is made, and still off" in olga.get(path(made)).text


def test_it_is_made_from_a_file(acme: Acme, olga: Surfer) -> None:
    shown = olga.get(NEW)
    form = {
        "csrf_token": hidden(shown, "csrf_token"),
        "reserved": hidden(shown, "reserved"),
        "way": "file",
        "name": "By file",
        "metadata_file": (io.BytesIO(METADATA), "metadata.xml"),
    }
    assert olga.client.post(NEW, data=form).status_code == 303
    made = list_connections(acme.world.context, "acme")[-1]
    assert made.config["idp"]["entity_id"] == idp.KICKS.entity_id


def test_it_is_made_from_fields(acme: Acme, olga: Surfer) -> None:
    fields = {"entity_id": "https://idp.kicks.example/saml", "sso_url": "https://idp.kicks.example/sso"}
    both = keys("kicks").certificate + keys("stranger").certificate
    told = make(olga, way="fields", name="By hand", certificates=both, by_post="yes", **fields)
    assert told.status_code == 303, told.text
    config = list_connections(acme.world.context, "acme")[-1].config["idp"]
    assert (config["sso_redirect_url"], config["sso_post_url"]) == (None, fields["sso_url"])
    assert len(config["certificates"]) == 2


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"way": "url"}, "metadata_url", "Paste the address"),
        ({"way": "url", "metadata_url": "https://nowhere.example/"}, "metadata_url", "status 404"),
        ({"way": "file"}, "metadata_xml", "Choose the metadata file"),
        ({"way": "file", "metadata_xml": "<html></html>"}, "metadata_xml", "web page"),
        ({"way": "fields", "sso_url": "https://x.example"}, "entity_id", "entity ID"),
        ({"way": "fields", "entity_id": "x", "sso_url": "javascript:alert(1)"}, "sso_url", "http or https"),
        ({"way": "fields", "entity_id": "x", "sso_url": "https://x.example"}, "certificates", "no certificate"),
        ({"way": "file", "metadata_xml": METADATA.decode(), "name": "Taken"}, "name", "already"),
    ],
)
def test_what_is_wrong_is_told_beside_its_field_and_nothing_is_lost(
    acme: Acme, olga: Surfer, outside: Web, fields: dict[str, str], field: str, text: str
) -> None:
    create_saml(acme.world.context, OPERATOR, "acme", SamlDraft(METADATA, name="Taken"), acme.world.now)
    before = list_connections(acme.world.context, "acme")
    shown = olga.get(NEW)
    typed = {"name": "Mine", "idp_initiated": "yes", **fields}
    told = olga.submit(NEW, shown, reserved=hidden(shown, "reserved"), **typed)
    assert told.status_code in (409, 422)
    assert text in unescape(told.text).partition(f'id="f-{field}-error"')[2].partition("</p>")[0]
    for name, value in typed.items():
        assert value.strip() in unescape(told.text), name
    assert copied(told) == copied(shown)
    assert list_connections(acme.world.context, "acme") == before


def test_an_uploaded_file_is_kept_as_text_when_something_else_is_wrong(
    acme: Acme, olga: Surfer, okta: Connection
) -> None:
    shown = olga.get(NEW)
    form = {
        "csrf_token": hidden(shown, "csrf_token"),
        "reserved": hidden(shown, "reserved"),
        "way": "file",
        "name": "Kicks IdP",
        "metadata_file": (io.BytesIO(METADATA), "metadata.xml"),
    }
    told = olga.client.post(NEW, data=form)
    assert told.status_code == 409
    assert METADATA.decode().strip() in unescape(told.text)


def test_a_form_that_is_sent_twice_makes_one(acme: Acme, olga: Surfer) -> None:
    shown = olga.get(NEW)
    sent = {"reserved": hidden(shown, "reserved"), "way": "file", "metadata_xml": METADATA.decode()}
    first, again = (olga.submit(NEW, shown, name="Twice", **sent) for _ in range(2))
    assert (again.status_code, again.headers["Location"]) == (303, first.headers["Location"])
    assert [one.name for one in list_connections(acme.world.context, "acme")].count("Twice") == 1
    other = olga.submit(NEW, shown, name="Another name", **sent)
    assert other.status_code == 409
    assert "This connection was made already" in other.text


def test_a_form_from_another_week_or_workspace_is_told_to_begin_again(acme: Acme, olga: Surfer, other: World) -> None:
    shown = olga.get(NEW)
    told = olga.submit(NEW, shown, reserved="00", way="file", metadata_xml=METADATA.decode())
    assert told.status_code == 410
    assert "Begin again" in told.text


def test_an_admins_words_are_escaped(acme: Acme, olga: Surfer) -> None:
    evil = '"><script>alert(1)</script>'
    told = make(olga, way="fields", name=evil, entity_id=evil, sso_url=evil, certificates=evil)
    assert "<script>alert" not in told.text
    made = make(olga, way="file", name=evil, metadata_xml=METADATA.decode())
    assert made.status_code == 303
    for page in ("", "/certificates", "/settings", "/disable", "/delete"):
        assert "<script>alert" not in olga.get(made.headers["Location"] + page).text, page
    assert "<script>alert" not in olga.get(ALL).text


FEDERATION = (Path(__file__).parents[2] / "saml" / "metadata" / "federation.xml").read_bytes()
KICKS_IN_IT, BOOTS_IN_IT = "https://idp.kicks.example/shibboleth", "https://idp.boots.example/shibboleth"


def choices(page: TestResponse) -> dict[str, str]:
    """The IdPs to choose from, by entity ID."""
    listed = page.text.partition('<select class="form-select is-invalid" id="f-idp_choice"')[2].partition("</select>")[
        0
    ]
    return {unescape(uid): unescape(text) for uid, text in re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)<', listed)}


@pytest.mark.parametrize("way", ["file", "url"])
def test_of_metadata_with_several_idps_one_is_chosen_by_name(acme: Acme, olga: Surfer, outside: Web, way: str) -> None:
    outside.answers[URL] = FEDERATION
    given = {"way": way, "metadata_url": URL, "metadata_xml": FEDERATION.decode(), "name": "Boots"}
    asked = make(olga, **given)
    assert asked.status_code == 422
    assert "This metadata has 2 identity providers." in asked.text
    assert choices(asked) == {KICKS_IN_IT: f"Kicks Login ({KICKS_IN_IT})", BOOTS_IN_IT: f"Bottes & Cie ({BOOTS_IN_IT})"}
    promised = {"reserved": hidden(asked, "reserved")}
    taken = olga.submit(NEW, asked, **promised, **{**given, "name": "Okta"}, idp_choice=BOOTS_IN_IT)
    assert f'<option value="{BOOTS_IN_IT}" selected>' in taken.text, "kept while the name is wrong"
    assert olga.submit(NEW, taken, **promised, **given, idp_choice=BOOTS_IN_IT).status_code == 303
    made = list_connections(acme.world.context, "acme")[-1]
    assert (made.name, made.config["idp"]["entity_id"]) == ("Boots", BOOTS_IN_IT)
    assert made.config.get("metadata_url") == (URL if way == "url" else None)


def test_one_that_is_not_in_the_metadata_is_said(acme: Acme, olga: Surfer) -> None:
    told = make(olga, way="file", metadata_xml=METADATA.decode(), name="Mine", idp_choice=BOOTS_IN_IT)
    assert told.status_code == 422
    assert "doesn’t describe" in unescape(told.text).replace("'", "’").partition('id="f-metadata_xml-error"')[2]
    assert 'name="idp_choice"' not in told.text


def test_the_idp_that_is_trusted_now_is_proposed_of_several(acme: Acme, olga: Surfer, okta: Connection) -> None:
    page = path(okta, "/certificates/replace")
    shown = olga.get(page)
    both = FEDERATION.replace(KICKS_IN_IT.encode(), idp.KICKS.entity_id.encode())
    sent = {**carried_by(shown), "way": "file", "metadata_xml": both.decode()}
    asked = olga.submit(page, shown, **sent)
    assert f'<option value="{idp.KICKS.entity_id}" selected>' in asked.text
    assert olga.submit(page, asked, **sent, idp_choice=BOOTS_IN_IT).status_code == 303
    assert load_saml(acme.world.context, okta.id).idp.entity_id == BOOTS_IN_IT


def test_metadata_may_be_held_to_the_certificate_that_signs_it(acme: Acme, olga: Surfer) -> None:
    signer = keys("federation").certificate
    given = {"way": "file", "name": "Kicks", "metadata_certificate": signer}
    wrong = make(olga, **{**given, "metadata_certificate": "nonsense"}, metadata_xml=METADATA.decode())
    assert "can't be read" in unescape(wrong.text).partition('id="f-metadata_certificate-error"')[2]
    unsigned = make(olga, **given, metadata_xml=METADATA.decode())
    assert unsigned.status_code == 422
    assert "sign" in unsigned.text.partition('id="f-metadata_xml-error"')[2].partition("</p>")[0]
    signed = etree.tostring(signed_metadata(described())).decode()
    told = make(olga, **given, metadata_xml=signed)
    assert told.status_code == 303, told.text
    made = list_connections(acme.world.context, "acme")[-1]
    assert signers_of(made.config) == [signer]
    assert "Its metadata is signed by" in olga.get(path(made, "/certificates")).text
    page = path(made, "/certificates/replace")
    shown = olga.get(page)
    assert signer.strip() in unescape(shown.text)
    again = {**carried_by(shown), "way": "file", "metadata_xml": METADATA.decode()}
    assert olga.submit(page, shown, **again, metadata_certificate=signer).status_code == 422
    assert olga.submit(page, shown, **again, metadata_certificate="").status_code == 303
    assert signers_of(now(acme, made).config) == []


ISSUER = "https://login.kicks.example"
BY_OIDC = f"{ALL}/new/oidc/okta"


class Provider:
    """A provider with a discovery document, and the way to it."""

    facts: ClassVar = {
        "issuer": ISSUER,
        "authorization_endpoint": f"{ISSUER}/authorize",
        "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
    }

    @contextmanager
    def turn(self, whose: str = "", provider: str = "") -> Iterator[Ask]:
        yield self.ask

    def ask(self, call: WebCall) -> WebReply:
        if call.url != f"{ISSUER}/.well-known/openid-configuration":
            raise OutsideFailed("There is no host at this address.")
        return WebReply(200, "application/json", json.dumps(self.facts).encode())


@pytest.fixture
def provider(acme: Acme) -> Iterator[Provider]:
    """The way out, to one provider."""
    found = Provider()
    acme.app.extensions[OUTSIDE] = replace(NOWHERE, errands=found)
    yield found
    acme.app.extensions[OUTSIDE] = NOWHERE


def test_one_by_openid_connect_is_made_off_and_its_secret_never_shown(
    acme: Acme, olga: Surfer, provider: Provider
) -> None:
    shown = olga.get(BY_OIDC)
    fields = {"issuer": ISSUER, "client_id": "our-id", "client_secret": "s3cret-of-ours", "name": "Okta by OIDC"}
    told = olga.submit(BY_OIDC, shown, reserved=hidden(shown, "reserved"), **fields)
    assert told.status_code == 303, told.text
    made = list_connections(acme.world.context, "acme")[-1]
    ours = load_oidc(acme.world.context, made.id).client
    assert (made.enabled, ours.client_id, ours.client_secret) == (False, "our-id", "s3cret-of-ours")
    assert ours.redirect_uri in copied(shown)
    for page in ("", "/delete", "/disable"):
        assert "s3cret-of-ours" not in olga.get(path(made, page)).text
    assert ours.redirect_uri in copied(olga.get(path(made)))
    assert olga.get(path(made, "/certificates/replace")).status_code == 400
    page = path(made, "/certificates/client-secret")
    assert page in olga.get(path(made)).text
    assert olga.submit(page, olga.get(page), client_secret="").status_code == 422
    assert olga.submit(page, olga.get(page), client_secret="next-of-ours").status_code == 303
    assert load_oidc(acme.world.context, made.id).client.client_secret == "next-of-ours"
    assert "OpenID Connect" in olga.get(ALL).text


def test_our_key_is_replaced_in_steps_that_the_page_offers_in_turn(acme: Acme, olga: Surfer) -> None:
    draft = OidcDraft(ISSUER, "our-id", None, token_auth="private_key_jwt", name="By key")
    facts = OidcProvider(ISSUER, f"{ISSUER}/authorize", f"{ISSUER}/token", f"{ISSUER}/keys")
    made = create_oidc(acme.world.context, OPERATOR, "acme", draft, facts, acme.world.now)

    def key_id() -> str | None:
        return load_oidc(acme.world.context, made.id).client.key_id

    def offered() -> list[str]:
        shown = olga.get(path(made)).text
        return [step for step in ("begin", "finish", "cancel") if path(made, f"/client-key/{step}") in shown]

    def take(step: str) -> TestResponse:
        page = path(made, f"/client-key/{step}")
        asked = olga.get(page)
        return olga.submit(page, asked, next=hidden(asked, "next"))

    first = key_id()
    assert offered() == ["begin"]
    assert olga.get(path(made, "/client-key/finish")).status_code == 303  # not its turn
    assert olga.get(path(made, "/client-key/other")).status_code == 404
    asked = olga.get(path(made, "/client-key/begin"))
    assert take("begin").status_code == 303
    assert (offered(), key_id()) == (["finish", "cancel"], first)
    assert olga.submit(path(made, "/client-key/begin"), asked, next="").status_code == 409
    assert olga.submit(path(made, "/client-key/finish"), asked, next="another").status_code == 409
    assert take("cancel").status_code == 303
    assert (offered(), key_id()) == (["begin"], first)
    take("begin")
    assert take("finish").status_code == 303
    assert (offered(), key_id() != first) == (["begin"], True)
    assert olga.get(path(made, "/client-key/finish")).status_code == 303


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"issuer": "https://nowhere.example"}, "issuer"),
        ({"issuer": "ftp://x"}, "issuer"),
        ({"client_id": ""}, "client_id"),
        ({"client_secret": ""}, "client_secret"),
        ({"name": "Okta"}, "name"),
    ],
)
def test_what_is_wrong_with_a_provider_is_told_beside_its_field(
    acme: Acme, olga: Surfer, provider: Provider, fields: dict[str, str], field: str
) -> None:
    shown = olga.get(BY_OIDC)
    typed = {"issuer": ISSUER, "client_id": "our-id", "client_secret": "s3cret-of-ours", "name": "Mine", **fields}
    told = olga.submit(BY_OIDC, shown, reserved=hidden(shown, "reserved"), **typed)
    assert told.status_code in (409, 422)
    assert f'id="f-{field}-error"' in told.text
    assert "s3cret-of-ours" not in told.text
    for name in ("issuer", "client_id", "name"):
        assert typed[name] in told.text
    assert len(list_connections(acme.world.context, "acme")) == 1


# -- One of them -------------------------------------------------------------------------------------


def test_its_page_has_our_addresses_to_copy_and_no_secret(acme: Acme, olga: Surfer, okta: Connection) -> None:
    loaded = load_saml(acme.world.context, okta.id)
    for page in ("", "/certificates", "/settings"):
        assert "PRIVATE KEY" not in olga.get(path(okta, page)).text
    shown = olga.get(path(okta))
    assert {loaded.sp.acs_url, loaded.sp.slo_url, loaded.sp.entity_id} <= copied(shown)
    assert 'href="/w/acme/domains"' in shown.text.partition("What hangs on it")[2]
    assert "How to set up Okta" in shown.text


def test_it_is_switched_on_and_off_after_saying_what_that_takes(
    acme: Acme, olga: Surfer, okta: Connection, send: Send
) -> None:
    shown = olga.get(path(okta, "/enable"))
    assert "Switch Kicks IdP on: nobody gains or loses" in shown.text
    assert "Look first at what it does." in olga.submit(path(okta, "/enable"), shown).text
    assert not now(acme, okta).enabled
    assert send(path(okta, "/enable")).headers["Location"] == path(okta)
    assert now(acme, okta).enabled
    assert olga.get(path(okta, "/enable")).headers["Location"] == path(okta), "it is on"
    html = olga.get(path(okta, "/disable")).text
    assert "Nobody signs in by Kicks IdP, from the next request on" in unescape(html)
    assert confirm(olga, path(okta, "/disable")).status_code == 303
    assert not now(acme, okta).enabled
    assert acme.told()[-2:] == ["connection.enabled", "connection.disabled"]
    assert olga.get(path(okta, "/disable")).headers["Location"] == path(okta), "it is off"


def confirm(olga: Surfer, page: str, shown: TestResponse | None = None, **typed: str) -> TestResponse:
    """Send the form of a page that asks before it takes something, as it was shown."""
    shown = shown or olga.get(page)
    return olga.submit(page, shown, **carried_by(shown), **typed)


@pytest.mark.parametrize(
    ("page", "typed"), [("/disable", {}), ("/delete", {"typed_name": "Okta"})], ids=["off", "gone"]
)
def test_what_changed_while_somebody_was_looking_is_shown_first(
    acme: Acme, olga: Surfer, page: str, typed: dict[str, str]
) -> None:
    world, place = acme.world, path(acme.world.connection, page)
    shown = olga.get(place)
    assert "Priya Raman" not in shown.text
    give_by_rule(acme, "eng-mobile")
    before = acme.told()
    told = confirm(olga, place, shown, **typed)
    assert told.status_code == 409
    assert (
        "This is not done yet. By now 1 person loses access, 0 when you looked; 1 rule goes, 0 when you looked."
    ) in told.text
    assert "Priya Raman" in told.text
    assert acme.told() == before
    assert now(acme, world.connection).enabled
    assert confirm(olga, place, told, **typed).status_code == 303


def give_by_rule(acme: Acme, group: str) -> None:
    """Its people may read sources."""
    draft = MappingDraft(
        acme.world.connection.id, GroupMatch("name", group), (), (parse_role_in_scope("Source Read-only", []),)
    )
    add_mapping(acme.world.context, acme.actor, "acme", draft, acme.world.now)


def test_what_changed_elsewhere_is_no_reason_to_ask_again(acme: Acme, olga: Surfer) -> None:
    place = path(acme.world.connection, "/disable")
    shown = olga.get(place)
    acme.world.push("noor@acme.example", name="Noor Haddad")
    assert confirm(olga, place, shown).status_code == 303


@pytest.mark.parametrize(
    "foreseen", ["", "x", "x 2 3", "x 9 0 0 0 0 0 0", "x -1 0 0 0 0 0 0", f"x {'9' * 30} 0 0 0 0 0 0"]
)
def test_who_was_shown_nothing_is_shown_it_first(acme: Acme, olga: Surfer, foreseen: str) -> None:
    place = path(acme.world.connection, "/delete")
    told = olga.submit(place, olga.get(place), typed_name="Okta", foreseen=foreseen)
    assert told.status_code == 409
    assert "Something changed while you were looking" in told.text


def test_deleting_says_what_goes_and_asks_for_the_name(acme: Acme, olga: Surfer, okta: Connection) -> None:
    told = confirm(olga, path(okta, "/delete"), typed_name="kicks idp")
    assert told.status_code == 422
    assert "Type the connection’s name" in unescape(told.text).partition('id="f-typed_name-error"')[2]
    assert now(acme, okta) == okta
    assert confirm(olga, path(okta, "/delete"), typed_name="Kicks IdP").headers["Location"] == ALL
    assert okta.id not in [one.id for one in list_connections(acme.world.context, "acme")]
    assert olga.get(path(okta)).status_code == 404


# -- Settings ----------------------------------------------------------------------------------------


def settings_form(page: TestResponse) -> dict[str, str]:
    """The form as a browser would send it."""
    sent = {"version": hidden(page, "version")}
    for box in re.findall(r'<input[^>]*type="checkbox"[^>]*>', page.text):
        if " checked" in box:
            sent[re.search(r'name="([^"]+)"', box)[1]] = "yes"  # type: ignore[index]
    for name, value in re.findall(
        r'<input class="form-control[^"]*" id="[^"]+" name="([^"]+)"[^>]* value="([^"]*)"', page.text
    ):
        sent[name] = unescape(value)
    for name, value in re.findall(r'<textarea[^>]* name="([^"]+)"[^>]*>\n([^<]*)<', page.text):
        sent[name] = unescape(value)
    chosen = re.search(r'<option value="([^"]*)" selected>', page.text)
    return sent | {"name_id_format": chosen[1] if chosen else ""}


def test_the_form_sent_as_it_was_shown_changes_nothing(acme: Acme, olga: Surfer, okta: Connection) -> None:
    shown = olga.get(path(okta, "/settings"))
    before = acme.told()
    assert olga.submit(path(okta, "/settings"), shown, **settings_form(shown)).status_code == 303
    assert now(acme, okta) == okta
    assert acme.told() == before


def test_settings_are_saved(acme: Acme, olga: Surfer, okta: Connection) -> None:
    shown = olga.get(path(okta, "/settings"))
    wanted = {
        **settings_form(shown),
        "name": "Okta at Kicks",
        "force_authn": "yes",
        "email": "mail\r\n\r\nemail ",
        "name_id_format": "persistent",
        "clock_skew": "90",
    }
    wanted.pop("jit")
    assert olga.submit(path(okta, "/settings"), shown, **wanted).status_code == 303
    _, settings = read_settings(acme.world.context, "acme", okta.id)
    assert (settings.force_authn, settings.jit, settings.clock_skew) == (True, False, 90)
    assert settings.email == ("mail", "email")


@pytest.mark.parametrize(
    ("field", "value"),
    [("clock_skew", "x"), ("clock_skew", "999"), ("asserted_days", "0"), ("authn_context", "mfa"), ("name", "")],
)
def test_a_setting_that_cannot_be_is_told_beside_its_field(
    acme: Acme, olga: Surfer, okta: Connection, field: str, value: str
) -> None:
    shown = olga.get(path(okta, "/settings"))
    told = olga.submit(path(okta, "/settings"), shown, **{**settings_form(shown), "email": "mail", field: value})
    assert told.status_code == 422
    assert f'id="f-{field}-error"' in told.text
    assert "\nmail</textarea>" in told.text
    assert now(acme, okta) == okta


def test_two_admins_at_once_lose_nothing(acme: Acme, olga: Surfer, okta: Connection) -> None:
    first, second = (olga.get(path(okta, "/settings")) for _ in range(2))
    assert (
        olga.submit(path(okta, "/settings"), first, **{**settings_form(first), "clock_skew": "90"}).status_code == 303
    )
    told = olga.submit(path(okta, "/settings"), second, **{**settings_form(second), "clock_skew": "10"})
    assert told.status_code == 409
    assert "was changed while you were editing" in told.text
    assert "Seconds by which clocks may differ: 90 now, 10 here." in told.text
    assert 'value="10"' in told.text
    assert read_settings(acme.world.context, "acme", okta.id)[1].clock_skew == 90


# -- Settings of OpenID Connect ----------------------------------------------------------------------


@pytest.fixture
def by_oidc(acme: Acme) -> Connection:
    """A connection by OpenID Connect."""
    facts = OidcProvider(ISSUER, f"{ISSUER}/authorize", f"{ISSUER}/token", f"{ISSUER}/keys")
    draft = OidcDraft(ISSUER, "our-id", "s3cret-of-ours", name="Kicks Login", preset="okta")
    return create_oidc(acme.world.context, OPERATOR, "acme", draft, facts, acme.world.now)


def oidc_form(page: TestResponse) -> dict[str, str]:
    """The form as a browser would send it."""
    sent = settings_form(page)
    return {**sent, "token_auth": sent.pop("name_id_format")}


def test_the_form_of_openid_connect_sent_as_it_was_shown_changes_nothing(
    acme: Acme, olga: Surfer, by_oidc: Connection
) -> None:
    assert path(by_oidc, "/settings") in olga.get(path(by_oidc)).text
    shown = olga.get(path(by_oidc, "/settings"))
    assert ISSUER in shown.text
    assert "s3cret-of-ours" not in shown.text
    assert "hosted_domain" not in shown.text
    before = acme.told()
    assert olga.submit(path(by_oidc, "/settings"), shown, **oidc_form(shown)).status_code == 303
    assert now(acme, by_oidc) == by_oidc
    assert acme.told() == before


def test_settings_of_openid_connect_are_saved(acme: Acme, olga: Surfer, by_oidc: Connection) -> None:
    shown = olga.get(path(by_oidc, "/settings"))
    wanted = {
        **oidc_form(shown),
        "client_id": "another-id",
        "token_auth": "client_secret_post",
        "client_secret": "second-of-ours",
        "scopes": "openid\r\nroles ",
        "groups": "realm_access.roles",
        "allow_idp_initiated": "yes",
        "hosted_domain": "not-asked-for.example",
    }
    wanted.pop("mirror_groups")
    assert olga.submit(path(by_oidc, "/settings"), shown, **wanted).status_code == 303
    _, settings = read_oidc_settings(acme.world.context, "acme", by_oidc.id)
    assert settings == OidcSettings(
        name="Kicks Login",
        client_id="another-id",
        token_auth="client_secret_post",
        scopes=("openid", "roles"),
        allow_idp_initiated=True,
        mirror_groups=False,
        groups=("realm_access.roles",),
    )
    assert load_oidc(acme.world.context, by_oidc.id).client.client_secret == "second-of-ours"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("clock_skew", "x"),
        ("asserted_days", "0"),
        ("client_id", ""),
        ("scopes", "two words"),
        ("token_auth", "none"),
        ("name", ""),
    ],
)
def test_a_setting_of_openid_connect_that_cannot_be_is_told_beside_its_field(
    acme: Acme, olga: Surfer, by_oidc: Connection, field: str, value: str
) -> None:
    shown = olga.get(path(by_oidc, "/settings"))
    sent = {**oidc_form(shown), "email": "mail", "client_secret": "typed-of-ours", field: value}
    told = olga.submit(path(by_oidc, "/settings"), shown, **sent)
    assert told.status_code == 422
    assert f'id="f-{field}-error"' in told.text
    assert "\nmail</textarea>" in told.text
    assert "typed-of-ours" not in told.text
    assert now(acme, by_oidc) == by_oidc


def test_two_admins_at_once_lose_nothing_of_openid_connect_either(
    acme: Acme, olga: Surfer, by_oidc: Connection
) -> None:
    first, second = (olga.get(path(by_oidc, "/settings")) for _ in range(2))
    place = path(by_oidc, "/settings")
    assert olga.submit(place, first, **{**oidc_form(first), "clock_skew": "90"}).status_code == 303
    told = olga.submit(place, second, **{**oidc_form(second), "clock_skew": "10"})
    assert told.status_code == 409
    assert "was changed while you were editing" in told.text
    assert "Seconds by which clocks may differ: 90 now, 10 here." in told.text
    assert 'value="10"' in told.text
    assert read_oidc_settings(acme.world.context, "acme", by_oidc.id)[1].clock_skew == 90


def test_only_owners_change_settings_of_openid_connect(acme: Acme, kim: Surfer, by_oidc: Connection) -> None:
    assert kim.get(path(by_oidc, "/settings")).status_code == 403
    assert kim.submit(path(by_oidc, "/settings"), kim.get("/logout"), name="Mine").status_code == 403
    assert now(acme, by_oidc) == by_oidc


# -- Certificates ------------------------------------------------------------------------------------


def test_metadata_is_read_now_and_a_bad_one_leaves_the_last_good(
    acme: Acme, olga: Surfer, okta: Connection, outside: Web, send: Send
) -> None:
    outside.answers[URL] = METADATA.replace(b"/sso/redirect", b"/sso/moved")
    assert send(path(okta, "/certificates/refresh"), path(okta, "/certificates")).status_code == 303
    good = now(acme, okta)
    assert good.config["idp"]["sso_redirect_url"].endswith("/sso/moved")
    for bad in (b"<html></html>", b""):
        outside.answers[URL] = bad
        told = send(path(okta, "/certificates/refresh"), path(okta, "/certificates"))
        assert "The last good version stays trusted." in told.text
        assert now(acme, okta) == good


def test_trust_is_replaced_by_another_way(acme: Acme, olga: Surfer, okta: Connection, send: Send) -> None:
    page = path(okta, "/certificates/replace")
    shown = unescape(olga.get(page).text)
    assert URL in shown
    assert idp.KICKS.entity_id in shown
    told = send(
        page,
        way="fields",
        entity_id="urn:new",
        sso_url="https://new.example/sso",
        certificates=keys("stranger").certificate,
    )
    assert told.headers["Location"] == path(okta, "/certificates")
    trusted = load_saml(acme.world.context, okta.id).idp
    assert (trusted.entity_id, trusted.certificates) == ("urn:new", (keys("stranger").certificate,))
    assert "read from no address" in unescape(olga.get(path(okta, "/certificates")).text)


def test_our_key_is_rotated_in_two_steps(acme: Acme, olga: Surfer, okta: Connection, send: Send) -> None:
    certificates = path(okta, "/certificates")
    old = load_saml(acme.world.context, okta.id).sp.certificates[0]
    assert send(f"{certificates}/next-key", certificates).status_code == 303
    both = load_saml(acme.world.context, okta.id).sp.certificates
    assert {one.strip() for one in both} <= copied(olga.get(certificates))
    assert send(f"{certificates}/next-key", certificates).status_code == 409
    assert "it refuses our signed requests" in unescape(olga.get(f"{certificates}/next-key/finish").text)
    assert send(f"{certificates}/next-key/finish").status_code == 303
    assert load_saml(acme.world.context, okta.id).sp.certificates == (both[1],)
    assert old.strip() not in copied(olga.get(certificates))


def test_what_is_trusted_by_now_is_not_taken_back_by_an_old_form(acme: Acme, olga: Surfer, okta: Connection) -> None:
    """Metadata was read again meanwhile, say: the form still holds what was trusted before."""
    page = path(okta, "/certificates/replace")
    shown = olga.get(page)
    new = replace(idp.KICKS, key="stranger").metadata
    replace_metadata(acme.world.context, OPERATOR, "acme", okta.id, new, acme.world.now, url=URL)
    typed = {"way": "fields", "entity_id": idp.KICKS.entity_id, "sso_url": "https://new.example/sso"}
    typed["certificates"] = keys("kicks").certificate
    told = olga.submit(page, shown, **carried_by(shown), **typed)
    assert told.status_code == 409
    assert "was changed while you were editing" in told.text
    assert f'href="{path(okta, "/certificates")}">See what is trusted now' in told.text
    assert "https://new.example/sso" in told.text
    assert load_saml(acme.world.context, okta.id).idp.certificates == (keys("stranger").certificate,)
    assert olga.submit(page, told, **carried_by(told), **typed).status_code == 303


@pytest.mark.parametrize("step", ["finish", "cancel"])
def test_another_next_key_than_was_shown_is_left_alone(
    acme: Acme, olga: Surfer, okta: Connection, send: Send, step: str
) -> None:
    certificates = path(okta, "/certificates")
    send(f"{certificates}/next-key", certificates)
    shown = olga.get(f"{certificates}/next-key/{step}")
    send(f"{certificates}/next-key/cancel")
    send(f"{certificates}/next-key", certificates)
    before = load_saml(acme.world.context, okta.id).sp
    told = olga.submit(f"{certificates}/next-key/{step}", shown, **carried_by(shown))
    assert told.status_code == 409
    assert "Another next key was made meanwhile" in told.text
    assert load_saml(acme.world.context, okta.id).sp == before
    assert send(f"{certificates}/next-key/{step}").status_code == 303
    assert olga.get(f"{certificates}/next-key/{step}").headers["Location"] == certificates, "there is none any more"


def test_a_saml_connection_has_no_client_secret(acme: Acme, olga: Surfer, okta: Connection) -> None:
    assert olga.get(path(okta, "/certificates/client-secret")).status_code == 422


def test_a_rotation_is_cancelled(acme: Acme, olga: Surfer, okta: Connection, send: Send) -> None:
    certificates, before = path(okta, "/certificates"), load_saml(acme.world.context, okta.id).sp
    send(f"{certificates}/next-key", certificates)
    assert send(f"{certificates}/next-key/cancel").status_code == 303
    assert load_saml(acme.world.context, okta.id).sp == before


def test_every_preset_is_one_that_sign_in_knows() -> None:
    known = {"saml": attributes.PRESETS, "oidc": claims.PRESETS}
    for kind, presets in PRESETS.items():
        assert presets.keys() <= known[kind].keys()
        for key, preset in presets.items():
            assert (preset.key, preset.kind) == (key, kind)
            assert preset.steps
            assert preset.bring


def test_owners_errands_outside_take_turns(acme: Acme, olga: Surfer, send: Send, okta: Connection) -> None:
    one = Calls(slots=1, of_one=1, patience=0.05)
    asked: list[str] = []

    def fetch(url: str, *, timeout: float, max_bytes: int) -> bytes:
        asked.append(url)
        return METADATA

    acme.app.extensions[OUTSIDE] = replace(NOWHERE, fetch=fetch, errands=one)
    try:
        with one.turn():
            for page, fields in (
                (path(okta, "/certificates/refresh"), {}),
                (path(okta, "/certificates/replace"), {"way": "url", "metadata_url": URL}),
                (NEW, {"way": "url", "metadata_url": URL}),
                (BY_OIDC, {"issuer": ISSUER, "client_id": "a", "client_secret": "b"}),
            ):
                shown = olga.get(path(okta, "/certificates") if page.endswith("/refresh") else page)
                promised = {"reserved": hidden(shown, "reserved")} if "/new/" in page else {}
                told = olga.submit(page, shown, **fields, **promised)
                assert 400 <= told.status_code < 500
                assert "Too many wait" in told.text, page
        assert asked == []
        assert send(path(okta, "/certificates/refresh"), path(okta, "/certificates")).status_code == 303
    finally:
        acme.app.extensions[OUTSIDE] = NOWHERE
