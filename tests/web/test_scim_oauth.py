"""`/scim/oauth2/token`: what clients are answered (RFC 6749 4.4, 5.1, 5.2)."""

import base64
import re

import pytest
from authlib.oauth2.auth import ClientAuth
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bridge.domain.tokens import NewScimClient
from bridge.flows.context import OPERATOR
from bridge.flows.log_requests import flush, unknown_tokens
from bridge.flows.own_connections import set_enabled
from bridge.flows.scim_clients import TRIES_BY_CLIENT, create_scim_client
from bridge.flows.tokens import revoke_token
from bridge.web.unread import render_unread
from tests.web.scim_calls import body_of, caller, created, new_user, refused
from tests.world import World

TOKEN = "/scim/oauth2/token"
GRANT = {"grant_type": "client_credentials"}


@pytest.fixture
def made(world: World) -> NewScimClient:
    """A client of the world's connection."""
    return create_scim_client(world.context, OPERATOR, "acme", world.connection.id, None, "", world.now)


def ask(client: FlaskClient, made: NewScimClient, secret: str = "", **more: str) -> TestResponse:
    mine = {"client_id": made.client_id, "client_secret": secret or made.client_secret}
    return client.post(TOKEN, data=GRANT | mine | more)


def no_store(answer: TestResponse) -> None:
    assert (answer.headers["Cache-Control"], answer.headers["Pragma"]) == ("no-store", "no-cache")
    assert answer.content_type == "application/json"


def error_of(answer: TestResponse) -> tuple[int, str]:
    no_store(answer)
    said = body_of(answer)
    assert set(said) == {"error", "error_description"}
    assert re.fullmatch(r"[\x20-\x21\x23-\x5b\x5d-\x7e]+", said["error_description"])
    return answer.status_code, said["error"]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_client_gets_a_token_and_pushes_with_it(client: FlaskClient, made: NewScimClient, method: str) -> None:
    sign = ClientAuth(made.client_id, made.client_secret, method)
    _, headers, body = sign.prepare("POST", TOKEN, {}, "grant_type=client_credentials")
    answer = client.post(TOKEN, data=body, headers=headers, content_type="application/x-www-form-urlencoded")
    said = body_of(answer)
    no_store(answer)
    assert answer.status_code == 200
    assert set(said) == {"access_token", "token_type", "expires_in", "scope"}
    assert (said["token_type"], said["expires_in"], said["scope"]) == ("Bearer", 3600, "scim")
    call = caller(client, said["access_token"])
    ann = created(call, "/Users", new_user())
    assert body_of(call("GET", f"/Users/{ann['id']}"))["userName"] == "ann@acme.example"


def test_a_wrong_secret_and_an_unknown_client_are_told_alike(
    world: World, client: FlaskClient, made: NewScimClient
) -> None:
    answers = [ask(client, made, "bscs_wrong"), ask(client, made, client_id="nobody")]
    assert [error_of(answer) for answer in answers] == [(401, "invalid_client")] * 2
    assert answers[0].data == answers[1].data
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {'Basic realm="SCIM"'}
    flush(world.context, world.now)
    assert unknown_tokens(world.context, world.now) == 2


def test_refusals_of_the_request_itself(client: FlaskClient, made: NewScimClient) -> None:
    right = {"client_id": made.client_id, "client_secret": made.client_secret}
    by = {"Authorization": "Basic " + base64.b64encode(f"{made.client_id}:x".encode()).decode()}
    assert error_of(client.post(TOKEN, json=GRANT | right)) == (400, "invalid_request")
    assert error_of(client.post(f"{TOKEN}?client_secret=x", data=GRANT | right)) == (400, "invalid_request")
    assert error_of(client.post(TOKEN, data=right)) == (400, "invalid_request")
    assert error_of(client.post(TOKEN, data=GRANT | right, headers=by)) == (400, "invalid_request")
    assert error_of(ask(client, made, grant_type="password")) == (400, "unsupported_grant_type")
    assert error_of(ask(client, made, scope="admin")) == (400, "invalid_scope")
    assert error_of(client.post(TOKEN, data=GRANT | right | {"pad": "x" * 20_000})) == (413, "invalid_request")
    assert client.post(TOKEN, data=GRANT).headers["WWW-Authenticate"] == 'Basic realm="SCIM"'


def test_a_token_is_asked_for_by_post_alone(client: FlaskClient) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = client.open(TOKEN, method=method)
        assert error_of(answer) == (405, "invalid_request")
        assert answer.headers["Allow"] == "POST"


def test_guesses_are_answered_429(client: FlaskClient, made: NewScimClient) -> None:
    for _ in range(TRIES_BY_CLIENT):
        ask(client, made, "bscs_wrong")
    answer = ask(client, made, "bscs_wrong")
    assert error_of(answer) == (429, "invalid_client")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert ask(client, made).status_code == 200


def test_an_access_token_that_ended_is_told_as_such(world: World, client: FlaskClient, made: NewScimClient) -> None:
    call = caller(client, body_of(ask(client, made))["access_token"])
    revoke_token(world.context, OPERATOR, "acme", made.client_id, world.now)
    answer = call("GET", "/Users")
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="SCIM", error="invalid_token"'
    assert client.get("/scim/v2/Users").headers["WWW-Authenticate"] == 'Bearer realm="SCIM"'


def test_a_closed_door_is_told_by_scim_itself(world: World, client: FlaskClient, made: NewScimClient) -> None:
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    call = caller(client, body_of(ask(client, made))["access_token"])
    assert "switched off" in refused(call("GET", "/Users"), 403)["detail"]


def test_both_ways_are_announced(client: FlaskClient, made: NewScimClient) -> None:
    call = caller(client, body_of(ask(client, made))["access_token"])
    schemes = body_of(call("GET", "/ServiceProviderConfig"))["authenticationSchemes"]
    assert [(one["type"], one["primary"]) for one in schemes] == [("oauthbearertoken", True), ("oauth2", False)]


def test_what_the_server_itself_refuses_is_json_too() -> None:
    media_type, body = render_unread("/scim/oauth2/token", 400, "Bad request line")
    assert media_type == "application/json"
    assert body == b'{"error":"invalid_request","error_description":"Bad request line"}'
