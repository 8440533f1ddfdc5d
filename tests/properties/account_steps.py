"""The steps that people, companies and Twilio take over accounts, in any order, and what must hold after each.

The model is small: who reads which mailbox, and which login each browser's session stands on. It predicts no answer.
It notes what was answered, takes away the ground of logins where something ends, and then holds what is stored, and
what each session reaches, against that.

1. Nobody is in another's account: an account is the person's who reads its mail; so are the Twilio user and the
   identities that open it. But a company whose provider lies gets into its own workspace as whoever it names
   (properties.md 1), and nowhere else.
2. No login opens anything after its ground has gone, and none opens what it never vouched for. Its ground: passwords,
   apps, passkeys, recovery and mailed codes, Twilio, and companies, which may all end it. A workspace that is flagged
   HIPAA it opens while it is used, and one that requires single sign-on where its person is exempt.
3. Who reads an account's mail can get into it, whatever they or Twilio did to it.
4. Who closes their account is out of everything: nothing is left that opens it, and no sign-in by itself makes them
   anew in a workspace that they left so (docs/decisions/0032).
"""

import re
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any

import pyotp
from hypothesis import strategies as st
from hypothesis.stateful import RULE_MARKER, RuleBasedStateMachine, initialize, invariant, precondition, rule
from sqlalchemy import update
from werkzeug.test import TestResponse

from bridge.domain.errors import DomainError
from bridge.flows.context import OPERATOR
from bridge.flows.domains import add_domain, remove_domain, trust_domain
from bridge.flows.hipaa import flag_hipaa
from bridge.flows.invite import InviteDraft, invite, list_invites, revoke
from bridge.flows.members import remove_member, restore_member
from bridge.flows.own_connections import set_enabled
from bridge.flows.require_factor import require_factor
from bridge.flows.require_sso import end_exemption, exempt_member
from bridge.flows.sessions import CurrentSession, find_session
from bridge.flows.twilio_events import ACCOUNT_DISABLED, ACCOUNT_PURGED, IDENTIFIER_CHANGED, SESSION_REVOKED
from bridge.storage.tables import workspaces
from tests.properties.accounts import (
    ADDRESSES,
    DEVICES,
    NAMES,
    PROVED,
    Account,
    Arrival,
    Device,
    Lab,
    Letter,
    Outdoors,
    Proof,
    TwilioUser,
    read_accounts,
    whose,
)
from tests.web.authenticator import Passkey, options_in
from tests.web.scim_calls import new_user, patch

OWN_KINDS = ("password", "passkey", "twilio")
_RECOVERY = re.compile(r"\b[2-9a-z]{4}(?:-[2-9a-z]{4}){3}\b")
_SETUP = re.compile(r'name="setup" value="([^"]+)"')
_SHOWN = re.compile(r"(?:[A-Z2-7]{4} ){7}[A-Z2-7]{4}")

devices = st.sampled_from(DEVICES)
names = st.sampled_from(NAMES)
addresses = st.sampled_from(ADDRESSES)
which = st.integers(0, 5)
slugs = st.sampled_from(("acme", "beta"))
companies = st.sampled_from(("okta", "liar"))


def pick(found: Collection[Any], number: int) -> Any:
    """One of them."""
    return list(found)[number % len(found)]


class Accounts(RuleBasedStateMachine):
    """One walk."""

    def __init__(self, lab: Lab) -> None:
        super().__init__()
        self.lab, self.out = lab, Outdoors(lab)
        self.mail: list[Letter] = []
        self.twilio: dict[str, TwilioUser] = {}
        self.links: dict[str, str] = {}  # accounts to their Twilio users
        self.owners: dict[str, str] = {}
        self.proved: dict[str, bool] = {}
        self.theirs: set[str] = set()  # accounts that their owners have been in
        self.passwords: dict[str, str] = {}
        self.apps: dict[str, pyotp.TOTP] = {}
        self.shown = 0
        self.keys: dict[str, Passkey] = {}
        self.code_mails: dict[str, list[datetime]] = {}
        self.codes: dict[str, list[str]] = {}  # recovery codes that weren't used
        self.used_codes: dict[str, list[str]] = {}
        self.hipaa: set[str] = set()
        self.exempt: set[tuple[str, str]] = set()
        self.let_in: set[tuple[str, str]] = set()
        self.removed: set[tuple[str, str]] = set()
        self.held: set[tuple[str, str]] = set()
        self.accepted: set[tuple[str, str]] = set()
        self.records: dict[tuple[str, str], str] = {}
        self.at_okta = {name: f"{name}@{PROVED}" for name in NAMES}
        self.off: set[str] = set()
        self.sso_required: set[str] = set()
        self.factor_required: set[str] = set()
        self.domain_proved = False
        self.resets: dict[str, list[datetime]] = {}
        self.closed: set[str] = set()
        self.shut: set[tuple[str, str]] = set()  # addresses, and workspaces that were left by closing their accounts
        self.seen: set[tuple[str, str]] = set()
        self.asked_in: set[tuple[str, str]] = set()

    def teardown(self) -> None:
        """However it went: each account can be got into by who reads its mail; but for those that a company made under
        an address, whose holder never came.
        """
        try:
            for account in self.out.accounts().values():
                if account.proved or account.id in self.theirs:
                    self.check_way_in(account.id)
        finally:
            self.out.end()

    @initialize(at=st.tuples(*[st.sampled_from(("home.example", PROVED))] * 3), linked=which, pushed=which)
    def begin(self, at: tuple[str, ...], linked: int, pushed: int) -> None:
        """Each has an account: by invitation to acme; some of them are linked to Twilio, or pushed by Okta."""
        for number, (human, domain) in enumerate(zip(NAMES, at, strict=True)):
            email = f"{human}@{domain}"
            self.invite_somebody(slug="acme", email=email)
            self.mail += self.out.letters()
            self.accept(number=0)
            if linked >> number & 1:
                self.log_in_by_twilio(f"{human}'s laptop", int(domain == PROVED), then="session")
            if pushed >> number & 1:
                self.push("okta", human, email)
            self.mail.clear()
            self.out.now += timedelta(seconds=31)

    # -- Small things ------------------------------------------------------------------------------------------------

    def did(self, what: str) -> None:
        """It went well: walks that only knock at doors prove nothing."""
        self.lab.done[what] = self.lab.done.get(what, 0) + 1

    def device(self, name: str) -> Device:
        """By name."""
        return self.out.devices[name]

    def new_password(self) -> str:
        """One that nobody had before."""
        self.serial = getattr(self, "serial", 0) + 1
        return f"nine quiet dogs walk {self.serial}"

    def reader(self, kind: str, number: int) -> tuple[Device, Letter]:
        """Somebody reads such a mail of theirs, one of the newest, in one of their browsers."""
        letter: Letter = pick([one for one in reversed(self.mail) if one.kind == kind][:5], number)
        return self.device(f"{whose(letter.to)}'s {('laptop', 'phone')[number % 2]}"), letter

    def where(self, fits: Callable[[Device], Any], number: int) -> Device:
        """One of the browsers that fit."""
        found: Device = pick([one for one in self.out.devices.values() if fits(one)], number)
        return found

    def any_letters(self, kind: str) -> bool:
        """Whether anybody has such a mail."""
        return any(one.kind == kind for one in self.mail)

    def end(self, gone: Callable[[Device, Proof], bool]) -> None:
        """These logins have lost their ground, for good."""
        for device in self.out.devices.values():
            for proof in device.proofs:
                proof.over = proof.over or gone(device, proof)

    def end_in(self, account: str, slug: str) -> None:
        """No login of before opens this workspace for the account again."""
        for device in self.out.devices.values():
            if device.account == account:
                for proof in device.proofs:
                    proof.ended_in.add(slug)

    def end_all_of(self, account: str, but: Device | None = None) -> None:
        """Every session of an account has ended."""
        self.end(lambda device, _: device.account == account and device is not but)

    def account_at(self, email: str) -> Account | None:
        """Who has this address."""
        return next((one for one in self.out.accounts().values() if one.email == email), None)

    # -- Logging in --------------------------------------------------------------------------------------------------

    def entered(self, device: Device, before: str | None, *proofs: Proof) -> bool:
        """Whether the browser was given a session since it had the cookie `before`; then by these logins."""
        if device.cookie in (None, before):
            return False
        told = device.get("/session").json
        assert told is not None
        account, fresh = told["user"]["id"], {(one.kind, one.connection) for one in proofs}
        kept = device.proofs if device.account == account else []
        device.proofs = [one for one in kept if (one.kind, one.connection) not in fresh] + list(proofs)
        device.account = account
        return True

    def proof(self, kind: str, subject: str = "", **more: Any) -> Proof:
        """A login of this moment."""
        return Proof(kind, subject, self.out.now, **more)

    def by_company(self, name: str, subject: str) -> Proof:
        """A login through a connection."""
        kind, slug = ("saml" if name == "okta" else "oidc"), ("beta" if name == "liar" else "acme")
        return self.proof(kind, subject, connection=self.out.ids[name], workspace=slug)

    def enter_password(self, device: Device, email: str, password: str, prove: tuple[str, Proof] | None = None) -> bool:
        """By password, and a code of the app where one is asked for; which is also what a pending proof may want."""
        account, before = self.account_at(email), device.cookie
        hidden = {"prove": prove[0]} if prove else {}
        told = device.post("/login", email=email, password=password, way="password", **hidden)
        factor = told.headers.get("Location", "").startswith("/login/factor")
        if factor and account is not None and account.owner == device.human:
            self.show_factor(device, account, hidden)
        more = (prove[1],) if prove else ()
        if not self.entered(device, before, self.proof("password", factor=factor), *more):
            return False
        assert self.passwords.get(device.account or "") == password, "a password opened what it isn't the password of"
        assert device.account not in self.links, "a password opened what has its own at Twilio"
        if prove:
            prove[1].at = self.out.now
            self.note_member(device, prove[1].workspace or "")
        return True

    def show_factor(self, device: Device, account: Account, hidden: dict[str, str]) -> None:
        """By one of those that the account has, each in its turn, or by a code that is mailed."""
        ways = ["mailed_code"] * account.proved + ["totp"] * (account.id in self.apps)
        ways += ["passkey"] * (account.id in self.keys) + ["recovery_code"] * bool(self.codes.get(account.id))
        self.shown += 1
        by = pick(ways, self.shown) if ways else "totp"
        code = ""
        if by == "mailed_code" and self.mailed(account) < 5:
            device.post("/login/factor/mail", **hidden)
            self.mail += self.out.letters()
            code = self.out.codes.pop(account.email, "")
        elif by == "recovery_code":
            code = self.codes[account.id].pop()
            self.used_codes.setdefault(account.id, []).append(code)
        elif by == "passkey":
            code = self.keys[account.id].answer(options_in(device.get("/login/factor", by="passkey", **hidden)))
        elif account.id in self.apps:
            by, code = "totp", self.apps[account.id].at(self.out.now)
        before = device.cookie
        device.post("/login/factor", by=by, code=code, **hidden)
        if device.cookie not in (None, before):
            self.did(f"a second factor was shown: {by}")

    def mailed(self, account: Account) -> int:
        """How many codes were mailed to an account within the hour: a sixth isn't."""
        asked = self.code_mails.setdefault(account.id, [])
        asked.append(self.out.now)
        return sum(self.out.now - at < timedelta(hours=1) for at in asked) - 1

    def has_factor(self, account: str) -> bool:
        """Whether the model knows of one."""
        return account in self.apps or account in self.keys

    def at_account(self, device: Device, wanted: str | None = None) -> bool:
        """Somebody at their own account, at one that is named or at any; with a fresh proof, by logging in first, where
        they can.
        """
        if self.may_change(device) and wanted in (None, device.account):
            return True
        accounts = self.out.accounts().values()
        own = [one for one in accounts if one.owner == device.human and wanted in (None, one.id)]
        for account in own:
            password = self.passwords.get(account.id)
            if password and account.password and self.enter_password(device, account.email, password):
                return True
        for account in own:
            if account.twilio and self.come_from_twilio(device, self.twilio[account.twilio], fresh=True):
                return self.may_change(device)
        came = self.domain_proved and self.come_by_company(device, "okta", "", True, fresh=True)
        return came and self.may_change(device)

    def may_change(self, device: Device) -> bool:
        """Whether the browser's session could change its account just now."""
        current = self.current(device)
        proved_at = current.proved_at if current and current.may_change_account else None
        return proved_at is not None and self.out.now - proved_at < timedelta(minutes=10)

    def current(self, device: Device) -> CurrentSession | None:
        """What the browser's session is worth now."""
        return find_session(self.out.context, device.cookie, self.out.now)

    def note_member(self, device: Device, slug: str) -> None:
        """They have come in by themselves, so the membership is accepted."""
        self.accepted.add((device.account or "", slug))
        self.let_in.add((device.human, slug))

    # -- What must hold ----------------------------------------------------------------------------------------------

    @invariant()
    def everything_holds(self) -> None:
        """After each step; a step takes half a minute, so that each code of an app is a new one."""
        self.mail += self.out.letters()
        everybody = read_accounts(self.out.context.database)
        accounts = {one.id: one for one in everybody.values() if not one.closed}
        self.check_closed(everybody)
        self.check_accounts(accounts)
        for device in self.out.devices.values():
            self.check_session(device, accounts)
        self.out.now += timedelta(seconds=31)
        self.lab.steps += 1

    def check_accounts(self, accounts: dict[str, Account]) -> None:
        for account in accounts.values():
            owner = self.owners.setdefault(account.id, account.owner)
            assert owner == account.owner, f"{owner}'s account has the address {account.email}"
            if account.proved and not self.proved.get(account.id, account.proved):
                self.note_proved(account)
            self.proved[account.id] = account.proved
            self.check_links(account)
            self.check_seats(account)
            for slug, _ in account.seats:
                assert slug == "beta" or (owner, slug) in self.let_in, f"{owner} is in {slug}, and nobody let them in"
        assert set(self.owners) - self.closed == set(accounts), "an account has gone"

    def check_closed(self, everybody: dict[str, Account]) -> None:
        """Of an account that was closed nothing is left that opens anything."""
        for one in everybody.values():
            assert one.closed == (one.id in self.closed), f"{one.email} is open again, or closed by nobody"
            left = (one.password, one.twilio, one.seats, one.factors) if one.closed else ()
            assert not any(left), f"of {one.email}, which was closed, something is left: {left}"

    def check_seats(self, account: Account) -> None:
        """Who left a workspace by closing their account is in it again by an invitation or a new push alone."""
        for slug, _ in account.seats:
            seat = (account.id, slug)
            back = (account.email, slug) in self.shut and seat not in self.seen | self.asked_in
            assert not back, f"{account.email} closed their account, and is back in {slug} by themselves"
            self.seen.add(seat)

    def note_proved(self, account: Account) -> None:
        """Whoever was in the account before its address was proved is out of it."""
        self.end(lambda device, _: device.account == account.id and device.human != account.owner)

    def check_links(self, account: Account) -> None:
        assert account.twilio == self.links.get(account.id), "another Twilio user than was linked"
        if account.twilio is not None:
            assert self.twilio[account.twilio].human == account.owner, f"{account.twilio} opens {account.email}"
        for connection, subject in account.identities:
            honest = connection != self.out.ids["liar"]
            assert not honest or whose(subject) == account.owner, f"{subject} opens {account.email}"
        owned = self.links.values()
        assert len(set(owned)) == len(owned), "one Twilio user opens two accounts"

    def check_session(self, device: Device, accounts: dict[str, Account]) -> None:
        current = self.current(device)
        if current is None:
            return
        assert current.user.id not in self.closed, f"{device.name} is in an account that was closed"
        assert current.user.id == device.account, f"{device.name} is in an account that it didn't log in to"
        account = accounts[current.user.id]
        living = [one for one in device.proofs if one.holds(self.out.now)]
        for one in current.authentications:
            through = (one.kind, one.connection_id, one.at)
            assert any((p.kind, p.connection, p.at) == through for p in living), f"{one.kind} of {device.name} is over"
        for reached in current.workspaces:
            self.check_reached(device, account, reached.workspace.slug)
        if current.may_change_account:
            assert any(self.vouches(one, account) for one in living), f"{device.name} may change the account"
        if account.owner == device.human:
            self.theirs.add(account.id)
        else:
            self.check_foreign(device, current)

    def vouches(self, proof: Proof, account: Account) -> bool:
        """Whether a login is one to the account itself (product.md 2.7)."""
        own = self.domain_proved and account.email.endswith(f"@{PROVED}") and proof.workspace == "acme"
        return proof.kind in OWN_KINDS or (own and proof.connection not in self.off)

    def check_reached(self, device: Device, account: Account, slug: str) -> None:
        seat = (account.id, slug)
        assert seat not in self.removed, f"{device.name} is in {slug}, which {account.email} was removed from"
        assert seat not in self.held, f"{device.name} is in {slug}, which holds {account.email} out"
        assert any(self.opens(one, account, slug) for one in device.proofs), f"nothing of {device.name} opens {slug}"

    def opens(self, proof: Proof, account: Account, slug: str) -> bool:
        """Whether a login opens a workspace, by what the model knows."""
        if not proof.holds(self.out.now) or slug in proof.ended_in or (proof.idled and slug in self.hipaa):
            return False
        if proof.connection is not None:
            return proof.workspace == slug and proof.connection not in self.off
        shown = proof.factor or slug not in self.factor_required
        exempt = (account.id, slug) in self.exempt and proof.factor
        past_sso = slug not in self.sso_required or exempt
        return shown and past_sso and (account.id, slug) in self.accepted

    def check_foreign(self, device: Device, current: CurrentSession) -> None:
        """In another's account only a company that lies is, and it reaches its own workspace."""
        through = {one.connection_id for one in current.authentications}
        assert through == {self.out.ids["liar"]}, f"{device.name} is in another's account"
        assert {one.workspace.slug for one in current.workspaces} <= {"beta"}
        assert not current.may_change_account

    def check_way_in(self, account_id: str) -> None:
        """Who reads its mail gets in, in a browser that was never here: by whichever way the account has, or by a new
        password.
        """
        account = self.out.accounts()[account_id]
        device = self.newcomer(account)
        assert self.try_ways(device, account) or self.try_reset(device, account), f"nobody gets in any more: {account}"
        device.post("/logout")
        self.did("a way in was found")

    def check_way_is_left(self, account_id: str) -> None:
        """They took one away by themselves: that is refused unless another one is left (product.md 3.2)."""
        account = self.out.accounts()[account_id]
        device = self.newcomer(account)
        assert self.try_ways(device, account), f"no way in is left: {account}"
        device.post("/logout")
        self.did("another way in was found")

    def newcomer(self, account: Account) -> Device:
        """A browser that was never here, at a moment of its own: a code of the app counts once."""
        self.out.now += timedelta(seconds=31)
        return self.out.another(account.owner)

    def try_ways(self, device: Device, account: Account) -> bool:
        """The ways that the account has."""
        return any(way(device, account) for way in (self.try_password, self.try_passkey, self.try_twilio, self.try_sso))

    def try_password(self, device: Device, account: Account) -> bool:
        password = self.passwords.get(account.id)
        return bool(password and account.password and self.enter_password(device, account.email, password))

    def try_passkey(self, device: Device, account: Account) -> bool:
        return account.id in self.keys and self.enter_by_passkey(device, account.id)

    def try_twilio(self, device: Device, account: Account) -> bool:
        return bool(account.twilio and self.come_from_twilio(device, self.twilio[account.twilio]))

    def try_sso(self, device: Device, account: Account) -> bool:
        """By an identity that is linked, or by the mail that its company's login leads to."""
        linked, ids = {connection for connection, _ in account.identities}, self.out.ids
        tried = ["okta", "entra"] if {ids["okta"], ids["entra"]} & linked else []
        tried += ["liar"] if ids["liar"] in linked and (account.id, "beta") in self.accepted else []
        return any(self.come_by_company(device, name, account.email, True) for name in tried)

    def try_reset(self, device: Device, account: Account) -> bool:
        """By a link that is mailed; five an hour are, so that a sixth that isn't says nothing."""
        asked = self.resets.setdefault(account.email, [])
        asked.append(self.out.now)
        device.post("/login/forgotten", email=account.email)
        self.mail += (came := self.out.letters())
        lately = sum(self.out.now - at < timedelta(hours=1) for at in asked)
        return any((one.kind, one.to) == ("reset", account.email) for one in came) or lately > 5

    def come_by_company(self, device: Device, name: str, email: str, verified: bool, *, fresh: bool = False) -> bool:
        """A company's login; what it says of the address counts for the two that speak OpenID Connect. Whether it is
        through, or leads to a proof.
        """
        seats = {(one.id, slug) for one in self.out.accounts().values() for slug, _ in one.seats}
        subject, before = f"{device.human}@{name}", device.cookie
        if name == "okta":
            told = self.out.at_okta(device, self.at_okta[device.human], fresh=fresh)
        else:
            said = {"sub": subject, "email": email, "email_verified": True if verified else None}
            told = self.out.at_provider(device, name, **said)
        proof, location = self.by_company(name, subject), told.headers.get("Location", "")
        if location.startswith("/prove/"):
            device.proving.append((location.removeprefix("/prove/"), proof))
            self.did(f"a proof was asked for after {name}")
            return True
        if not self.entered(device, before, proof):
            return False
        self.check_seats(self.out.accounts()[device.account or ""])  # before a step of theirs changes the address
        seat = (device.account or "", proof.workspace or "")
        if seat not in seats:
            self.accepted.add(seat)
        if name != "liar":
            self.let_in.add((device.human, seat[1]))
        return True

    # -- Companies ---------------------------------------------------------------------------------------------------

    @rule(name=devices, company=st.sampled_from(("okta", "entra")), email=addresses, verified=st.booleans())
    def sign_in_at_work(self, name: str, company: str, email: str, verified: bool) -> None:
        """Entra says of an address that isn't theirs what an administrator wrote, and vouches for nothing."""
        device = self.device(name)
        if whose(email) != device.human:
            if self.account_at(email) is None:
                return  # who comes first by an address that nobody vouches for: docs/decisions/0023
            verified = False
        if self.come_by_company(device, company, email, verified):
            self.did(f"signed in by {company}")

    @rule(name=devices, email=addresses)
    def sign_in_at_liars(self, name: str, email: str) -> None:
        if self.come_by_company(self.device(name), "liar", email, True):
            self.did("signed in by a liar")

    @precondition(lambda self: any(one.proving for one in self.out.devices.values()))
    @rule(number=which, by_mail=st.booleans())
    def prove(self, number: int, by_mail: bool) -> None:
        """An account is to be proved: by a password of theirs, or by a link that is asked for."""
        device = self.where(lambda one: one.proving, number)
        token, proof = device.proving[-1]
        if by_mail:
            device.post(f"/prove/{token}/mail")
            return
        own = [one for one in self.out.accounts().values() if one.owner == device.human and one.id in self.passwords]
        account = pick(own, number) if own else None
        if account and self.enter_password(device, account.email, self.passwords[account.id], (token, proof)):
            self.did("an account was proved by its password")

    @precondition(lambda self: self.any_letters("prove/link"))
    @rule(number=which)
    def follow_proof(self, number: int) -> None:
        """A link that was mailed to prove an account, in whichever browser of whoever it was mailed to."""
        device, letter = self.reader("prove/link", number)
        before = device.cookie
        device.get(letter.path)
        assert device.cookie == before, "a mailed link signed somebody in by being opened"
        device.post(letter.path)
        if device.cookie in (None, before):
            return
        held = self.current(device)
        through = {one.connection_id for one in held.authentications} if held else set()
        asked = [one for _, one in device.proving if one.connection in through]
        assert asked, f"{device.name} asked for no proof"
        proof = asked[-1]
        proof.at = self.out.now
        self.entered(device, before, proof)
        self.note_member(device, proof.workspace or "")
        self.did("an account was proved by mail")

    # -- SCIM --------------------------------------------------------------------------------------------------------

    @rule(company=companies, human=names, email=addresses)
    def push(self, company: str, human: str, email: str) -> None:
        """Okta pushes its people; the liar pushes any address."""
        name, email = (f"{human}@okta", self.at_okta[human]) if company == "okta" else (email, email)
        before = self.out.accounts()
        body = new_user(name, emails=[{"value": email, "type": "work", "primary": True}])
        told = self.out.push("POST", "/Users", company, body)
        if told.status_code == 201:
            self.records[company, name] = told.get_json(force=True)["id"]
            self.note_pushed(company, name, before)
            self.did(f"{company} pushed somebody")

    def note_pushed(self, company: str, name: str, before: dict[str, Account]) -> None:
        seat = self.seat_of(company, name)
        if seat is None:
            return
        self.removed.discard(seat)
        self.held.discard(seat)
        self.asked_in.add(seat)
        self.let_in.add((whose(self.out.accounts()[seat[0]].email), seat[1]))
        known = before.get(seat[0])
        if known is None or (self.domain_proved and seat[1] == "acme" and known.email.endswith(f"@{PROVED}")):
            self.accepted.add(seat)

    def seat_of(self, company: str, name: str) -> tuple[str, str] | None:
        """The account that a record is about, and the workspace."""
        account = self.out.account_of_record(self.records[company, name])
        return (account, "acme" if company == "okta" else "beta") if account else None

    @precondition(lambda self: self.records)
    @rule(number=which, active=st.booleans())
    def activate(self, number: int, active: bool) -> None:
        company, name = pick(self.records, number)
        before, known = self.out.accounts(), self.seat_of(company, name)
        body = patch({"op": "replace", "path": "active", "value": active})
        told = self.out.push("PATCH", f"/Users/{self.records[company, name]}", company, body)
        if told.status_code == 200 and known is None:
            self.note_late(company, name, before)
        seat = self.seat_of(company, name)
        if told.status_code == 200 and seat:
            self.did("activated" if active else "deactivated")
            if active:
                self.held.discard(seat)
            else:
                self.held.add(seat)
                self.end_in(*seat)

    @precondition(lambda self: self.records)
    @rule(number=which)
    def delete_record(self, number: int) -> None:
        company, name = pick(self.records, number)
        seat = self.seat_of(company, name)
        told = self.out.push("DELETE", f"/Users/{self.records[company, name]}", company)
        if told.status_code == 204:
            del self.records[company, name]
            self.did("a record was deleted")
            if seat:
                self.removed.add(seat)
                self.held.discard(seat)
                self.end_in(*seat)

    @precondition(lambda self: self.records)
    @rule(number=which, email=addresses)
    def rename_record(self, number: int, email: str) -> None:
        """Okta gives people another of their own addresses; the liar gives anybody's."""
        company, name = pick(self.records, number)
        if company == "okta" and whose(email) != whose(name):
            return
        before, seat = self.out.accounts(), self.seat_of(company, name)
        body = patch({"op": "replace", "path": 'emails[type eq "work"].value', "value": email})
        told = self.out.push("PATCH", f"/Users/{self.records[company, name]}", company, body)
        if told.status_code == 200:
            self.at_okta |= {whose(name): email} if company == "okta" else {}
            self.did("a record has another address")
            if seat is None:
                self.note_late(company, name, before)

    def note_late(self, company: str, name: str, before: dict[str, Account]) -> None:
        """A record that was about nobody is about somebody by now."""
        seat = self.seat_of(company, name)
        if seat is not None:
            record = self.out.push("GET", f"/Users/{self.records[company, name]}", company).get_json(force=True)
            self.note_pushed(company, name, before)
            self.held |= set() if record["active"] else {seat}

    # -- Owners and the operator -------------------------------------------------------------------------------------

    def owners_do(self, do: Callable[[], object]) -> bool:
        """Something that an owner or the operator does; whether it went through."""
        try:
            do()
        except DomainError:
            return False
        return True

    @rule(slug=slugs, email=addresses)
    def invite_somebody(self, slug: str, email: str) -> None:
        draft = InviteDraft((email,))
        if self.owners_do(lambda: invite(self.out.context, OPERATOR, slug, draft, self.out.now)):
            self.did("somebody was invited")

    @rule(slug=slugs, number=which, what=st.sampled_from(("invitation", "removal")))
    def take_back(self, slug: str, number: int, what: str) -> None:
        """An invitation, or a removal."""
        if what == "invitation":
            self.revoke_invitation(slug, number)
        else:
            self.restore_somebody(slug, number)

    def revoke_invitation(self, slug: str, number: int) -> None:
        pending = list_invites(self.out.context, slug)
        if pending:
            revoke(self.out.context, OPERATOR, slug, pick(pending, number).id, self.out.now)

    @rule(slug=slugs, number=which)
    def remove_somebody(self, slug: str, number: int) -> None:
        seats = [(one.id, seat) for one in self.out.accounts().values() for at, seat in one.seats if at == slug]
        if seats:
            account, seat = pick(seats, number)
            if self.owners_do(lambda: remove_member(self.out.context, OPERATOR, slug, seat, self.out.now)):
                self.removed.add((account, slug))
                self.end_in(account, slug)
                self.did("a member was removed")

    def restore_somebody(self, slug: str, number: int) -> None:
        seats = [(one.id, seat) for one in self.out.accounts().values() for at, seat in one.left if at == slug]
        if seats:
            account, seat = pick(seats, number)
            if self.owners_do(lambda: restore_member(self.out.context, OPERATOR, slug, seat, self.out.now)):
                self.removed.discard((account, slug))
                self.did("a member was restored")

    @rule(what=st.sampled_from(("sso", "factor", "domain", "okta", "entra", "liar")), slug=slugs, on=st.booleans())
    def switch(self, what: str, slug: str, on: bool) -> None:
        """What a workspace requires, which domain it has proved, which connection is on."""
        if what == "sso":
            self.require_single_sign_on(slug, on)
        elif what == "factor":
            require_factor(self.out.context, OPERATOR, slug, on, self.out.now)
            (self.factor_required.add if on else self.factor_required.discard)(slug)
        elif what == "domain":
            self.prove_the_domain(on)
        else:
            self.switch_connection(what, on)

    def switch_connection(self, company: str, on: bool) -> None:
        slug, connection = "beta" if company == "liar" else "acme", self.out.ids[company]
        set_enabled(self.out.context, OPERATOR, slug, connection, on, self.out.now)
        if on:
            self.off.discard(connection)
        else:
            self.off.add(connection)
            self.end(lambda _, proof: proof.connection == connection)
            self.did("a connection was switched off")

    def require_single_sign_on(self, slug: str, required: bool) -> None:
        with self.out.context.database.writing() as rows:
            rows.execute(update(workspaces).where(workspaces.c.slug == slug).values(require_sso=required))
        (self.sso_required.add if required else self.sso_required.discard)(slug)

    def prove_the_domain(self, proved: bool) -> None:
        if proved != self.domain_proved:
            if proved:
                add_domain(self.out.context, OPERATOR, "acme", PROVED, None, self.out.now)
            (trust_domain if proved else remove_domain)(self.out.context, OPERATOR, "acme", PROVED, self.out.now)
            self.domain_proved = proved

    @rule(minutes=st.sampled_from((3, 12, 40, 300, 3000, 11000)))
    def wait(self, minutes: int) -> None:
        """Nobody does anything; what is flagged HIPAA closes after a quarter of an hour of that."""
        self.out.now += timedelta(minutes=minutes)
        for device in self.out.devices.values() if minutes >= 15 else ():
            for proof in device.proofs:
                proof.idled = True

    @rule(slug=slugs, flagged=st.booleans())
    def flag(self, slug: str, flagged: bool) -> None:
        """HIPAA."""
        flag_hipaa(self.out.context, OPERATOR, slug, flagged, self.out.now)
        (self.hipaa.add if flagged else self.hipaa.discard)(slug)

    @rule(slug=slugs, number=which, exempt=st.booleans())
    def exempt_somebody(self, slug: str, number: int, exempt: bool) -> None:
        """A way past single sign-on, for who has a second factor; or no longer."""
        seats = [(one, seat) for one in self.out.accounts().values() for at, seat in one.seats if at == slug]
        account, seat = pick(seats, number) if seats else (None, "")
        if account is None:
            return
        context, now = self.out.context, self.out.now
        if exempt and self.owners_do(lambda: exempt_member(context, OPERATOR, slug, account.email, now)):
            assert account.factors, f"{account.email} is exempt, and has no second factor"
            self.exempt.add((account.id, slug))
            self.did("somebody was exempt from single sign-on")
        elif not exempt and self.owners_do(lambda: end_exemption(context, OPERATOR, slug, seat, now)):
            self.exempt.discard((account.id, slug))

    @rule(company=st.sampled_from(("okta", "entra")), human=names)
    def sign_out_at_work(self, company: str, human: str) -> None:
        """At the company's identity provider, which tells so: what it vouched for has ended, and nothing else."""
        connection, subject = self.out.ids[company], f"{human}@{company}"
        status = self.out.say_goodbye_at_work(company, subject)
        if connection in self.off:
            return
        assert status in (200, 303), f"{company} couldn't tell that somebody signed out: {status}"
        through = [proof for one in self.out.devices.values() for _, proof in one.proving] + [
            proof for one in self.out.devices.values() for proof in one.proofs
        ]
        for proof in through:
            proof.over = proof.over or (proof.connection, proof.subject) == (connection, subject)
        self.did(f"somebody signed out at {company}")

    # -- Invitations -------------------------------------------------------------------------------------------------

    @precondition(lambda self: self.any_letters("invitations"))
    @rule(number=which)
    def accept(self, number: int) -> None:
        """By whom it was mailed to: as who is signed in, or with a new password."""
        device, letter = self.reader("invitations", number)
        before, password = device.cookie, self.new_password()
        told = device.post(letter.path, name=device.human, password=password)
        slug = told.headers.get("Location", "").removeprefix("/w/")
        if told.status_code != 303:
            return
        if self.entered(device, before, self.proof("password")):
            self.passwords[device.account or ""] = password
        elif slug not in ("acme", "beta"):
            return
        self.note_member(device, slug)
        self.removed.discard((device.account or "", slug))
        self.asked_in.add((device.account or "", slug))
        self.did("an invitation was accepted")

    @precondition(lambda self: self.any_letters("invitations"))
    @rule(name=devices, number=which)
    def accept_anothers(self, name: str, number: int) -> None:
        """A link that was passed on, while who was invited has an account with a way in: it lets nobody else in."""
        device, (_, letter) = self.device(name), self.reader("invitations", number)
        account = self.account_at(letter.to)
        if whose(letter.to) != device.human and account and (account.password or account.twilio):
            self.at_account(device)
            told = device.post(letter.path, name=device.human, password=self.new_password())
            assert told.status_code != 303, f"{device.human} accepted what {letter.to} was invited to"
            self.did("an invitation of somebody else was refused")

    # -- Passwords and addresses -------------------------------------------------------------------------------------

    @rule(name=devices, email=addresses, number=which)
    def log_in(self, name: str, email: str, number: int) -> None:
        """Somebody tries one of their own passwords at any address."""
        device = self.device(name)
        own = [word for one, word in self.passwords.items() if self.owners.get(one) == device.human]
        account = self.account_at(email)
        if account and account.owner == device.human and account.id in self.passwords:
            own = [self.passwords[account.id]]
        if own and self.enter_password(device, email, pick(own, number)):
            self.did("logged in by password")

    @rule(name=devices)
    def change_password(self, name: str) -> None:
        device, password = self.device(name), self.new_password()
        if self.at_account(device):
            told = device.post("/account/password", password=password)
            if told.headers.get("Location", "").endswith("done=password"):
                self.passwords[device.account or ""] = password
                self.end_all_of(device.account or "", but=device)
                self.did("a password was changed")

    @rule(name=devices, email=addresses)
    def forget_password(self, name: str, email: str) -> None:
        self.resets.setdefault(email, []).append(self.out.now)
        self.device(name).post("/login/forgotten", email=email)

    @precondition(lambda self: self.any_letters("reset"))
    @rule(number=which)
    def reset_password(self, number: int) -> None:
        device, letter = self.reader("reset", number)
        account, password = self.account_at(letter.to), self.new_password()
        told = device.post(letter.path, password=password)
        if told.status_code == 200 and account:
            self.passwords[account.id] = password
            self.end_all_of(account.id)
            device.account, device.proofs = None, []
            self.did("a password was reset")

    @rule(name=devices, email=addresses)
    def ask_for_another_address(self, name: str, email: str) -> None:
        device = self.device(name)
        if self.at_account(device):
            device.post("/account/email", email=email)

    @precondition(lambda self: self.any_letters("account/confirm"))
    @rule(number=which)
    def confirm_address(self, number: int) -> None:
        """Whoever was mailed a link follows it, in whichever session they have."""
        device, letter = self.reader("account/confirm", number)
        if device.account:
            told = device.post(letter.path)
            if told.headers.get("Location", "").endswith("done=email"):
                self.did("an address was changed")
                self.check_way_in(device.account)

    # -- Closing -----------------------------------------------------------------------------------------------------

    @precondition(lambda self: len(self.closed) < 3)
    @rule(name=devices)
    def close_account(self, name: str) -> None:
        device = self.device(name)
        if not self.at_account(device):
            return
        account = self.out.accounts()[device.account or ""]
        told = device.post("/account/close")
        assert told.status_code == 200, "somebody can't close their account"
        device.account, device.proofs = None, []
        self.note_closed(account)
        self.did("an account was closed")
        self.check_nothing_opens(account)

    def note_closed(self, account: Account) -> None:
        """Its sessions and links have ended, its workspaces were left, and who let its person in hasn't any more."""
        self.closed.add(account.id)
        self.end_all_of(account.id)
        self.links.pop(account.id, None)
        for kept in (self.apps, self.keys, self.codes, self.used_codes):
            kept.pop(account.id, None)
        others = [one for one in self.out.accounts().values() if one.owner == account.owner]
        elsewhere = {slug for one in others for slug, _ in (*one.seats, *one.left)}
        for slug, _ in (*account.seats, *account.left):
            self.shut.add((account.email, slug))
            self.let_in -= {(account.owner, slug)} if slug not in elsewhere else set()

    def check_nothing_opens(self, account: Account) -> None:
        """In a browser that was never here, what opened the account just now."""
        device, password = self.newcomer(account), self.passwords.pop(account.id, None)
        by_password = password and self.enter_password(device, account.email, password)
        by_twilio = account.twilio and self.come_from_twilio(device, self.twilio[account.twilio])
        assert not by_password, f"{account.email} was closed, and its password opens it"
        assert not by_twilio, f"{account.email} was closed, and Twilio opens it"

    # -- Second factors ----------------------------------------------------------------------------------------------

    @rule(name=devices)
    def add_app(self, name: str) -> None:
        device = self.device(name)
        if not self.at_account(device) or device.account in self.apps:
            return
        page = device.get("/account/factors/app")
        setup, shown = _SETUP.search(page.text), _SHOWN.search(page.text)
        if setup is None or shown is None:
            return
        app = pyotp.TOTP(shown[0].replace(" ", ""))
        told = device.post("/account/factors/app", setup=setup[1], name="Phone", code=app.at(self.out.now))
        if told.status_code in (200, 303):
            self.apps[device.account or ""] = app
            self.note_added(device, told)
            self.did("an app was added")

    def note_added(self, device: Device, told: TestResponse) -> None:
        """The session's login by password is one with a factor from now on; with the first one come recovery codes."""
        for proof in device.proofs:
            proof.factor = proof.factor or proof.kind == "password"
        self.note_codes(device.account or "", told)

    def note_codes(self, account: str, told: TestResponse) -> None:
        codes = list(dict.fromkeys(_RECOVERY.findall(told.text)))
        if codes:
            assert len(codes) == 10, f"{len(codes)} recovery codes"
            self.codes[account], self.used_codes[account] = codes, []

    @rule(name=devices)
    def add_passkey(self, name: str) -> None:
        device, passkey = self.device(name), Passkey()
        if not self.at_account(device) or device.account in self.keys:
            return
        page = device.get("/account/factors/passkey")
        if page.status_code != 200:
            return
        told = device.post("/account/factors/passkey", name="Key", code=passkey.make(options_in(page)))
        if told.status_code in (200, 303):
            self.keys[device.account or ""] = passkey
            self.note_added(device, told)
            self.did("a passkey was added")

    @precondition(lambda self: self.keys)
    @rule(name=devices, number=which)
    def log_in_by_passkey(self, name: str, number: int) -> None:
        """By itself, as whoever has it."""
        device = self.device(name)
        own = [account for account in self.keys if self.owners.get(account) == device.human]
        if own and self.enter_by_passkey(device, pick(own, number)):
            self.did("logged in by a passkey")

    def enter_by_passkey(self, device: Device, account: str) -> bool:
        before, page = device.cookie, device.get("/login/passkey")
        login = page.text.partition('name="login" value="')[2].partition('"')[0]
        device.post("/login/passkey", code=self.keys[account].answer(options_in(page)), login=login)
        if not self.entered(device, before, self.proof("passkey", factor=True)):
            return False
        assert device.account == account, "a passkey opened another account than its own"
        assert account not in self.links, "a passkey opened what has its second factor at Twilio"
        return True

    @precondition(lambda self: any(self.used_codes.values()))
    @rule(number=which)
    def use_a_recovery_code_again(self, number: int) -> None:
        account = self.out.accounts().get(pick([one for one, used in self.used_codes.items() if used], number))
        if account is None or account.id not in self.passwords:
            return
        device = self.newcomer(account)
        told = device.post("/login", email=account.email, password=self.passwords[account.id], way="password")
        if told.headers.get("Location", "").startswith("/login/factor"):
            for code in self.used_codes[account.id][-3:]:
                device.post("/login/factor", by="recovery_code", code=code)
                assert device.cookie is None, "a recovery code worked twice"
            self.did("a used recovery code was refused")

    @precondition(lambda self: self.codes)
    @rule(name=devices)
    def make_new_codes(self, name: str) -> None:
        device = self.device(name)
        if self.at_account(device) and device.account in self.codes:
            old = self.codes[device.account]
            told = device.post("/account/factors/recovery-codes")
            if told.status_code == 200:
                self.note_codes(device.account, told)
                self.used_codes[device.account] = old  # which open nothing, either
                self.did("new recovery codes were made")

    @precondition(lambda self: self.keys)
    @rule(name=devices)
    def remove_passkey(self, name: str) -> None:
        device = self.device(name)
        if self.at_account(device) and device.account in self.keys:
            self.remove_factor(device, "passkey", self.keys)

    @precondition(lambda self: self.apps)
    @rule(name=devices)
    def remove_app(self, name: str) -> None:
        device = self.device(name)
        if not self.at_account(device) or device.account not in self.apps:
            return
        self.remove_factor(device, "totp", self.apps)

    def remove_factor(self, device: Device, kind: str, kept: dict[str, Any]) -> None:
        """What a passkey opened by itself ends elsewhere. With the last one go the recovery codes, and no login of the
        account was one with a factor.
        """
        account = device.account or ""
        factor = next((uid for one, uid in self.out.accounts()[account].factors if one == kind), None)
        told = device.post(f"/account/factors/{factor}/remove")
        if factor is None or told.status_code != 303:
            return
        del kept[account]
        if kind == "passkey":
            self.end(lambda where, one: (where.account, one.kind) == (account, "passkey") and where is not device)
        if not self.has_factor(account):
            self.used_codes.setdefault(account, []).extend(self.codes.pop(account, []))
            for each in self.out.devices.values():
                for proof in each.proofs if each.account == account else []:
                    proof.factor = proof.factor and proof.kind not in ("password", "passkey")
        self.did(f"{kind} was removed")
        self.check_way_is_left(account)

    # -- Sessions ----------------------------------------------------------------------------------------------------

    @rule(name=devices, other=devices, what=st.sampled_from(("others", "one", "this", "all")))
    def end_sessions(self, name: str, other: str, what: str) -> None:
        """By one's own list, or by signing out."""
        if what == "others":
            self.end_other_sessions(self.device(name))
        elif what == "one":
            self.end_one_session(self.device(name), self.device(other))
        else:
            self.sign_out(self.device(name), everywhere=what == "all")

    def end_other_sessions(self, device: Device) -> None:
        told = device.post("/account/sessions/end-others")
        if told.headers.get("Location", "").startswith("/account/sessions?ended="):
            self.end_all_of(device.account or "", but=device)
            self.did("other sessions were ended")

    def end_one_session(self, device: Device, ended: Device) -> None:
        """Of one's own, or of somebody else's."""
        session = self.out.session_id(ended)
        if session and device is not ended:
            told = device.post(f"/account/sessions/{session}/end")
            if told.status_code == 303 and "ended=" in told.headers["Location"]:
                assert ended.account == device.account, f"{device.name} ended a session of another account"
                self.end(lambda one, _: one is ended)
                self.did("a session was ended")

    def sign_out(self, device: Device, *, everywhere: bool) -> None:
        current = self.current(device)
        if current is None:
            return
        told = device.post("/logout", **({"everywhere": "1"} if everywhere else {}))
        if everywhere and not current.may_change_account:
            assert told.status_code == 403  # a company's login neither sees nor ends the others
            return
        if everywhere:
            self.end_all_of(current.user.id)
        device.account, device.proofs = None, []

    @rule(name=devices, number=which)
    def unlink_identity(self, name: str, number: int) -> None:
        device = self.device(name)
        if not self.at_account(device) or device.account is None:
            return
        found = self.out.accounts()[device.account].identities
        if not found:
            return
        connection, subject = pick(found, number)
        device.post("/account/unlink", connection=connection, subject=subject)
        if (connection, subject) not in self.out.accounts()[device.account].identities:
            self.end(lambda _, proof: (proof.connection, proof.subject) == (connection, subject))
            self.did("an identity was unlinked")
            self.check_way_is_left(device.account)

    @rule(name=devices, slug=slugs)
    def visit(self, name: str, slug: str) -> None:
        """A page of a workspace opens to those alone whose login reaches it."""
        device = self.device(name)
        if device.get(f"/w/{slug}/roles").status_code == 200:
            account = self.out.accounts()[device.account or ""]
            self.check_reached(device, account, slug)
            self.did("a page was opened")

    # -- Twilio ------------------------------------------------------------------------------------------------------

    def at_twilio(self, human: str, number: int) -> TwilioUser:
        """One of the two Twilio users that somebody has; who closed one signs up anew."""
        place = number % 2
        generation = sum(one.closed for one in self.twilio.values() if one.sub.startswith(f"{human}-{place}"))
        sub = f"{human}-{place}-{generation}"
        email = f"{human}@{('home.example', PROVED)[place]}"
        return self.twilio.setdefault(sub, TwilioUser(sub, human, email))

    def come_from_twilio(self, device: Device, user: TwilioUser, *, fresh: bool = False) -> bool:
        """A login at Twilio. Whether it is through."""
        back, sid = self.out.at_twilio(device, user, fresh=fresh)
        return self.finish(device, back, user, sid)

    def finish(self, device: Device, back: str, user: TwilioUser, sid: str) -> bool:
        before = device.cookie
        told = device.get(back)
        location = told.headers.get("Location", "")
        if location.startswith("/twilio/welcome/"):
            device.arrivals.append(Arrival(location.removeprefix("/twilio/welcome/"), user, sid))
            return False
        if not self.entered(device, before, self.by_twilio(user, sid)):
            return False
        assert self.links.get(device.account or "") == user.sub, f"{user.sub} opens an account that isn't linked to it"
        return True

    def by_twilio(self, user: TwilioUser, sid: str) -> Proof:
        """A login by Twilio, unless it ended there since."""
        ended = user.closed or sid not in user.sids
        return self.proof("twilio", user.sub, sid=sid, factor=True, over=ended)

    def linked(self, device: Device, before: str | None, arrival: Arrival | None = None) -> bool:
        """Whether the browser's account is linked since to who came from Twilio in that browser."""
        if device.cookie in (None, before):
            return False
        current = self.current(device)
        account = current.user.id if current else ""
        sub = self.out.accounts()[account].twilio
        came = [one for one in device.arrivals if one.user.sub == sub]
        assert came, f"{sub} never came to {device.name}"
        assert self.links.get(account, sub) == sub, "an account was linked to a second Twilio user"
        self.links[account] = came[-1].user.sub
        self.did("an account was linked to Twilio")
        return self.entered(device, before, self.by_twilio(came[-1].user, came[-1].sid))

    @rule(name=devices, number=which, then=st.sampled_from(("wait", "login", "session", "creation", "mail")))
    def log_in_by_twilio(self, name: str, number: int, then: str) -> None:
        """The first time it goes on as said."""
        device = self.device(name)
        if self.come_from_twilio(device, self.at_twilio(device.human, number)):
            self.did("logged in by Twilio")
        elif then in ("login", "session", "creation"):
            self.link(device, device.arrivals[-1], then)
        elif then == "mail":
            self.ask_to_link_by_mail(number, pick(ADDRESSES, number))

    @rule(name=devices, number=which)
    def set_out_for_twilio(self, name: str, number: int) -> None:
        """Up to the redirect back, which is followed later."""
        device = self.device(name)
        user = self.at_twilio(device.human, number)
        back, sid = self.out.at_twilio(device, user)
        device.under_way = (back, user, sid)

    @precondition(lambda self: any(one.under_way for one in self.out.devices.values()))
    @rule(number=which)
    def come_back_late(self, number: int) -> None:
        device = self.where(lambda one: one.under_way, number)
        under_way, device.under_way = device.under_way, None
        if under_way and self.finish(device, *under_way):
            self.did("came back from Twilio later")

    def link(self, device: Device, arrival: Arrival, by: str) -> None:
        """Who came from Twilio links the account that they sign in to, or that they are in, or makes one."""
        if by == "login" and not self.at_account(device):
            return
        before, kind = device.cookie, "welcome" if by == "creation" else "link"
        device.post(f"/twilio/{kind}/{arrival.token}" + ("/create" if by == "creation" else ""))
        if self.linked(device, before):
            self.did(f"linked by {by}")

    @precondition(lambda self: any(one.arrivals for one in self.out.devices.values()))
    @rule(number=which, name=devices, by=st.sampled_from(("login", "session", "creation")))
    def link_later(self, number: int, name: str, by: str) -> None:
        """In the browser in which they came, or in that of somebody who was sent the address."""
        arrived = self.where(lambda one: one.arrivals, number)
        self.link(arrived if number % 2 else self.device(name), arrived.arrivals[-1], by)

    @precondition(lambda self: any(one.arrivals for one in self.out.devices.values()))
    @rule(number=which, email=addresses)
    def ask_to_link_by_mail(self, number: int, email: str) -> None:
        device = self.where(lambda one: one.arrivals, number)
        device.post(f"/twilio/welcome/{device.arrivals[-1].token}/mail", email=email)

    @precondition(lambda self: self.any_letters("twilio/linked"))
    @rule(number=which)
    def follow_link(self, number: int) -> None:
        """Whoever was mailed a link follows it, asked for or not."""
        device, letter = self.reader("twilio/linked", number)
        before = device.cookie
        device.get(letter.path)
        assert device.cookie == before, "a mailed link signed somebody in by being opened"
        device.post(letter.path)
        if self.linked(device, before):
            assert not self.has_factor(device.account or ""), "an account with a second factor was linked by mail alone"
            self.did("linked by mail")

    @precondition(lambda self: self.links)
    @rule(number=which)
    def unlink(self, number: int) -> None:
        account = pick(self.links, number)
        device = self.where(lambda one: one.human == self.owners[account], number)
        if self.at_account(device, account) and device.account in self.links:
            device.post("/account/twilio")
            if self.out.accounts()[account].twilio is None:
                self.unlinked(account)
                self.did("Twilio was unlinked")
                self.check_way_is_left(account)

    def unlinked(self, account: str) -> None:
        """The link has ended, and what came by it."""
        del self.links[account]
        self.end(lambda device, proof: device.account == account and proof.kind == "twilio")

    @precondition(lambda self: self.twilio)
    @rule(number=which, email=addresses, told=st.booleans())
    def change_address_at_twilio(self, number: int, email: str, told: bool) -> None:
        """To one of their own, which Twilio verifies; it is told at once, or at the next login."""
        user = self.twilio[pick(self.twilio, number)]
        email = f"{user.human}@{email.partition('@')[2]}"
        if user.closed:
            return
        user.email = email
        if told:
            said = {"new-value": email, "email_verified": True}
            assert self.out.tell(IDENTIFIER_CHANGED, user.sub, said) == 202
            self.did("an address was changed at Twilio")

    @precondition(lambda self: self.links)
    @rule(number=which, email=addresses, verified=st.sampled_from((False, None)))
    def claim_address_at_twilio(self, number: int, email: str, verified: bool | None) -> None:
        """To whichever, which Twilio hasn't verified: that is told, too, and is nobody's address."""
        account = pick(self.links, number)
        before = self.out.accounts()[account]
        said = {"new-value": email} | ({} if verified is None else {"email_verified": verified})
        assert self.out.tell(IDENTIFIER_CHANGED, self.links[account], said) == 202
        assert self.out.accounts()[account].email == before.email, "an address that nobody verified"

    @precondition(lambda self: self.links)
    @rule(number=which, email=addresses)
    def tell_late(self, number: int, email: str) -> None:
        """An event of before: what was said since stands."""
        account = pick(self.links, number)
        user, before = self.twilio[self.links[account]], self.out.accounts()[account]
        said = {"new-value": f"{user.human}@{email.partition('@')[2]}", "email_verified": True}
        last = before.told or self.out.now
        if self.out.now - last < timedelta(days=20):  # older ones are refused
            assert self.out.tell(IDENTIFIER_CHANGED, user.sub, said, at=last - timedelta(hours=1)) == 202
        assert self.out.accounts()[account].email == before.email, "old news of Twilio's counted"

    @precondition(lambda self: self.any_letters("twilio/email"))
    @rule(number=which)
    def confirm_twilio_address(self, number: int) -> None:
        device, letter = self.reader("twilio/email", number)
        before = self.out.accounts()
        device.post(letter.path)
        if self.out.accounts() != before:
            self.did("an address of Twilio's was confirmed")

    @precondition(lambda self: self.twilio)
    @rule(number=which)
    def close_at_twilio(self, number: int) -> None:
        user = self.twilio[pick(self.twilio, number)]
        if user.closed:
            return
        user.closed = True
        assert self.out.tell(ACCOUNT_PURGED, user.sub, {}) == 202
        self.end(lambda _, proof: proof.kind == "twilio" and proof.subject == user.sub)
        for account in [one for one, sub in self.links.items() if sub == user.sub]:
            self.unlinked(account)
            self.did("a linked account was closed at Twilio")
            self.check_way_in(account)

    @precondition(lambda self: self.twilio)
    @rule(number=which, how=st.sampled_from(("logout", "revoked", "disabled")))
    def end_at_twilio(self, number: int, how: str) -> None:
        """A session there ends, or all of somebody's."""
        user = self.twilio[pick(self.twilio, number)]
        if not user.sids or user.closed:
            return
        sid = user.sids[number % len(user.sids)]
        if how == "logout":
            assert self.out.say_goodbye(sid) == 200
        elif how == "revoked":
            assert self.out.tell(SESSION_REVOKED, user.sub, {}, sid=sid) == 202
        else:
            assert self.out.tell(ACCOUNT_DISABLED, user.sub, {}) == 202
        ended = user.sids if how == "disabled" else [sid]
        self.end(lambda _, one: one.kind == "twilio" and one.sid in ended)
        user.sids = [one for one in user.sids if one not in ended]
        self.did("a session ended at Twilio")


#: Every kind of step, by name.
STEPS = tuple(name for name, one in vars(Accounts).items() if hasattr(one, RULE_MARKER))


def only(names: Collection[str]) -> type[Accounts]:
    """Walks that take these steps alone; the others can be called, and nobody chooses them."""
    others = {name: _plain(vars(Accounts)[name]) for name in STEPS if name not in names}
    return type("Few", (Accounts,), others)


def _plain(step: Callable[..., None]) -> Callable[..., None]:
    def taken(*given: Any, **named: Any) -> None:
        step(*given, **named)

    return taken
