"""The server's own OpenAPI document, taken at its word: schemathesis makes requests from it, right and wrong ones, and
holds every answer against it. No 5xx ever (properties 18), and no answer that the document doesn't foresee.

Over WSGI, so that the long run gets through thousands of requests in its minute.
"""

import json
from typing import Any
from urllib.parse import urlencode

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from werkzeug.test import Client

from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token
from bridge.web import scim_api
from scim.filters import render_filter
from scim.messages import PATCH_OP_SCHEMA
from scim.openapi import render_openapi
from scim.schemas import GROUP, USER
from tests.databases import Engine
from tests.scim import generated
from tests.web.described import CHECKS, described
from tests.web.scim_calls import Call, body_of
from tests.world import World

DOCUMENT = render_openapi(scim_api.CAPABILITIES, "http://localhost:8000/scim/v2")
METHODS = ("get", "post", "put", "patch", "delete")
OPERATIONS = [(path, method) for path, item in DOCUMENT["paths"].items() for method in METHODS if method in item]
#: Requests for each operation and mode, in the short run and in the long one; on PostgreSQL always few, for it answers
#: alike.
FEW, MANY = 2, 8

#: Of PATCH the document says little, so most of what is made from it is refused alike: these get further.
PATCHES = st.lists(
    st.fixed_dictionaries(
        {"op": st.sampled_from(["add", "replace", "remove"])},
        optional={
            "path": st.sampled_from([str(path) for kind in (USER, GROUP) for path in kind.paths()])
            | st.sampled_from(
                ['emails[type eq "work"].value', "members[value pr]", 'roles[value eq "x" and not (type pr)]']
            ),
            "value": st.recursive(
                st.none() | st.booleans() | st.integers() | st.text(max_size=5),
                lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["value", "type"]), inner),
                max_leaves=4,
            ),
        },
    ),
    min_size=1,
    max_size=3,
).map(lambda made: {"schemas": [PATCH_OP_SCHEMA], "Operations": made})


@pytest.fixture
def headers(world: World) -> dict[str, str]:
    """What says who calls."""
    token = create_scim_token(world.context, OPERATOR, "acme", world.connection.id, None, "for a test", world.now)
    return {"Authorization": f"Bearer {token.token}"}


@pytest.fixture
def known(world: World) -> dict[str, str]:
    """Ids that are there, by where they are; the group changes and may go while requests come."""
    ann = world.push("ann@acme.example")
    return {"/Users/{id}": ann.id, "/Groups/{id}": world.push_group("eng", ann).id}


@pytest.mark.parametrize("mode", GenerationMode)
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_as_the_document_says(
    app: Flask,
    headers: dict[str, str],
    known: dict[str, str],
    path: str,
    method: str,
    mode: GenerationMode,
    engine: Engine,
    pytestconfig: pytest.Config,
) -> None:
    document = described(app, "/scim/v2/openapi.json", headers)
    cases = document[path][method.upper()].as_strategy(generation_mode=mode)
    knows = st.integers(0, 3).map(bool) if path in known else st.just(False)
    patches = st.none() | PATCHES if method == "patch" else st.none()

    @settings(
        max_examples=MANY if pytestconfig.getoption("--long") and engine == "sqlite" else FEW,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(case=cases, is_known=knows, patch=patches)
    def holds(case: Case[Any], is_known: bool, patch: dict[str, Any] | None) -> None:
        case.path_parameters = {"id": known[path]} if is_known else case.path_parameters
        case.body = patch or case.body
        case.call_and_validate(headers=headers, checks=CHECKS)

    holds()


NEARLY = generated.near_misses(generated.filters().map(render_filter))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=NEARLY, kind=st.sampled_from(["Users", "Groups"]))
def test_a_filter_that_is_nearly_right_is_answered_or_refused_for_itself(
    call: Call, known: dict[str, str], text: str, kind: str
) -> None:
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text}
    asked = call("GET", f"/{kind}?{urlencode({'filter': text}, errors='surrogatepass')}")
    posted = call("POST", f"/{kind}/.search", body)
    for answer in (asked, posted):
        said = body_of(answer)
        assert (answer.status_code, said.get("scimType")) in ((200, None), (400, "invalidFilter")), said


def test_the_document_is_openapi() -> None:
    schemathesis.openapi.from_dict(DOCUMENT).validate()


def test_every_address_is_described(app: Flask) -> None:
    ours = [rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("scim.") and rule.methods]
    served = {
        (_in_braces(rule.rule), method) for rule in ours for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    described = {(path, method.upper()) for path, method in OPERATIONS}
    undescribed = served - described - {("/Me", method.upper()) for method in METHODS} - {("", "GET")}
    assert undescribed == set()
    assert described <= served


def _in_braces(rule: str) -> str:
    return rule.removeprefix("/scim/v2").replace("<resource_id>", "{id}").replace("<", "{").replace(">", "}")


def test_nobody_reads_it_without_a_token(app: Flask, headers: dict[str, str]) -> None:
    client = Client(app)
    assert client.get("/scim/v2/openapi.json").status_code == 401
    answer = client.get("/scim/v2/openapi.json", headers=headers)
    assert answer.content_type == "application/json"
    assert json.loads(answer.data) == DOCUMENT
