"""A workspace as code: planned, applied whole or not at all, agreed to, and pruned with care (product.md 5.6)."""

import json
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from bridge.domain.access import ResourceRef
from bridge.domain.as_code_reading import read_file
from bridge.domain.as_code_yaml import BadFile
from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.flows import map_groups, own_connections
from bridge.flows.as_code import NotAgreed, PlanMoved, plan_file
from bridge.flows.as_code_outside import find_outside
from bridge.flows.connect_oidc import load_oidc
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_member
from bridge.flows.map_groups import MappingDraft
from bridge.flows.members import find_member_id, get_person
from bridge.flows.named import get_workspace
from bridge.flows.resources import delete_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import create_user_group, list_user_groups
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.tables import audit
from saml.certificates import certificate_facts
from tests.flows.audit import audit_events, everything_kept
from tests.flows.coded import ISSUER, Outside, a_provider, applied, export, full, moved, planned, steps
from tests.flows.conftest import METADATA
from tests.saml.idp import self_signed
from tests.world import World

READING = parse_role_in_scope("Source Read-only", [])

#: Two resources, one labelled; Guild may edit what is labelled; engineers join it.
STAGE = """
resources:
  - {type: source, id: orders, name: Orders, labels: [team:growth]}
  - {type: source, id: refunds, name: Refunds}
user_groups:
  - name: Guild
    grants: [{role: Source Admin, scope: label:team:growth}]
mappings:
  - {connection: Okta, groups: {name: eng}, gives: {user_groups: [Guild]}}
"""


@pytest.fixture
def staged(kicks: World) -> World:
    """`kicks` with that, and Ines whom Okta pushed into `eng`, and Omar into `ops`."""
    kicks.push_group("eng", kicks.push("ines@kicks.example"))
    kicks.push_group("ops", kicks.push("omar@kicks.example"))
    applied(kicks.context, STAGE, kicks.now)
    return kicks


def revision(kicks: World) -> int:
    with kicks.context.database.reading() as rows:
        return get_workspace(rows, "kicks").rev


# -- Planning ----------------------------------------------------------------------------------------


def test_a_plan_says_what_applying_would_do_and_to_whom(staged: World) -> None:
    plan = planned(
        staged.context,
        """
        mappings:
          - {connection: okta, groups: {pattern: "o*"}, gives: {roles: [{role: Source Read-only}]}}
        """,
        staged.now,
    )
    assert steps(plan) == [
        "+ mapping People in okta groups named o* get Source Read-only on all sources",
    ]
    assert plan.steps[0].line == 5
    assert moved(plan) == ({"omar@kicks.example": ["source_read_only all"]}, {})
    assert plan.left_alone == {"mappings": ("People in the Okta group eng join Guild",)}
    assert not plan.takes


def test_a_plan_changes_nothing(staged: World) -> None:
    before = everything_kept(staged.context), revision(staged)
    plan = planned(staged.context, "user_groups: []\nmappings: []\nresources: []", staged.now, prune=True)
    assert plan.loses.count == 1
    assert (everything_kept(staged.context), revision(staged)) == before


def test_who_has_as_much_otherwise_neither_gains_nor_loses(staged: World) -> None:
    ines = find_member_id(staged.context, "kicks", "ines@kicks.example")
    give_to_member(staged.context, OPERATOR, "kicks", ines, parse_role_in_scope("Source Admin", []), staged.now)
    plan = planned(staged.context, "mappings: []", staged.now, prune=True)
    assert steps(plan) == ["- mapping People in the Okta group eng join Guild"]
    assert moved(plan) == ({}, {})
    assert plan.takes  # it deletes a rule


def test_labels_move_those_whose_roles_hold_by_them(staged: World) -> None:
    plan = planned(
        staged.context,
        """
        resources:
          - {type: source, id: orders, name: Orders, labels: []}
          - {type: source, id: refunds, name: Refunds, labels: [team:growth]}
        """,
        staged.now,
    )
    assert moved(plan) == (
        {"ines@kicks.example": ["source_admin source:refunds"]},
        {"ines@kicks.example": ["source_admin source:orders"]},
    )


def test_a_scope_that_shrinks_with_its_resource_is_lost_by_who_had_it_by_name(staged: World) -> None:
    ines = find_member_id(staged.context, "kicks", "ines@kicks.example")
    both = parse_role_in_scope("Source Read-only", ["source:orders", "source:refunds"])
    give_to_member(staged.context, OPERATOR, "kicks", ines, both, staged.now)
    plan = planned(staged.context, "resources: [{type: source, id: orders, name: Orders}]", staged.now, prune=True)
    assert moved(plan) == ({}, {"ines@kicks.example": ["source_read_only source:refunds"]})


def test_a_disabled_connection_takes_what_its_groups_gave(staged: World) -> None:
    plan = planned(staged.context, "connections: [{name: Okta, kind: saml, enabled: false}]", staged.now)
    lost = ["source_admin label:team:growth"]
    assert moved(plan) == ({}, {"ines@kicks.example": lost})
    assert plan.takes


def test_all_that_would_be_refused_is_told_with_its_lines(staged: World) -> None:
    with pytest.raises(BadFile) as refused:
        planned(
            staged.context,
            """
            plan: team
            domains: [{name: kicks.example, connection: Entra}]
            user_groups:
              - name: Guild
                members:
                  - marcus@kicks.example
                  - nobody@kicks.example
                grants:
                  - {role: Source Read-only}
                  - {role: Source Admin, scope: source:gone}
            mappings:
              - {connection: Okta, groups: {pushed: hr}, gives: {user_groups: [Guild]}}
              - {connection: Entra, groups: {name: x}, gives: {user_groups: [Gild], roles: [{role: Source Admin,
                 scope: label:a:b}]}}
            """,
            staged.now,
        )
    told = [(fault.line, fault.text.split(".")[0]) for fault in refused.value.faults]
    assert told == [
        (4, "Kicks Co is on the business plan"),
        (5, "There is no connection 'Entra'"),
        (10, "nobody@kicks"),
        (13, "There is no source:gone in this workspace"),
        (15, "Okta has pushed no group called 'hr'"),
        (16, "There is no connection 'Entra'"),
        (16, "There is no User Group 'Gild'"),
        (17, "There is no label a:b in this workspace"),
    ]


def test_a_workspace_that_is_not_there_is_not_found(kicks: World) -> None:
    with pytest.raises(NotFound):
        planned(kicks.context, "version: 1\nworkspace: nike\n", kicks.now)


def test_nobody_but_the_operator_plans_or_applies(kicks: World, marcus: str) -> None:
    read = read_file(full("settings: {hipaa: true}"))
    found = find_outside(kicks.context, "kicks", read, Outside().ways, kicks.now)
    with pytest.raises(Forbidden):
        plan_file(kicks.context, marcus, found, read, kicks.now)


# -- Applying ----------------------------------------------------------------------------------------


def test_what_is_applied_is_what_was_planned_and_then_there_is_nothing_to_do(staged: World) -> None:
    text = "settings: {hipaa: true}\nname: Kicks\nuser_groups: [{name: Gold, members: [ines@kicks.example]}]"
    plan = planned(staged.context, text, staged.now)
    assert applied(staged.context, text, staged.now).digest == plan.digest
    assert planned(staged.context, text, staged.now).steps == ()


def test_its_events_are_those_of_doing_it_by_hand_under_one_cause(kicks: World) -> None:
    before = len(audit_events(kicks.context))
    applied(kicks.context, STAGE.replace("Guild", "Gold"), kicks.now)
    told = audit_events(kicks.context)[before:]
    assert [kind for _, kind, _ in told] == [
        *("resource.added", "resource.added", "user_group.created", "grant.given", "mapping.created"),
    ]
    assert {actor for actor, _, _ in told} == {OPERATOR}
    with kicks.context.database.reading() as rows:
        causes = rows.execute(select(audit.c.cause).order_by(audit.c.workspace_id, audit.c.seq)).scalars().all()
    assert len(set(causes[before:])) == 1


def test_a_file_that_says_what_stands_leaves_no_trace(staged: World) -> None:
    before = everything_kept(staged.context), revision(staged)
    assert applied(staged.context, export(staged.context), staged.now, prune=True).steps == ()
    assert (everything_kept(staged.context), revision(staged)) == before


def test_what_is_refused_late_undoes_all_of_it(staged: World) -> None:
    before = everything_kept(staged.context)
    with pytest.raises(BadFile) as refused:  # the last of all steps: nobody ever came by SSO
        applied(staged.context, "name: Kicks\nlabels: [a:b]\nsettings: {require_sso: true}", staged.now)
    [fault] = refused.value.faults
    assert (fault.line, fault.path) == (5, "settings.require_sso")
    assert "by single sign-on" in fault.text
    assert everything_kept(staged.context) == before


def test_what_a_file_does_not_say_stays(staged: World) -> None:
    kept = export(staged.context)
    plan = applied(staged.context, "resources: [{type: source, id: orders, name: Orders}]", staged.now)
    assert plan.steps == ()
    applied(staged.context, "version: 1\nworkspace: kicks\n", staged.now, prune=True)
    assert export(staged.context) == kept


def test_renamed_things_keep_what_hangs_on_them(staged: World) -> None:
    text = """
    connections: [{name: Okta EU, was: Okta, kind: saml}]
    user_groups: [{name: Masters, was: Guild}]
    mappings: [{connection: Okta EU, groups: {name: eng}, gives: {user_groups: [Masters]}}]
    """
    plan = applied(staged.context, text, staged.now)
    assert steps(plan) == ["~ connection Okta", "~ user_group Guild"]
    assert moved(plan) == ({}, {})
    assert planned(staged.context, text, staged.now).steps == ()


def test_a_rule_that_gives_something_else_is_changed_and_one_that_takes_other_groups_is_another(staged: World) -> None:
    text = """
    mappings:
      - {connection: Okta, groups: {name: ENG}, gives: {roles: [{role: Source Read-only}]}, enabled: false}
      - {connection: Okta, groups: {name: ops}, gives: {user_groups: [Guild]}}
    """
    plan = applied(staged.context, text, staged.now)
    assert steps(plan) == [
        "~ mapping People in the Okta group eng join Guild",
        "+ mapping People in the Okta group ops join Guild",
    ]
    on = [(one.sentence, one.enabled) for one in map_groups.list_mappings(staged.context, "kicks")]
    assert sorted(on) == [
        ("People in the Okta group ENG get Source Read-only on all sources.", False),
        ("People in the Okta group ops join Guild.", True),
    ]


# -- Agreeing ----------------------------------------------------------------------------------------


def test_nothing_is_taken_from_anybody_unasked(staged: World) -> None:
    before = everything_kept(staged.context)
    with pytest.raises(NotAgreed) as asking:
        applied(staged.context, "mappings: []", staged.now, prune=True, agreed=False)
    assert moved(asking.value.plan)[1] == {"ines@kicks.example": ["source_admin label:team:growth"]}
    assert everything_kept(staged.context) == before
    applied(staged.context, "mappings: []", staged.now, prune=True, expect=asking.value.plan.digest, agreed=False)
    assert map_groups.list_mappings(staged.context, "kicks") == ()


def test_what_takes_nothing_asks_nobody(staged: World) -> None:
    applied(staged.context, "labels: [a:b]", staged.now, agreed=False)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("connections: [{name: Okta, kind: saml, enabled: false}]", id="a way in is closed"),
        pytest.param("settings: {require_second_factor: true}", id="a password alone opens it no more"),
        pytest.param("settings: {mailed_codes: false}", id="a mailed code does not do any more"),
    ],
)
def test_closing_a_way_in_is_asked_for(kicks: World, text: str) -> None:
    with pytest.raises(NotAgreed):
        applied(kicks.context, text, kicks.now, agreed=False)


def test_another_plan_than_was_agreed_to_is_not_applied(staged: World) -> None:
    seen = planned(staged.context, "mappings: []", staged.now, prune=True)
    staged.push_group("eng", staged.push("late@kicks.example"))  # another group of that name
    before = everything_kept(staged.context)
    with pytest.raises(PlanMoved) as refused:
        applied(staged.context, "mappings: []", staged.now, prune=True, expect=seen.digest)
    assert refused.value.plan.loses.count == 2
    assert everything_kept(staged.context) == before


def test_what_moved_elsewhere_is_no_other_plan(staged: World) -> None:
    seen = planned(staged.context, "mappings: []", staged.now, prune=True)
    staged.push("late@kicks.example")
    applied(staged.context, "mappings: []", staged.now + timedelta(hours=1), prune=True, expect=seen.digest)


# -- Pruning -----------------------------------------------------------------------------------------

EMPTY = "labels: []\nresources: []\nconnections: []\ndomains: []\nuser_groups: []\nmappings: []\n"


def test_what_is_not_in_the_file_stays_unless_it_is_pruned(staged: World) -> None:
    applied(staged.context, "domains: [{name: kicks.example, connection: Okta}]", staged.now)
    plan = planned(staged.context, EMPTY, staged.now)
    assert plan.steps == ()
    assert plan.left_alone == {
        "labels": ("team:growth",),
        "resources": ("source:orders", "source:refunds"),
        "connections": ("Okta",),
        "domains": ("kicks.example",),
        "user_groups": ("Guild",),
        "mappings": ("People in the Okta group eng join Guild",),
    }
    gone = applied(staged.context, EMPTY.replace("connections: []\n", ""), staged.now, prune=True)
    assert steps(gone) == [
        "- mapping People in the Okta group eng join Guild",
        "- user_group Guild",
        "- domain kicks.example",
        "- resource source:orders",
        "- resource source:refunds",
        "- label team:growth",
    ]


def test_who_is_only_named_as_a_user_groups_member_is_nothing_beside_the_file(staged: World) -> None:
    text = "members: []\nuser_groups: [{name: Guild, members: [ines@kicks.example]}]\n"
    applied(staged.context, text, staged.now)
    assert planned(staged.context, text, staged.now).left_alone == {"members": ("marcus@kicks.example",)}


def test_pruning_takes_no_people_and_nothing_that_an_idp_pushed(staged: World) -> None:
    applied(staged.context, EMPTY.replace("connections: []\n", ""), staged.now, prune=True)
    ines = find_member_id(staged.context, "kicks", "ines@kicks.example")
    assert get_person(staged.context, "kicks", ines, staged.now).member.status == "active"
    assert [one.name for one in list_user_groups(staged.context, "kicks", staged.now).groups] == ["eng", "ops"]


def test_the_last_owner_is_kept(staged: World) -> None:
    before = everything_kept(staged.context)
    with pytest.raises(BadFile) as refused:
        applied(staged.context, "members: []", staged.now, prune=True)
    assert "without an owner" in refused.value.text
    assert everything_kept(staged.context) == before


def test_an_owner_may_be_replaced_by_another_who_can_sign_in(kicks: World) -> None:
    text = "members: [{email: ines@kicks.example, grants: [{role: Workspace Owner}]}]"
    kicks.push("ines@kicks.example")
    with pytest.raises(BadFile, match="without an owner"):  # by her IdP alone
        applied(kicks.context, text, kicks.now, prune=True)
    with changing(kicks.context.database, OPERATOR, kicks.now) as change:
        olga = people.insert_user(change, "olga@kicks.example", "Olga", email_proved_at=kicks.now)
        people.set_user(change, olga.key, password_hash="not a hash of anything")
        people.insert_membership(change, kicks.workspace.key, olga.key, accepted=True)
    plan = applied(kicks.context, text.replace("ines", "olga"), kicks.now, prune=True)
    assert moved(plan) == (
        {"olga@kicks.example": ["workspace_owner all"]},
        {"marcus@kicks.example": ["workspace_owner all"]},
    )


def test_what_was_given_by_hand_goes_where_its_list_says_otherwise(staged: World) -> None:
    ines = find_member_id(staged.context, "kicks", "ines@kicks.example")
    give_to_member(staged.context, OPERATOR, "kicks", ines, READING, staged.now)
    text = "members: [{email: marcus@kicks.example, grants: [{role: Workspace Owner}]}]"
    assert steps(applied(staged.context, text, staged.now, prune=True)) == [
        "- grant Source Read-only on all of ines@kicks.example",
    ]
    assert planned(staged.context, text, staged.now, prune=True).steps == ()


def test_people_are_taken_out_of_a_user_group_whose_list_is_there(kicks: World) -> None:
    create_user_group(kicks.context, OPERATOR, "kicks", "Gold", kicks.now, emails=["marcus@kicks.example"])
    assert applied(kicks.context, "user_groups: [{name: Gold}]", kicks.now, prune=True).steps == ()
    plan = applied(kicks.context, "user_groups: [{name: Gold, members: []}]", kicks.now, prune=True)
    assert steps(plan) == ["- people Gold"]


# -- Connections and their secrets -------------------------------------------------------------------

GOOGLE = f"""
connections:
  - name: Google
    kind: oidc
    issuer: {ISSUER}
    client_id: our-id
    client_secret: {{env: GOOGLE_SECRET}}
    trust_email: true
"""


def test_a_secret_is_taken_from_where_the_file_says_and_told_to_nobody(kicks: World) -> None:
    outside = a_provider()
    outside.environment["GOOGLE_SECRET"] = "s3cr3t-of-google"
    plan = applied(kicks.context, GOOGLE, kicks.now, outside=outside)
    google = next(one for one in own_connections.list_connections(kicks.context, "kicks") if one.name == "Google")
    ours = load_oidc(kicks.context, google.id)
    assert ours.client.client_secret == "s3cr3t-of-google"
    assert google.config["trust_email"] is True
    for told in (repr(plan), export(kicks.context), everything_kept(kicks.context)):
        assert "s3cr3t" not in told
    assert "client_secret:\n      keep: true" in export(kicks.context)


def test_the_same_secret_is_no_difference_and_another_is_replaced(kicks: World) -> None:
    outside = a_provider()
    outside.environment["GOOGLE_SECRET"] = "first"
    applied(kicks.context, GOOGLE, kicks.now, outside=outside)
    asked = len(outside.asked)
    assert planned(kicks.context, GOOGLE, kicks.now, outside=outside).steps == ()
    outside.environment["GOOGLE_SECRET"] = "second"
    agreed = planned(kicks.context, GOOGLE, kicks.now, outside=outside)
    outside.environment["GOOGLE_SECRET"] = "third"
    with pytest.raises(PlanMoved):
        applied(kicks.context, GOOGLE, kicks.now, outside=outside, expect=agreed.digest)
    outside.environment["GOOGLE_SECRET"] = "second"
    plan = applied(kicks.context, GOOGLE, kicks.now, outside=outside, expect=agreed.digest)
    [(name, before, after)] = [(one.name, one.before, one.after) for one in plan.steps[0].step.fields]
    assert (name, before, after) == ("client_secret", "what stands", "another, from env")
    assert len(outside.asked) == asked  # what stands isn't asked for again
    assert audit_events(kicks.context)[-1][1] == "connection.client_secret_replaced"


def test_a_secret_that_is_kept_is_said_to_be(kicks: World) -> None:
    outside = a_provider()
    outside.environment["GOOGLE_SECRET"] = "first"
    applied(kicks.context, GOOGLE, kicks.now, outside=outside)
    plan = planned(kicks.context, GOOGLE.replace("{env: GOOGLE_SECRET}", "{keep: true}"), kicks.now)
    assert (plan.steps, plan.kept) == ((), ("Google",))


def test_what_is_named_and_cannot_be_found_is_told_with_its_line(kicks: World) -> None:
    text = f"""
    connections:
      - {{name: A, kind: oidc, issuer: {ISSUER}, client_id: x, client_secret: {{env: NOT_SET}}}}
      - {{name: B, kind: oidc, issuer: {ISSUER}, client_id: x, client_secret: {{keep: true}}}}
      - {{name: C, kind: oidc, issuer: {ISSUER}, client_id: x, client_secret: {{file: gone.txt}}}}
      - {{name: D, kind: saml}}
      - {{name: E, kind: saml, idp: {{metadata_url: "http://idp.example/metadata"}}}}
      - {{name: F, kind: saml, idp: {{metadata: "<html>"}}}}
      - {{name: G, kind: saml, preset: oktopus, idp: {{metadata_file: idp.xml}}}}
      - {{name: H, kind: oidc, issuer: "https://nobody.example", client_id: x, client_secret: {{env: SET}}}}
    """
    outside = a_provider()
    outside.environment["SET"] = "x"
    outside.files["idp.xml"] = METADATA
    with pytest.raises(BadFile) as refused:
        planned(kicks.context, text, kicks.now, outside=outside)
    assert [(fault.line, fault.path) for fault in refused.value.faults] == [
        (5, "connections[0].client_secret.env"),
        (6, "connections[1].client_secret"),
        (7, "connections[2].client_secret.file"),
        (8, "connections[3].idp"),
        (9, "connections[4].idp.metadata_url"),
        (10, "connections[5].idp"),
        (11, "connections[6].preset"),
        (12, "connections[7].issuer"),
    ]


def test_metadata_comes_from_a_file_from_the_file_itself_or_from_an_address(kicks: World) -> None:
    inline = METADATA.decode().replace("\n", "\n        ")
    text = f"""
connections:
  - name: By file
    kind: saml
    idp: {{metadata_file: idp.xml}}
  - name: By address
    kind: saml
    idp: {{metadata_url: "https://idp.example/metadata"}}
  - name: Written here
    kind: saml
    idp:
      metadata: |
        {inline}
"""
    outside = Outside(files={"idp.xml": METADATA}, pages={"https://idp.example/metadata": METADATA})
    applied(kicks.context, text, kicks.now, outside=outside)
    assert planned(kicks.context, text, kicks.now, outside=outside).steps == ()
    assert outside.asked == ["https://idp.example/metadata"]  # once: what stands is the refresh's to read again
    configs = [one.config for one in own_connections.list_connections(kicks.context, "kicks")]
    assert all(config["idp"] == configs[0]["idp"] for config in configs)
    assert [config.get("metadata_url") for config in configs] == [None, None, "https://idp.example/metadata", None]


def certificates(kicks: World) -> list[str]:
    """Those that are trusted of Okta, as they are kept."""
    config = own_connections.list_connections(kicks.context, "kicks")[0].config
    return list(config["idp"]["certificates"])


def test_a_plan_names_what_metadata_at_an_address_has_trusted_and_agrees_to_no_other(kicks: World) -> None:
    text = "connections: [{name: Entra, kind: saml, idp: {metadata_url: 'https://idp.example/metadata'}}]"
    outside = Outside(pages={"https://idp.example/metadata": METADATA})
    agreed = planned(kicks.context, text, kicks.now, outside=outside)
    said = {one.name: one.after for one in agreed.steps[0].step.fields}
    [pem] = certificates(kicks)
    assert said["idp.certificates"] == f"certificate {certificate_facts(pem).sha256}"
    outside.pages["https://idp.example/metadata"] = METADATA.replace(b"/sso", b"/other")
    with pytest.raises(PlanMoved):
        applied(kicks.context, text, kicks.now, expect=agreed.digest, outside=outside)
    outside.pages["https://idp.example/metadata"] = METADATA
    applied(kicks.context, text, kicks.now, expect=agreed.digest, outside=outside)


def test_a_certificate_is_the_same_however_it_is_written_and_in_any_order(kicks: World) -> None:
    [pem] = certificates(kicks)
    bare = "".join(pem.splitlines()[1:-1])
    spaced = " ".join(bare[at : at + 50] for at in range(0, len(bare), 50))
    other = self_signed(ec.generate_private_key(ec.SECP256R1()))
    fields = "connections: [{{name: Okta, kind: saml, idp: {{entity_id: e, sso_post_url: https://a.example, {0}}}}}]"
    applied(kicks.context, fields.format(f"certificates: {json.dumps([pem, other])}"), kicks.now)
    for written in ([pem, other], [other, pem], [pem.replace("\n", "\r\n"), other], [spaced, other]):
        assert planned(kicks.context, fields.format(f"certificates: {json.dumps(written)}"), kicks.now).steps == ()
    assert planned(kicks.context, fields.format(f"certificates: {json.dumps([other])}"), kicks.now).steps


@pytest.mark.parametrize(
    ("key", "value"),
    [("kind", "oidc\n  issuer: https://a.example\n  client_id: x"), ("preset", "entra")],
    ids=["kind", "preset"],
)
def test_what_makes_a_connection_another_one_is_refused_at_that_key(kicks: World, key: str, value: str) -> None:
    said = ["kind: saml", f"{key}: {value}"] if key != "kind" else [f"kind: {value}"]
    with pytest.raises(BadFile) as refused:
        planned(kicks.context, "\n".join(["connections:", "- name: Okta", *(f"  {one}" for one in said)]), kicks.now)
    [fault] = refused.value.faults
    assert fault.text.startswith(f"Okta: The {key} of Okta is")
    assert (fault.path, fault.line) == (f"connections[0].{key}", 4 + len(said))


def test_what_the_list_of_a_user_group_or_a_member_lacks_is_named_too(staged: World) -> None:
    applied(staged.context, "user_groups: [{name: Guild, members: [ines@kicks.example]}]", staged.now)
    plan = planned(staged.context, "user_groups: [{name: Guild, members: [], grants: []}]", staged.now)
    assert plan.left_alone == {
        "people": ("ines@kicks.example in Guild",),
        "grants": ("Source Admin on label:team:growth of the User Group Guild",),
    }


def test_what_pruning_would_take_from_under_a_rule_is_said_to_stand(staged: World) -> None:
    text = "user_groups: []\nmappings: [{connection: Okta, groups: {name: eng}, gives: {user_groups: [Guild]}}]"
    assert planned(staged.context, text, staged.now).steps == ()
    with pytest.raises(BadFile, match=r"There is no User Group 'Guild'\. What stands isn't in the file's list"):
        planned(staged.context, text, staged.now, prune=True)


def test_a_connection_says_how_many_rules_go_with_it(staged: World) -> None:
    plan = planned(staged.context, "connections: []", staged.now, prune=True)
    assert [(one.name, one.before, one.after) for one in plan.steps[0].step.fields] == [("rules", "1", None)]


# -- What stands and does nothing --------------------------------------------------------------------


def test_a_rule_whose_one_resource_is_gone_is_in_no_file_and_gives_again_what_a_file_says(staged: World) -> None:
    rule = "mappings: [{connection: Okta, groups: {name: ops}, gives: {roles: [{role: Source Admin, scope: %s}]}}]"
    applied(staged.context, rule % "source:orders", staged.now)
    delete_resource(staged.context, OPERATOR, "kicks", ResourceRef("source", "orders"), staged.now)
    text = export(staged.context)
    assert "ops" not in text
    for prune in (False, True):
        plan = planned(staged.context, text, staged.now, prune=prune)
        assert (plan.steps, plan.left_alone) == ((), {})
    assert steps(planned(staged.context, rule % "source:refunds", staged.now)) == [
        "~ mapping People in the Okta group ops get nothing"
    ]


# -- Labels ------------------------------------------------------------------------------------------


def test_what_labels_are_for_is_said_beside_them(staged: World) -> None:
    said = "labels: [{label: team:growth, description: Who sells}, {label: a:b, description: New}, c:d]"
    assert steps(planned(staged.context, said, staged.now)) == ["~ label team:growth", "+ label a:b", "+ label c:d"]
    applied(staged.context, said, staged.now)
    assert planned(staged.context, said, staged.now).steps == ()
    assert "  - label: team:growth\n    description: Who sells\n" in export(staged.context)
    assert planned(staged.context, "labels: [team:growth]", staged.now).steps == ()  # what isn't said stays
    [taken] = planned(staged.context, "labels: [{label: team:growth, description: ''}]", staged.now).steps
    assert (taken.step.fields[0].before, taken.step.fields[0].after) == ("Who sells", "none")


# -- Groups that an IdP pushed -----------------------------------------------------------------------


def test_a_link_ties_a_pushed_group_to_a_user_group_in_place_of_its_mirror(staged: World) -> None:
    text = """
    user_groups: [{name: Guild}]
    mappings: [{connection: Okta, groups: {pushed: ops}, gives: {user_groups: [Guild]}, link: true}]
    """
    plan = applied(staged.context, text, staged.now)
    assert moved(plan)[0] == {"omar@kicks.example": ["source_admin label:team:growth"]}
    assert [one.name for one in list_user_groups(staged.context, "kicks", staged.now).groups] == ["eng", "Guild"]
    assert planned(staged.context, text, staged.now).steps == ()
    assert "pushed: ops" in export(staged.context)


def test_a_group_whose_name_is_not_the_only_one_is_named_by_its_id(staged: World) -> None:
    second = staged.push_group("eng")
    draft = MappingDraft(staged.connection.id, GroupMatch("id", second.id), (), (READING,))
    map_groups.add_mapping(staged.context, OPERATOR, "kicks", draft, staged.now)
    assert f"id: {second.id}" in export(staged.context) or f'id: "{second.id}"' in export(staged.context)
    assert planned(staged.context, export(staged.context), staged.now).steps == ()
    with pytest.raises(BadFile, match="has pushed 2 groups called 'eng'"):
        planned(
            staged.context,
            "mappings: [{connection: Okta, groups: {pushed: eng}, gives: {user_groups: [Guild]}}]",
            staged.now,
        )


def test_what_a_mirror_was_given_by_hand_is_in_the_file_and_the_mirror_is_the_idps(staged: World) -> None:
    assert "mirror: true" not in export(staged.context)
    text = "user_groups: [{name: ops, mirror: true, grants: [{role: Source Read-only}]}]"
    plan = applied(staged.context, text, staged.now)
    assert moved(plan)[0] == {"omar@kicks.example": ["source_read_only all"]}
    assert "name: ops\n    mirror: true" in export(staged.context)
    for wrong in (
        "user_groups: [{name: ops}]",
        "user_groups: [{name: Guild, mirror: true}]",
        "user_groups: [{name: hr, mirror: true}]",
    ):
        with pytest.raises(BadFile, match="mirror"):
            planned(staged.context, wrong, staged.now)
