"""Calls of `/scim/v2` inside one process, and what is looked at in their answers."""

from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bridge.domain.tokens import NewToken
from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token
from tests.world import World

ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"

Call = Callable[..., TestResponse]


def token_of(world: World) -> str:
    return new_token(world).token


def new_token(world: World) -> NewToken:
    return create_scim_token(
        world.context, OPERATOR, world.workspace.slug, world.connection.id, None, "for a test", world.now
    )


def caller(client: FlaskClient, token: str) -> Call:
    def call(method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return client.open(f"/scim/v2{path}", method=method, json=body, headers=sent)

    return call


def new_user(user_name: str = "ann@acme.example", **more: Any) -> dict[str, Any]:
    emails = [{"value": user_name, "type": "work", "primary": True}]
    return {"schemas": [USER], "userName": user_name, "emails": emails, **more}


def created(call: Call, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = call("POST", path, body)
    assert answer.status_code == 201, answer.json
    said: dict[str, Any] = answer.get_json(force=True)
    return said


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def body_of(answer: TestResponse) -> dict[str, Any]:
    said: dict[str, Any] = answer.get_json(force=True)
    return said


def refused(answer: TestResponse, status: int, scim_type: str | None = None) -> dict[str, Any]:
    said = body_of(answer)
    assert answer.status_code == status, said
    assert answer.content_type == "application/scim+json"
    assert said["schemas"] == [ERROR]
    assert said["status"] == str(status)
    assert said.get("scimType") == scim_type
    assert said["detail"]
    return said
