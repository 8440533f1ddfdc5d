"""Signing in by OpenID Connect as browsers and providers do it: properties.md 1–5, 9, 12, 18–20 over HTTP."""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from tests.web.browsing import Surfer
from tests.web.provider import OidcCompany, Provider, connect_oidc, impatient, running_provider
from tests.world import World

MEI = "mei@kicks.example"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def kicks(world: World, app: Flask, provider: Provider) -> OidcCompany:
    """The company's provider, connected."""
    impatient(app, 5)
    return connect_oidc(world.context, "acme", provider, name="Kicks Login")


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def test_a_person_signs_in(kicks: OidcCompany, surfer: Surfer) -> None:
    told = kicks.sign_in(surfer, groups=["eng", "ops"], return_to="/w/acme/users?q=Ines%20D")
    assert told.status_code == 303, told.text
    assert told.headers["Location"] == "/w/acme/users?q=Ines%20D"
    said = surfer.session()
    assert said["user"]["email"] == MEI
    assert [workspace["slug"] for workspace in said["workspaces"]] == ["acme"]
    (by,) = said["authenticated_by"]
    assert (by["kind"], by["connection"], by["groups"]) == ("oidc", kicks.connection_id, ["eng", "ops"])
