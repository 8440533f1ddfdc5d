"""What a person changes of their account: a function, a transaction, and in it what clients and mailboxes are told."""

from collections.abc import Mapping
from typing import Any

from simulated.twilio import events
from simulated.twilio.accounts import Account, Factor, parse_email, parse_name
from simulated.twilio.errors import Expired, Invalid
from simulated.twilio.google import GoogleIdentity
from simulated.twilio.messages import Link
from simulated.twilio.passwords import check_rule, hash_password, is_right
from simulated.twilio.sessions import Session
from simulated.twilio.site import Site

NOT_YOU = "If that wasn’t you, reset your password and look at your sessions."


# -- Signing up --------------------------------------------------------------------------------------------------


def ask_sign_up(site: Site, given_name: str, family_name: str, email: str, password: str, waiting_id: str) -> str:
    """Mails a link to the address; answers the address. Whether it has an account already, only the mail says.

    Raises Invalid.
    """
    names = {"given_name": parse_name(given_name), "family_name": parse_name(family_name)}
    address = parse_email(email)
    check_rule(password)
    kept = hash_password(password)
    site.attempts.count("mail", address.casefold())
    if site.accounts.find_by_email(address):
        text = "Somebody, probably you, tried to sign up with this address. It has an account already."
        site.messages.mail(address, "You have a Twilio account", text, "/login")
        return address
    wanted = {"email": address, **names, "password_hash": kept, "continue": waiting_id}
    secret = site.messages.new_link(Link("sign-up", None, wanted))
    text = f"Welcome, {names['given_name']}. Confirm this address, and set up a second factor. "
    text += "If it wasn’t you who signed up, leave the link alone: then there is no account."
    site.messages.mail(address, "Confirm your email address", text, f"/sign-up/confirm/{secret}")
    return address


def sign_up_by_google(site: Site, identity: GoogleIdentity) -> Account:
    """The account of a Google account, made at the first time. Raises Invalid when the address has another account."""
    with site.file.transaction():
        found = site.accounts.find_by_google(identity.subject)
        if found:
            return found
        if site.accounts.find_by_email(identity.email):
            raise Invalid("That address has a Twilio account with a password. Log in with it.")
        names = (identity.given_name, identity.family_name)
        return site.accounts.create(identity.email, *names, google_subject=identity.subject)


# -- Name and email ----------------------------------------------------------------------------------------------


def rename(site: Site, account: Account, given_name: str, family_name: str) -> None:
    """Raises Invalid."""
    names = {"given_name": parse_name(given_name), "family_name": parse_name(family_name)}
    with site.file.transaction():
        site.accounts.change(account.id, **names)
        claims = {"name": " ".join(names.values()), **names}
        _tell(site, account, events.PROFILE_CHANGED, events.caep(site.clock(), claims=claims))


def ask_email_change(site: Site, account: Account, email: str) -> None:
    """Mails a link to the new address; until it is used, nothing changes. Raises Invalid.

    An address with another account gets a mail that says so, and no link.
    """
    address = parse_email(email)
    site.attempts.count("mail", address.casefold())
    taken = site.accounts.find_by_email(address)
    if taken and taken.id != account.id:
        text = (
            "Somebody wanted to use this address for another Twilio account. It belongs to yours, so nothing changed."
        )
        site.messages.mail(address, "Your address was asked for", text)
        return
    secret = site.messages.new_link(Link("email", account.id, {"email": address}))
    text = f"Use this address for the Twilio account of {account.name}?"
    site.messages.mail(address, "Confirm your new email address", text, f"/confirm-email/{secret}")


def confirm_email(site: Site, secret: str) -> Account:
    """The new address is proved: it is the account's from now on. Raises Expired, Invalid."""
    with site.file.transaction():
        link = site.messages.find_link(secret, "email")
        account = site.accounts.find(link.account_id) if link and link.account_id else None
        if link is None or account is None:
            raise Expired("This link was used, or is too old. Ask for another one in your profile.")
        email = str(link.document["email"])
        site.accounts.change(account.id, email=email)
        site.messages.spend_link(secret)
        whose = {"format": "email", "email": account.email}
        event = {"new-value": email, "email_verified": True, "account": site.provider.subject(account.id)}
        site.provider.tell(account.id, events.IDENTIFIER_CHANGED, event, whose)
        site.messages.mail(account.email, "Your email address was changed", f"It is {email} now. {NOT_YOU}")
    return account


# -- Password and second factor ----------------------------------------------------------------------------------


def ask_reset(site: Site, email: str, waiting_id: str) -> None:
    """Mails a link by which a new password is set, if there is such an account. Raises Invalid, TooManyTries."""
    address = parse_email(email)
    site.attempts.count("mail", address.casefold())
    account = site.accounts.find_by_email(address)
    if account is None or not account.active:
        text = "Somebody asked for a new password for this address. It has no Twilio account, so there is none to set."
        site.messages.mail(address, "No Twilio account", text, "/sign-up")
        return
    secret = site.messages.new_link(Link("reset", account.id, {"continue": waiting_id}))
    text = "Set a new password within an hour. If you didn’t ask for it, nothing has changed."
    site.messages.mail(account.email, "Set a new password", text, f"/reset-password/{secret}")


def reset_password(site: Site, secret: str, password: str) -> str:
    """Sets a new password by a mailed link, and ends every session. Raises Expired, Invalid.

    Answers the id of the client's request that waited when the link was asked for, or "".
    """
    link = site.messages.find_link(secret, "reset")
    account = site.accounts.find(link.account_id) if link and link.account_id else None
    if link is None or account is None:
        raise Expired("This link was used, or is too old. Ask for another one.")
    kept = _check_new(account, password)
    with site.file.transaction():
        if site.messages.find_link(secret, "reset") is None:
            raise Expired("This link was used just now.")
        _set_password(site, account, kept)
        end_sessions(site, account, [session.sid for session in site.sessions.of(account.id)])
    site.attempts.forget("password", account.id)
    return str(link.document.get("continue", ""))


def change_password(site: Site, account: Account, session: Session, password: str) -> None:
    """Sets another password, and ends the person's other sessions. Raises Invalid."""
    kept = _check_new(account, password)
    others = [other.sid for other in site.sessions.of(account.id) if other.sid != session.sid]
    with site.file.transaction():
        _set_password(site, account, kept)
        end_sessions(site, account, others)


def set_factor(site: Site, account: Account, factor: Factor, value: str, step: int = 0) -> None:
    """Sets the second factor: `value` is the app's secret, whose time step `step` is spent, or the phone's number."""
    secret, phone = (value, None) if factor == "app" else (None, value)
    with site.file.transaction():
        _forget_what_was_begun(site, account)
        site.accounts.change(account.id, factor=factor, totp_secret=secret, totp_step=step, phone=phone)
        kind = "app" if factor == "app" else "phone-sms"
        change = "create" if account.factor is None else "update"
        event = events.caep(site.clock(), credential_type=kind, change_type=change)
        _tell(site, account, events.CREDENTIAL_CHANGE, event)
        if account.factor:
            site.messages.mail(account.email, "Your second factor was changed", NOT_YOU)


# -- Sessions and the account ------------------------------------------------------------------------------------


def end_sessions(site: Site, account: Account, sids: list[str]) -> None:
    """Ends some of a person's sessions, here and at every client."""
    with site.file.transaction():
        for sid in sids:
            session = {"format": "opaque", "id": sid}
            about = {"format": "complex", "user": site.provider.subject(account.id), "session": session}
            site.provider.tell(account.id, events.SESSION_REVOKED, events.caep(site.clock()), about)
        site.end_sessions(sids)


def close(site: Site, account: Account) -> None:
    """Closes the account for good: its sessions end, its clients hear of it, and then nothing of it is left here."""
    with site.file.transaction():
        site.end_sessions([session.sid for session in site.sessions.of(account.id)])
        _tell(site, account, events.ACCOUNT_PURGED, {})
        site.provider.grants.forget_person(account.id)
        site.accounts.delete(account.id)
        site.messages.mail(account.email, "Your Twilio account is closed", "Products that you used it for keep theirs.")


def set_active(site: Site, email: str, *, active: bool) -> Account:
    """Disables an account, or enables it again: the operator's doing. Raises Invalid."""
    account = site.accounts.find_by_email(email)
    if account is None:
        raise Invalid(f"There is no account with the address {email}.")
    with site.file.transaction():
        site.accounts.change(account.id, active=int(active))
        _tell(site, account, events.ACCOUNT_ENABLED if active else events.ACCOUNT_DISABLED, {})
        if not active:
            site.end_sessions([session.sid for session in site.sessions.of(account.id)])
    return account


def _tell(site: Site, account: Account, event_type: str, event: Mapping[str, Any]) -> None:
    site.provider.tell(account.id, event_type, event, site.provider.subject(account.id))


def _check_new(account: Account, password: str) -> str:
    """What is kept of a new password. Raises Invalid."""
    check_rule(password)
    if is_right(password, account.password_hash):
        raise Invalid("That is the password you have. Choose another one.")
    return hash_password(password)


def _forget_what_was_begun(site: Site, account: Account) -> None:
    """A login that is under way, and links that were mailed, were begun by whoever had the old password or factor."""
    site.sessions.forget_steps(account.id)
    site.messages.forget_links(account.id)


def _set_password(site: Site, account: Account, kept: str) -> None:
    _forget_what_was_begun(site, account)
    site.accounts.change(account.id, password_hash=kept, password_at=int(site.clock()))
    change = "update" if account.password_hash else "create"
    event = events.caep(site.clock(), credential_type="password", change_type=change)
    _tell(site, account, events.CREDENTIAL_CHANGE, event)
    site.messages.mail(account.email, "Your password was changed", NOT_YOU)
