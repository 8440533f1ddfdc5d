"""The sign-in log's pages: a list, one attempt with what to change, and the way there from a refused sign-in."""

import re
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from bridge.domain.sign_in_explanations import EXPLANATIONS, OIDC_EXPLANATIONS
from bridge.domain.sign_in_log import TITLES
from bridge.web.pages import sign_in_log
from bridge.web.pages.attempts import GUIDES, OIDC_GUIDE
from bridge.web.pages.connection_test import blueprint as tests
from oidc import errors as oidc_errors
from saml import errors as saml_errors
from saml.errors import SamlError
from tests.flows.logins import keep_attempt
from tests.web.browsing import Surfer, connect, reference_in
from tests.web.pages.conftest import Acme

LOG = "/w/acme/sign-in-log"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(1)>"


def whom(html: str) -> list[str]:
    """Whose attempts the lines are of, in their order."""
    listed = html.partition('<ul class="b-list b-attempts">')[2].partition("</ul>")[0]
    return [unescape(found) for found in re.findall(r"<b>([^<]*)</b>", listed)]


def test_an_owner_reads_attempts_newest_first_by_the_page(
    acme: Acme, olga: Surfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_log, "PAGE", 2)
    for n in range(5):
        email = f"p{n}@acme.example"
        at = acme.world.now - timedelta(hours=9 - n)
        keep_attempt(acme.world, f"PPPP-222{n + 2}", "refused", at, email=email, email_ci=email, code="expired")
    first = olga.get(LOG, outcome="refused")
    assert whom(first.text) == ["p4@acme.example", "p3@acme.example"]
    older = re.search(r'href="([^"]+)">Older', first.text)
    assert older
    second = olga.get(unescape(older[1]))
    assert whom(second.text) == ["p2@acme.example", "p1@acme.example"]
    assert "Newest" in second.text
    assert "Okta’s answer is too old" in first.text
    assert f'href="{LOG}" aria-current="page"' in first.text


def test_a_reset_of_a_password_is_told_apart_from_a_sign_in(acme: Acme, olga: Surfer) -> None:
    said = {"kind": "reset", "code": "password_reset", "email": "kim@acme.example", "email_ci": "kim@acme.example"}
    keep_attempt(acme.world, "RRRR-2222", "password_reset", acme.world.now, **said)
    assert whom(olga.get(LOG, outcome="password_reset").text) == ["kim@acme.example"]
    assert whom(olga.get(LOG, outcome="refused").text) == []
    shown = olga.get(f"{LOG}/RRRR-2222").text
    assert "kim@acme.example chose a new password" in shown
    assert "Password reset" in shown


def test_nothing_found_is_said(acme: Acme, olga: Surfer) -> None:
    assert "No attempt of “zoe”" in olga.get(LOG, q="zoe").text
    assert olga.get(LOG, before="nonsense", since="ever", outcome="all").status_code == 200


@pytest.mark.parametrize("path", ["", "/AAAA-2222", "/%00", "/é"])
def test_only_owners_read_it(acme: Acme, kim: Surfer, path: str) -> None:
    assert kim.get(LOG + path).status_code == 403


def test_the_page_of_a_refused_sign_in_leads_an_owner_to_the_attempt(acme: Acme, olga: Surfer) -> None:
    company = connect(acme.world.context, "acme", name="Kicks IdP")
    form = company.answer(in_response_to=Surfer(acme.app).start(company), audiences=(("https://other.example",),))
    refused = Surfer(acme.app).bring(acme.app, company, form)
    found = re.search(r'href="(/sign-in-log/[^"]+)"', refused.text)
    assert found
    assert Surfer(acme.app).get(found[1]).headers["Location"].startswith("/login?return_to=")
    led = olga.get(found[1])
    assert led.headers["Location"] == f"{LOG}/{reference_in(refused)}"
    page = unescape(olga.get(led.headers["Location"]).text)
    assert "Kicks IdP’s answer was meant for somebody else" in page
    assert "Applications › Applications › your application › General › SAML Settings" in page
    assert company.sp.entity_id in page
    assert "Refused by the check audience-is-ours." in page
    assert "Not reached: whom it names" in page
    assert "We sent them to Kicks IdP" in page
    assert f'action="/w/acme/connections/{company.connection_id}/test"' in page
    assert f'href="/w/acme/connections/{company.connection_id}"' in page
    assert olga.get("/sign-in-log/AAAA-2222").status_code == 404


def test_a_certificate_that_is_not_known_leads_to_the_certificates(acme: Acme, olga: Surfer) -> None:
    keep_attempt(acme.world, "CCCC-2222", "refused", acme.world.now, code="bad-signature")
    keep_attempt(acme.world, "CCCC-3333", "refused", acme.world.now, code="expired")
    place = f"/w/acme/connections/{acme.world.connection.id}"
    assert f'href="{place}/certificates">Certificates of Okta' in olga.get(f"{LOG}/CCCC-2222").text
    assert f'href="{place}">Open Okta' in olga.get(f"{LOG}/CCCC-3333").text


def test_what_others_wrote_is_shown_as_text(acme: Acme, olga: Surfer) -> None:
    step = {"name": SCRIPT, "detail": SCRIPT, "at": None, "warning": True}
    would: dict[str, object] = dict.fromkeys(("subject", "email", "name", "account", "membership"), SCRIPT)
    would |= {name: [SCRIPT] for name in ("groups", "rules", "access")}
    hostile = dict.fromkeys(("text", "check", "agent", "address", "email", "email_ci", "message", "code"), SCRIPT)
    keep_attempt(acme.world, "XXXX-2222", "refused", acme.world.now, steps=[step], would=would, test=True, **hostile)
    for path in (LOG, f"{LOG}/XXXX-2222", f"{LOG}?q={SCRIPT}"):
        page = olga.get(path)
        assert page.status_code == 200
        assert "<script>alert" not in page.text
        assert "<img src=x" not in page.text
    assert "&lt;script&gt;alert(1)" in olga.get(f"{LOG}/XXXX-2222").text


def test_a_test_is_begun_by_an_owner_alone(acme: Acme, olga: Surfer, kim: Surfer) -> None:
    company = connect(acme.world.context, "acme", name="Kicks IdP")
    path = f"/w/acme/connections/{company.connection_id}/test"
    assert tests.name == "connection_test"
    page = olga.get(path)
    assert f'<a href="/w/acme/connections/{company.connection_id}">Kicks IdP</a>' in page.text
    assert "form-action 'self' https: http:" in page.headers["Content-Security-Policy"]
    told = olga.submit(path, page)
    assert told.headers["Location"].startswith(f"{company.path('login')}?test=")
    assert kim.get(path).status_code == 403
    assert kim.submit(path, kim.get("/logout")).status_code == 403
    assert olga.client.post(path).status_code == 400  # no token of a form of ours
    assert olga.get("/w/acme/connections/00000000-0000-4000-8000-000000000000/test").status_code == 404


# -- Explanations ------------------------------------------------------------------------------------


def codes(base: type) -> set[str]:
    """The codes of a class of refusals and of all below it."""
    found: set[str] = {base.code}  # type: ignore[attr-defined]
    kinds: list[type] = base.__subclasses__()
    return found.union(*(codes(below) for below in kinds))


def test_every_saml_refusal_is_explained() -> None:
    assert codes(saml_errors.Refused) - {"refused"} - set(EXPLANATIONS) == set()
    assert issubclass(saml_errors.Refused, SamlError)


def test_every_oidc_refusal_is_explained() -> None:
    known = set(EXPLANATIONS) | set(OIDC_EXPLANATIONS)
    logout = {"not-a-logout-token", "missing-token-id", "nobody-to-sign-out", "not-a-security-event"}
    assert codes(oidc_errors.Refused) - {"refused"} - logout - known == set()


def test_every_guide_that_is_named_is_there_and_has_that_part() -> None:
    pages = [path.read_text() for path in (Path(__file__).parents[3] / "docs" / "guides").glob("*.md")]
    told = {page.splitlines()[0].removeprefix("# ") for page in pages if "\n## When it doesn't work\n" in page}
    assert {*GUIDES.values(), OIDC_GUIDE} <= told


def test_every_step_has_a_title() -> None:
    assert all(TITLES.values())
