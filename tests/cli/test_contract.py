"""What programs outside rely on: names of commands and options, JSON keys, exit statuses."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bridge.domain.domains import Looked
from tests.cli.conftest import METADATA, Shell, WebServer
from tests.web.provider import running_provider


def keys(value: Any) -> Any:
    """The shape of a JSON value: keys all the way down."""
    if isinstance(value, dict):
        return {key: keys(inner) for key, inner in value.items()}
    return [keys(value[0])] if isinstance(value, list) and value else None


def test_workspace_create(shell: Shell) -> None:
    wire = shell.json("workspace", "create", "kicks", "--name", "Kicks Co", "--owner", "marcus@kicks.example")
    assert keys(wire) == {
        "workspace": {"id": None, "slug": None, "name": None, "plan": None},
        "owner": {"id": None, "email": None},
    }
    assert (wire["workspace"]["slug"], wire["workspace"]["plan"]) == ("kicks", "business")


@pytest.mark.parametrize("plan", ["free", "team", "business"])
def test_workspace_plan(shell: Shell, plan: str) -> None:
    command = ("workspace", "create", "kicks", "--name", "K", "--owner", "m@kicks.example", "--plan", plan)
    assert shell.json(*command)["workspace"]["plan"] == plan
    assert shell.json("workspace", "set-plan", "kicks", "team")["workspace"]["plan"] == "team"


def test_workspace_rename(kicks: Shell) -> None:
    assert kicks.json("workspace", "rename", "kicks", "Kicks & Co")["workspace"]["name"] == "Kicks & Co"
    assert kicks.json("workspace", "list")["workspaces"][0]["name"] == "Kicks & Co"


def test_require_sso_and_break_glass(kicks: Shell) -> None:
    ran = kicks.run("workspace", "require-sso", "kicks", "on", "--json")
    assert (ran.status, ran.wire["error"]["code"]) == (1, "conflict")
    assert kicks.json("workspace", "require-sso", "kicks", "off")["workspace"]["require_sso"] is False
    made = kicks.json("workspace", "break-glass", "kicks", "marcus@kicks.example")["break_glass"]
    assert set(made) == {"email", "code", "expires_at", "url"}
    assert made["url"] == "http://localhost:8000/w/kicks/break-glass"
    assert kicks.run("workspace", "break-glass", "kicks", "nobody@kicks.example").status == 1


def test_hipaa(kicks: Shell) -> None:
    for switch, flagged in (("on", True), ("on", True), ("off", False)):
        assert kicks.json("workspace", "hipaa", "kicks", switch)["workspace"]["hipaa"] is flagged


def _switches(directory: Path) -> tuple[int, int]:
    """What stands in the database: (a second factor is asked for, codes by mail are refused)."""
    with closing(sqlite3.connect(directory / "var" / "bridge.db")) as database:
        [row] = database.execute("SELECT require_mfa, refuse_mailed_codes FROM workspaces")
        return (row[0], row[1])


def test_a_second_factor_can_be_asked_for(kicks: Shell, tmp_path: Path) -> None:
    for switch, required in (("on", True), ("on", True), ("off", False)):
        wire = kicks.json("workspace", "require-second-factor", "kicks", switch)
        assert wire["workspace"]["require_second_factor"] is required
        assert _switches(tmp_path) == (required, 0)


def test_codes_by_mail_can_be_refused(kicks: Shell, tmp_path: Path) -> None:
    for switch, taken in (("off", False), ("off", False), ("on", True)):
        wire = kicks.json("workspace", "mailed-codes", "kicks", switch)
        assert wire["workspace"]["mailed_codes"] is taken
        assert _switches(tmp_path) == (0, not taken)


def test_connection_create(kicks: Shell) -> None:
    command = ("connection", "create", "kicks", "--kind", "saml", "--idp-metadata", str(METADATA))
    connection = kicks.json(*command, "--name", "Our IdP", "--idp-initiated")["connection"]
    base = f"http://localhost:8000/saml/{connection['id']}"
    assert connection == {
        "id": connection["id"],
        "kind": "saml",
        "name": "Our IdP",
        "enabled": True,
        "login_url": f"{base}/login",
        "acs_url": f"{base}/acs",
        "slo_url": f"{base}/slo",
        "sp_entity_id": f"{base}/metadata",
        "sp_metadata_url": f"{base}/metadata",
    }


def test_every_url_begins_with_the_public_one(kicks: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_PUBLIC_URL", "https://bridge.example")
    command = ("connection", "create", "kicks", "--kind", "saml", "--idp-metadata", str(METADATA))
    connection = kicks.json(*command)["connection"]
    assert all(connection[key].startswith("https://bridge.example/") for key in connection if key.endswith("url"))


def test_connection_set_changes_what_is_named_and_takes_back_by_an_empty_text(kicks: Shell, okta: str) -> None:
    options = ("--email-attribute", "mail", "--email-attribute", "email", "--force-authn", "--clock-skew", "30")
    settings = kicks.json("connection", "set", "kicks", okta, *options)["connection"]["settings"]
    assert (settings["email_attribute"], settings["force_authn"]) == (["mail", "email"], True)
    again = kicks.json("connection", "set", "kicks", okta, "--email-attribute", "")["connection"]["settings"]
    assert again == {**settings, "email_attribute": []}
    assert kicks.json("connection", "show", "kicks", okta)["connection"]["settings"] == again


def test_connection_set_refuses_what_cannot_be(kicks: Shell, okta: str) -> None:
    assert kicks.run("connection", "set", "kicks", okta).status == 2
    refused = kicks.run("connection", "set", "kicks", okta, "--clock-skew", "301", "--json")
    assert (refused.status, refused.wire["error"]["code"]) == (1, "invalid")
    assert kicks.run("connection", "set", "kicks", okta, "--name-id-format", "nick").status == 1


def test_connection_rotate_key_shows_the_next_certificate_and_no_key(kicks: Shell, okta: str) -> None:
    begun = kicks.json("connection", "rotate-key", "kicks", okta, "begin")["keys"]
    assert kicks.run("connection", "rotate-key", "kicks", okta, "begin").status == 1
    finished = kicks.run("connection", "rotate-key", "kicks", okta, "finish", "--json")
    assert "PRIVATE" not in finished.out
    assert finished.wire["keys"] == {"current": begun["next"], "next": None}
    assert begun["next"]["pem"].startswith("-----BEGIN CERTIFICATE-----")


def test_connection_rotate_key_replaces_the_key_of_private_key_jwt(kicks: Shell) -> None:
    with running_provider() as provider:
        command = ("connection", "create", "kicks", "--kind", "oidc", "--issuer", provider.url, "--client-id", "bridge")
        made = kicks.json(*command, "--token-auth", "private_key_jwt")["connection"]["id"]
        shown = kicks.json(*command, "--client-secret-stdin", stdin="secret\n")["connection"]["id"]
    rotate = ("connection", "rotate-key", "kicks", made)
    begun = kicks.json(*rotate, "begin")["keys"]
    assert begun["jwks_uri"] == f"http://localhost:8000/oidc/{made}/jwks"
    assert kicks.run(*rotate, "begin").status == 1
    finished = kicks.run(*rotate, "finish", "--json")
    assert "PRIVATE" not in finished.out
    assert finished.wire["keys"] == {"current": begun["next"], "next": None, "jwks_uri": begun["jwks_uri"]}
    assert "no key of ours" in kicks.run("connection", "rotate-key", "kicks", shown, "begin").err


def test_connection_refresh_metadata_needs_an_address(kicks: Shell, okta: str) -> None:
    refused = kicks.run("connection", "refresh-metadata", "kicks", okta)
    assert (refused.status, "came from no address" in refused.err) == (1, True)


def test_connection_refresh_metadata_keeps_the_last_good_version(kicks: Shell, web_server: WebServer) -> None:
    web_server.body = METADATA.read_bytes()
    create = ("connection", "create", "kicks", "--kind", "saml", "--idp-metadata", web_server.url)
    okta = kicks.json(*create)["connection"]["id"]
    web_server.body = METADATA.read_bytes().replace(b"kicks.okta.example", b"moved.okta.example")
    idp = kicks.json("connection", "refresh-metadata", "kicks", okta)["connection"]["idp"]
    assert "moved" in idp["sso_redirect_url"]
    assert idp["metadata_url"] == web_server.url
    web_server.body = b"<html>under maintenance</html>"
    assert "web page" in kicks.run("connection", "refresh-metadata", "kicks", okta).err
    assert kicks.json("connection", "show", "kicks", okta)["connection"]["idp"] == idp


def test_of_metadata_with_several_idps_one_is_named(kicks: Shell, okta: str) -> None:
    federation = ("--idp-metadata", str(METADATA.parents[1] / "saml" / "metadata" / "federation.xml"))
    create = ("connection", "create", "kicks", "--kind", "saml", "--name", "Boots", *federation)
    refused = kicks.run(*create)
    assert (refused.status, "say which by its entity ID" in refused.err) == (1, True)
    boots = ("--idp-entity-id", "https://idp.boots.example/shibboleth")
    made = kicks.json(*create, *boots)["connection"]["id"]
    assert kicks.json("connection", "show", "kicks", made)["connection"]["idp"]["entity_id"] == boots[1]
    changed = kicks.json("connection", "set", "kicks", okta, *federation, *boots)["connection"]
    assert changed["idp"]["entity_id"] == boots[1]


def test_connection_delete_asks_for_the_name_on_a_terminal(kicks: Shell, okta: str) -> None:
    refused = kicks.run("connection", "delete", "kicks", okta, stdin="okta\n", terminal=True)
    assert refused.status == 1
    assert "This deletes Okta with" in refused.err
    assert kicks.run("connection", "delete", "kicks", okta, stdin="Okta\n", terminal=True).status == 0
    assert kicks.json("connection", "list", "kicks") == {"connections": []}


def test_connection_enable_disable_delete(kicks: Shell, okta: str) -> None:
    assert kicks.json("connection", "disable", "kicks", okta)["connection"]["enabled"] is False
    assert kicks.json("connection", "enable", "kicks", okta)["connection"]["enabled"] is True
    assert kicks.json("connection", "delete", "kicks", okta)["connection"]["id"] == okta
    assert kicks.json("connection", "list", "kicks") == {"connections": []}


def test_connection_create_by_openid_connect(kicks: Shell) -> None:
    with running_provider() as provider:
        command = ("connection", "create", "kicks", "--kind", "oidc", "--issuer", provider.url, "--client-id", "x")
        connection = kicks.json(*command, "--client-secret-stdin", stdin="secret\n")["connection"]
    base = f"http://localhost:8000/oidc/{connection['id']}"
    assert connection == {
        "id": connection["id"],
        "kind": "oidc",
        "name": "OpenID Connect",
        "enabled": True,
        "login_url": f"{base}/login",
        "redirect_uri": f"{base}/callback",
        "backchannel_logout_uri": f"{base}/backchannel-logout",
    }
    assert kicks.json("connection", "list", "kicks")["connections"] == [{**connection, "certificates_end": None}]
    assert kicks.run(*command).status == 2


def test_a_client_secret_is_replaced(kicks: Shell, okta: str) -> None:
    with running_provider() as provider:
        command = ("connection", "create", "kicks", "--kind", "oidc", "--issuer", provider.url, "--client-id", "x")
        made = kicks.json(*command, "--client-secret-stdin", stdin="secret\n")["connection"]
    replace = ("connection", "set-client-secret", "kicks")
    assert kicks.json(*replace, made["id"], stdin="another\n")["connection"] == made
    assert kicks.run(*replace, made["id"], stdin="\n").status != 0
    assert kicks.run(*replace, okta, stdin="another\n").status == 1


@pytest.fixture
def by_oidc(kicks: Shell) -> str:
    """The id of an OpenID Connect connection of kicks."""
    with running_provider() as provider:
        command = ("connection", "create", "kicks", "--kind", "oidc", "--issuer", provider.url, "--client-id", "x")
        made: str = kicks.json(*command, "--client-secret-stdin", stdin="secret\n")["connection"]["id"]
    return made


def test_connection_set_changes_one_by_openid_connect(kicks: Shell, by_oidc: str) -> None:
    shown = kicks.json("connection", "show", "kicks", by_oidc)["connection"]
    assert set(shown["provider"]) == {
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "end_session_endpoint",
    }
    assert shown["settings"] == {
        "client_id": "x",
        "token_auth": "client_secret_basic",
        "scope": ["openid", "email", "profile"],
        "idp_initiated": False,
        "jit": True,
        "trust_email": False,
        "force_authn": False,
        "logout_return": False,
        "mirror_groups": True,
        "email_claim": [],
        "name_claim": [],
        "groups_claim": [],
        "hosted_domain": None,
        "clock_skew": 60,
        "asserted_days": 7,
    }
    change = ("connection", "set", "kicks", by_oidc)
    options = ("--client-id", "y", "--groups-claim", "roles", "--scope", "email", "--scope", "roles", "--no-jit")
    settings = kicks.json(*change, *options)["connection"]["settings"]
    chosen = {"client_id": "y", "groups_claim": ["roles"], "scope": ["openid", "email", "roles"], "jit": False}
    assert settings == {**shown["settings"], **chosen}
    key = kicks.json(*change, "--token-auth", "private_key_jwt", "--scope", "")["connection"]["settings"]
    assert (key["token_auth"], key["scope"]) == ("private_key_jwt", ["openid", "email", "profile"])
    assert kicks.run(*change, "--token-auth", "client_secret_post").status == 1
    back = (*change, "--token-auth", "client_secret_post", "--client-secret-stdin")
    assert kicks.json(*back, stdin="other\n")["connection"]["settings"]["token_auth"] == "client_secret_post"


def test_connection_set_refuses_what_the_kind_has_not(kicks: Shell, okta: str, by_oidc: str) -> None:
    for connection, option in (
        (by_oidc, ("--no-sign-requests",)),
        (by_oidc, ("--idp-metadata", str(METADATA))),
        (okta, ("--client-id", "x")),
        (okta, ("--scope", "x")),
        (okta, ("--client-secret-stdin",)),
    ):
        before = kicks.json("connection", "show", "kicks", connection)
        refused = kicks.run("connection", "set", "kicks", connection, "--no-jit", *option, "--json")
        assert (refused.status, refused.wire["error"]["code"]) == (1, "invalid")
        assert option[0].replace("--no-", "--") in refused.wire["error"]["message"]
        assert kicks.json("connection", "show", "kicks", connection) == before


@pytest.mark.parametrize(
    ("discovery", "said"),
    [
        ({"issuer": "https://other.example"}, "calls itself"),
        ({"token_endpoint": None}, "token_endpoint"),
        ({"jwks_uri": "http://keys.example/"}, "https://"),
        ({"code_challenge_methods_supported": ["plain"]}, "S256"),
        ({"token_endpoint_auth_methods_supported": ["none"]}, "takes none of"),
    ],
)
def test_a_provider_that_cannot_be_used_is_said_at_creation(kicks: Shell, discovery: dict[str, Any], said: str) -> None:
    with running_provider() as provider:
        provider.discovered = discovery
        command = ("connection", "create", "kicks", "--kind", "oidc", "--issuer", provider.url, "--client-id", "x")
        ran = kicks.run(*command, "--client-secret-stdin", stdin="secret\n")
    assert (ran.status, ran.err.count("\n")) == (1, 1)
    assert said in ran.err
    assert kicks.json("connection", "list", "kicks") == {"connections": []}


class Nowhere:
    """A finder of proofs for a machine without a network; those in `published` are found."""

    published: ClassVar[set[str]] = set()

    def __call__(self, name: str, token: str) -> Looked:
        return Looked("dns") if token in self.published else Looked(problem="There is no name.")


@pytest.fixture(autouse=True)
def nowhere(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """No command asks the real DNS. Returns the tokens that are published."""
    published: set[str] = set()
    monkeypatch.setattr(Nowhere, "published", published)
    monkeypatch.setattr("bridge.wiring.ProofFinder", Nowhere)
    return published


def test_a_published_token_proves_a_domain(kicks: Shell, nowhere: set[str]) -> None:
    added = kicks.json("domain", "add", "kicks", "kicks.example")["domain"]
    token = added["dns_record"].split('"')[1]
    assert token in added["meta_tag"]
    ran = kicks.run("domain", "verify", "kicks", "kicks.example", "--json")
    assert (ran.status, ran.wire["error"]["code"]) == (1, "not_proved")
    nowhere.add(token)
    assert kicks.json("domain", "verify", "kicks", "kicks.example")["domain"]["status"] == "proved"
    assert kicks.json("domain", "remove", "kicks", "kicks.example")["domain"]["name"] == "kicks.example"
    assert kicks.json("domain", "list", "kicks") == {"domains": []}


def test_domain_add_and_verify(kicks: Shell, okta: str) -> None:
    added = kicks.json("domain", "add", "kicks", "kicks.example", "--connection", okta)["domain"]
    assert {"name", "status", "dns_record", "meta_tag"} <= set(added)
    assert added["status"] == "pending"
    assert kicks.run("domain", "verify", "kicks", "kicks.example").status == 1
    assert kicks.json("domain", "verify", "kicks", "kicks.example", "--trust")["domain"]["status"] == "proved"


def test_scim_token_create(kicks: Shell, okta: str) -> None:
    wire = kicks.json("scim-token", "create", "kicks", "--connection", okta, "--expires-in", "30")
    assert keys(wire) == {"token": None, "base_url": None, "id": None, "expires_at": None}
    assert wire["base_url"] == "http://localhost:8000/scim/v2"
    assert wire["expires_at"].endswith("Z")
    assert kicks.json("scim-token", "create", "kicks", "--connection", okta)["expires_at"] is None


def test_scim_client_made_rotated_listed_and_revoked(kicks: Shell, okta: str) -> None:
    made = kicks.json("scim-client", "create", "kicks", "--connection", okta, "--expires-in", "30")
    assert keys(made) == dict.fromkeys(("client_id", "client_secret", "token_url", "base_url", "expires_at"))
    assert made["token_url"] == "http://localhost:8000/scim/oauth2/token"
    rotated = kicks.json("scim-client", "rotate", "kicks", made["client_id"])
    assert rotated["client_secret"] != made["client_secret"]
    assert rotated["former_until"].endswith("Z")
    assert kicks.json("scim-client", "rotate", "kicks", made["client_id"], "--at-once")["former_until"] is None
    [listed] = kicks.json("scim-client", "list", "kicks")["tokens"]
    assert (listed["id"], listed["kind"], listed["connection"]) == (made["client_id"], "scim_client", okta)
    assert kicks.json("scim-token", "list", "kicks") == {"tokens": []}
    assert kicks.json("scim-client", "revoke", "kicks", made["client_id"]) == {"client_id": made["client_id"]}
    assert kicks.json("scim-client", "list", "kicks") == {"tokens": []}


def test_api_token_create(kicks: Shell) -> None:
    wire = kicks.json("api-token", "create", "kicks", "--role", "Workspace Owner", "--description", "CI")
    assert {"token", "base_url", "id"} <= set(wire)
    [listed] = kicks.json("api-token", "list", "kicks")["tokens"]
    assert (listed["id"], listed["description"]) == (wire["id"], "CI")
    kicks.json("api-token", "revoke", "kicks", wire["id"])
    assert kicks.json("api-token", "list", "kicks") == {"tokens": []}


def test_scim_token_list_has_no_other_tokens(kicks: Shell, okta: str) -> None:
    kicks.json("api-token", "create", "kicks", "--role", "Workspace Owner")
    made = kicks.json("scim-token", "create", "kicks", "--connection", okta)
    [listed] = kicks.json("scim-token", "list", "kicks")["tokens"]
    assert (listed["id"], listed["kind"], listed["connection"]) == (made["id"], "scim", okta)


def test_resource_add(kicks: Shell) -> None:
    command = ("resource", "add", "kicks", "source", "Orders", "--id", "orders")
    wire = kicks.json(*command, "--label", "environment:prod", "--label", "team:web")
    labels = ["environment:prod", "team:web"]
    assert wire == {"resource": {"id": "orders", "type": "source", "name": "Orders", "labels": labels}}


def test_directory_groups_and_unlinked_and_user_group_link(kicks: Shell, okta: str, tmp_path: Path) -> None:
    file = tmp_path / "people.csv"
    file.write_text("userName,email,groups\nann@kicks.example,ann@kicks.example,eng\nghost,,\n")
    kicks.json("directory", "import", "kicks", str(file), "--connection", okta)
    waiting = kicks.json("directory", "unlinked", "kicks", "--connection", okta)
    assert waiting["count"] == 1
    [ghost] = waiting["records"]
    said = ("id", "user_name", "name", "email", "active", "since", "reason", "why", "advice")
    assert (tuple(ghost), ghost["user_name"], ghost["reason"]) == (said, "ghost", "no_email")
    [eng] = kicks.json("directory", "groups", "kicks", "--connection", okta)["groups"]
    assert (eng["name"], eng["member_count"], eng["tie"], eng["user_group"]["name"]) == ("eng", 1, "mirror", "eng")
    kicks.json("user-group", "create", "kicks", "Data Guild")
    kicks.json("grant", "add", "kicks", "--user-group", "Data Guild", "--role", "Source Admin")
    which = ("--connection", okta, "--group-id", eng["id"])
    seen = kicks.json("user-group", "link", "kicks", "Data Guild", *which, "--dry-run")
    assert set(seen) >= {"group", "former_user_group", "gains", "loses", "seen"}
    assert [one["email"] for one in seen["gains"]["people"]] == ["ann@kicks.example"]
    linked = kicks.json("user-group", "link", "kicks", "Data Guild", *which)
    assert linked | {"seen": None} == seen | {"seen": None}  # which holds the hour until which it stands
    [eng] = kicks.json("directory", "groups", "kicks", "--connection", okta)["groups"]
    assert (eng["tie"], eng["user_group"]["name"]) == ("link", "Data Guild")
    assert kicks.json("user-group", "unlink", "kicks", *which, "--dry-run")["loses"]["count"] == 1
    kicks.json("user-group", "unlink", "kicks", *which)
    [eng] = kicks.json("directory", "groups", "kicks", "--connection", okta)["groups"]
    assert (eng["tie"], eng["user_group"]) == (None, None)
    assert kicks.run("user-group", "unlink", "kicks", *which).status == 1


def test_user_group_create_and_add(kicks: Shell) -> None:
    made = kicks.json("user-group", "create", "kicks", "Data Guild")["user_group"]
    assert made == {"id": made["id"], "name": "Data Guild", "member_count": 0}
    filled = kicks.json("user-group", "add", "kicks", "data guild", "marcus@kicks.example")["user_group"]
    assert filled == {"id": made["id"], "name": "Data Guild", "member_count": 1}


def test_grant_add_and_remove(kicks: Shell) -> None:
    kicks.json("resource", "add", "kicks", "source", "Orders", "--id", "orders", "--label", "team:web")
    command = ("grant", "add", "kicks", "--member", "marcus@kicks.example", "--role", "Source Admin")
    grant = kicks.json(*command, "--on", "source:orders")["grant"]
    assert grant == {"id": grant["id"], "role": "Source Admin", "scope": ["source:orders"]}
    narrow = kicks.json(*command, "--on", "label:environment:prod", "--on", "label:team:web")["grant"]
    assert narrow["scope"] == ["label:environment:prod", "label:team:web"]
    assert kicks.json("grant", "remove", "kicks", grant["id"])["grant"]["id"] == grant["id"]


def test_a_label_that_is_not_there_is_refused_by_name(kicks: Shell, okta: str) -> None:
    role = ("--role", "Source Admin", "--on", "label:no:such", "--json")
    rule = ("--connection", okta, "--group", "eng", "--gives-role", "Source Admin", "--on", "label:no:such", "--json")
    for command in (
        ("grant", "add", "kicks", "--member", "marcus@kicks.example", *role),
        ("api-token", "create", "kicks", *role),
        ("mapping", "add", "kicks", *rule),
        ("mapping", "preview", "kicks", *rule),
    ):
        ran = kicks.run(*command)
        assert ran.status == 1
        assert ran.wire["error"] == {"code": "not_found", "message": "There is no label no:such in this workspace."}
    assert kicks.json("mapping", "list", "kicks") == {"mappings": []}


def test_grant_to_a_user_group(kicks: Shell) -> None:
    kicks.json("user-group", "create", "kicks", "Guild")
    command = ("grant", "add", "kicks", "--user-group", "guild", "--role", "source_read_only")
    assert kicks.json(*command)["grant"]["scope"] == ["all"]


@pytest.mark.parametrize(
    ("which", "match"),
    [
        (("--group", "eng-web"), {"by": "name", "value": "eng-web"}),
        (("--group-id", "external:00g1"), {"by": "external_id", "value": "00g1"}),
        (("--group-id", "some-id"), {"by": "id", "value": "some-id"}),
        (("--pattern", "eng-*"), {"by": "glob", "value": "eng-*"}),
    ],
)
def test_mapping_add(kicks: Shell, okta: str, which: tuple[str, str], match: dict[str, str]) -> None:
    kicks.json("user-group", "create", "kicks", "Guild")
    command = ("mapping", "add", "kicks", "--connection", okta, *which, "--gives-role", "Source Admin")
    mapping = kicks.json(*command, "--on", "label:environment:prod", "--gives-user-group", "Guild")["mapping"]
    assert mapping["match"] == match
    assert mapping["gives"]["roles"] == [{"role": "Source Admin", "scope": ["label:environment:prod"]}]
    assert [group["name"] for group in mapping["gives"]["user_groups"]] == ["Guild"]
    assert mapping["id"] in kicks.run("mapping", "list", "kicks").out


def test_mapping_preview_and_delete(kicks: Shell, okta: str) -> None:
    rule = ("--connection", okta, "--group", "eng", "--gives-owner")
    nobody = {"count": 0, "people": []}
    preview = kicks.json("mapping", "preview", "kicks", *rule)
    assert (preview["gains"], preview["loses"]) == (nobody, nobody)
    added = kicks.json("mapping", "add", "kicks", *rule)["mapping"]
    assert kicks.json("mapping", "preview", "kicks", "--delete", added["id"])["loses"] == nobody
    deleted = kicks.json("mapping", "delete", "kicks", added["id"])
    assert (deleted["mapping"]["id"], deleted["loses"]) == (added["id"], {"count": 0})
    assert kicks.json("mapping", "list", "kicks") == {"mappings": []}


def test_mapping_change_and_what_was_seen(kicks: Shell, okta: str) -> None:
    """`seen` of a preview comes back as --seen: what would do something else by then is refused, with the numbers."""
    given = ("--connection", okta, "--pattern", "*", "--gives-role", "Source Admin")
    rule = kicks.json("mapping", "add", "kicks", *given)["mapping"]["id"]
    other = ("--connection", okta, "--group", "ops", "--gives-role", "Source Read-only")
    seen = kicks.json("mapping", "preview", "kicks", "--change", rule, *other)
    assert (seen["covered"], seen["matched_groups"], seen["takes_later_groups"]) == (0, 0, True)
    changed = kicks.json("mapping", "change", "kicks", rule, *other, "--seen", seen["seen"])["mapping"]
    assert (changed["id"], changed["match"]) == (rule, {"by": "name", "value": "ops"})
    assert kicks.json("mapping", "preview", "kicks", "--disable", rule)["loses"]["count"] == 0
    stale = json.dumps(json.loads(seen["seen"]) | {"digest": "another", "revision": 1})
    refused = kicks.run("--json", "mapping", "disable", "kicks", rule, "--seen", stale)
    assert (refused.status, refused.wire["error"]["code"]) == (1, "moved")
    assert kicks.run("mapping", "disable", "kicks", rule, "--seen", "spoilt").status == 1
    assert kicks.run("mapping", "preview", "kicks", "--disable", rule, "--enable", rule).status == 2


def test_dry_runs_say_who_moves_and_change_nothing(kicks: Shell, okta: str) -> None:
    kicks.json("resource", "add", "kicks", "source", "Orders", "--id", "orders", "--label", "environment:prod")
    kicks.json("user-group", "create", "kicks", "Guild")
    kicks.json("user-group", "add", "kicks", "Guild", "marcus@kicks.example")
    given = kicks.json("grant", "add", "kicks", "--user-group", "Guild", "--role", "Source Admin")["grant"]["id"]
    nobody, marcus = {"count": 0, "people": []}, ["marcus@kicks.example"]
    for command, losing in (
        (("grant", "remove", "kicks", given), []),
        (("user-group", "remove", "kicks", "Guild", "marcus@kicks.example"), []),
        (("user-group", "delete", "kicks", "Guild"), []),
        (("resource", "label", "kicks", "source:orders", "--label", "environment:dev"), []),
        (("resource", "delete", "kicks", "source:orders"), marcus),
        (("workspace", "set-plan", "kicks", "free"), []),
        (("workspace", "require-sso", "kicks", "on"), marcus),
        (("connection", "disable", "kicks", okta), []),
        (("connection", "delete", "kicks", okta), []),
    ):
        seen = kicks.json(*command, "--dry-run")
        assert seen["gains"] == nobody, command
        assert [one["email"] for one in seen["loses"]["people"]] == losing, command
    assert [one["enabled"] for one in kicks.json("connection", "list", "kicks")["connections"]] == [True]
    assert len(kicks.json("resource", "list", "kicks")["resources"]) == 1
    assert [one["member_count"] for one in kicks.json("user-group", "list", "kicks")["user_groups"]] == [1]
    assert kicks.json("grant", "remove", "kicks", given)["grant"]["id"] == given
    assert kicks.run("workspace", "require-sso", "kicks", "off", "--dry-run").status == 2


def test_access_show(kicks: Shell) -> None:
    [permission] = kicks.json("access", "show", "kicks", "MARCUS@kicks.example")["permissions"]
    assert (permission["role"], permission["scope"]) == ("Workspace Owner", ["all"])
    [because] = permission["because"]
    assert because["kind"] == "individual"
    assert because["given_by"] == "operator"


def test_access_check(kicks: Shell) -> None:
    kicks.json("resource", "add", "kicks", "source", "Orders", "--id", "orders")
    for question in (["read", "source:orders"], ["edit", "source:orders"], ["create", "source"]):
        wire = kicks.json("access", "check", "kicks", "marcus@kicks.example", *question)
        assert wire["allowed"] is True
        assert [because["kind"] for because in wire["because"]] == ["individual"]
    wire = kicks.json("access", "check", "kicks", "nobody@kicks.example", "read", "source:orders")
    assert (wire["allowed"], wire["because"]) == (False, [])
    assert [way["kind"] for way in wire["what_would_give"]] == ["role"]


def test_access_at_a_time(kicks: Shell) -> None:
    kicks.json("resource", "add", "kicks", "source", "Orders", "--id", "orders")
    then = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    kicks.json("workspace", "set-plan", "kicks", "free")
    past = kicks.json("access", "show", "kicks", "marcus@kicks.example", "--at", then)
    assert (past["at"], past["state"], past["told"]) == (f"{then}Z", "known", None)
    assert [one["role"] for one in past["permissions"]] == ["Workspace Owner"]
    [link] = past["permissions"][0]["because"][0]["links"]
    assert (link["link"], link["text"]) == ("grant", "The operator gave them Workspace Owner")
    asked = ("access", "check", "kicks", "marcus@kicks.example", "edit", "source:orders", "--at", then)
    assert (kicks.json(*asked)["allowed"], kicks.json(*asked)["because"][0]["kind"]) == (True, "individual")
    assert "why_not" not in kicks.json(*asked)
    stranger = kicks.json("access", "check", "kicks", "nobody@kicks.example", "create", "source", "--at", then)
    assert (stranger["state"], stranger["allowed"]) == ("before_membership", False)
    assert stranger["why_not"] == {"person": [], "nearly": {"count": 0, "paths": []}}
    before = kicks.json("access", "show", "kicks", "marcus@kicks.example", "--at", "2020-02-02")
    assert (before["state"], before["permissions"]) == ("before_workspace", [])
    assert "could do nothing" in kicks.run("access", "show", "kicks", "marcus@kicks.example", "--at", "2020-02-02").out


def test_access_history(kicks: Shell) -> None:
    marcus = "marcus@kicks.example"
    given = kicks.json("grant", "add", "kicks", "--member", marcus, "--role", "source_admin")["grant"]
    wire = kicks.json("access", "history", "kicks", marcus)
    newest, first = wire["changes"]
    assert (newest["gained"], newest["lost"]) == ([{"role": "Source Admin", "scope": ["all"]}], [])
    assert [(event["type"], event["subject"]) for event in newest["events"]] == [("grant.given", given["id"])]
    assert [one["role"] for one in first["gained"]] == ["Workspace Owner"]
    assert kicks.json("access", "history", "kicks", marcus, "--until", first["at"])["changes"] == [first]
    assert kicks.json("access", "history", "kicks", marcus, "--since", newest["at"])["changes"] == []
    kicks.json("resource", "add", "kicks", "source", "Orders", "--id", "orders")
    [added] = kicks.json("access", "history", "kicks", marcus, "--resource", "source:orders")["changes"]
    assert [one["role"] for one in added["gained"]] == ["Source Admin", "Workspace Owner"]
    assert ([event["type"] for event in added["events"]], added["reach"]) == (["resource.added"], [])
    text = kicks.run("access", "history", "kicks", marcus).out
    assert "+ Source Admin on all" in text
    assert "The operator gave the role Source Admin on all" in text


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", "9999-12-31T23:59-23:59"])
def test_what_is_no_time_is_wrong_usage(kicks: Shell, at: str) -> None:
    assert kicks.run("access", "show", "kicks", "marcus@kicks.example", "--at", at).status == 2


def test_users_export(kicks: Shell) -> None:
    ran = kicks.run("users", "export", "kicks")
    head, row, *rest = ran.out.splitlines()
    assert head.startswith("email,name,status,roles,user_groups,")
    assert row.startswith("marcus@kicks.example,marcus,active,Workspace Owner,")
    assert rest == []


def mails(folder: Path) -> list[str]:
    return [path.read_text() for path in (folder / "var" / "mail").glob("*.eml")]


def test_the_first_owners_link_is_mailed_at_once(shell: Shell, tmp_path: Path) -> None:
    ran = shell.run("workspace", "create", "kicks", "--name", "Kicks Co", "--owner", "marcus@kicks.example")
    assert "was mailed" in ran.out
    [mail] = mails(tmp_path)
    assert "To: marcus@kicks.example" in mail
    assert "http://localhost:8000/invitations/" in mail


def test_a_link_that_cannot_leave_is_said(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_MAIL_URL", "smtp://127.0.0.1:1")
    ran = shell.run("workspace", "create", "kicks", "--name", "Kicks Co", "--owner", "marcus@kicks.example")
    assert ran.status == 0
    assert "couldn't be mailed now" in ran.out


def test_an_owner_without_a_password_yet_is_exported_once(shell: Shell) -> None:
    shell.json("workspace", "create", "kicks", "--name", "Kicks Co", "--owner", "marcus@kicks.example")
    _, *people = shell.run("users", "export", "kicks").out.splitlines()
    assert [person.split(",")[:3] for person in people] == [["marcus@kicks.example", "marcus", "active"]]


def test_backup_and_restore(kicks: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kicks.json("backup", str(tmp_path / "backup.tgz"))
    before = kicks.json("workspace", "list")
    monkeypatch.setenv("BRIDGE_DATA_DIR", str(tmp_path / "elsewhere"))
    assert kicks.json("restore", str(tmp_path / "backup.tgz")) == {"restored": ["bridge.db", "secret.key"]}
    assert kicks.json("workspace", "list") == before
    assert kicks.run("restore", str(tmp_path / "backup.tgz")).status == 1


def test_db_upgrade(shell: Shell) -> None:
    assert shell.run("db", "upgrade").status == 0


def test_doctor_finds_a_fresh_house_healthy(shell: Shell) -> None:
    wire = shell.json("doctor")
    assert wire["healthy"] is True
    assert {"libraries", "settings", "database", "mail", "disk"} <= {finding["subject"] for finding in wire["findings"]}


# -- Refusals ------------------------------------------------------------------------------------------------------


def test_a_refusal_is_one_line_and_status_1(kicks: Shell) -> None:
    ran = kicks.run("access", "show", "nowhere", "marcus@kicks.example")
    assert (ran.status, ran.out) == (1, "")
    assert ran.err == "There is no workspace 'nowhere'.\n"


def test_a_refusal_in_json_has_code_and_message(kicks: Shell) -> None:
    ran = kicks.run("access", "show", "nowhere", "marcus@kicks.example", "--json")
    assert (ran.status, ran.err) == (1, "")
    assert ran.wire == {"error": {"code": "not_found", "message": "There is no workspace 'nowhere'."}}


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("nonsense",),
        ("workspace", "create"),
        ("workspace", "create", "x", "--name", "X", "--owner", "a@b.example", "--plan", "gold"),
        ("grant", "add", "kicks", "--role", "Source Admin"),
        ("mapping", "add", "kicks", "--group", "x", "--gives-role", "Source Admin"),
        ("connection", "create", "kicks", "--kind", "saml"),
        ("connection", "create", "kicks", "--kind", "saml", "--idp-metadata", "no-such-file.xml"),
        ("connection", "create", "kicks", "--kind", "oidc", "--idp-entity-id", "x"),
        ("connection", "set", "kicks", "x", "--name", "Okta", "--idp-entity-id", "x"),
        ("access", "check", "kicks", "a@b.example", "delete", "source:x"),
        ("users", "export", "kicks", "--json"),
        ("workspace", "create", "x", "--name", "X", "--owner", "a@b.example", "--owner-password-stdin"),
    ],
)
def test_wrong_usage_is_status_2(kicks: Shell, arguments: tuple[str, ...]) -> None:
    assert kicks.run(*arguments).status == 2


def test_wrong_usage_in_json_is_json_too(shell: Shell) -> None:
    ran = shell.run("workspace", "create", "--json")
    assert ran.status == 2
    assert ran.wire["error"]["code"] == "usage"


@pytest.mark.parametrize("arguments", [("access", "show", "kicks", "\udcff@x.y"), ("\udcff",), ("--", "\udcff")])
def test_bytes_that_are_no_text_are_wrong_usage(shell: Shell, arguments: tuple[str, ...]) -> None:
    ran = shell.run(*arguments)
    assert (ran.status, ran.out) == (2, "")
    assert "no text" in ran.err
    assert shell.run("--json", *arguments).wire["error"]["code"] == "usage"


def test_a_secret_that_is_no_text_is_wrong_usage(shell: Shell) -> None:
    command = ("workspace", "create", "kicks", "--name", "K", "--owner", "m@kicks.example", "--owner-password-stdin")
    ran = shell.run(*command, stdin="break-glass-\udcff-at-kicks\n")
    assert ran.status == 2
    assert "no text" in ran.err


def test_every_fault_of_the_settings_is_told_at_once(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_PUBLIC_URL", "nonsense")
    monkeypatch.setenv("BRIDGE_DATABASE_URL", "mysql://x")
    ran = shell.run("workspace", "list")
    assert ran.status == 2
    assert "BRIDGE_PUBLIC_URL" in ran.err
    assert "BRIDGE_DATABASE_URL" in ran.err


def test_a_database_out_of_reach_is_a_refusal_without_its_password(
    shell: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BRIDGE_DATABASE_URL", "postgresql://me:hidden-word@127.0.0.1:1/bridge")
    monkeypatch.setenv("BRIDGE_SECRET_KEYS", "k")
    ran = shell.run("workspace", "list")
    assert ran.status == 1
    assert "database" in ran.err
    assert "hidden-word" not in ran.err
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("place", [0, 1, 2, 3])
def test_json_may_stand_anywhere(kicks: Shell, place: int) -> None:
    arguments = ["connection", "list", "kicks"]
    arguments.insert(place, "--json")
    assert json.loads(kicks.run(*arguments).out) == {"connections": []}


def test_a_secret_is_never_an_argument(shell: Shell) -> None:
    helped = shell.run("workspace", "create", "--help").out + shell.run("connection", "create", "--help").out
    assert "--owner-password-stdin" in helped
    assert "--client-secret-stdin" in helped
    assert "--owner-password " not in helped


def test_help_names_every_command(shell: Shell) -> None:
    ran = shell.run("--help")
    assert ran.status == 0
    nouns = "demo serve worker workspace connection domain scim-token api-token resource user-group grant mapping"
    for noun in [*nouns.split(), "access", "users", "db", "doctor", "backup", "restore"]:
        assert f"  {noun} " in ran.out


def test_access_who(kicks: Shell) -> None:
    kicks.json("resource", "add", "kicks", "source", "Orders", "--id", "orders")
    wire = kicks.json("access", "who", "kicks", "edit", "source:orders")
    assert (wire["count"], wire["after"]) == (1, None)
    [person] = wire["people"]
    assert person["email"] == "marcus@kicks.example"
    assert [(one["kind"], one["role"]) for one in person["because"]] == [("individual", "Workspace Owner")]
    assert "1 person may create source." in kicks.run("access", "who", "kicks", "create", "source").out


def test_access_gives(kicks: Shell, okta: str) -> None:
    kicks.json("user-group", "create", "kicks", "Guild")
    kicks.json("grant", "add", "kicks", "--user-group", "Guild", "--role", "Source Admin")
    rule = kicks.json("mapping", "add", "kicks", "--connection", okta, "--group", "eng", "--gives-user-group", "Guild")
    wire = kicks.json("access", "gives", "kicks", "--mapping", rule["mapping"]["id"])["mapping"]
    assert (wire["people"], wire["roles"], wire["obstacles"]) == (0, [], [])
    assert [role["role"] for role in wire["user_groups"][0]["roles"]] == ["Source Admin"]
    text = kicks.run("access", "gives", "kicks", "--user-group", "Guild").out
    assert text == "User Group Guild: 0 people.\n  Source Admin on all\n"
    assert kicks.run("access", "gives", "kicks").status == 2
