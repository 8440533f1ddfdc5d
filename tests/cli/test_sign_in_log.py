"""`bridge sign-in-log`, and the address that `bridge connection test` makes."""

from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from bridge.app import create_web
from bridge.settings import read_settings
from bridge.wiring import make_context
from tests.cli.conftest import Shell


@pytest.fixture
def client(okta: str) -> FlaskClient:
    """The web application over the shell's database."""
    return create_web(make_context(read_settings())).test_client()


def test_the_log_lists_attempts_and_tells_one_in_full(kicks: Shell, okta: str, client: FlaskClient) -> None:
    assert kicks.run("sign-in-log", "show", "kicks").out == "Nothing in the log.\n"
    client.post(f"/saml/{okta}/acs", data={"SAMLResponse": "PHg+\x1b[31m"})
    (one,) = kicks.json("sign-in-log", "show", "kicks", "--refused")["attempts"]
    assert (one["outcome"], one["code"], one["connection"]["id"]) == ("refused", "malformed-message", okta)
    assert kicks.json("sign-in-log", "show", "kicks", "--person", "nobody")["attempts"] == []
    whole = kicks.json("sign-in-log", "show", "kicks", one["ref"])["attempt"]
    assert [step["name"] for step in whole["steps"]] == ["received"]
    assert whole["fix"]["title"] == "What arrived isn’t a SAML response that can be read"
    shown = kicks.run("sign-in-log", "show", "kicks", one["ref"].lower()).out
    assert one["ref"] in shown
    assert "\x1b" not in shown
    assert kicks.run("sign-in-log", "show", "kicks", "AAAA-2222").status == 1


def test_a_test_begins_at_an_address_that_works_once(kicks: Shell, okta: str, client: FlaskClient) -> None:
    kicks.run("connection", "disable", "kicks", okta)
    url = urlsplit(kicks.json("connection", "test", "kicks", okta)["url"])
    assert client.get(f"{url.path}?{url.query}").status_code == 302
    assert client.get(f"{url.path}?{url.query}").status_code == 403
    assert kicks.run("connection", "test", "kicks", "nothing").status == 1
