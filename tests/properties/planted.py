"""Bugs that are planted for the walks of `account_steps`: a condition, a call or a clause taken out in each place that
upholds it, and what the walk says that comes upon it. So that each is come upon soon, its search takes few kinds of
`steps`: those that lead there, and some that don't.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Piece:
    """`code`, which stands exactly once in `module`, and what stands in its place."""

    module: str
    code: str
    without: str


@dataclass(frozen=True, slots=True)
class Planted:
    """One bug."""

    name: str
    says: str
    steps: tuple[str, ...]
    pieces: tuple[Piece, ...]
    seed: int = 1


_BROWSER = "    if asked.browser_hash != digest(browser):\n        raise OtherBrowser\n"

PLANTED = (
    # -- Into another's account --------------------------------------------------------------------------------------
    Planted(
        "an address that nobody vouches for links an identity",
        r"eve@entra|bob@entra|ann@entra|is in another's account",
        ("sign_in_at_work", "prove", "log_in"),
        (
            Piece(
                "bridge.domain.sign_in",
                "if not found.vouched or not (found.domain_proved",
                "if not (found.domain_proved",
            ),
        ),
    ),
    Planted(
        "an event's address counts that Twilio hasn't verified",
        r"an address that nobody verified|account has the address",
        ("log_in_by_twilio", "claim_address_at_twilio", "unlink"),
        (Piece("oidc.security_event", 'verified = said.get("email_verified") is True', "verified = True"),),
    ),
    Planted(
        "an identity provider changes an account's address without its domains",
        r"account has the address",
        ("sign_in_at_liars", "log_in", "push"),
        (
            Piece(
                "bridge.flows.settle_login",
                "if all(people.proves_domain(change.connection, workspace, email) for email in (old, new)):",
                "if True:",
            ),
        ),
        seed=7,
    ),
    Planted(
        "a push changes an account's address without its domains",
        r"account has the address",
        ("push", "rename_record", "activate"),
        (
            Piece(
                "bridge.flows.pushed_person",
                'return proved and email_domain(new) != "" and people',
                'return email_domain(new) != "" and people',
            ),
        ),
        seed=3,
    ),
    Planted(
        "an invitation is accepted by whoever is signed in",
        r"accepted what \S+ was invited to",
        ("invite_somebody", "accept", "accept_anothers", "take_back"),
        (
            Piece(
                "bridge.flows.accept_invitation",
                "if user is not None and user.id == signed_in:",
                "if signed_in is not None:",
            ),
            Piece(
                "bridge.flows.accept_invitation",
                "if user is None or fold_letters(user.email) != fold_letters(pending.email):",
                "if user is None:",
            ),
        ),
    ),
    Planted(
        "a link that proves an account works in any browser",
        r"asked for no proof|opens \w+@",
        ("sign_in_at_work", "prove", "follow_proof", "log_in"),
        (Piece("bridge.flows.link_account", _BROWSER, ""),),
        seed=8,
    ),
    Planted(
        "a link that joins Twilio and an account works in any browser",
        r"never came to|opens \w+@|isn't linked to it",
        ("log_in_by_twilio", "ask_to_link_by_mail", "follow_link", "link_later"),
        (Piece("bridge.flows.twilio_link", _BROWSER, ""),),
        seed=4,
    ),
    Planted(
        "a mailed link goes past a second factor",
        r"by mail alone",
        ("add_app", "log_in_by_twilio", "ask_to_link_by_mail", "follow_link", "unlink"),
        (
            Piece(
                "bridge.flows.twilio_link",
                "    if accounts.has_second_factor(change.connection, user.key):\n",
                "    if False:\n",
            ),
            Piece(
                "bridge.flows.twilio_link",
                "if user is None or accounts.has_second_factor(change.connection, user.key):",
                "if user is None:",
            ),
        ),
        seed=6,
    ),
    Planted(
        "a second Twilio user takes a link over",
        r"linked to a second|isn't linked to it",
        ("log_in_by_twilio", "link_later", "log_in"),
        (
            Piece(
                "bridge.storage.twilio",
                "users.c.twilio_sub.is_(None) | (users.c.twilio_sub == subject)",
                "users.c.id == user_key",
            ),
        ),
        seed=2,
    ),
    Planted(
        "old news of Twilio's counts",
        r"old news",
        ("log_in_by_twilio", "change_address_at_twilio", "tell_late", "wait"),
        (Piece("bridge.flows.twilio_account", "if link.told_at is not None and said.at < link.told_at:", "if False:"),),
    ),
    Planted(
        "any company's login opens the account's settings",
        r"may change the account",
        ("sign_in_at_work", "sign_in_at_liars", "switch"),
        (Piece("bridge.flows.sessions", "seat is not None and seat.domain_proved", "seat is not None"),),
    ),
    # -- Alive after its ground has gone -----------------------------------------------------------------------------
    Planted(
        "a session outlives the end of the link to Twilio",
        r"twilio of .* is over|is over",
        ("log_in_by_twilio", "link_later", "unlink", "log_in"),
        (
            Piece(
                "bridge.storage.twilio",
                "values(**NO_TWILIO))\n    end_twilio_logins(change, user_key)\n",
                "values(**NO_TWILIO))\n",
            ),
        ),
        seed=5,
    ),
    Planted(
        "an answer of Twilio's counts after its session has ended",
        r"is over",
        ("log_in_by_twilio", "set_out_for_twilio", "come_back_late", "end_at_twilio"),
        (
            Piece(
                "bridge.flows.twilio_login",
                "if pending.was_remembered(change.connection, _ended(what)):",
                "if False:",
            ),
            Piece(
                "bridge.flows.twilio_login",
                "if until is not None and arrival.said_at <= until - _ON_THE_WAY:",
                "if False:",
            ),
        ),
        seed=4,
    ),
    Planted(
        "a session survives that its member was out",
        r"nothing of .* opens",
        ("log_in", "push", "activate", "remove_somebody", "take_back"),
        (
            Piece(
                "bridge.domain.reach",
                "return seat.alive and (seat.out_since is None or authentication.at > seat.out_since)",
                "return seat.alive",
            ),
        ),
        seed=5,
    ),
    Planted(
        "who is held out is let in",
        r"holds \S+ out|nothing of .* opens",
        ("log_in", "push", "activate", "sign_in_at_work"),
        (Piece("bridge.storage.sessions", "        ~HELD_OUT,\n", "        literal(True),\n"),),
        seed=4,
    ),
    Planted(
        "a session outlives the passkey that opened it",
        r"passkey of .* is over",
        ("log_in", "add_passkey", "log_in_by_passkey", "remove_passkey"),
        (
            Piece(
                "bridge.flows.account_factors",
                "            end_passkey_logins(change, user.key, factor_id, but=session.key)\n",
                "            pass\n",
            ),
        ),
    ),
    Planted(
        "a connection that was switched off and on keeps its sessions",
        r"is over",
        ("sign_in_at_work", "switch", "log_in"),
        (Piece("bridge.storage.sessions", "and_(connections.c.enabled, ~_OFF_SINCE)", "and_(connections.c.enabled)"),),
        seed=3,
    ),
    Planted(
        "a new password by mail leaves sessions",
        r"is over",
        ("log_in", "forget_password", "reset_password"),
        (Piece("bridge.flows.password_reset", "    own_account.end_sessions(change, user.key)\n", ""),),
    ),
    Planted(
        "a new password leaves other sessions",
        r"is over",
        ("log_in", "change_password", "end_sessions"),
        (
            Piece(
                "bridge.flows.account_settings",
                "        own_account.end_sessions(change, user.key, but=session.key)\n",
                "",
            ),
        ),
    ),
    Planted(
        "who was in an account before its address was proved stays",
        r"is over",
        ("sign_in_at_liars", "invite_somebody", "accept", "push"),
        (
            Piece(
                "bridge.storage.sign_in",
                "for table in (sessions, identities, second_factors, recovery_codes):",
                "for table in (identities, second_factors, recovery_codes):",
            ),
        ),
        seed=6,
    ),
    # -- Where it was never vouched for ------------------------------------------------------------------------------
    Planted(
        "single sign-on opens every workspace",
        r"nothing of .* opens|assert \{",
        ("sign_in_at_work", "sign_in_at_liars", "invite_somebody", "accept"),
        (
            Piece(
                "bridge.domain.reach",
                "return authentication.workspace_key == seat.workspace.key",
                "return True",
            ),
        ),
    ),
    Planted(
        "Require SSO lets in who came by Twilio",
        r"nothing of .* opens",
        ("log_in_by_twilio", "link_later", "switch"),
        (
            Piece(
                "bridge.domain.reach",
                "if not seat.workspace.require_sso:",
                'if not seat.workspace.require_sso or authentication.kind == "twilio":',
            ),
        ),
        seed=2,
    ),
    Planted(
        "a second factor isn't missed",
        r"nothing of .* opens",
        ("log_in", "switch", "add_app"),
        (
            Piece(
                "bridge.domain.reach",
                "return authentication.factor is not None or not seat.require_mfa",
                "return True",
            ),
        ),
        seed=2,
    ),
    Planted(
        "a company that merely pushed an address gives its workspace to the account",
        r"nothing of .* opens",
        ("push", "log_in", "sign_in_at_liars"),
        (Piece("bridge.domain.reach", "return seat.accepted and _enough_was_shown", "return _enough_was_shown"),),
    ),
    Planted(
        "an account that was closed keeps its sessions",
        r"is in an account that was closed",
        ("log_in", "close_account", "log_in_by_twilio"),
        (
            Piece(
                "bridge.storage.own_account",
                "for table in (sessions, second_factors, recovery_codes):",
                "for table in (second_factors, recovery_codes):",
            ),
            Piece(
                "bridge.storage.sessions",
                '.where(sessions.c.ends_at > bindparam("now", type_=Instant), users.c.closed_at.is_(None))',
                '.where(sessions.c.ends_at > bindparam("now", type_=Instant))',
            ),
        ),
    ),
    Planted(
        "who closed their account comes back by a sign-in",
        r"is back in \w+ by themselves",
        ("log_in", "close_account", "sign_in_at_work"),
        (
            Piece(
                "bridge.flows.settle_login",
                "and was_closed_here(rows, door.workspace.key, identity.email):",
                "and False:",
            ),
        ),
    ),
    # -- Second factors, and what counts only for a while ------------------------------------------------------------
    Planted(
        "what an account had of its own opens it while it is linked",
        r"has its (own|second factor) at Twilio",
        ("log_in_by_twilio", "add_passkey", "log_in_by_passkey", "link_later"),
        (
            Piece(
                "bridge.flows.twilio",
                "return context.twilio is not None and own_account.find_twilio(rows, user_key) is not None",
                "return False",
            ),
        ),
        seed=4,
    ),
    Planted(
        "a recovery code works again",
        r"a recovery code worked twice",
        ("add_app", "log_in", "use_a_recovery_code_again"),
        (
            Piece(
                "bridge.storage.second_factors",
                "return bool(change.connection.execute(gone).rowcount)",
                "return change.connection.execute(gone).rowcount >= 0",
            ),
        ),
    ),
    Planted(
        "a workspace that is flagged HIPAA stays open",
        r"nothing of .* opens",
        ("log_in", "flag", "wait"),
        (
            Piece(
                "bridge.domain.reach",
                "return seat.workspace.hipaa and (authentication.used_at or authentication.at) + HIPAA_IDLE <= now",
                "return False",
            ),
        ),
    ),
    Planted(
        "use opens again what has closed for want of it",
        r"nothing of .* opens",
        ("log_in", "flag", "wait"),
        (
            Piece(
                "bridge.storage.sessions",
                "used_at = seen_at if resumed_at is None or resumed_at <= at else at",
                "used_at = seen_at",
            ),
        ),
    ),
    Planted(
        "a login that its company ended goes on",
        r"is over",
        ("sign_in_at_work", "sign_out_at_work", "log_in"),
        (
            Piece(
                "bridge.flows.single_logout",
                "people = sessions.end_authentications(change, found.key, whose)",
                "people = list[str]()",
            ),
        ),
        seed=3,
    ),
    # -- The last way in ---------------------------------------------------------------------------------------------
    Planted(
        "Twilio is unlinked although it was the last way in",
        r"no way in is left",
        ("log_in_by_twilio", "unlink"),
        (
            Piece(
                "bridge.flows.twilio_link",
                "        if not has_other_way(change.connection, user):\n",
                "        if False:\n",
            ),
        ),
    ),
)
