"""Every reason why a login ends without a session, in words that its person may read (product.md 2.6 to 2.10)."""

from bridge.domain.errors import DomainError


class SignInRefused(DomainError):
    """A login that ends here. `title` heads the page, `text` says whose turn it is; both are safe to show."""

    code = "sign_in_refused"
    title = "You can’t sign in"


class UnknownRequest(SignInRefused):
    """The answer belongs to no login under way here: run out, answered already, or begun elsewhere."""

    code = "unknown_request"
    title = "Please start again"

    def __init__(self) -> None:
        super().__init__("This sign-in took too long, was finished already, or was started in another place.")


class Replayed(SignInRefused):
    """The same proof came twice (properties.md 12)."""

    code = "replayed"
    title = "This answer was used already"

    def __init__(self) -> None:
        super().__init__("An answer of an identity provider signs in once. Start again from the sign-in page.")


class LogoutRepeated(SignInRefused):
    """The same logout message came twice (properties.md 12)."""

    code = "logout_repeated"
    title = "This logout message was used already"

    def __init__(self) -> None:
        super().__init__("A logout message of an identity provider counts once. This time it changed nothing.")


class UnknownLogout(SignInRefused):
    """The answer belongs to no logout that was begun here: answered already, run out, or begun elsewhere."""

    code = "unknown_logout"
    title = "This answers no logout of ours"

    def __init__(self) -> None:
        super().__init__("The logout that this answers took too long, was finished already, or was begun elsewhere.")


class EndedAtIdp(SignInRefused):
    """The IdP said that this session of theirs ended, and its answer was made before (SAML Core 3.7.3.2)."""

    code = "ended_at_idp"
    title = "You signed out meanwhile"

    def __init__(self, connection: str) -> None:
        super().__init__(f"{connection} made this answer before you signed out there. Please sign in again.")


class OtherBrowser(SignInRefused):
    """The login was begun in another browser: taken over, or handed over (login CSRF)."""

    code = "other_browser"
    title = "Please start again"

    def __init__(self) -> None:
        super().__init__("This sign-in was started in another browser, so it can’t be finished in this one.")


class NotFresh(SignInRefused):
    """A new proof was demanded of the IdP, and its answer tells of an older one."""

    code = "not_fresh"
    title = "Please sign in anew"

    def __init__(self, connection: str) -> None:
        super().__init__(
            f"A new sign-in at {connection} was asked for, and it answered from an earlier one. Sign out there and try "
            "again; if it stays so, its IT admin can make it follow such requests (ForceAuthn)."
        )


class ConnectionOff(SignInRefused):
    """The connection is disabled, or the workspace's plan has no single sign-on (properties.md 5)."""

    code = "connection_off"
    title = "Single sign-on is switched off"

    def __init__(self, connection: str, workspace: str) -> None:
        super().__init__(f"{connection} doesn’t open {workspace} at the moment. A Workspace Owner can say why.")


class NotAMember(SignInRefused):
    """Nobody here, and just-in-time accounts are off."""

    code = "not_a_member"
    title = "You are not a member yet"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"{workspace} makes no accounts at the first sign-in. Ask a Workspace Owner to invite you.")


class MembershipEnded(SignInRefused):
    """Removed by an owner, or deleted by an IdP: just-in-time never revives it."""

    code = "membership_ended"
    title = "You are not a member any more"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"Your membership of {workspace} has ended. A Workspace Owner can bring it back.")


class HeldOut(SignInRefused):
    """An IdP's record says that they are out."""

    code = "held_out"
    title = "Your account is deactivated"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"Your company deactivated your account for {workspace}. Its IT admin can reactivate it.")


class AnotherConnectionsPerson(SignInRefused):
    """Another connection of the workspace pushes them (properties.md 7a)."""

    code = "another_connections_person"
    title = "You sign in another way"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"Your account in {workspace} belongs to another connection. Sign in the way you usually do.")


class AccountClosed(SignInRefused):
    """The account behind the identity was closed."""

    code = "account_closed"
    title = "This account was closed"

    def __init__(self) -> None:
        super().__init__("The account that this identity opened was closed. A Workspace Owner can invite you anew.")


class UnusableIdentity(SignInRefused):
    """What the IdP says is well signed, and still nothing that could be kept."""

    code = "unusable_identity"


class SharedEmail(SignInRefused):
    """The IdP pushes two people with one address, and this is the one without an account (product.md 4.8)."""

    code = "shared_email"
    title = "Somebody else has your email"

    def __init__(self, connection: str) -> None:
        super().__init__(f"{connection} gives the same email to two people. Its IT admin can give you your own.")


class WrongCredentials(SignInRefused):
    """Wrong password, or no such account: one text, so that nobody learns which."""

    code = "wrong_credentials"
    title = "That didn’t work"

    def __init__(self) -> None:
        super().__init__("The email or the password is wrong.")


class WrongCode(SignInRefused):
    """A break-glass code that isn't one, was used, or isn't theirs: one text for all."""

    code = "wrong_code"
    title = "That code doesn’t open it"

    def __init__(self) -> None:
        super().__init__("This code is wrong, was used already, or ran out. Each opens once.")


class LoginTooOld(SignInRefused):
    """A break-glass code goes with the account's own login, made just now."""

    code = "login_too_old"
    title = "Sign in again first"

    def __init__(self) -> None:
        super().__init__("A code opens only together with your own password. Sign in with it, then use the code.")


class ProofExpired(SignInRefused):
    """The pending proof, or its mailed link, was used or ran out."""

    code = "proof_expired"
    title = "This link works no longer"

    def __init__(self) -> None:
        super().__init__("It was used already, or ran out. Sign in again to get a new one.")


class NotThatAccount(SignInRefused):
    """They proved an account, but not the one that was asked for; or in a way that proves nothing."""

    code = "not_that_account"
    title = "That is another account"


class TestTicketUsed(SignInRefused):
    """The address that begins a test works once, for half an hour."""

    __test__ = False
    code = "test_ticket_used"
    title = "This test was started already"

    def __init__(self) -> None:
        super().__init__("The address that begins a test works once, for half an hour. Ask for a new one.")


class TestResultGone(SignInRefused):
    """A test's result is shown for half an hour; then it is in the sign-in log alone."""

    __test__ = False
    code = "test_result_gone"
    title = "This result is gone"

    def __init__(self) -> None:
        super().__init__("The result of a test is shown here for half an hour. It stays in the sign-in log.")
