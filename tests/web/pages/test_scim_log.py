"""The SCIM log: what IdPs asked, what they were answered, and what that did, for owners to read."""

import re
from html import unescape
from typing import Any

import pytest

from bridge.domain.request_log import RequestsQuery
from bridge.flows.log_requests import flush
from bridge.flows.request_log import list_requests
from bridge.web.pages import scim_log
from tests.web.browsing import Surfer
from tests.web.pages.conftest import Acme
from tests.web.scim_calls import GROUP, Call, caller, created, new_user, patch, token_of
from tests.world import World, another_connection

LOG = "/w/acme/scim-log"


@pytest.fixture
def call(acme: Acme) -> Call:
    """Okta calls."""
    return caller(acme.app.test_client(), token_of(acme.world))


def sentences(html: str) -> list[str]:
    """What the lines say, in the order in which they stand."""
    return [unescape(found) for found in re.findall(r'aria-expanded="[a-z]+">([^<]+)</a>', html)]


def shown(acme: Acme, surfer: Surfer, **query: str) -> list[str]:
    """The lines of a page."""
    flush(acme.world.context, acme.world.now)
    page = surfer.get(LOG, **query)
    assert page.status_code == 200, page.text
    return sentences(page.text)


def only_open(html: str) -> str:
    """The address that opens the first line."""
    found = re.search(r'<a href="([^"]+)" aria-expanded', html)
    assert found
    return unescape(found[1])


def test_an_owner_reads_what_each_call_did_newest_first(acme: Acme, olga: Surfer, call: Call) -> None:
    assert "No calls yet" in olga.get(LOG).text
    assert "/w/acme/tokens/new?kind=scim" in olga.get(LOG).text
    ann = created(call, "/Users", new_user("ann@acme.example", displayName="Ann Ng"))
    call("POST", "/Users", new_user("ann@acme.example", displayName="Ann Ng"))
    call("GET", f"/Users/{ann['id']}")
    read, refused, added = shown(acme, olga)
    assert (read, added) == ("Okta read Ann Ng.", "Okta added Ann Ng.")
    assert refused.startswith("Okta couldn’t add Ann Ng: A user with userName")
    assert "Kept 30 days" in olga.get(LOG).text
    assert f'href="{LOG}" aria-current="page"' in olga.get(LOG).text


def test_a_line_opens_to_its_request_and_answer_and_closes_again(acme: Acme, olga: Surfer, call: Call) -> None:
    created(call, "/Users", new_user("ann@acme.example", displayName="<b>Ann</b>", password="hunter-two-two"))
    shown(acme, olga)
    opened = olga.get(only_open(olga.get(LOG).text).removesuffix("#open"))
    told = unescape(opened.text)
    assert "POST /Users" in told
    assert '"password": "[blacked out]"' in told
    assert '"userName": "ann@acme.example"' in told
    assert "hunter-two-two" not in told
    assert "<b>Ann</b>" not in opened.text
    assert 'id="open"' in opened.text
    assert only_open(opened.text) == LOG
    assert 'id="open"' not in olga.get(LOG, open="0-0").text
    assert 'id="open"' not in olga.get(LOG, open="nonsense").text


def test_the_log_is_searched_and_narrowed(acme: Acme, olga: Surfer, call: Call) -> None:
    entra = another_connection(acme.world, "Entra")
    created(call, "/Users", new_user("ann@acme.example", displayName="Ann Ng"))
    created(caller(acme.app.test_client(), token_of(entra)), "/Users", new_user("bo@acme.example", displayName="Bo"))
    call("GET", "/Users/0")
    assert shown(acme, olga, q="ann") == ["Okta added Ann Ng."]
    assert shown(acme, olga, connection=entra.connection.id) == ["Entra added Bo."]
    assert len(shown(acme, olga, outcome="refused")) == 1
    assert len(shown(acme, olga, outcome="every_change")) == 3
    assert shown(acme, olga, outcome="nonsense", before="nonsense") == shown(acme, olga)
    assert "No call about “zoe”" in olga.get(LOG, q="zoe").text
    assert "1 filter is set" in olga.get(LOG, connection="nobody").text


def test_one_goes_on_to_older_calls_whatever_comes_in_meanwhile(
    acme: Acme, olga: Surfer, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scim_log, "PAGE", 2)
    for name in ("A", "B", "C"):
        created(call, "/Groups", {"schemas": [GROUP], "displayName": name})
    first = olga.get(LOG, outcome="changed")
    assert sentences(first.text) == ["Okta made the IdP group C.", "Okta made the IdP group B."]
    created(call, "/Groups", {"schemas": [GROUP], "displayName": "D"})
    older = re.search(r'href="([^"]+before=[^"]+)">Older', first.text)
    assert older
    second = olga.get(unescape(older[1]))
    assert sentences(second.text) == ["Okta made the IdP group A."]
    assert f'href="{LOG}?outcome=changed">Newest' in second.text


def test_who_is_no_owner_does_not_see_it(acme: Acme, kim: Surfer, call: Call) -> None:
    created(call, "/Users", new_user("ann@acme.example", displayName="Ann Ng"))
    refused = kim.get(LOG)
    assert refused.status_code == 403
    assert "Ann Ng" not in refused.text
    assert LOG not in kim.get("/w/acme/roles").text


def test_another_workspaces_calls_are_not_there(acme: Acme, olga: Surfer, other: World) -> None:
    theirs: Any = caller(acme.app.test_client(), token_of(other))
    theirs("PATCH", "/Users/0", patch())
    assert shown(acme, olga) == []
    [line] = list_requests(other.context, "other", RequestsQuery(), 5).requests
    assert 'id="open"' not in olga.get(LOG, open=line.id).text
