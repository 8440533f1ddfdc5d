"""One small company, its IdP opened in a temporary folder, and a SCIM server to push to."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from simulated.company_idp.app import create_app
from simulated.company_idp.company import Company, open_company
from simulated.company_idp.signing_key import SigningKey, make_signing_key
from tests.simulated.scim_server import ScimServer

PUBLIC_URL = "http://127.0.0.1:8001"
SP = {"entity_id": "http://localhost:8000/saml/c1/metadata", "acs_url": "http://localhost:8000/saml/c1/acs"}
STORY = Path(__file__).parent / "story.json"


class Browser(FlaskClient):
    """Opens paths at the IdP's public address."""

    def open(self, *args: Any, **options: Any) -> Any:
        options.setdefault("base_url", PUBLIC_URL)
        return super().open(*args, **options)


@pytest.fixture(scope="session")
def keys() -> dict[str, SigningKey]:
    """Keys of the IdP, of the service provider and of a stranger, made once: RSA keys are slow to make."""
    return {name: make_signing_key(name, datetime.now(UTC)) for name in ("idp", "sp", "stranger")}


@pytest.fixture
def company(tmp_path: Path, keys: dict[str, SigningKey]) -> Iterator[Company]:
    """Five people in three groups; knows its service provider, pushes nowhere yet."""
    state = tmp_path / "state"
    state.mkdir()
    (state / "saml-signing.pem").write_bytes(keys["idp"].private_pem + keys["idp"].certificate_pem)
    opened = open_company(state, PUBLIC_URL, lambda: datetime.now(UTC), STORY)
    opened.change_settings({"service_provider": SP})
    yield opened
    opened.close()


@pytest.fixture
def client(company: Company) -> FlaskClient:
    """A browser at the company's IdP."""
    app = create_app(company)
    app.testing = True
    app.test_client_class = Browser
    return app.test_client()


@pytest.fixture
def scim() -> Iterator[ScimServer]:
    """A SCIM server over real HTTP, empty."""
    server = ScimServer()
    yield server
    server.close()


@pytest.fixture
def connected(company: Company, scim: ScimServer) -> Company:
    """The company with its provisioning pointed at `scim`, as Okta."""
    company.change_settings({"provisioning": {"url": scim.url, "token": "t0ken", "dialect": "okta"}})
    return company


@pytest.fixture
def read_json() -> Callable[[str], Any]:
    """Reads a JSON file beside the tests."""
    return lambda name: json.loads((Path(__file__).parent / name).read_text(encoding="utf-8"))
