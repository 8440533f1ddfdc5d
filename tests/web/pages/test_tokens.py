"""Tokens: made, shown once, revoked."""

import re
from datetime import timedelta

import pytest

from bridge.domain.sign_in import Client
from bridge.domain.tokens import NewScimClient, TokenFacts
from bridge.flows.give_roles import give_to_member
from bridge.flows.members import remove_member
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.scim_clients import create_scim_client, exchange_secret
from bridge.flows.tokens import create_api_token, create_scim_token, find_scim_token, list_tokens
from bridge.storage.people import find_user_by_email
from tests.web.browsing import Surfer, at
from tests.web.pages.conftest import KIM, Acme, Send
from tests.world import World

NEW = "/w/acme/tokens/new"


def tokens(acme: Acme) -> tuple[TokenFacts, ...]:
    return list_tokens(acme.world.context, "acme", acme.world.now)


def scim(acme: Acme, days: int | None = None) -> str:
    world = acme.world
    return create_scim_token(
        world.context, acme.actor, "acme", world.connection.id, days, "Okta provisioning", world.now
    ).id


def secret_in(html: str) -> str:
    found = re.search(r'<code id="new-token">([^<]+)<', html)
    return found[1] if found else ""


def test_api_token_is_shown_once_and_never_kept_by_the_browser(acme: Acme, olga: Surfer, send: Send) -> None:
    told = send(NEW, kind="api", name="Terraform CI", role="source_admin", scope="all", expires="90")
    assert told.status_code == 200
    assert told.headers["Cache-Control"] == "no-store"
    assert secret_in(told.text).startswith("bapi_")
    assert "Token “Terraform CI” is ready." in told.text
    [made] = tokens(acme)
    assert (made.description, made.roles[0].role.name) == ("Terraform CI", "Source Admin")
    assert made.expires_at is not None
    assert made.expires_at - acme.world.now > timedelta(days=89)
    again = olga.get("/w/acme/tokens", selected=made.id).text
    assert secret_in(told.text) not in again
    assert "by Olga Owner" in again
    assert acme.told()[-1] == "token.created"


def test_scim_token_opens_its_connection(acme: Acme, send: Send) -> None:
    shown = f"{NEW}?kind=scim"
    told = send(NEW, shown, kind="scim", name="Okta", connection=acme.world.connection.id, expires="")
    caller = find_scim_token(acme.world.context, secret_in(told.text), acme.world.now)
    assert caller is not None
    assert caller.connection.id == acme.world.connection.id
    assert "/scim/v2" in told.text


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"name": "", "role": "source_admin", "scope": "all"}, "name", "Give it a name"),
        ({"name": "CI", "role": "", "scope": "all"}, "role", "Choose what it may do."),
        ({"name": "CI", "role": "source_admin", "scope": "listed"}, "scope", "Choose at least one resource"),
        ({"name": "CI", "role": "source_admin", "expires": "7"}, "expires", "Choose one of these."),
    ],
)
def test_what_is_wrong_is_told_beside_its_field(
    acme: Acme, send: Send, fields: dict[str, str], field: str, text: str
) -> None:
    told = send(NEW, **{"kind": "api", "expires": "90", **fields})
    assert told.status_code == 422
    assert text in told.text.partition(f'id="f-{field}-error"')[2]
    assert tokens(acme) == ()


def test_another_workspaces_connection_is_refused(acme: Acme, send: Send, other: World) -> None:
    told = send(NEW, f"{NEW}?kind=scim", kind="scim", name="Okta", connection=other.connection.id, expires="")
    assert told.status_code == 404
    assert tokens(acme) == ()


def test_list_is_searched_and_narrowed_by_kind(acme: Acme, olga: Surfer) -> None:
    scim(acme)
    given = [parse_role_in_scope("Source Read-only", [])]
    create_api_token(acme.world.context, acme.actor, "acme", given, None, "Tag audit", acme.world.now)
    html = olga.get("/w/acme/tokens").text
    assert "Okta pushes people and groups" in html
    assert "Source Read-only (all)" in html
    assert "SCIM (1)" in html
    assert "Tag audit" not in olga.get("/w/acme/tokens", kind="scim").text.partition("<tbody>")[2]
    assert "Okta provisioning" not in olga.get("/w/acme/tokens", q="AUDIT").text
    assert "No such token" in olga.get("/w/acme/tokens", q="x").text


def test_token_about_to_expire_says_what_then_happens(acme: Acme, olga: Surfer) -> None:
    token = scim(acme, days=9)
    html = olga.get("/w/acme/tokens", selected=token).text
    assert "Expires in 9 days" in html
    assert "nobody new arrives" in html
    with at(acme.app, acme.world.now + timedelta(days=10)):
        late = acme.signed_in("olga@acme.example").get("/w/acme/tokens", selected=token).text
    assert "Expired yesterday" in late


def test_token_of_somebody_who_left_says_that_it_stopped(acme: Acme, olga: Surfer) -> None:
    world = acme.world
    owner = parse_role_in_scope("Workspace Owner", [])
    give_to_member(world.context, acme.actor, "acme", acme.member_id(KIM), owner, world.now)
    kim = f"user:{acme.person(KIM).member.user_id}"
    create_api_token(world.context, kim, "acme", [owner], None, "Kim's script", world.now)
    remove_member(world.context, acme.actor, "acme", acme.member_id(KIM), world.now)
    assert "stopped: kim@acme.example is no active member" in olga.get("/w/acme/tokens").text


def test_revoking_says_first_who_stops_working(acme: Acme, olga: Surfer, send: Send) -> None:
    path = f"/w/acme/tokens/{scim(acme)}/revoke"
    html = olga.get(path).text
    assert "Revoke: Okta stops pushing" in html
    assert send(path).headers["Location"] == "/w/acme/tokens"
    assert tokens(acme) == ()
    assert olga.get(path).status_code == 404
    assert acme.told()[-1] == "token.revoked"


def test_revoking_one_of_two_says_that_the_other_goes_on(acme: Acme, olga: Surfer) -> None:
    old, new = scim(acme), scim(acme)
    given = [parse_role_in_scope("Source Read-only", [])]
    create_api_token(acme.world.context, acme.actor, "acme", given, None, "Tag audit", acme.world.now)
    html = olga.get(f"/w/acme/tokens/{old}/revoke").text
    assert "Revoke: the other token goes on" in html
    assert "Okta can go on pushing with “Okta provisioning”" in html
    assert "stops pushing" not in html
    assert "Okta can go on with “Okta provisioning”." in olga.get("/w/acme/tokens", selected=new).text


def test_token_that_has_run_out_is_revoked_without_a_loss_and_keeps_nothing_going(acme: Acme, olga: Surfer) -> None:
    short, lasting = scim(acme, days=1), scim(acme)
    with at(acme.app, acme.world.now + timedelta(days=2)):
        later = acme.signed_in("olga@acme.example")
        assert "Nothing stops: its calls are refused already" in later.get(f"/w/acme/tokens/{short}/revoke").text
        assert "Revoke: Okta stops pushing" in later.get(f"/w/acme/tokens/{lasting}/revoke").text


def test_members_who_are_no_owners_get_no_token(acme: Acme, kim: Surfer) -> None:
    token = scim(acme)
    shown = kim.get(acme.page_of(KIM))
    assert kim.get("/w/acme/tokens").status_code == 403
    assert kim.submit(NEW, shown, kind="api", name="x", role="source_admin", expires="").status_code == 403
    assert kim.submit(f"/w/acme/tokens/{token}/revoke", shown).status_code == 403
    assert len(tokens(acme)) == 1


def test_a_form_without_its_token_makes_none(acme: Acme, olga: Surfer) -> None:
    told = olga.client.post(NEW, data={"kind": "api", "name": "x", "role": "source_admin", "expires": ""})
    assert told.status_code == 400
    assert tokens(acme) == ()


# -- OAuth clients ---------------------------------------------------------------------------------------------------


def oauth(acme: Acme) -> NewScimClient:
    world = acme.world
    return create_scim_client(world.context, acme.actor, "acme", world.connection.id, None, "Entra", world.now)


def opens(acme: Acme, client_id: str, secret: str) -> bool:
    return exchange_secret(acme.world.context, client_id, secret, Client("", ""), acme.world.now) is not None


def test_an_oauth_client_is_shown_once_with_all_that_its_idp_asks_for(acme: Acme, olga: Surfer, send: Send) -> None:
    connection = acme.world.connection.id
    told = send(NEW, f"{NEW}?kind=scim_client", kind="scim_client", name="Entra", connection=connection, expires="")
    assert told.headers["Cache-Control"] == "no-store"
    [made] = tokens(acme)
    assert (made.kind, made.description, made.connection_id) == ("scim_client", "Entra", connection)
    assert opens(acme, made.id, secret_in(told.text))
    for value in (made.id, "http://localhost:8000/scim/oauth2/token", "http://localhost:8000/scim/v2"):
        assert f">{value}</code>" in told.text
    again = olga.get("/w/acme/tokens", selected=made.id).text
    assert secret_in(told.text) not in again
    assert made.id in again


def test_a_new_secret_is_asked_for_and_shown_once(acme: Acme, olga: Surfer, send: Send) -> None:
    first = oauth(acme)
    path = f"/w/acme/tokens/{first.client_id}/rotate"
    assert "The present secret works on until tomorrow" in olga.get(path).text
    told = send(path)
    assert told.headers["Cache-Control"] == "no-store"
    assert opens(acme, first.client_id, secret_in(told.text))
    assert opens(acme, first.client_id, first.client_secret)
    assert "Former secret ends" in olga.get("/w/acme/tokens", selected=first.client_id).text
    assert acme.told()[-1] == "token.rotated"


def test_a_leaked_secret_is_ended_at_once(acme: Acme, olga: Surfer, send: Send) -> None:
    first = oauth(acme)
    path = f"/w/acme/tokens/{first.client_id}/rotate"
    asked = olga.get(path, at_once="1").text
    assert "next call is refused until it has the new secret" in asked
    told = send(path, f"{path}?at_once=1", at_once="1")
    assert opens(acme, first.client_id, secret_in(told.text))
    assert not opens(acme, first.client_id, first.client_secret)


def test_a_token_has_no_other_secret(acme: Acme, olga: Surfer) -> None:
    assert olga.get(f"/w/acme/tokens/{scim(acme)}/rotate").status_code == 404


# -- Taken over --------------------------------------------------------------------------------------


def of_kim(acme: Acme) -> str:
    """A token that Kim made while she was an owner. Returns its id."""
    world = acme.world
    owner = parse_role_in_scope("workspace_owner", ())
    give_to_member(world.context, acme.actor, "acme", acme.member_id(KIM), owner, world.now)
    with world.context.database.reading() as rows:
        found = find_user_by_email(rows, KIM)
    assert found
    actor, connection = f"user:{found.id}", world.connection.id
    return create_scim_token(world.context, actor, "acme", connection, None, "Okta provisioning", world.now).id


def test_an_owner_takes_over_what_stopped_with_its_maker(acme: Acme, olga: Surfer, send: Send) -> None:
    token = of_kim(acme)
    remove_member(acme.world.context, acme.actor, "acme", acme.member_id(KIM), acme.world.now)
    shown = olga.get("/w/acme/tokens", selected=token)
    assert "Doesn’t work any more" in shown.text
    path = f"/w/acme/tokens/{token}/take-over"
    assert f'href="{path}"' in shown.text
    assert "It works again" in olga.get(path).text
    told = send(path)
    assert (told.status_code, told.headers["Cache-Control"]) == (200, "no-store")
    caller = find_scim_token(acme.world.context, secret_in(told.text), acme.world.now)
    assert caller is not None
    assert caller.token_id == token
    assert acme.told()[-1] == "token.taken_over"
    assert "It is yours already" in send(path, f"/w/acme/tokens?selected={token}").text


def test_what_somebody_made_who_is_still_in_can_be_taken_over_too(acme: Acme, olga: Surfer, send: Send) -> None:
    token = of_kim(acme)
    path = f"/w/acme/tokens/{token}/take-over"
    assert "The present secret is refused" in olga.get(path).text
    assert send(path).status_code == 200
    [found] = tokens(acme)
    assert (found.made_by, found.works) == (acme.actor, True)


def test_there_is_nothing_to_take_over_of_ones_own(acme: Acme, olga: Surfer) -> None:
    token = scim(acme)
    assert "take-over" not in olga.get("/w/acme/tokens", selected=token).text
    assert olga.get(f"/w/acme/tokens/{token}/take-over").status_code == 409
