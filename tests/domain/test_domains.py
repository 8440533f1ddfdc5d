"""Which names can be claimed, how they are shown, and what becomes of a proof (product.md 2.4)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.domains import GRACE, SILENCE_IS_NO_NEWS, Domain, Looked, Proof, check, parse_claim, show_domain
from bridge.domain.errors import Invalid
from bridge.domain.people import email_domain

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)
PROVED = Domain("kicks.example", None, "token", NOW + 14 * DAY, NOW, "user:x", "dns", NOW, NOW)
ABSENT = Looked(problem="There is no name.", absent=frozenset({"dns", "meta"}))
SILENT = Looked(problem="Nobody answered.")


# -- Names -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["co.uk", "com.au", "github.io", "azurewebsites.net", "kicks.ck", "CO.UK.", ["xn--p1ai", "xn--p1ai"][0] + ".", "公司.cn"],  # noqa: E501
)  # fmt: skip
def test_nobody_claims_what_everybody_registers_names_under(name: str) -> None:
    with pytest.raises(Invalid):
        parse_claim(name)


@pytest.mark.parametrize(
    "name",
    ["gmail.com", "GMail.com.", "googlemail.com", "outlook.com", "hotmail.com", "yahoo.com", "icloud.com", "gmx.de", "qq.com", "mail.ru", "proton.me", "hey.com", "tuta.com", "mailinator.com"],  # noqa: E501
)  # fmt: skip
def test_nobody_claims_what_everybody_has_mail_at(name: str) -> None:
    with pytest.raises(Invalid, match="Anybody can have an address"):
        parse_claim(name)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("kicks.example", "kicks.example"),
        ("Kicks.EXAMPLE.", "kicks.example"),
        ("kicks.co.uk", "kicks.co.uk"),
        ("mail.kicks.co.uk", "mail.kicks.co.uk"),
        ("www.ck", "www.ck"),
        ("kicks.local", "kicks.local"),
        ("Köln.example", "xn--kln-sna.example"),
        ("xn--kln-sna.example", "xn--kln-sna.example"),
        ("KICKS。example", "kicks.example"),
    ],
)
def test_a_companys_name_in_whichever_form_is_one_name(name: str, kept: str) -> None:
    assert parse_claim(name) == kept


@pytest.mark.parametrize("name", ["kicks.example..", ".kicks.example", "kicks", "kicks.example/", "https://kicks.example", "kicks.example:443", "user@kicks.example", "kicks_.example", "xn--.example", "k\u200dicks.example", "192.0.2.1"])  # fmt: skip  # noqa: E501
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        parse_claim(name)


def test_look_alikes_are_other_names_and_show() -> None:
    cyrillic = parse_claim("p\u0430ypal.com")
    assert cyrillic != parse_claim("paypal.com")
    assert show_domain(cyrillic) == "p\u0430ypal.com (xn--pypal-4ve.com)"
    assert show_domain("kicks.example") == "kicks.example"
    assert show_domain("xn--a.example") == "xn--a.example"


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_refused(text: str) -> None:
    try:
        name = parse_claim(text)
    except Invalid:
        return
    assert parse_claim(name) == name
    assert email_domain(f"ann@{name}") == name
    assert show_domain(name)


# -- What becomes of a proof ---------------------------------------------------------------------------


def test_a_proof_that_is_found_is_all_there_is_to_say() -> None:
    ailing = replace(PROVED, missing_since=NOW, problem="gone")
    seen = check(ailing, Looked("meta"), NOW + DAY)
    assert (seen.proof, seen.found_at, seen.missing_since, seen.problem) == ("meta", NOW + DAY, None, None)


@pytest.mark.parametrize(("proof", "absent"), [("dns", {"dns"}), ("meta", {"meta"}), ("meta", {"dns", "meta"})])
def test_a_proof_that_is_known_to_be_gone_is_warned_about_at_once(proof: Proof, absent: set[Proof]) -> None:
    seen = check(replace(PROVED, proof=proof), Looked(problem="gone", absent=frozenset(absent)), NOW + DAY)
    assert seen.missing_since == NOW + DAY
    assert seen.status == "proved"
    assert seen.ends_at == NOW + DAY + GRACE


@pytest.mark.parametrize(("proof", "absent"), [("dns", {"meta"}), ("meta", {"dns"}), ("dns", set())])
def test_a_name_server_or_site_that_is_away_is_no_news(proof: Proof, absent: set[Proof]) -> None:
    looked = Looked(problem="away", absent=frozenset(absent))
    seen = check(replace(PROVED, proof=proof), looked, NOW + SILENCE_IS_NO_NEWS - DAY)
    assert (seen.status, seen.missing_since, seen.problem) == ("proved", None, "away")
    assert check(seen, looked, NOW + SILENCE_IS_NO_NEWS).missing_since == NOW + SILENCE_IS_NO_NEWS


@pytest.mark.parametrize("looked", [ABSENT, SILENT])
def test_a_week_after_the_warning_the_domain_is_not_proved(looked: Looked) -> None:
    warned = check(PROVED, ABSENT, NOW)
    assert check(warned, looked, NOW + GRACE - DAY).status == "proved"
    ended = check(warned, looked, NOW + GRACE)
    assert (ended.status, ended.proof, ended.proved_by, ended.ends_at) == ("pending", None, None, None)
    assert ended.token == PROVED.token
    assert ended.token_expires_at == NOW + GRACE + 14 * DAY


@given(st.lists(st.tuples(st.integers(0, 40), st.sampled_from([ABSENT, SILENT, Looked("dns")])), max_size=30))
def test_a_domain_is_never_ended_without_a_week_of_warning(looks: list[tuple[int, Looked]]) -> None:
    domain, warned_at, last_found = PROVED, None, NOW
    for day, looked in sorted(looks, key=lambda look: look[0]):
        now = NOW + day * DAY
        domain = check(domain, looked, now)
        if domain.proved_at is None:
            assert warned_at is not None
            assert now - warned_at >= GRACE
            assert now - last_found >= GRACE
            return
        warned_at = domain.missing_since
        last_found = now if looked.found else last_found
