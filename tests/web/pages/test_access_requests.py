"""Access requests on pages: asked, counted, granted, refused, taken back."""

import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from bridge.flows.access_requests import AccessRequest, RequestDraft, ask_for_access, list_requests
from bridge.flows.explain import access_of
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, Acme
from tests.world import World

LIST, NEW = "/w/acme/access-requests", "/w/acme/access-requests/new"
WANTED = {"role": "source_admin", "resource": "Website", "message": "I look after <its> events."}


def waiting(acme: Acme) -> tuple[AccessRequest, ...]:
    return list_requests(acme.world.context, "acme")


def roles(acme: Acme) -> set[str]:
    return {one.role.name for one in access_of(acme.world.context, "acme", KIM, acme.world.now)}


@pytest.fixture
def asked(acme: Acme, kim: Surfer) -> AccessRequest:
    """Kim has asked."""
    told = kim.submit(NEW, kim.get(NEW), **WANTED)
    assert (told.status_code, told.headers["Location"]) == (303, LIST)
    [made] = waiting(acme)
    return made


def press(surfer: Surfer, action: str) -> TestResponse:
    return surfer.submit(action, surfer.get(LIST))


def test_who_asked_sees_it_until_they_take_it_back(acme: Acme, kim: Surfer, asked: AccessRequest) -> None:
    shown = kim.get(LIST).text
    assert "You ask to get Source Admin on Website" in shown
    assert "I look after &lt;its&gt; events." in shown
    assert "Grant" not in re.sub(r"Owner", "", shown.partition("<main")[2])
    assert press(kim, f"{LIST}/{asked.id}/withdraw").headers["Location"] == LIST
    assert waiting(acme) == ()
    assert "Nothing waits for an answer" in kim.get(LIST).text


def test_owners_see_how_many_wait_on_every_page_and_grant(acme: Acme, olga: Surfer, asked: AccessRequest) -> None:
    assert re.search(r'Access requests<span class="b-count b-count-warn">1<', olga.get("/w/acme/users").text)
    shown = olga.get(LIST).text
    assert "asks to get Source Admin on Website" in shown
    assert press(olga, f"{LIST}/{asked.id}/grant").headers["Location"] == LIST
    assert "Source Admin" in roles(acme)
    assert "b-count-warn" not in olga.get(LIST).text


def test_owners_refuse_with_a_word(acme: Acme, olga: Surfer, asked: AccessRequest) -> None:
    path = f"{LIST}/{asked.id}/refuse"
    page = olga.get(path)
    assert "They ask to get Source Admin on Website" in page.text
    too_long = olga.submit(path, page, reason="w" * 1200)
    assert too_long.status_code == 422
    assert "at most 1000 characters" in too_long.text.partition('id="f-reason-error"')[2]
    assert olga.submit(path, page, reason="Not yours").headers["Location"] == LIST
    assert (waiting(acme), roles(acme) & {"Source Admin"}) == ((), set())
    again = olga.submit(path, page, reason="Not yours")
    assert again.status_code == 404
    assert "it was answered or taken back" in again.text


@pytest.mark.parametrize(
    ("changes", "field", "status"),
    [
        ({"resource": "Nowhere"}, "f-resource-error", 422),
        ({"resource": ""}, "f-resource-error", 422),
        ({"message": ""}, "f-message-error", 422),
        ({"message": "w" * 1001}, "f-message-error", 422),
        ({"role": "workspace_owner"}, "f-role-error", 422),
        ({"role": "nonsense"}, "b-note-bad", 404),
    ],
    ids=["unknown", "no resource", "no message", "long", "owner", "no role"],
)
def test_what_is_wrong_is_said_beside_it_and_what_was_typed_stays(
    acme: Acme, kim: Surfer, changes: dict[str, str], field: str, status: int
) -> None:
    told = kim.submit(NEW, kim.get(NEW), **WANTED | changes)
    assert told.status_code == status
    assert field in told.text
    assert (WANTED | changes)["message"][:20].replace("<", "&lt;").replace(">", "&gt;") in told.text
    assert waiting(acme) == ()


def test_an_application_can_lead_here_with_what_is_missing(acme: Acme, kim: Surfer) -> None:
    shown = kim.get(f"{NEW}?role=source_read_only&resource=source:website").text
    assert '<option value="source_read_only" selected>' in shown
    assert 'value="source:website"' in shown


def test_ones_own_access_leads_a_member_to_asking_for_more(acme: Acme, kim: Surfer, olga: Surfer) -> None:
    link = f'href="{NEW}"'
    assert link in kim.get(acme.page_of(KIM)).text
    assert link not in olga.get(acme.page_of(KIM)).text
    assert link not in olga.get(acme.page_of("olga@acme.example")).text


def test_a_page_of_owners_leads_a_member_to_asking(kim: Surfer) -> None:
    shut = kim.get("/w/acme/users")
    assert shut.status_code == 403
    assert f'href="{NEW}"' in shut.text
    assert "Only Workspace Owners can open this page." in shut.text


def test_members_answer_nothing_and_see_nobody_elses(acme: Acme, kim: Surfer, olga: Surfer) -> None:
    ask_for_access(
        acme.world.context, acme_member(acme), "acme", RequestDraft("identity_admin", "", "mine"), acme.world.now
    )
    [made] = waiting(acme)
    for path in (f"{LIST}/{made.id}/grant", f"{LIST}/{made.id}/refuse"):
        assert kim.submit(path, kim.get(NEW)).status_code == 403
    assert kim.get(f"{LIST}/{made.id}/refuse").status_code == 403
    assert olga.submit(f"{LIST}/{made.id}/withdraw", olga.get(LIST)).status_code == 404
    assert len(waiting(acme)) == 1


def acme_member(acme: Acme) -> str:
    return f"user:{acme.person(KIM).member.user_id}"


def test_another_workspaces_owner_answers_nothing(acme: Acme, other: World, asked: AccessRequest, olga: Surfer) -> None:
    assert olga.get(f"/w/other/access-requests/{asked.id}/refuse").status_code == 404
    assert Surfer(acme.app).get(LIST).status_code == 303
    assert len(waiting(acme)) == 1


def test_a_form_without_its_token_asks_nothing(acme: Acme, kim: Surfer, app: Flask) -> None:
    assert app is acme.app
    assert kim.client.post(NEW, data=WANTED).status_code == 400
    assert waiting(acme) == ()
