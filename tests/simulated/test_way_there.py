"""How the examiner reaches a server: addresses, CAs of one's own, proxies."""

from pathlib import Path
from typing import Any

import pytest

from simulated.dialects.scim_client import ScimUnreachable, ScimUntrusted
from simulated.examiner.__main__ import begin_at, tell_reason, which_dialect
from simulated.examiner.life_cycle import play
from simulated.examiner.people_steps import NoScimServer
from simulated.examiner.way_there import WayThere, read_way
from tests.certificate import Certificate
from tests.simulated.small_server import SmallServer, listening

PROXY = "http://proxy.example:3128"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


def test_entras_flag_is_taken_off_the_address() -> None:
    way = read_way("entra", "https://app.example/scim/v2?aadOptscim062020", None)
    assert (way.dialect, way.url) == ("entra-compliant", "https://app.example/scim/v2")


@pytest.mark.parametrize(
    ("idp", "url", "why"),
    [
        ("okta", "app.example/scim", "isn't an http or https address"),
        ("okta", "ftp://app.example/scim", "isn't an http or https address"),
        ("okta", "https:///scim", "isn't an http or https address"),
        ("okta", "https://app.example/scim?aadOptscim062020", "no query"),
        ("entra", "https://app.example/scim?key=1", "no query"),
        ("okta", "https://app.example/scim#top", "no query"),
        ("okta", "https://ann:secret@app.example/scim", "the token is read from stdin"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused(idp: Any, url: str, why: str) -> None:
    with pytest.raises(ValueError, match=why) as refused:
        read_way(idp, url, None)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("idp", ["okta", "onelogin"])
def test_a_server_of_ones_own_ca_is_examined_with_its_file_and_not_without(idp: Any, certificate: Certificate) -> None:
    server = SmallServer()
    with listening(server, certificate.for_server()) as url:
        trusting = begin_at(read_way(idp, url, str(certificate.path)), "t0ken")
        play(trusting, "abc123", 3, 1)
        seen = len(server.log)
        with pytest.raises(ScimUntrusted, match=r"isn't trusted: self[- ]signed certificate"):
            play(begin_at(read_way(idp, url, None), "t0ken"), "abc124", 3, 1)
    assert trusting.faults == []
    assert len(server.log) == seen > 0


def test_what_was_not_reached_is_told_with_what_to_do(certificate: Certificate) -> None:
    url, error = "https://app.example/scim", ScimUntrusted("It isn't trusted.")
    file, proxy = str(certificate.path), {"https": "http://ann:secret@proxy.example:3128"}
    assert "--ca-file" in tell_reason(error, WayThere("okta", url))[1]
    assert tell_reason(error, WayThere("okta", url, file)) == ("unreachable", "It isn't trusted.")
    through = tell_reason(ScimUnreachable("Nobody."), WayThere("okta", url, None, proxy))[1]
    assert "through the proxy proxy.example, which" in through
    assert "base address" in tell_reason(NoScimServer("None."), WayThere("okta", url))[1]


def test_only_oktas_apps_differ() -> None:
    assert [which_dialect("okta", app) for app in (None, "catalog", "wizard")] == ["okta", "okta", "okta-wizard"]
    with pytest.raises(ValueError, match="--app is for okta"):
        which_dialect("entra", "wizard")


def test_a_file_that_holds_no_certificate_is_refused_before_any_call(tmp_path: Path, certificate: Certificate) -> None:
    for content in (b"", b"ann,bob", b"\x30\x82\x01\x0a"):
        (tmp_path / "ca").write_bytes(content)
        with pytest.raises(ValueError, match="holds no certificate in PEM"):
            read_way("okta", "https://app.example/scim", str(tmp_path / "ca"))
    with pytest.raises(ValueError, match="can't be read: No such file"):
        read_way("okta", "https://app.example/scim", str(tmp_path / "none"))
    with pytest.raises(ValueError, match="is for https addresses"):
        read_way("okta", "http://app.example/scim", str(certificate.path))


def test_a_proxy_of_the_environment_is_gone_through_but_not_where_it_says_no(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", PROXY)
    monkeypatch.setenv("NO_PROXY", "inside.example")
    assert read_way("okta", "https://app.example/scim", None).proxies["https"] == PROXY
    assert read_way("okta", "https://inside.example/scim", None).proxies == {}


@pytest.mark.parametrize("host", ["localhost", "bridge.localhost", "127.0.0.1", "[::1]"])
def test_no_proxy_is_asked_for_this_machine(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.setenv("HTTP_PROXY", PROXY)
    assert read_way("okta", f"http://{host}:8000/scim/v2", None).proxies == {}
