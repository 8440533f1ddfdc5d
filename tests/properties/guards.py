"""The table of guards: what upholds each property, in the smallest piece, and the tests that miss it.

`code` stands exactly once in `module`; with `without` in its place each of `tests` fails. A guard that moves, or is
worded anew, is told by `test_guards.py` at once; whoever changes one changes its line here.

SAML's own rules have such a table in tests/saml/test_guards.py (properties 2, 3, 4).
"""

from dataclasses import dataclass

_HERE = "tests/properties/test_"
_01 = f"{_HERE}01_nobody_reaches_outside.py::test_"
_04 = f"{_HERE}04_trust_comes_from_configuration.py::test_"
_05 = f"{_HERE}05_a_disabled_connection_is_closed_now.py::test_"
_06 = f"{_HERE}06_an_outsiders_id_is_never_ours.py::test_"
_07 = f"{_HERE}07_a_token_sees_one_connections_directory.py::test_"
_07A = f"{_HERE}07a_one_connection_never_signs_in_anothers_person.py::test_"
_10 = f"{_HERE}10_gone_is_gone.py::test_"
_11 = f"{_HERE}11_a_rule_takes_its_access_away.py::test_"
_12 = f"{_HERE}12_nothing_is_used_twice.py::test_"
_13 = f"{_HERE}13_a_change_of_members_is_rows.py::test_"
_14 = f"{_HERE}14_what_is_refused_changes_nothing.py::test_"
_15 = f"{_HERE}15_absent_is_not_false.py::test_"
_17 = f"{_HERE}17_look_up_and_conflict_see_the_same_people.py::test_"
_FILE = "tests/scim/test_directory_file.py::test_"
_IMPORT = "tests/flows/test_import_directory.py::test_"
_LOG = "tests/web/test_scim_log.py::test_"
_SIGN_IN = "tests/flows/test_sign_in.py::test_"


@dataclass(frozen=True, slots=True)
class Guard:
    """One condition, call or clause; the property of properties.md that it upholds; and the tests that need it."""

    name: str
    property: str
    module: str
    code: str
    without: str
    tests: tuple[str, ...]


GUARDS = (
    # -- 1. Nobody reaches outside -----------------------------------------------------------------------------------
    Guard(
        "an identity belongs to its connection",
        "1",
        "bridge.storage.sign_in",
        'identities.c.connection_id == bindparam("connection"), identities.c.subject == bindparam("subject")',
        'identities.c.subject == bindparam("subject")',
        (f"{_01}a_subject_of_one_connection_is_nobody_at_another",),
    ),
    Guard(
        "SSO opens its own workspace",
        "1",
        "bridge.domain.sign_in",
        "return authentication.workspace_key == seat.workspace.key",
        "return True",
        (
            f"{_01}an_idp_that_names_another_workspaces_owner_opens_its_own_workspace_only",
            "tests/flows/test_sessions.py::test_sso_opens_its_own_workspace_and_no_other",
        ),
    ),
    Guard(
        "a domain counts where it was proved",
        "1",
        "bridge.storage.people",
        '        domains.c.workspace_id == bindparam("workspace"),\n        domains.c.name == bindparam("domain"),',
        '        domains.c.name == bindparam("domain"),',
        (
            f"{_SIGN_IN}a_domain_proved_by_another_workspace_opens_nothing",
            f"{_07A}a_domain_that_another_workspace_proved_changes_nothing",
        ),
    ),
    Guard(
        "addresses compare letter by letter",
        "1",
        "bridge.domain.people",
        'return stripped.lower() if stripped.isascii() else "".join(map(_small, stripped))',
        "return stripped.casefold()",
        (
            f"{_01}an_address_that_looks_alike_is_another_account",
            f"{_01}an_invitation_to_a_look_alike_gives_no_password_to_the_account",
        ),
    ),
    Guard(
        "domains compare as DNS does",
        "1",
        "bridge.domain.people",
        "return find_dns_name(domain) or fold_letters(domain)",
        "return domain.casefold()",
        (f"{_01}a_proved_domain_is_not_its_look_alike", f"{_01}a_proved_domain_beyond_ascii_is_that_of_its_people"),
    ),
    Guard(
        "a rule takes groups of its own connection",
        "1",
        "bridge.storage.mappings",
        "        columns.connection_id == connection_key, where\n",
        "        where\n",
        (f"{_01}a_rule_over_another_workspaces_group_matches_nothing_and_tells_nothing",),
    ),
    Guard(
        "a rule tells names of its own workspace's groups",
        "1",
        "bridge.storage.mappings",
        ".where(directory_groups.c.uid.in_(list(uids)), connections.c.workspace_id == workspace_key)",
        ".where(directory_groups.c.uid.in_(list(uids)))",
        (f"{_01}a_rule_over_another_workspaces_group_matches_nothing_and_tells_nothing",),
    ),
    Guard(
        "only owners act",
        "1",
        "bridge.flows.named",
        "if membership is None or not may(change.connection, membership.key, [OWNER.id], None, change.now):",
        "if membership is None and False:",
        (
            "tests/flows/test_tokens.py::test_only_owners_make_and_revoke_tokens",
            "tests/flows/test_members.py::test_only_owners_remove",
        ),
    ),
    Guard(
        "a connection is named in its own workspace",
        "1",
        "bridge.flows.named",
        "if found is None or found.workspace_key != workspace.key:",
        "if found is None:",
        (
            "tests/flows/test_connect.py::test_another_workspace_cannot_switch_it",
            "tests/flows/test_tokens.py::test_a_token_for_another_workspaces_connection_is_refused",
        ),
    ),
    Guard(
        "a request is answered by the connection it was sent to",
        "1",
        "bridge.flows.sign_in",
        'return digest(f"request:{connection_id}:{request_id}")',
        'return digest(f"request:{request_id}")',
        (f"{_SIGN_IN}a_request_of_another_connection_is_refused",),
    ),
    Guard(
        "an account without a proved address isn't linked while it has credentials",
        "1",
        "bridge.domain.sign_in",
        'return "prove" if found.has_credentials else "link"',
        'return "link"',
        (f"{_SIGN_IN}an_unproved_account_with_a_password_is_not_linked_by_email",),
    ),
    # -- 4. Trust comes from configuration ---------------------------------------------------------------------------
    Guard(
        "metadata brings a certificate",
        "4",
        "saml.identity_provider",
        "    if not certificates:\n",
        "    if False:\n",
        (f"{_04}metadata_without_a_certificate_makes_no_connection",),
    ),
    # -- 5. Disabled is closed ---------------------------------------------------------------------------------------
    Guard(
        "the door is shut",
        "5",
        "bridge.flows.sso_door",
        "if not connection.enabled or not has_sso(workspace.plan):",
        "if False:",
        (f"{_05}and_each_is_closed_now", f"{_SIGN_IN}a_disabled_connection_is_closed_at_every_step"),
    ),
    Guard(
        "a session asks whether its connection is on",
        "5",
        "bridge.storage.sessions",
        "and_(connections.c.enabled, ~_OFF_SINCE)",
        "and_(connections.c.id.is_not(None), ~_OFF_SINCE)",
        (f"{_05}and_each_is_closed_now",),
    ),
    Guard(
        "a session remembers that its connection was off",
        "5",
        "bridge.storage.sessions",
        "and_(connections.c.enabled, ~_OFF_SINCE)",
        "and_(connections.c.enabled)",
        (f"{_05}what_it_authenticated_stays_ended_when_it_is_on_again",),
    ),
    Guard(
        "a session asks whether the plan has SSO",
        "5",
        "bridge.domain.sign_in",
        "        and has_sso(seat.workspace.plan)\n        and _still_seated",
        "        and _still_seated",
        (f"{_05}and_each_is_closed_now",),
    ),
    Guard(
        "SCIM asks whether its connection is on",
        "5",
        "bridge.flows.tokens",
        "    if not found.connection.enabled:\n",
        "    if False:\n",
        (f"{_05}and_each_is_closed_now", "tests/web/test_scim_api.py::test_a_disabled_connection_is_closed_now"),
    ),
    Guard(
        "groups of a connection that is off give nothing",
        "5",
        "bridge.storage.mappings",
        "where(connections.c.id == connection_key, connections.c.enabled)",
        "where(connections.c.id == connection_key)",
        (f"{_05}and_each_is_closed_now", f"{_11}what_a_rule_gave_is_gone_and_what_a_hand_gave_stays"),
    ),
    Guard(
        "required SSO stays required",
        "5",
        "bridge.domain.sign_in",
        "if not seat.workspace.require_sso or seat.sso_exempt:",
        "if True:",
        (f"{_05}required_sso_stays_required",),
    ),
    # -- 6. Outsiders' ids -------------------------------------------------------------------------------------------
    Guard(
        "ids are made here",
        "6",
        "bridge.storage.directory",
        '{"uid": uid, "connection_id": connection_key, "membership_id": membership_key}',
        '{"uid": user.external_id or uid, "connection_id": connection_key, "membership_id": membership_key}',
        (f"{_06}every_id_that_goes_out_is_made_here",),
    ),
    Guard(
        "a mirror takes a free name",
        "6",
        "bridge.storage.mirrors",
        "if holder is None or holder == own:",
        "if True:",
        (
            "tests/flows/test_provision_groups.py::test_a_mirror_never_takes_the_name_of_a_user_group_that_is_there",
            f"{_06}no_name_or_id_of_an_idp_gives_anything",
        ),
    ),
    Guard(
        "a mirror is tied by id, not by name",
        "6",
        "bridge.storage.mirrors",
        'GroupMatch("id", group_uid), [key], origin="mirror"',
        'GroupMatch("name", name), [key], origin="mirror"',
        (f"{_06}two_groups_of_one_name_have_mirrors_of_their_own",),
    ),
    Guard(
        "a subject is a user name letter by letter",
        "6",
        "bridge.storage.sign_in",
        "fold_letters(user_name) == said",
        "fold_user_name(user_name) == fold_user_name(subject)",
        (f"{_06}a_subject_that_looks_alike_is_not_the_pushed_person",),
    ),
    Guard(
        "a subject stands for one person",
        "6",
        "bridge.flows.settle_login",
        "if one.by_subject and one.membership_key is not None}) > 1:",
        "if one.by_subject and one.membership_key is not None}) > 9:",
        (f"{_06}a_subject_that_stands_for_two_people_signs_in_neither",),
    ),
    # -- 7. One connection's directory -------------------------------------------------------------------------------
    Guard(
        "people of one connection",
        "7",
        "bridge.storage.directory",
        "return and_(directory_users.c.connection_id == connection_key, directory_users.c.pushed)",
        "return and_(directory_users.c.pushed)",
        (f"{_07}what_another_connection_has_is_what_nobody_has", f"{_07}the_names_of_another_connection_are_free"),
    ),
    Guard(
        "people who were pushed",
        "7",
        "bridge.storage.directory",
        "return and_(directory_users.c.connection_id == connection_key, directory_users.c.pushed)",
        "return and_(directory_users.c.connection_id == connection_key)",
        (f"{_07}who_is_known_by_a_login_only_is_nobody_to_scim",),
    ),
    Guard(
        "groups of one connection",
        "7",
        "bridge.storage.directory",
        "return and_(directory_groups.c.connection_id == connection_key, PUSHED_GROUP)",
        "return and_(PUSHED_GROUP)",
        (f"{_07}what_another_connection_has_is_what_nobody_has",),
    ),
    Guard(
        "groups that were pushed",
        "7",
        "bridge.storage.directory",
        "return and_(directory_groups.c.connection_id == connection_key, PUSHED_GROUP)",
        "return and_(directory_groups.c.connection_id == connection_key)",
        (f"{_07}who_is_known_by_a_login_only_is_nobody_to_scim",),
    ),
    Guard(
        "the token first",
        "7",
        "bridge.web.scim_api",
        "    if caller is None:\n",
        "    if False:\n",
        ("tests/web/test_scim_api.py::test_without_a_good_token_everything_is_401",),
    ),
    Guard(
        "a cursor is its connection's",
        "7",
        "bridge.flows.cursors",
        'return f"scim.cursor:{connection.id}:',
        'return f"scim.cursor:',
        ("tests/web/test_scim_paging.py::test_a_cursor_shows_nothing_to_another_connection",),
    ),
    # -- 7a. Not another connection's person -------------------------------------------------------------------------
    Guard(
        "whom another connection pushes",
        "7a",
        "bridge.domain.sign_in",
        "if found.pushed_elsewhere and not found.pushed_here:",
        "if False:",
        (
            f"{_07A}whatever_came_before_a_login_opens_nobody_whom_only_the_other_pushes",
            f"{_SIGN_IN}one_connection_never_signs_in_a_person_that_another_pushes",
        ),
    ),
    Guard(
        "a push changes an address where both domains are proved",
        "7a",
        "bridge.flows.provision_users",
        "proved = all(people",
        "proved = any(people",
        (f"{_07A}an_address_changes_only_where_both_domains_are_proved",),
    ),
    Guard(
        "a login changes an address where both domains are proved",
        "7a",
        "bridge.flows.settle_login",
        "if all(people.proves_domain(",
        "if any(people.proves_domain(",
        (f"{_07A}an_address_changes_only_where_both_domains_are_proved",),
    ),
    Guard(
        "an owner is found by email only where the domain is proved",
        "7a",
        "bridge.domain.sign_in",
        "not found.signed_in_elsewhere and not found.owner",
        "not found.signed_in_elsewhere",
        (f"{_SIGN_IN}an_owner_is_found_by_email_only_where_the_domain_is_proved",),
    ),
    # -- 10. Gone is gone --------------------------------------------------------------------------------------------
    Guard(
        "access asks for the membership",
        "10",
        "bridge.storage.access",
        "m.status = 'active' AND NOT EXISTS",
        "NOT EXISTS",
        (f"{_10}nothing_works_after", "tests/storage/test_access.py::test_who_is_out_has_nothing"),
    ),
    Guard(
        "access asks who is held out",
        "10",
        "bridge.storage.access",
        "h.membership_id = m.id AND h.holds_out)",
        "h.membership_id = m.id AND h.holds_out AND 1 = 0)",
        (f"{_10}nothing_works_after", "tests/storage/test_access.py::test_who_is_out_has_nothing"),
    ),
    Guard(
        "a session asks for the membership",
        "10",
        "bridge.storage.sessions",
        '.where(memberships.c.user_id == bindparam("user"), memberships.c.status == "active")',
        '.where(memberships.c.user_id == bindparam("user"))',
        (f"{_10}nothing_works_after",),
    ),
    Guard(
        "a session asks who is held out",
        "10",
        "bridge.storage.sessions",
        "        ~HELD_OUT,\n",
        "        memberships.c.id.is_not(None),\n",
        (f"{_10}nothing_works_after",),
    ),
    Guard(
        "a session remembers that its person was out",
        "10",
        "bridge.domain.sign_in",
        "return seat.alive and (seat.dead_until is None or authentication.at >= seat.dead_until)",
        "return seat.alive",
        (f"{_10}who_comes_back_signs_in_anew",),
    ),
    Guard(
        "a token asks for its maker's membership",
        "10",
        "bridge.storage.tokens",
        '_MAKER.c.status == "active", ~_HELD_OUT)',
        "~_HELD_OUT)",
        (f"{_10}nothing_works_after",),
    ),
    Guard(
        "a token asks whether its maker is held out",
        "10",
        "bridge.storage.tokens",
        '_MAKER.c.status == "active", ~_HELD_OUT)',
        '_MAKER.c.status == "active")',
        (f"{_10}nothing_works_after",),
    ),
    Guard(
        "a token remembers that its maker was removed",
        "10",
        "bridge.storage.tokens",
        '    _once_gone.c.status == "removed",\n',
        '    _once_gone.c.status == "never",\n',
        (f"{_10}whose_membership_ended_comes_back_with_nothing_they_had",),
    ),
    Guard(
        "grants end with the membership",
        "10",
        "bridge.storage.people",
        "    end_grants(change, membership_key)\n",
        "",
        (f"{_10}whose_membership_ended_comes_back_with_nothing_they_had",),
    ),
    Guard(
        "invitations end with the membership",
        "10",
        "bridge.storage.people",
        "    revoke_invites_of(change, membership_key)\n",
        "",
        (f"{_10}an_invitation_from_before_they_left_brings_nobody_back",),
    ),
    Guard(
        "a result waits for nobody who left",
        "10",
        "bridge.flows.sign_in",
        "        raise AccountClosed\n    _check_member(change, door, user)\n",
        "        raise AccountClosed\n",
        (f"{_10}nothing_works_after",),
    ),
    Guard(
        "a second record revives nobody",
        "10",
        "bridge.flows.provision_users",
        "if directory.find_pushed(change.connection, connection.key, membership.key) is not None:",
        "if False:",
        (f"{_10}a_second_record_with_their_address_brings_nobody_back",),
    ),
    Guard(
        "a changed record is linked to nobody who has one",
        "10",
        "bridge.flows.provision_users",
        'if member is not None and (member.status == "removed" or _has_record(change, connection, member)):',
        "if False:",
        (f"{_10}a_record_that_takes_the_address_of_who_was_removed_brings_nobody_back",),
    ),
    Guard(
        "a record without an address is about who signs in under its name",
        "10",
        "bridge.flows.settle_login",
        "    asserted_groups.link_pushed_record(change, ours.key, membership.key, identity.subject)\n",
        "",
        (f"{_10}who_signs_in_under_a_pushed_name_is_held_out_by_it",),
    ),
    Guard(
        "a push is about who signs in under its name",
        "10",
        "bridge.flows.provision_users",
        "    if len(signed_in) == 1:\n",
        "    if False:\n",
        (f"{_10}who_signs_in_under_a_pushed_name_is_held_out_by_it",),
    ),
    Guard(
        "a record without an account holds out too",
        "10",
        "bridge.flows.settle_login",
        "        _check_not_held(change, door, identity)\n",
        "",
        (f"{_10}a_record_that_becomes_theirs_later_holds_them_out_at_the_next_login",),
    ),
    # -- 11. Rules ---------------------------------------------------------------------------------------------------
    Guard(
        "switching a rule brings its matches up to date",
        "11",
        "bridge.storage.mappings",
        "    refresh_mapping_matches(change, mapping.connection_key, mapping.key)\n",
        "",
        (f"{_11}what_a_rule_gave_is_gone_and_what_a_hand_gave_stays",),
    ),
    Guard(
        "renaming a group brings its matches up to date",
        "11",
        "bridge.flows.provision_groups",
        "    refresh_group_matches(change, connection.key, [stored.key], also_named=_names(before))\n",
        "",
        (f"{_11}what_a_rule_gave_is_gone_and_what_a_hand_gave_stays",),
    ),
    Guard(
        "the pushed group of a name decides",
        "11",
        "bridge.storage.access",
        "((mm.shadowed AND d.pushed) OR d.asserted_until IS NULL",
        "(d.asserted_until IS NULL",
        (f"{_11}a_scim_removal_is_not_undone_by_the_next_login",),
    ),
    Guard(
        "asserted groups run out",
        "11",
        "bridge.storage.access",
        ' OR d.asserted_until < :now))"""',
        '))"""',
        ("tests/storage/test_access.py::test_an_asserted_group_counts_until_its_time_is_over",),
    ),
    # -- 12. Once ----------------------------------------------------------------------------------------------------
    Guard(
        "an assertion is remembered",
        "12",
        "bridge.storage.pending",
        "return change.connection.execute(first.returning(seen.c.hash)).first() is not None",
        "return bool(change.connection.execute(first)) or True",
        (
            f"{_12}what_was_used_is_refused",
            f"{_12}a_used_assertion_is_remembered_as_long_as_it_could_be_valid",
            f"{_12}an_assertion_answers_no_second_request",
        ),
    ),
    Guard(
        "a refused assertion is spent",
        "12",
        "bridge.flows.sign_in",
        "        _spend(context, kind, answer, now)\n",
        "",
        (f"{_12}what_was_refused_is_spent_too",),
    ),
    Guard(
        "what was taken is gone",
        "12",
        "bridge.storage.pending",
        "    gone = delete(pending_requests).where(",
        "    gone = pending_requests.update().values(kind=kind).where(",
        (f"{_12}what_was_used_is_refused",),
    ),
    Guard(
        "an invitation is pending once",
        "12",
        "bridge.storage.invites",
        "_PENDING = and_(invites.c.used_at.is_(None), invites.c.revoked_at.is_(None))",
        "_PENDING = invites.c.id.is_not(None)",
        (f"{_12}what_was_used_is_refused", f"{_12}a_used_invitation_opens_no_page"),
    ),
    Guard(
        "a result is fetched by the browser that began",
        "12",
        "bridge.flows.sign_in",
        "if waiting.browser_hash not in (None, digest(browser)):",
        "if False:",
        (f"{_SIGN_IN}another_browser_cannot_finish_a_login",),
    ),
    # -- 13. Members are rows ----------------------------------------------------------------------------------------
    Guard(
        "adding removes nobody",
        "13",
        "bridge.flows.provision_groups",
        "        leaving: set[int] = set()\n",
        "        leaving = directory.member_keys(change.connection, stored.key)\n",
        (f"{_13}adding_removes_nobody_and_touches_no_row_that_stays",),
    ),
    Guard(
        "removing removes the named",
        "13",
        "bridge.flows.provision_groups",
        "        keys, leaving = set(), keys\n",
        "        keys, leaving = set(), directory.member_keys(change.connection, stored.key)\n",
        (f"{_13}removing_removes_only_the_named_even_with_strangers_among_them",),
    ),
    Guard(
        "the count is added to, not set",
        "13",
        "bridge.storage.directory",
        'n_members=directory_groups.c.n_members + bindparam("more"),',
        'n_members=bindparam("more"),',
        (f"{_13}any_concurrency_of_changes_of_different_members_ends_right",),
    ),
    # -- 14. Refused is unchanged ------------------------------------------------------------------------------------
    Guard(
        "what is wrong with an operation of a Bulk",
        "14",
        "bridge.web.scim_bulk",
        "        if step[0].refusal is not None:\n",
        "        if False:\n",
        ("tests/web/test_scim_bulk.py::test_a_hostile_operation_is_a_4xx_of_its_own_and_changes_nothing",),
    ),
    Guard(
        "a Bulk stops after so many failures",
        "14",
        "bridge.web.scim_bulk",
        "        if bulk.fail_on_errors is not None and run.failures >= bulk.fail_on_errors:\n",
        "        if False:\n",
        ("tests/web/test_scim_bulk.py::test_fail_on_errors_stops_and_says_what_was_done",),
    ),
    Guard(
        "a member must be known",
        "14",
        "bridge.flows.provision_groups",
        "        _check_all_known(step.ids, people)\n",
        "        pass\n",
        (f"{_14}one_bad_operation_on_a_group_undoes_all_of_the_request", f"{_14}a_refused_request_changes_nothing"),
    ),
    Guard(
        "an operation is undone with its transaction",
        "14",
        "bridge.storage.changes",
        "            yield change\n",
        "            try:\n                yield change\n            except Exception:\n"
        "                connection.commit()\n                raise\n",
        (f"{_14}one_bad_operation_on_a_group_undoes_all_of_the_request",),
    ),
    Guard(
        "a filter that chooses nothing is refused",
        "14",
        "scim.patch",
        "    if described is None or (where is not None and not matches_element(where, created)):\n",
        "    if False:\n",
        ("tests/scim/test_patch.py::test_any_other_unmatched_filter_has_no_target",),
    ),
    # -- 15. Absent is not false -------------------------------------------------------------------------------------
    Guard(
        "a PUT without active keeps it",
        "15",
        "scim.resources",
        '        document.setdefault("active", present["active"])\n',
        '        document.setdefault("active", True)\n',
        (f"{_15}a_put_without_active_neither_suspends_nor_brings_back",),
    ),
    Guard(
        "only a change of mind holds out",
        "15",
        "bridge.flows.provision_users",
        "holds_out = stored.holds_out if before.active == wanted.active else not wanted.active",
        "holds_out = not wanted.active",
        (
            f"{_15}a_put_without_active_neither_suspends_nor_brings_back",
            f"{_15}saying_the_same_again_is_no_change_of_mind",
        ),
    ),
    # -- 16. Survives ------------------------------------------------------------------------------------------------
    Guard(
        "a change and its event are one",
        "16",
        "bridge.storage.changes",
        "            write_audit(change)\n",
        "",
        ("tests/storage/test_changes.py::test_a_change_and_its_audit_event_are_written_together",),
    ),
    Guard(
        "a commit waits for the disk",
        "16",
        "bridge.storage.database",
        'def open_database(url: str, *, synchronous: Synchronous = "FULL")',
        'def open_database(url: str, *, synchronous: Synchronous = "NORMAL")',
        ("tests/storage/test_database.py::test_sqlite_loses_nothing_at_a_power_cut_unless_told_otherwise",),
    ),
    # -- 17. Look-up and conflict ------------------------------------------------------------------------------------
    Guard(
        "user names conflict as filters compare",
        "17",
        "bridge.domain.people",
        "    return text.casefold()\n",
        "    return text.strip().casefold()\n",
        (f"{_17}a_user_name_is_free_exactly_if_no_filter_finds_it",),
    ),
    Guard(
        "a known person is adopted",
        "17",
        "bridge.flows.provision_users",
        "    if unpushed is not None:\n",
        "    if False:\n",
        (f"{_17}adoption_never_loops",),
    ),
    # -- 20. No secret appears ---------------------------------------------------------------------------------------
    Guard(
        "the SCIM log blacks out what stands under a secret name",
        "20",
        "scim.redaction",
        'if is_secret(key) or (hidden and key.lower() == "value"):',
        "if False:",
        (f"{_LOG}a_line_opens_to_request_and_answer_without_secrets",),
    ),
    Guard(
        "the SCIM log blacks out what filters compare secrets with",
        "20",
        "scim.redaction",
        "return BLACKED_OUT if is_secret(name) else _redact_filter(value)",
        "return value",
        (f"{_LOG}a_line_opens_to_request_and_answer_without_secrets",),
    ),
    # -- The SCIM log (product.md 4.6) -------------------------------------------------------------------------------
    Guard(
        "a line of the SCIM log is a workspace's own",
        "1",
        "bridge.storage.provisioning_requests",
        "_COLUMNS.connection_id.in_(sorted(connection_keys)), ",
        "",
        (f"{_LOG}a_workspace_sees_its_own_connections_only",),
    ),
    Guard(
        "a change and its line of the SCIM log are one transaction",
        "16",
        "bridge.flows.context",
        "                        self.witness(change)\n",
        "                        pass\n",
        (f"{_LOG}a_changes_line_is_written_in_its_own_transaction",),
    ),
    # -- Import: a push by the thousand (docs/decisions/0012) --------------------------------------------------------
    Guard(
        "an import looks again whether the connection is on",
        "5",
        "bridge.flows.import_directory",
        "held = _open_connection(change.connection, workspace_slug, connection_id)",
        "held = connection",
        (f"{_IMPORT}a_connection_that_was_switched_off_since_takes_no_import",),
    ),
    Guard(
        "an id in a file finds nobody who is in the file",
        "6",
        "scim.json_file",
        "            if value in self.ids:\n",
        "            if False:\n",
        (
            f"{_IMPORT}an_id_in_a_file_finds_nobody_who_is_in_the_file",
            f"{_FILE}members_are_people_of_the_file_by_its_ids_else_somebody_elsewhere",
        ),
    ),
    Guard(
        "an import renames no account that is somebody else's too",
        "1",
        "bridge.flows.import_people",
        "{key: name for key, name in names.items() if key not in others}",
        "names",
        (f"{_IMPORT}an_account_that_is_more_than_this_workspaces_keeps_its_name",),
    ),
    Guard(
        "an import moves accounts between proved domains only",
        "7a",
        "bridge.flows.import_people",
        "named is None and {email_domain(own.email), email_domain(email)} <= proved:",
        "named is None:",
        (f"{_IMPORT}an_account_follows_to_an_address_only_where_both_domains_are_proved",),
    ),
    Guard(
        "an import suspends no owner by the hundred",
        "10",
        "bridge.flows.import_people",
        "if stored.membership_key in owners and _holds_out(stored, wanted):",
        "if False:",
        (f"{_IMPORT}the_last_owner_is_kept_and_nothing_is_imported",),
    ),
    Guard(
        "an import suspends no owner who is new to the connection",
        "10",
        "bridge.flows.import_people",
        "return wanted.active or account.membership_key not in owners",
        "return True",
        (f"{_IMPORT}the_last_owner_is_kept_who_is_new_to_the_connection",),
    ),
    Guard(
        "an import pushes rows that meet one by one",
        "17",
        "bridge.flows.import_people",
        "return bool((email and looked.addresses[fold_letters(email)] > 1) or (account ",
        "return bool(False and (account ",
        (f"{_IMPORT}whatever_people_have_been_through_an_import_means_a_push",),
    ),
    Guard(
        "an import with a fault changes nothing",
        "14",
        "bridge.flows.import_directory",
        "    if faults:\n        raise FaultyFile",
        "    if False:\n        raise FaultyFile",
        (
            f"{_IMPORT}every_fault_is_told_with_its_line_and_nothing_is_imported",
            f"{_IMPORT}a_member_whom_nobody_knows_is_refused",
        ),
    ),
    Guard(
        "a dry run is undone",
        "14",
        "bridge.flows.import_directory",
        "            raise _OnlyAsking\n",
        "            pass\n",
        (f"{_IMPORT}a_dry_run_says_what_the_import_then_does_and_changes_nothing",),
    ),
    Guard(
        "nothing is twice in a file, be it in one line",
        "14",
        "scim.directory_file",
        "if (kind, key) in self._lines:",
        "if self._lines.get((kind, key), line) != line:",
        (f"{_FILE}what_is_twice_in_one_line_is_twice",),
    ),
    Guard(
        "an empty cell says nothing of who is active",
        "15",
        "scim.directory_file",
        'if value is not None or place != ("active",):',
        "if True:",
        (f"{_FILE}columns_say_nothing_of_the_rest",),
    ),
)
