"""The access API's own OpenAPI document, taken at its word: schemathesis makes requests from it, right and wrong ones,
and holds every answer against it. No 5xx ever (properties 18), and no answer that the document doesn't foresee.
"""

import json
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from werkzeug.test import Client

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.roles import OWNER
from bridge.flows.context import OPERATOR
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.tokens import create_api_token
from bridge.web.access_openapi import render_openapi
from tests.web.described import CHECKS, described
from tests.world import World

DOCUMENT = render_openapi("http://localhost:8000")
ASKING = ("/check", "/explain")
#: Requests for each operation and mode, in the short run and in the long one.
FEW, MANY = 10, 150

#: What schemathesis makes names nobody: these find somebody and something.
KNOWN = st.fixed_dictionaries(
    {
        "subject": st.sampled_from(["olga@acme.example", "ann@acme.example", {"type": "user", "id": "nobody"}]),
        "action": st.sampled_from(["read", "edit", {"name": "read"}]),
        "resource": st.sampled_from(["source:web", {"type": "source", "id": "web"}, "space:none", "pii"]),
    }
)


@pytest.fixture
def headers(world: World) -> dict[str, str]:
    """What says who asks, in a world with something to ask about."""
    world.push("ann@acme.example")
    add_resource(world.context, OPERATOR, "acme", ResourceDraft("source", "Web", "web"), world.now)
    token = create_api_token(world.context, OPERATOR, "acme", [RoleInScope(OWNER, EVERYWHERE)], None, "x", world.now)
    return {"Authorization": f"Bearer {token.token}"}


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize("path", ASKING)
def test_every_answer_is_as_the_document_says(
    app: Flask, headers: dict[str, str], path: str, mode: GenerationMode, pytestconfig: pytest.Config
) -> None:
    cases = described(app, "/access/openapi.json", headers)[path]["POST"].as_strategy(generation_mode=mode)
    batches = st.lists(KNOWN, min_size=1, max_size=3).map(lambda checks: {"checks": checks})
    known = KNOWN if path == "/explain" else KNOWN | batches

    @settings(
        max_examples=MANY if pytestconfig.getoption("--long") else FEW,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=cases, body=st.none() | known)
    def holds(case: Case[Any], body: dict[str, Any] | None) -> None:
        if body:
            case.body, case.media_type = body, "application/json"
        answer = case.call_and_validate(headers=headers, checks=CHECKS)
        if mode == GenerationMode.POSITIVE:
            assert answer.status_code in (200, 304), (case.body, answer.text)

    holds()


def test_the_document_is_openapi_and_describes_every_address(app: Flask) -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()
    ours = [
        rule.rule.removeprefix("/access") for rule in app.url_map.iter_rules() if rule.endpoint.startswith("access.")
    ]
    assert {each for each in ours if each not in ("/", "/<path:path>")} == set(DOCUMENT["paths"])


def test_anybody_reads_it(app: Flask) -> None:
    answer = Client(app).get("/access/openapi.json")
    assert answer.content_type == "application/json"
    assert json.loads(answer.data) == DOCUMENT
