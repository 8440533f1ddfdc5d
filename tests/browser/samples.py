"""Sample values for every template: the people, groups and numbers of the demo's story.

demo-ecommerce has 312 people and 6 invited; beside each page as it will look are its empty and error states.
"""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import segno
from markupsafe import Markup

from bridge.web.pages import views as v

NOW = datetime(2025, 11, 21, 10, 58, tzinfo=UTC)


def ago(days: float = 0, hours: float = 0) -> datetime:
    """The moment so long before the pages' now."""
    return NOW - timedelta(days=days, hours=hours)


def at(day: int, month: int, year: int = 2025) -> datetime:
    """Noon of a day."""
    return datetime(year, month, day, 12, tzinfo=UTC)


# ---------- frames ----------

FRAME = v.Frame(
    workspace="demo-ecommerce",
    plan="business",
    people=312,
    home_href="/p/users",
    switch_href="/p/workspaces",
    nav=(
        v.NavSection("People", (v.NavItem("Access Management", "/p/users", "people", current=True),)),
        v.NavSection(
            "Signing in",
            (
                v.NavItem("Domains", "/p/domains", "mail"),
                v.NavItem("Security", "/p/security", "lock"),
                v.NavItem("Sign-in log", "/p/sign-in-log", "enter"),
                v.NavItem("SCIM log", "/p/scim-log", "sync"),
            ),
        ),
    ),
    me=v.Me("Mei Tanaka", "Workspace Owner"),
    path="/p/users",
    others=(
        v.OtherWorkspace("Agency", "/p/users"),
        v.OtherWorkspace("Kicks Health", "/p/refused", "asks for Okta or a second factor"),
    ),
)
BARE = v.BareFrame(site="bridge.example.com")


def access_tabs(current: str) -> tuple[v.Tab, ...]:
    """The tabs of Access Management, with the story's numbers."""
    return tuple(
        v.Tab(text, f"/p/{name}", count, current=text == current)
        for text, name, count in (
            ("Users", "users", 318),
            ("User Groups", "user-groups", 23),
            ("Tokens", "tokens", 7),
            ("Resources", "resources", 11),
            ("Labels", "labels", 4),
            ("Roles", "roles", None),
        )
    )


USERS = v.Link("Users", "/p/users")
ACCESS = v.Link("Access Management", "/p/users")
GROUPS = v.Link("User Groups", "/p/user-groups")
TOKENS = v.Link("Tokens", "/p/tokens")
PRIYA = v.Link("Priya Raman", "/p/person")
MOBILE = v.Link("Mobile Engineering", "/p/user-group")

# ---------- signing in ----------

EMAIL = v.Field(
    "email",
    "Work email",
    kind="email",
    autocomplete="username",
    placeholder="you@company.com",
    help="The address your company gave you, not a private one.",
)
PASSWORD = v.Field("password", "Password", kind="password", autocomplete="current-password")
NEW_PASSWORD = v.Field(
    "password",
    "Password",
    kind="password",
    autocomplete="new-password",
    help="At least 12 characters. A sentence is easier to remember than a riddle.",
)
SSO = v.SignInWay("sso", "Continue with Kicks Co", "Single sign-on for kicks.example", "/p/login")
OTHER_SSO = v.SignInWay("sso", "Continue with Kicks Agency", "Your company signs you in", "/p/login")

LOGIN = v.LoginPage(
    action="/login", email=EMAIL, password_href="/p/login-by-password", twilio_href="/p/login", passkey_href="/p/login"
)
LOGIN_BY_PASSWORD = v.LoginPage(action="/login", email=EMAIL, hidden=(("way", "password"),))
LOGIN_SIGNED_OUT = dataclasses.replace(
    LOGIN,
    notice=v.Note(
        "warn",
        "You have been signed out",
        "Your session ended, or your company or a Workspace Owner closed the way you came in.",
    ),
)
LOGIN_WRONG = dataclasses.replace(
    LOGIN,
    email=dataclasses.replace(EMAIL, value="priya", error="This isn’t a whole address: the part after @ is missing."),
)
LOGIN_PASSWORD = v.LoginPage(
    action="/login", change_href="/p/login", known_email="marcus@kicks.example", password=PASSWORD
)
LOGIN_PASSWORD_WRONG = dataclasses.replace(
    LOGIN_PASSWORD,
    password=dataclasses.replace(PASSWORD, error="Email and password don’t belong together. Try again."),
)
LOGIN_WAIT = dataclasses.replace(
    LOGIN_PASSWORD,
    notice=v.Note("warn", "Too many tries", "You can try again at 11:13 UTC, in 15 minutes.", urgent=True),
)
LOGIN_CHOICE = v.LoginPage(
    action="/login",
    change_href="/p/login",
    known_email="priya.raman@kicks.example",
    ways=(SSO, OTHER_SSO),
    twilio_href="/p/login",
    password_href="/p/login-by-password",
)

ACCOUNT_FRAME = v.AccountFrame(
    name="Mei Tanaka",
    email="mei@kicks.example",
    tabs=(v.Tab("Account", "/p/login"), v.Tab("Second factors", "/p/account-factors", current=True)),
    back_href="/p/workspaces",
    sign_out_action="/logout",
)
LOGIN_FACTOR = v.FactorPage(
    title="Enter the code of your app",
    text="Open your authenticator app: it shows six digits, which change every 30 seconds.",
    email="mei@kicks.example",
    action="/login/factor",
    field=v.Field("code", "Six digits", error="That isn’t right, or was used already.", autocomplete="one-time-code"),
    restart_href="/p/login",
    others=(v.Link("Use a recovery code", "/p/login"),),
    hidden=(("by", "totp"),),
)
LOGIN_PASSKEY = v.PasskeyLoginPage("{}", "/login/passkey", "/p/login", v.Note("bad", "That didn’t work", urgent=True))
LOGIN_FACTOR_PASSKEY = v.FactorPage(
    title="Use your passkey",
    text="Your browser asks for it: a fingerprint, a face, a PIN, or a touch of your security key.",
    email="mei@kicks.example",
    action="/login/factor",
    field=None,
    restart_href="/p/login",
    passkey="{}",
    others=(v.Link("Use a recovery code", "/p/login"),),
)
ACCOUNT_PASSKEY = v.NewPasskeyPage(
    "{}", "/account/factors/passkey", v.Field("name", "A name for it", "Passkey", help="Which device."), "/p/login"
)
ACCOUNT_PROVE = v.AccountProvePage(
    action="/account/prove",
    email="mei@kicks.example",
    hidden=(("return_to", "/account/email"),),
    shown=v.Field("code", "The six digits that your app shows", autocomplete="one-time-code"),
    passkey="{}",
    sign_in_href="/p/login-by-password",
)
ACCOUNT_PROVE_ANEW = v.AccountProvePage(
    action="/account/prove",
    email="mei@kicks.example",
    hidden=(),
    shown=None,
    anew=(v.Link("Sign in again with Kicks Okta", "/p/login"), v.Link("Sign in again with Twilio", "/p/login")),
    sign_in_href="/p/login-by-password",
)
ACCOUNT = v.AccountPage(
    email="mei@kicks.example",
    email_status=v.Status("ok", "Confirmed"),
    name=v.Field("name", "Name", "Mei Tanaka"),
    name_action="/account/name",
    email_link=v.Link("Change…", "/p/login"),
    ways=(
        v.AccountWay("key", "Password", "You sign in with your email and it", v.Link("Change…", "/p/login")),
        v.AccountWay("building", "Kicks Okta", "Signs you in to Kicks Co, as mei", v.Link("Unlink…", "/p/login"), NOW),
    ),
    close_href="/p/login",
)
ACCOUNT_AT_TWILIO = dataclasses.replace(
    ACCOUNT,
    read_only=v.Note("info", "Kept at Twilio", "Your name is kept there.", v.Link("Change them there", "/p/login")),
    email_link=None,
)
ACCOUNT_FACTORS_AT_TWILIO = v.AccountFactorsPage(
    email="mei@kicks.example",
    factors=(v.FactorRow("My phone", "Authenticator app", NOW, NOW),),
    add=(),
    codes_left=8,
    new_codes_href=None,
    back=v.Link("Back to your workspaces", "/p/workspaces"),
    read_only=v.Note("info", "Kept at Twilio", "It is set up there.", v.Link("Open Twilio’s settings", "/p/login")),
)
ACCOUNT_FACTORS = v.AccountFactorsPage(
    email="mei@kicks.example",
    factors=(
        v.FactorRow("My phone", "Authenticator app", NOW, NOW, "/p/login", "/p/login"),
        v.FactorRow("Passkey", "Passkey", NOW, None, "/p/login", "/p/login"),
    ),
    add=(v.Link("Set up an authenticator app", "/p/login"),),
    codes_left=9,
    new_codes_href="/p/login",
    back=v.Link("Back to your workspaces", "/"),
)
ACCOUNT_FACTORS_NONE = v.AccountFactorsPage(
    "mei@kicks.example",
    (),
    (v.Link("Set up an authenticator app", "/p/login", True),),
    None,
    "/p/login",
    v.Link("Continue", "/"),
)
ACCOUNT_FACTOR_APP = v.NewAppPage(
    qr=Markup(segno.make("otpauth://totp/bridge:mei@kicks.example?secret=JBSWY3DP").svg_inline(scale=4, light="#fff")),
    secret="JBSW Y3DP EHPK 3PXP JBSW Y3DP EHPK 3PXP",
    action="/account/factors/app",
    name=v.Field("name", "A name for it", "Authenticator app"),
    code=v.Field("code", "The six digits that it shows now", autocomplete="one-time-code"),
    cancel_href="/p/login",
)
ACCOUNT_RECOVERY_CODES = v.NewRecoveryCodesPage(
    tuple(f"k7m2-9xqp-{n}abc-defg" for n in range(10)),
    "data:text/plain,codes",
    v.Link("I stored them", "/p/login", True),
)
REFUSED = v.RefusedPage(
    title="Your company’s sign-in isn’t set up right",
    text="Kicks Co’s Okta answered, but its answer was meant for another address, so it was not accepted. You did "
    "nothing wrong, and it will work again once an admin has changed one setting.",
    reference="7F3K-92QX",
    actions=(v.Link("Sign in another way", "/p/login", primary=True), v.Link("Try again", "/p/login-choice")),
)
REFUSED_EXPIRED = v.RefusedPage(
    title="This invitation has ended",
    text="It was good for 3 days. Marcus Lindqvist invited you and can send a new one.",
    kicker="Invitation ended",
    actions=(v.Link("Sign in", "/p/login", primary=True),),
)
INVITATION = v.InvitationPage(
    workspace="demo-ecommerce",
    email="lucia.ferreiro@kicks.example",
    invited_by="Marcus Lindqvist",
    gives=("You will get Source Read-only on all sources with environment:prod.", "You will join Data Guild."),
    expires=NOW + timedelta(days=1),
    action="/invitations/x",
    needs="account",
    name=v.Field("name", "Your name", autocomplete="name"),
    password=NEW_PASSWORD,
)
INVITATION_WRONG = dataclasses.replace(
    INVITATION,
    name=v.Field("name", "Your name", "Lucía Ferreiro", autocomplete="name"),
    password=dataclasses.replace(NEW_PASSWORD, error="This password is on a list of stolen ones. Take another."),
)
INVITATION_SIGN_IN = dataclasses.replace(INVITATION, needs="sign_in", sign_in_href="/p/login-password")
INVITATION_READY = dataclasses.replace(INVITATION, needs="nothing", gives=())
PROVE = v.ProveAccountPage(
    connection="Okta",
    workspace="demo-ecommerce",
    email="ravi.menon@kicks.example",
    why="Before Okta opens it, show once that it is yours.",
    sign_in_href="/p/login-password",
    mail_action="/prove/mail",
    cancel_href="/p/login",
)
PROVE_SENT = dataclasses.replace(PROVE, mailed_to="ravi.menon@kicks.example")
AGREE_ANOTHER = v.AgreePage(
    title="Continue as ravi.menon@kicks.example?",
    said=(("You are signed in as", "mei.tanaka@kicks.example"), ("Okta now signs in", "ravi.menon@kicks.example")),
    text="Signing in as one signs the other out. If you didn’t come from there just now, stay who you are.",
    action="/saml/continue",
    button="Continue as ravi.menon@kicks.example",
    hidden=(("handle", "h"),),
    cancel=v.Link("Stay signed in as mei.tanaka@kicks.example", "/p/users"),
)
NOT_FOUND = v.ErrorPage(
    404,
    "Not found",
    "There is nothing at this address",
    "The link may be old, or what it led to was removed.",
    (v.Link("To the start", "/p/users", primary=True),),
)
FORBIDDEN = v.ErrorPage(
    403,
    "Not for you",
    "Only Workspace Owners can open this page",
    "You are a member of demo-ecommerce, not an owner. Ask Mei Tanaka or Marcus Lindqvist.",
    (v.Link("Back to demo-ecommerce", "/p/users", primary=True),),
)
BROKEN = v.ErrorPage(
    500,
    "Our fault",
    "This page couldn’t be made",
    "Something went wrong on our side, not on yours. Nothing was changed.",
    (v.Link("Try again", "/p/users", primary=True),),
    "K2M8-41TD",
)
WORKSPACES = v.WorkspacesPage(
    "Priya Raman",
    "priya.raman@kicks.example",
    (
        v.WorkspaceChoice("demo-ecommerce", "/p/users", "Member", 312, "asks for Okta"),
        v.WorkspaceChoice("kicks-sandbox", "/p/users", "Workspace Owner", 1),
        v.WorkspaceChoice("studio-nord", "/p/users", "Member", 1_312),
    ),
)
NO_WORKSPACE = v.WorkspacesPage("Sven Aaltonen", "sven.aaltonen@kicks.example", ())

# ---------- Users ----------

OKTA = v.Source("Okta", "idp")
ENTRA = v.Source("Entra", "idp")
HAND = v.Source("By hand", "hand")


def row(
    name: str, email: str, access: str, *sources: v.Source, last: datetime | None = None, **more: Any
) -> v.PersonRow:
    """A line of Users whose links lead somewhere in the gallery."""
    links: dict[str, Any] = {
        "href": "/p/person",
        "selected_href": "/p/users?selected=1",
        "summary_href": "/fragment/summary",
    }
    return v.PersonRow(name, email, access, sources, last_sign_in=last, **links | more)


PEOPLE = (
    row("Mei Tanaka", "mei.tanaka@kicks.example", "", OKTA, last=ago(hours=1), owner=True),
    row("Marcus Lindqvist", "marcus@kicks.example", "", HAND, last=ago(1), owner=True),
    row(
        "Priya Raman",
        "priya.raman@kicks.example",
        "Source Admin (5), 4 more roles",
        OKTA,
        HAND,
        last=ago(hours=2),
        selected=True,
    ),
    row("Tomás Herrera", "tomas.herrera@kicks.example", "Source Admin (2), 2 more roles", OKTA, last=ago(hours=3)),
    row("Anya Volkova", "anya.volkova@kicks.example", "Source Admin (3), 1 more role", OKTA, last=ago(3)),
    row("Jonas Weber", "jonas.weber@studio-nord.example", "Unify Read-only + Engage User (1)", ENTRA, last=at(12, 11)),
    v.PersonRow(
        "Lucía Ferreiro",
        "lucia.ferreiro@kicks.example",
        "Source Read-only (6)",
        (HAND,),
        status=v.Status("mail", "Invited, expires tomorrow"),
        resend=v.Post("Resend", "/invitations/1/resend", "the invitation of Lucía Ferreiro"),
        revoke_href="/p/confirm",
    ),
    row(
        "Kofi Boateng",
        "kofi.boateng@kicks.example",
        "Source Read-only (6), Function Read-only (1)",
        OKTA,
        HAND,
        last=ago(hours=4),
    ),
    row(
        "Hannah O’Neill",
        "hannah.oneill@kicks.example",
        "Unify Read-only + Engage User (1)",
        OKTA,
        last=at(19, 11),
        status=v.Status("off", "Suspended by Okta"),
    ),
    row(
        "Sven Aaltonen",
        "sven.aaltonen@kicks.example",
        "Minimal Workspace Access",
        v.Source("First sign-in", "first_sign_in"),
        last=at(2, 9),
        access_note="no group gives anything",
    ),
    row(
        "Ibrahim Diallo",
        "ibrahim.diallo@kicks.example",
        "Function Admin (all), PII Access",
        OKTA,
        HAND,
        last=at(30, 12, 2024),
    ),
    row(
        "Łukasz Żółtowski-Wiśniewski",
        "lukasz.zoltowski-wisniewski@studio-nord.example",
        "Minimal Workspace Access",
        ENTRA,
    ),
)
SUMMARY = v.PersonSummary(
    name="Priya Raman",
    email="priya.raman@kicks.example",
    href="/p/person",
    edit_href="/p/person-grants",
    owner=False,
    may_edit=(v.Reach("Sources", "iOS Prod, Android Prod, 3 more"), v.Reach("Tracking plans", "Mobile Events")),
    may_read=(
        v.Reach("Sources", "6, all with environment:prod"),
        v.Reach("Warehouses", "all 2, and future ones"),
        v.Reach("Functions", "Order Enricher"),
    ),
    comes_from=(
        v.Origin(v.Chip("idp", "eng-mobile"), "Okta"),
        v.Origin(v.Chip("idp", "eng-prod"), "Okta"),
        v.Origin(v.Chip("hand", "1 role", "/p/person-grants"), "Marcus Lindqvist"),
    ),
    facts=(
        v.Fact("Signs in by", "Okta (SAML)"),
        v.Fact("Last sign-in", "Chrome on macOS", ago(hours=2)),
        v.Fact("Member since", "pushed by Okta", at(14, 3, 2024)),
    ),
)
FILTERS = (
    v.Choice(
        "membership",
        "Membership",
        (
            v.Option("", "Everyone"),
            v.Option("owner", "Owners (4)"),
            v.Option("member", "Members (308)"),
            v.Option("invited", "Invited (6)"),
        ),
    ),
    v.Choice(
        "from",
        "Where access comes from",
        (
            v.Option("", "From anywhere"),
            v.Option("1", "Okta"),
            v.Option("2", "Studio Nord Entra"),
            v.Option("hand", "Given by hand"),
        ),
    ),
    v.Choice(
        "role",
        "Role",
        (v.Option("", "Any role"), v.Option("source_admin", "Source Admin"), v.Option("pii", "PII Access")),
    ),
)
USERS_PAGE = v.UsersPage(
    access_tabs("Users"),
    "/p/users",
    "",
    FILTERS,
    PEOPLE,
    v.Pager(1, 50, 318, next="/p/users?page=2"),
    SUMMARY,
    "/p/users?format=csv",
    "/p/invite",
)
ONLY_YOU = dataclasses.replace(
    USERS_PAGE,
    tabs=(v.Tab("Users", "/p/users", 1, current=True), *access_tabs("Users")[1:]),
    rows=PEOPLE[:1],
    pager=v.Pager(1, 1, 1),
    summary=None,
    only_you=True,
)
NOBODY = dataclasses.replace(
    USERS_PAGE,
    query="pryia",
    rows=(),
    pager=v.Pager(0, 0, 0),
    summary=None,
    nothing_found=v.NothingFound("Nobody called “pryia”", "/p/users", 2, v.Link("priya", "/p/users?q=priya")),
)

ROLE_SELECT = v.Choice(
    "role",
    "Role",
    (
        v.Option("", "None: see the workspace"),
        v.Option("source_admin", "Source Admin"),
        v.Option("source_read", "Source Read-only", selected=True),
        v.Option("owner", "Workspace Owner"),
    ),
)
SOURCES = tuple(
    v.Option(f"source:{n}", name, selected=n in (0, 1))
    for n, name in enumerate(
        (
            "iOS Prod",
            "Android Prod",
            "Checkout",
            "Orders",
            "Payments Server",
            "Kicks Co Website",
            "iOS Dev",
            "Android Dev",
            "Returns",
            "Store Kiosk",
            "Loyalty",
        )
    )
)
SCOPE = v.ScopePicker(
    all_text="All sources, 11 now and any future one",
    resources=(v.OptionGroup("Sources", SOURCES),),
    labels=(
        v.Option("environment:prod", "environment:prod", help="6 sources"),
        v.Option("environment:dev", "environment:dev", help="4 sources"),
        v.Option("region:eu", "region:eu", help="2 sources"),
    ),
)
INVITE = v.InvitePage(
    crumbs=(ACCESS, USERS),
    action="/invite",
    cancel_href="/p/users",
    emails=v.Field(
        "emails", "Email addresses", kind="textarea", help="One a line, or with commas between. At most 100."
    ),
    role=ROLE_SELECT,
    scope=SCOPE,
    user_groups=v.Choice(
        "user_group",
        "User Groups",
        (
            v.Option("1", "Data Guild", help="Warehouse Read-only"),
            v.Option("2", "On-call", help="Source Admin on every source"),
            v.Option("3", "Mobile Engineering", unavailable="Okta decides who is in it"),
        ),
        help="Whoever joins one gets what it gives.",
    ),
    expires_days=3,
)
INVITE_WRONG = dataclasses.replace(
    INVITE,
    emails=dataclasses.replace(
        INVITE.emails,
        value="paul.adeyemi@kicks.example\nines.duarte@kicks",
        error="ines.duarte@kicks isn’t a whole address. Nobody was invited yet.",
    ),
    scope=dataclasses.replace(SCOPE, chosen="listed", error="Choose at least one source, or all of them."),
)

# ---------- a person ----------

ENG_MOBILE = v.Chip("idp", "eng-mobile")
ENG_PROD = v.Chip("idp", "eng-prod")
RULE_1 = v.Chip("rule", "*-prod", title="The rule takes every IdP group whose name fits *-prod.")
RULE_2 = v.Chip("rule", "eng-*", title="The rule takes every IdP group whose name fits eng-*.")
RULE_3 = v.Chip("rule", "this group", title="The rule takes this IdP group by its name.")
MOBILE_ENG = v.Chip("group", "Mobile Engineering", "/p/user-group")
DATA_GUILD = v.Chip("group", "Data Guild", "/p/user-group-by-hand")


def role(name: str) -> v.Chip:
    """A role that leads to what it gives."""
    return v.Chip("role", name, "/p/roles")


BY_ANYA = v.Path((v.Chip("hand", "Anya Volkova, 6 May"), DATA_GUILD, role("Warehouse Read-only")))
BY_MARCUS = v.Path((v.Chip("hand", "Marcus Lindqvist, 3 Oct"), role("Function Read-only")), "debugging enrichment")
PERMISSIONS = (
    v.PermissionLine(
        "Edit the sources iOS Prod and Android Prod", (v.Path((ENG_MOBILE, RULE_3, MOBILE_ENG, role("Source Admin"))),)
    ),
    v.PermissionLine(
        "Edit the sources Checkout, Orders and Payments Server",
        (v.Path((ENG_PROD, RULE_1, v.Chip("group", "Production Engineering", "/p/user-group"), role("Source Admin"))),),
    ),
    v.PermissionLine(
        "Read 6 sources, all with environment:prod", (v.Path((ENG_PROD, RULE_2, role("Source Read-only"))),)
    ),
    v.PermissionLine(
        "Edit the tracking plan Mobile Events", (v.Path((ENG_MOBILE, RULE_3, MOBILE_ENG, role("Tracking Plan Admin"))),)
    ),
    v.PermissionLine(
        "Read all warehouses, 2 now and any future one",
        (v.Path((ENG_MOBILE, RULE_3, MOBILE_ENG, role("Warehouse Read-only"))), BY_ANYA),
    ),
    v.PermissionLine("Read the function Order Enricher", (BY_MARCUS,)),
)
WHY = v.WhyPanel(
    "/p/person",
    v.Choice(
        "act",
        "Do what",
        (v.Option("edit", "edit", selected=True), v.Option("read", "read"), v.Option("create", "create")),
    ),
    v.Field("resource", "On what", "Kicks Co Website", suggestions=("Kicks Co Website", "iOS Prod")),
    v.WhyAnswer(
        allowed=False,
        title="Priya can read Kicks Co Website, not edit it.",
        text="Reading comes from rule 2. Nothing gives Source Admin there.",
        ways=(
            v.WayToGet(
                "Okta group eng-web",
                "Rule 5 puts its 12 people into Web Engineering, Source Admin on this source. Changed in Okta.",
            ),
            v.WayToGet(
                "User Group On-call", "Source Admin on every source.", v.Link("Open it", "/p/user-group-by-hand")
            ),
            v.WayToGet("A role by hand", "Source Admin on this source only.", v.Link("Give it", "/p/grant-where")),
        ),
    ),
)


def person_tabs(current: str, grants: int = 1, groups: int = 2) -> tuple[v.Tab, ...]:
    """The tabs of a person's page."""
    return (
        v.Tab("Access", "/p/person", current=current == "access"),
        v.Tab("Roles by hand", "/p/person-grants", grants, current=current == "grants"),
        v.Tab("User Groups", "/p/person-groups", groups, current=current == "groups"),
        v.Tab("History", "/p/person-history", current=current == "history"),
    )


ORDER_ENRICHER = v.GrantRow(
    role="Function Read-only",
    text="See functions and their code, and how they ran.",
    scope=(v.Chip("resource", "Order Enricher"),),
    reach="1 of 3 functions",
    given_by="Marcus Lindqvist",
    at=at(3, 10),
    reason="debugging enrichment",
    change_href="/p/grant-where",
    take_href="/p/confirm",
)
PERSON = v.PersonPage(
    name="Priya Raman",
    short_name="Priya",
    email="priya.raman@kicks.example",
    crumbs=(ACCESS, USERS),
    member_since=at(14, 3, 2024),
    status=v.Status("ok", "Active in Okta"),
    tabs=person_tabs("access"),
    tab="access",
    facts=(
        v.Fact("Signs in by", "Okta (SAML)"),
        v.Fact("Account", "password, since 2 Sep 2025"),
        v.Fact("Last sign-in", "Chrome on macOS", ago(hours=2)),
    ),
    permissions=PERMISSIONS,
    totals="6 permissions by 7 paths. Each path alone is enough.",
    why=WHY,
    give_href="/p/grant-role",
    remove_href="/p/person-remove",
)
PERSON_GRANTS = dataclasses.replace(PERSON, tab="grants", tabs=person_tabs("grants"), grants=(ORDER_ENRICHER,))
PERSON_GROUPS = dataclasses.replace(
    PERSON,
    tab="groups",
    tabs=person_tabs("groups"),
    groups=(
        v.InGroupRow("Data Guild", "/p/user-group-by-hand", (v.Chip("hand", "by hand"),), "/p/confirm"),
        v.InGroupRow("Mobile Engineering", "/p/user-group", (ENG_MOBILE,)),
    ),
)
PERSON_HISTORY = dataclasses.replace(
    PERSON,
    tab="history",
    tabs=person_tabs("history"),
    history=v.History(
        rows=(
            v.AccessChange(
                at(3, 10),
                (v.ChangeLine(True, "Read the function Order Enricher"),),
                ("Marcus Lindqvist gave the role Function Read-only on function:enricher",),
                "/p/why-yes",
            ),
            v.AccessChange(
                at(18, 9),
                (
                    v.ChangeLine(False, "Edit the source Kicks Co Website"),
                    v.ChangeLine(False, "Source Admin on Checkout, by its labels"),
                ),
                ("Okta took Priya Raman out of the IdP group eng-web", "Mei Tanaka set the labels of source:checkout"),
                "/p/why-yes",
                lines_left=2,
                how_left=7,
            ),
        ),
        older_href="/p/person-history",
        begins="",
    ),
)
PERSON_NO_HISTORY = dataclasses.replace(
    PERSON_HISTORY,
    history=v.History(
        (), about="Kicks Co Website", whole_href="/p/person-history", begins="What was before 24 Aug 2025 is not known."
    ),
)
PERSON_NO_GROUPS = dataclasses.replace(PERSON_GROUPS, tabs=person_tabs("groups", groups=0), groups=())
PERSON_NO_GRANTS = dataclasses.replace(PERSON_GRANTS, tabs=person_tabs("grants", grants=0), grants=())
LAST_OWNER = dataclasses.replace(
    PERSON,
    name="Marcus Lindqvist",
    short_name="Marcus",
    email="marcus@kicks.example",
    status=v.Status("ok", "Active"),
    permissions=(
        v.PermissionLine(
            "Do everything in this workspace",
            (v.Path((v.Chip("hand", "bridge workspace create, 14 Mar 2024"), role("Workspace Owner"))),),
        ),
    ),
    totals="1 permission by 1 path.",
    remove_href=None,
    remove_locked="Marcus Lindqvist is the last owner who can sign in without Okta. "
    "Make somebody else an owner by hand first.",
    notes=(v.Note("info", "This is you", "What you take from yourself here, only another owner can give back."),),
    why=dataclasses.replace(
        WHY,
        answer=v.WhyAnswer(
            True,
            "Marcus can edit Kicks Co Website.",
            "An owner can.",
            (v.Path((v.Chip("hand", "14 Mar 2024"), role("Workspace Owner"))),),
        ),
    ),
)
NOTHING_BUT_MEMBER = dataclasses.replace(
    PERSON,
    name="Sven Aaltonen",
    short_name="Sven",
    email="sven.aaltonen@kicks.example",
    permissions=(),
    status=v.Status("off", "Suspended by Okta"),
    nothing=("May do nothing at the moment", "Okta holds Sven Aaltonen out."),
    notes=(
        v.Note(
            "warn",
            "Okta has deactivated Sven Aaltonen",
            "Nothing works until Okta activates the account again; roles given by hand then come back.",
        ),
    ),
    why=dataclasses.replace(
        WHY,
        answer=None,
        resource=dataclasses.replace(WHY.resource, value="Web site"),
        problem="No resource is called “Web site”. Kicks Co Website is nearest.",
    ),
)
MANY_PATHS = dataclasses.replace(
    PERSON,
    permissions=(
        v.PermissionLine(
            "Edit all sources, 11 now and any future one",
            tuple(
                v.Path((v.Chip("idp", f"eng-{n}"), v.Chip("rule", f"eng-{n}*"), MOBILE_ENG, role("Source Admin")))
                for n in range(1, 13)
            ),
        ),
    ),
    totals="1 permission by 12 paths. Each path alone is enough.",
)
REMOVE = v.RemovePersonPage(
    name="Priya Raman",
    email="priya.raman@kicks.example",
    crumbs=(ACCESS, USERS, PRIYA),
    person_href="/p/person",
    action="/people/1/remove",
    button="Remove Priya Raman: loses 6 permissions",
    keep="Keep Priya Raman",
    consequences=(
        v.Consequence("lose", "6 permissions by 7 paths, at once; 2 sessions end with the next request"),
        v.Consequence("lose", "1 role given by hand, for good"),
        v.Consequence("keep", "The account stays, and so does what Priya may do in other workspaces"),
        v.Consequence("remember", "Okta can’t bring Priya back by itself; an owner can, by an invitation"),
    ),
    loses=PERMISSIONS,
    tokens=("Terraform CI, used 2 hours ago: its next call is refused. An owner can take it over with a new secret.",),
    note=v.Note(
        "idp", "Okta still pushes Priya Raman", "Deactivate the account in Okta too, or it stays listed there."
    ),
)
CONFIRM = v.ConfirmPage(
    title="Revoke “Okta provisioning, 2024”?",
    crumbs=(ACCESS, TOKENS),
    action="/tokens/2/revoke",
    button="Revoke: Okta stops pushing",
    consequences=(
        v.Consequence("lose", "Okta’s next call is refused: nobody new arrives, nobody who leaves is removed"),
        v.Consequence("keep", "People keep the access they have now"),
        v.Consequence("remember", "It can’t be undone; another token can be made at any time"),
    ),
    cancel_href="/p/tokens",
    text="SCIM token of the connection Okta, last used today 10:41.",
)
ALL_ROLES = (
    v.OptionGroup(
        "The workspace",
        (
            v.Option("owner", "Workspace Owner", help="Everything, the other owners included."),
            v.Option("identity", "Identity Admin", help="Identity resolution settings of every space."),
            v.Option(
                "pii",
                "PII Access",
                help="Shows personal data inside what they already reach. Never widens what they reach.",
            ),
        ),
    ),
    v.OptionGroup(
        "Sources",
        (
            v.Option(
                "source_admin",
                "Source Admin",
                True,
                "Edit the source, its settings, destinations and schema; see live events.",
            ),
            v.Option("source_read", "Source Read-only", help="See the source, its settings, destinations and schema."),
        ),
    ),
    v.OptionGroup(
        "Warehouses",
        (
            v.Option(
                "warehouse_admin",
                "Warehouse Admin",
                help="Edit warehouses and their settings.",
                unavailable="Needs the business plan",
            ),
            v.Option("warehouse_read", "Warehouse Read-only", help="See warehouses and their settings."),
        ),
    ),
)
GRANT_ROLE = v.GrantPage(
    "Give Priya Raman a role", (ACCESS, USERS, PRIYA), "/p/person-grants", "/p/grant-where", roles=ALL_ROLES
)
GRANT_WHERE = v.GrantPage(
    "Give Priya Raman a role",
    (ACCESS, USERS, PRIYA),
    "/p/person-grants",
    "/grants",
    role=ALL_ROLES[1].options[0],
    other_role_href="/p/grant-role",
    scope=dataclasses.replace(SCOPE, chosen="listed"),
    reason=v.Field("reason", "Why", required=False, help="Shown beside the role, and kept in the audit trail."),
)
GRANT_LABELS = dataclasses.replace(
    GRANT_WHERE,
    title="Change where Source Admin applies",
    button="",
    scope=dataclasses.replace(SCOPE, chosen="labels", error="Choose at least one label."),
    other_role_href=None,
    reason=None,
    panel=v.PreviewPanel("If you save this", waiting="Choose at least one label."),
)

# ---------- User Groups ----------

GROUP_ROWS = (
    v.UserGroupRow(
        "Mobile Engineering",
        "/p/user-group",
        31,
        "Source Admin (2), Tracking Plan Admin (1), Warehouse Read-only (all)",
        (ENG_MOBILE,),
    ),
    v.UserGroupRow("Production Engineering", "/p/user-group", 58, "Source Admin (3)", (ENG_PROD,)),
    v.UserGroupRow("Data Guild", "/p/user-group-by-hand", 9, "Warehouse Read-only (all)", by_hand=True),
    v.UserGroupRow(
        "Analytics",
        "/p/user-group",
        1_312,
        "Source Read-only with environment:prod",
        (v.Chip("idp", "analytics-eu"), v.Chip("idp", "analytics-us")),
        by_hand=True,
    ),
    v.UserGroupRow(
        "Contractors (Entra)",
        "/p/user-group-gone",
        0,
        "Source Read-only (1)",
        status=v.Status("warn", "Its IdP group is gone"),
    ),
)
GROUPS_PAGE = v.UserGroupsPage(
    access_tabs("User Groups"),
    "/p/user-groups",
    "",
    (),
    GROUP_ROWS,
    v.Pager(1, 5, 23, next="/p/user-groups?page=2"),
    "/p/user-group-new",
)
NO_GROUPS = dataclasses.replace(GROUPS_PAGE, rows=(), pager=v.Pager(0, 0, 0), none_yet=True)


def member(name: str, email: str, by: v.Chip, **more: Any) -> v.MemberRow:
    """A line of a User Group's members."""
    return v.MemberRow(name, email, "/p/person", by, **more)


SET_IN_OKTA: dict[str, Any] = {"locked": "set in Okta", "since": at(6, 5)}
MOBILE_PEOPLE = (
    member("Priya Raman", "priya.raman@kicks.example", ENG_MOBILE, **SET_IN_OKTA),
    member("Tomás Herrera", "tomas.herrera@kicks.example", ENG_MOBILE, **SET_IN_OKTA),
    member("Zoë Martin", "zoe.martin@kicks.example", ENG_MOBILE, **SET_IN_OKTA),
    member("Femi Balogun", "femi.balogun@kicks.example", ENG_MOBILE, **SET_IN_OKTA),
)
SOURCE_ADMIN = v.GrantRow(
    "Source Admin",
    "Edit the source, its settings, destinations and schema; see live events.",
    (v.Chip("resource", "iOS Prod"), v.Chip("resource", "Android Prod")),
    "2 of 11 sources",
    "Mei Tanaka",
    at(14, 3, 2024),
    change_href="/p/grant-where",
    take_href="/p/confirm",
)
WAREHOUSES = v.GrantRow(
    "Warehouse Read-only",
    "See warehouses and their settings.",
    (),
    "all 2, and future ones",
    "Mei Tanaka",
    at(6, 5),
    change_href="/p/grant-where",
    take_href="/p/confirm",
)
MINIMAL = v.GrantRow(
    "Minimal Workspace Access",
    "See the workspace, and no resource of it.",
    (),
    "the workspace",
    "rule 3",
    at(6, 5),
    locked="comes with the mirrored group",
)
USER_GROUP = v.UserGroupPage(
    name="Mobile Engineering",
    members=31,
    summary="Roles are set here; who is a member is set in Okta.",
    crumbs=(ACCESS, GROUPS),
    tabs=(v.Tab("Roles", "/p/user-group", 3, current=True), v.Tab("Members", "/p/user-group-members", 31)),
    tab="roles",
    deciders=v.Deciders(
        "idp",
        "Okta decides who is in this User Group",
        "Its members are the people of the Okta group eng-mobile. To add or remove somebody, change eng-mobile in "
        "Okta; it arrives here within a minute. Last push today 10:41, accepted.",
        (v.Path((ENG_MOBILE, RULE_3, v.Chip("group", "Mobile Engineering"))),),
    ),
    may_edit=(v.Reach("Sources", "iOS Prod, Android Prod"), v.Reach("Tracking plans", "Mobile Events")),
    may_read=(v.Reach("Warehouses", "all 2, and future ones"),),
    grants=(SOURCE_ADMIN, WAREHOUSES, MINIMAL),
    give_href="/p/grant-role",
    delete_locked="Rule 3 fills this User Group. Change the rule first.",
    first_members=MOBILE_PEOPLE,
    members_href="/p/user-group-members",
)
MEMBERS = dataclasses.replace(
    USER_GROUP,
    tab="members",
    tabs=(v.Tab("Roles", "/p/user-group", 3), v.Tab("Members", "/p/user-group-members", 31, current=True)),
    action="/p/user-group-members",
    rows=MOBILE_PEOPLE,
    pager=v.Pager(1, 4, 31, next="/p/user-group-members?page=2"),
)
GUILD = dataclasses.replace(
    USER_GROUP,
    name="Data Guild",
    members=9,
    summary="Roles and members are set here.",
    deciders=v.Deciders(
        "plain",
        "You decide who is in this User Group",
        "No IdP changes it: people stay until somebody removes them here.",
    ),
    may_edit=(),
    grants=(WAREHOUSES,),
    tabs=(v.Tab("Roles", "/p/user-group-by-hand", 1), v.Tab("Members", "/p/user-group-by-hand", 9, current=True)),
    tab="members",
    action="/p/user-group-by-hand",
    rows=(
        member(
            "Priya Raman",
            "priya.raman@kicks.example",
            v.Chip("hand", "Anya Volkova"),
            since=at(6, 5),
            remove_href="/p/confirm",
        ),
        member(
            "Kofi Boateng",
            "kofi.boateng@kicks.example",
            v.Chip("hand", "Mei Tanaka"),
            since=ago(1),
            remove_href="/p/confirm",
        ),
    ),
    pager=v.Pager(1, 2, 2),
    add=v.Field(
        "email",
        "Add a member by email",
        kind="email",
        error="anya@kicks.example isn’t a member of demo-ecommerce. Invite this person first.",
        value="anya@kicks.example",
    ),
    add_action="/groups/2/members",
    rename_href="/p/user-group-rename",
    delete_href="/p/confirm",
    delete_locked=None,
)
GONE = dataclasses.replace(
    GUILD,
    name="Contractors (Entra)",
    members=0,
    summary="It stays because roles were given to it by hand.",
    deciders=v.Deciders(
        "warn",
        "Its IdP group is gone",
        "Entra deleted the group on 3 Nov, and its 14 people left with it. Give the User Group "
        "other members, or delete it.",
    ),
    grants=(),
    may_read=(),
    tabs=(v.Tab("Roles", "/p/user-group-gone", 0, current=True), v.Tab("Members", "/p/user-group-gone", 0)),
    tab="roles",
    first_members=(),
)
EMPTY_GROUP = dataclasses.replace(
    GONE, tab="members", rows=(), add=v.Field("email", "Add a member by email", kind="email")
)
GROUP_FORM = v.UserGroupFormPage(
    title="Create a User Group",
    text="Everyone in it gets the roles that you give it on the next page.",
    crumbs=(ACCESS, GROUPS),
    action="/groups",
    cancel_href="/p/user-groups",
    name=v.Field(
        "name",
        "Name",
        "Data Guild",
        error="There is a User Group of this name already. Take another, or open that one.",
    ),
    members=v.Field(
        "members",
        "First members",
        kind="textarea",
        required=False,
        help="Emails of people in this workspace, one a line.",
    ),
)
RENAME = dataclasses.replace(
    GROUP_FORM,
    title="Rename Data Guild",
    text="Nobody’s access changes.",
    crumbs=(ACCESS, GROUPS, v.Link("Data Guild", "/p/user-group-by-hand")),
    name=v.Field("name", "Name", "Data Guild"),
    members=None,
    button="Rename",
)

# ---------- Tokens and roles ----------

TOKEN_ROWS = (
    v.TokenRow("Terraform CI", None, "api", "Workspace Owner", None, at(21, 11, 2026), "/p/tokens?selected=1"),
    v.TokenRow(
        "Okta provisioning, 2024",
        None,
        "scim",
        "Okta pushes people and groups",
        ago(hours=0.1),
        at(30, 11),
        "/p/tokens?selected=2",
        True,
    ),
    v.TokenRow(
        "Entra provisioning",
        None,
        "scim",
        "Entra pushes people and groups",
        ago(hours=0.6),
        at(4, 3, 2026),
        "/p/tokens?selected=3",
    ),
    v.TokenRow(
        "Tag audit script",
        None,
        "api",
        "Source Read-only (all), Tracking Plan Read-only (all)",
        ago(1),
        None,
        "/p/tokens?selected=4",
    ),
    v.TokenRow(
        "Warehouse loader", None, "api", "Warehouse Admin (1)", ago(hours=2), at(1, 2, 2026), "/p/tokens?selected=5"
    ),
    v.TokenRow(
        "Old Okta import", None, "scim", "Okta pushed people and groups", at(14, 8), at(14, 9), "/p/tokens?selected=6"
    ),
    v.TokenRow(
        "Sandbox tests",
        "stopped: Sven Aaltonen is no active member",
        "api",
        "Source Admin with environment:dev",
        at(11, 11),
        at(31, 12),
        "/p/tokens?selected=7",
    ),
)
TOKENS_PAGE = v.TokensPage(
    tabs=access_tabs("Tokens"),
    action="/p/tokens",
    query="",
    filters=(
        v.Choice(
            "kind",
            "Kind",
            (v.Option("", "Both kinds"), v.Option("api", "Public API (4)"), v.Option("scim", "SCIM (3)")),
        ),
    ),
    rows=TOKEN_ROWS,
    pager=v.Pager(1, 7, 7),
    summary=v.TokenSummary(
        name="Okta provisioning, 2024",
        text="SCIM token of the connection Okta",
        facts=(
            v.Fact("Created", "by Mei Tanaka", at(30, 11, 2024)),
            v.Fact("Last used", "from 52.19.4.211", ago(hours=0.3)),
        ),
        stops="Okta’s next call is refused. People keep the access they have now.",
        note=v.Note(
            "warn",
            "Expires in 9 days",
            "After 30 Nov 2025 Okta can’t push: nobody new arrives, nobody who leaves is removed. "
            "Make a second token, paste it into Okta, then revoke this one. Both work meanwhile.",
        ),
        second_href="/p/token-new-scim",
        revoke_href="/p/confirm",
    ),
    create_href="/p/token-new",
)
TOKEN_MADE = dataclasses.replace(
    TOKENS_PAGE,
    new=v.NewToken(
        "Terraform CI",
        "bpat_7Qk2wLr9XfE4nTzV0sHcYd3uPbMg8aJi",
        "/p/tokens",
        "https://bridge.example.com/api",
        "The address that it opens:",
    ),
)
NO_TOKENS = dataclasses.replace(TOKENS_PAGE, rows=(), pager=v.Pager(0, 0, 0), summary=None, none_yet=True)


def token_kinds(current: str) -> tuple[v.Tab, ...]:
    """The two kinds of token as tabs."""
    return (
        v.Tab("Public API token", "/p/token-new", current=current == "api"),
        v.Tab("SCIM token", "/p/token-new-scim", current=current == "scim"),
    )


EXPIRES = v.Choice(
    "expires",
    "Ends",
    (v.Option("90", "after 90 days"), v.Option("365", "after a year", selected=True), v.Option("", "never")),
)
TOKEN_NAME = v.Field("name", "Name", help="Who or what uses it, so that others know what stops when it is revoked.")
TOKEN_API = v.TokenFormPage(
    token_kinds("api"), (ACCESS, TOKENS), "api", "/tokens", "/p/tokens", TOKEN_NAME, EXPIRES, ROLE_SELECT, SCOPE
)
TOKEN_SCIM = v.TokenFormPage(
    token_kinds("scim"),
    (ACCESS, TOKENS),
    "scim",
    "/tokens",
    "/p/tokens",
    TOKEN_NAME,
    EXPIRES,
    connection=v.Choice("connection", "Connection", (v.Option("1", "Okta"), v.Option("2", "Studio Nord Entra"))),
)
TOKEN_NO_CONNECTION = dataclasses.replace(TOKEN_SCIM, connection=None)
ROLES = v.RolesPage(
    access_tabs("Roles"),
    (
        v.RoleArea(
            "The workspace",
            (
                v.RoleCard(
                    "Workspace Owner",
                    "Everything in the workspace.",
                    ("Edit every resource, of every kind", "Invite, remove and give roles", "Make tokens"),
                    "the few who answer for the workspace",
                    "the whole workspace",
                    4,
                    "/p/users?role=owner",
                ),
                v.RoleCard(
                    "Minimal Workspace Access",
                    "Sees the workspace, and no resource of it.",
                    ("See the workspace’s name and members",),
                    "people who wait for a role",
                    "the whole workspace",
                    312,
                ),
                v.RoleCard(
                    "PII Access",
                    "Shows personal data inside resources that one already reaches.",
                    ("Unmask personal data", "Never widens what one reaches"),
                    "support and privacy teams",
                    "all, or with labels such as environment:prod",
                    7,
                ),
            ),
        ),
        v.RoleArea(
            "Sources",
            (
                v.RoleCard(
                    "Source Admin",
                    "Edit the source, its settings, destinations and schema.",
                    ("Edit sources", "See live events", "Create sources, when given on all"),
                    "engineers who own what is sent",
                    "all sources, listed ones, or those with certain labels",
                    93,
                    "/p/users?role=source_admin",
                ),
                v.RoleCard(
                    "Source Read-only",
                    "See the source, its settings, destinations and schema.",
                    ("Read sources",),
                    "those who build on the events",
                    "all sources, listed ones, or those with certain labels",
                    164,
                    plan_note="Gives nothing on the team plan",
                ),
            ),
        ),
    ),
)

NOTICES = (v.Note("ok", "Jonas Weber was removed", "Lost 2 permissions; the account and other workspaces stay."),)

# ---------- the SCIM log ----------

SCIM_REQUEST = """{
  "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
  "Operations": [
    {
      "op": "remove",
      "path": "members[value eq \\"2f0c7a1e-63a1-4d0e-9a1e-0c9d5a4f7b21\\"] and something that makes this line wide",
      "password": "[blacked out]"
    }
  ]
}"""


def call(
    minutes: float, outcome: Any, sentence: str, told: str, *, by: str = "Okta", opened: v.OpenedRequest | None = None
) -> v.RequestRow:
    """One SCIM call of the story."""
    status, href = v.Status("bad", "Refused"), "/p/scim-log#open" if opened is None else "/p/scim-log"
    return v.RequestRow(ago(hours=minutes / 60), sentence, outcome, status, told, by, href, opened)


SCIM_OPENED = v.OpenedRequest(
    facts=(
        v.Fact("Call", "PATCH /Groups/4b0c6a52-7c0e-4f0e-8a53-2f4f2b6c9d10?excludedAttributes=members"),
        v.Fact("Answered", "204", ago(hours=0.1)),
        v.Fact("Connection", "Okta"),
    ),
    request=SCIM_REQUEST,
    answer="",
)
SCIM_ROWS = (
    call(
        6,
        "changed",
        "Okta removed Tomás Herrera from eng-mobile; Source Admin on iOS Prod is lost.",
        "PATCH, answered 204",
        opened=SCIM_OPENED,
    ),
    call(
        7,
        "read",
        'Okta looked for people with userName eq "tomas.herrera@kicks.example": found 1.',
        "GET, answered 200",
    ),
    call(
        40,
        "refused",
        "Entra couldn’t add Nia Okafor: A user with userName 'nia.okafor@kicks.example' exists already in this "
        "connection.",
        "POST, answered 409",
        by="Entra",
    ),
    call(
        60 * 26,
        "unchanged",
        "Okta sent what the bridge knew already of eng-web: nothing changed.",
        "PATCH, answered 204",
    ),
)
SCIM_LOG = v.ScimLogPage(
    action="/p/scim-log",
    query="",
    filters=(
        v.Choice("connection", "Connection", (v.Option("", "Every connection"), v.Option("1", "Okta"))),
        v.Choice("outcome", "Outcome", (v.Option("", "Every call"), v.Option("refused", "Refused"))),
    ),
    rows=SCIM_ROWS,
    days=30,
    token_href="/p/token-new-scim",
    older_href="/p/scim-log?before=1",
)
SCIM_LOG_NONE = dataclasses.replace(SCIM_LOG, rows=(), older_href=None, none_yet=True)
SCIM_LOG_NOTHING = dataclasses.replace(
    SCIM_LOG,
    query="zoe",
    rows=(),
    older_href=None,
    newest_href="/p/scim-log",
    nothing_found=v.NothingFound("No call about “zoe”", "/p/scim-log", 1),
)

ROUTE = v.Choice(
    "connection",
    "Its people sign in with",
    (v.Option("", "Any connection", selected=True), v.Option("1", "Okta")),
)
TOKEN_OF_DOMAIN = "3q8mXkz0R5yT1uWvB7nCj4hLp9sDfGa2"
DOMAIN_PANEL = v.DomainPanel(
    name="kicks.example",
    facts=(v.Fact("Token good until", at=NOW + timedelta(days=9)),),
    verify_action="/domains/kicks.example/verify",
    record_name="_bridge-challenge.kicks.example",
    token=TOKEN_OF_DOMAIN,
    meta_tag=f'<meta name="bridge-domain-verification" content="{TOKEN_OF_DOMAIN}">',
    route=dataclasses.replace(ROUTE, name="route_to"),
    route_action="/domains/kicks.example/route",
    remove_href="/p/confirm",
    proved=False,
    note=v.Note(
        "info",
        "Not found yet",
        "There is no name _bridge-challenge.kicks.example in DNS. And the site’s root page has no such tag.",
    ),
)
DOMAINS = v.DomainsPage(
    action="/domains",
    rows=(
        v.DomainRow("kicks.co.uk", v.Status("warn", "Proof is missing"), "Okta", NOW, "/p/domains-missing"),
        v.DomainRow(
            "kicks.example",
            v.Status("off", "Not proved"),
            "A password, until it is proved",
            NOW,
            "/p/domains",
            selected=True,
        ),
        v.DomainRow("köln.example (xn--kln-sna.example)", v.Status("ok", "Proved"), "Okta", NOW, "/p/domains"),
        v.DomainRow(
            "old.example", v.Status("bad", "Token ran out"), "A password, until it is proved", None, "/p/domains-over"
        ),
    ),
    field=v.Field("domain", "Domain", help="The part behind the @."),
    route=ROUTE,
    panel=DOMAIN_PANEL,
)
DOMAINS_MISSING = dataclasses.replace(
    DOMAINS,
    panel=dataclasses.replace(
        DOMAIN_PANEL,
        name="kicks.co.uk",
        proved=True,
        facts=(v.Fact("Proved", "by its DNS record", NOW - timedelta(days=80)), v.Fact("Last found", at=NOW)),
        note=v.Note("warn", "The proof is missing", "There is no such name. Put it back by 4 Dec, or it isn’t proved."),
    ),
)
DOMAINS_OVER = dataclasses.replace(
    DOMAINS,
    panel=dataclasses.replace(
        DOMAIN_PANEL,
        name="old.example",
        note=v.Note("bad", "The token ran out", "Get a new one, and put it in the place of the old one."),
        renew=("/domains", "old.example"),
    ),
)
NO_DOMAINS = dataclasses.replace(
    DOMAINS,
    rows=(),
    panel=None,
    field=dataclasses.replace(DOMAINS.field, value="co.uk", error="Under co.uk everybody can register a name."),
)
SECURITY = v.SecurityPage(
    status=v.Status("off", "Off"),
    says="People may come in by single sign-on and by their own login. On, only single sign-on opens this workspace.",
    came=281,
    pushed=12,
    kept_out=19,
    without=(("Amira Haddad", "amira.haddad@kicks.example"), ("Marcus Lindqvist", "marcus@kicks.example")),
    exempt=(
        v.ExemptRow("Zoe Park", "zoe.park@agency.example", v.Status("ok", "Counts"), v.Link("End…", "/p/confirm")),
        v.ExemptRow(
            "Li Wei",
            "li.wei@agency.example",
            v.Status("warn", "No second factor: doesn’t count"),
            v.Link("End…", "/p/confirm"),
        ),
    ),
    exempt_field=v.Field("email", "Email of a member", kind="email", help="A member with a second factor."),
    exempt_action="/security/exemptions",
    hipaa=v.Status("off", "Off"),
    hipaa_switch=v.Link("Close it when unused…", "/p/confirm"),
    owners=(
        v.GlassRow(
            "Marcus Lindqvist",
            "marcus@kicks.example",
            4,
            replace=v.Link("Replace…", "/p/confirm"),
            revoke=v.Link("Revoke…", "/p/confirm"),
        ),
        v.GlassRow(
            "Mei Tanaka",
            "mei.tanaka@kicks.example",
            0,
            v.Post("Make five new codes", "/c", "for Mei"),
            note="has no password: a code alone opens nothing",
        ),
    ),
    uses_href="/p/sign-in-log",
    factor=v.FactorCard(
        v.Status("off", "Off"),
        2,
        (("Sam Ortiz", "sam@kicks.example"),),
        v.Link("Ask for it…", "/p/confirm"),
        "Taken, at the address of the account",
        "/w/demo/security/mailed-codes",
        "Refuse codes by mail",
        "yes",
    ),
    switch=v.Link("Switch it on…", "/p/confirm", primary=True),
)
SECURITY_ON = dataclasses.replace(
    SECURITY,
    status=v.Status("ok", "On"),
    says="People come in by single sign-on alone.",
    exempt=(),
    switch=v.Link("Switch it off…", "/p/confirm"),
    new=v.NewGlassCodes(
        "Marcus Lindqvist",
        ("k7m2-9xqp-4rst-8wzn-c", "b3fh-66kd-mm2p-t9vx-7", "wz4q-8nsr-2cjy-7kbd-m"),
        "/p/security",
    ),
)
SECURITY_NOT_BY_SSO = dataclasses.replace(
    SECURITY,
    switch=None,
    switch_note=v.Note(
        "info", "Sign in by single sign-on to switch it on", "Only an owner whose session came by it can."
    ),
)
BREAK_GLASS = v.BreakGlassPage(
    workspace="Kicks Co",
    email="marcus@kicks.example",
    action="/w/kicks/break-glass",
    sign_in_href="/p/login",
    cancel_href="/p/workspaces",
    field=v.Field("code", "Break-glass code", help="Seventeen letters and digits.", error="This code is wrong."),
)
BREAK_GLASS_STALE = dataclasses.replace(BREAK_GLASS, field=None)

# ---------- the sign-in log ----------


def attempt_row(who: str, hours: float, refused: str | None = None, how: str = "Okta", times: int = 1) -> v.AttemptRow:
    """A line of the list."""
    status = v.Status("bad", f"Refused: {refused}") if refused else v.Status("ok", "Signed in")
    return v.AttemptRow(who, ago(hours=hours), status, how, "/p/sign-in-attempt", times)


_AUDIENCE = "Okta’s answer was meant for somebody else"
SIGN_IN_FILTERS = (
    v.Choice("outcome", "Outcome", (v.Option("", "Every attempt", selected=True), v.Option("refused", "Refused"))),
    v.Choice("connection", "Connection", (v.Option("", "Every way in", selected=True), v.Option("1", "Okta"))),
    v.Choice("since", "Time", (v.Option("", "At any time", selected=True), v.Option("day", "In the last day"))),
)
SIGN_IN_LOG = v.SignInLogPage(
    action="/p/sign-in-log",
    query="",
    filters=SIGN_IN_FILTERS,
    rows=(
        attempt_row("ana.costa@kicks.example", 0.1, _AUDIENCE),
        attempt_row("jonas.weber@studio-nord.example", 0.2, how="Entra ID"),
        attempt_row("unknown", 3, "What arrived isn’t a SAML response that can be read", times=1312),
        attempt_row("marcus@kicks.example", 26, how="Password"),
        attempt_row("a.very.long.address.of.somebody.with.many.names@subsidiary.kicks.example", 50, _AUDIENCE),
    ),
    days=90,
    older_href="/p/sign-in-log?before=1",
)
SIGN_IN_LOG_NONE = v.SignInLogPage("/p/sign-in-log", "", SIGN_IN_FILTERS, (), 90, none_yet=True)
SIGN_IN_LOG_NOTHING = v.SignInLogPage(
    "/p/sign-in-log",
    "zoe",
    SIGN_IN_FILTERS,
    (),
    90,
    nothing_found=v.NothingFound("No attempt of “zoe”", "/p/sign-in-log", 1),
)
TRACE = (
    v.TraceStep("ok", "We sent them to Okta", "", "10:57:51.204"),
    v.TraceStep("ok", "Okta sent them back", "By POST.", "10:57:58.310"),
    v.TraceStep("ok", "The answer has the shape of one", "6,132 characters; a SAML response that hides nothing."),
    v.TraceStep(
        "ok",
        "The signature is good",
        "Assertion signed, rsa-sha256, certificate A3:1F:00:5E:77:12:9B:C4…, valid until 2034-06-04.",
        "10:57:58.312",
    ),
)
_MESSAGE = """<samlp:Response Destination="https://bridge.example.com/saml/8fk2q/acs">
  <saml:Assertion ID="id30418" IssueInstant="2025-11-21T10:58:03Z">
    <saml:Issuer>http://www.okta.com/exk1f2mno</saml:Issuer>
    <ds:SignatureValue>[left out: 344 characters]</ds:SignatureValue>
    <saml:Audience>https://bridge.example.com/saml/8fk2q/metadata/</saml:Audience>
  </saml:Assertion>
</samlp:Response>"""
REFUSED_ATTEMPT = v.AttemptCard(
    title="ana.costa@kicks.example couldn’t sign in",
    about="21 Nov 2025, 10:58 UTC · Okta (SAML) · Mozilla/5.0 (Windows NT 10.0; Win64) Firefox/145.0 · 81.84.12.7",
    ref="7F3K-92QX",
    status=v.Status("bad", "Refused"),
    explanation=v.Note(
        "bad",
        _AUDIENCE,
        "The answer was meant for “https://bridge.example.com/saml/8fk2q/metadata/”; we are “https://bridge.example.com/"
        "saml/8fk2q/metadata”. 4 attempts through this connection ended so since today 10:44.",
    ),
    steps=(
        *TRACE,
        v.TraceStep("bad", _AUDIENCE, "Refused by the check audience-is-ours."),
        v.TraceStep("off", "Not reached: whom it names, its times, email and groups, the account, the session"),
    ),
    fix=v.Fix(
        "What to change in Okta",
        "Set the audience (entity ID) to ours, exactly: mind a slash at the end.",
        "Applications › Applications › your application › General › SAML Settings › Edit › Audience URI",
        "https://bridge.example.com/saml/0d3f1b6e-4a57-4f1e-9c3f-6b9d1e2a7c55/metadata",
        "Connect Okta",
    ),
    message=_MESSAGE,
)
SIGN_IN_ATTEMPT = v.AttemptPage(
    REFUSED_ATTEMPT, (v.Link("Sign-in log", "/p/sign-in-log"),), v.Post("Test this connection", "/p/sign-in-log")
)
TEST_PASSED = dataclasses.replace(
    REFUSED_ATTEMPT,
    title="Test of Okta",
    status=v.Status("ok", "Test passed"),
    explanation=v.Note("ok", "The test went all the way", "Nobody was signed in, and nothing was changed."),
    fix=None,
    steps=(
        *TRACE,
        v.TraceStep("warn", "Groups are missing", "2 of the groups have a name that is too long; they don’t count."),
        v.TraceStep("ok", "Signed in: nobody, this was a test"),
    ),
    would=v.WouldBox(
        "What Okta said",
        (
            v.Fact("Subject", "00u4f8w2kQ"),
            v.Fact("Email", "mei.tanaka@kicks.example"),
            v.Fact("Groups", "workspace-admins, eng-prod"),
        ),
        (v.Fact("Account", "mei.tanaka@kicks.example, whom Okta pushes."), v.Fact("Membership", "A member already.")),
        ("eng-prod: eng-* → Engineering",),
        ("Source Admin, on label:environment:prod",),
    ),
)
TEST_RESULT = v.TestResultPage(TEST_PASSED, "Okta", "/p/sign-in-attempt", "/p/sign-in-log")
CONNECTION_TEST = v.TestConnectionPage("Okta", False, "/p/sign-in-log", (v.Link("Sign-in log", "/p/sign-in-log"),))

ON_SESSIONS = dataclasses.replace(
    ACCOUNT_FRAME, tabs=(v.Tab("Account", "/p/login"), v.Tab("Sessions", "/p/own-sessions", current=True))
)
OWN_SESSIONS = v.OwnSessionsPage(
    rows=(
        v.OwnSessionRow(
            "Firefox on macOS", "203.0.113.24", ("Okta", "Password and authenticator app"), ago(2), NOW, ago(-5), True
        ),
        v.OwnSessionRow(
            "Chrome on Android",
            "2001:db8:4c21:77::1f",
            ("Okta",),
            ago(1),
            ago(0, 3),
            ago(-6),
            False,
            v.Post("End it", "/account/sessions/2/end", "the session of Chrome on Android"),
        ),
    ),
    others=1,
    end_others_action="/account/sessions/end-others",
    end_all_action="/logout",
)

# ---------- access requests ----------

_ASKED = v.AskedRow(
    name="Lucía Ferreiro",
    email="lucia.ferreiro@kicks.example",
    asks="get Source Admin on Website",
    message="I look after the events of the new shop, and have to change its schema before Friday.",
    at=NOW - timedelta(hours=3),
)
_LONG_ASK = dataclasses.replace(
    _ASKED,
    name="Maximiliane-Theodora von Hohenstaufen-Württemberg",
    asks="get Unify Read-only + Engage User on " + "customer-profiles-of-all-brands-and-regions-" * 3,
    message="w" * 200,
    at=NOW - timedelta(days=9),
)
ON_REQUESTS = dataclasses.replace(
    FRAME,
    nav=(
        v.NavSection(
            "People",
            (
                v.NavItem("Access Management", "/p/users", "people"),
                v.NavItem("Access requests", "/p/access-requests", "key", current=True, waiting=2),
            ),
        ),
    ),
)
REQUESTS = v.RequestsPage(
    rows=tuple(
        dataclasses.replace(
            one,
            href="/p/person",
            grant=v.Post("Grant", "/access-requests/1/grant", f"{one.name}’s request to {one.asks}"),
            refuse_href="/p/access-request-refuse",
        )
        for one in (_LONG_ASK, _ASKED)
    ),
    ask_href=None,
    notice=v.Note("bad", "Not done", "There is no such request: it was answered or taken back.", urgent=True),
)
OWN_REQUESTS = v.RequestsPage(
    rows=(
        dataclasses.replace(
            _ASKED, withdraw=v.Post("Take back", "/access-requests/1/withdraw", "the request to get Source Admin")
        ),
    ),
    ask_href="/p/access-request-new",
)
NO_REQUESTS = v.RequestsPage(rows=(), ask_href="/p/access-request-new")
ASK = v.AskPage(
    crumbs=(v.Link("Access requests", "/p/access-requests-own"),),
    action="/access-requests/new",
    cancel_href="/p/access-requests-own",
    role=v.Choice("role", "Role", (v.Option("source_admin", "Source Admin"), v.Option("identity_admin", "Identity"))),
    resource=v.Field(
        "resource", "Which one", help="The name of the source or warehouse.", required=False, depends=True
    ),
    message=v.Field("message", "What you need it for", kind="textarea", help="The owners read it."),
    whom="Mei Tanaka or Marcus Lindqvist",
)
ASK_WRONG = dataclasses.replace(
    ASK,
    resource=dataclasses.replace(ASK.resource, value="Webshop", error="demo-ecommerce has no source “Webshop”."),
    message=dataclasses.replace(ASK.message, error="Say in 1 to 1000 characters what you need it for."),
    notice=v.Note("bad", "Not done", "You have asked for that already. An owner will answer.", urgent=True),
)
REFUSE_REQUEST = v.RefuseRequestPage(
    name=_LONG_ASK.name,
    asks=_LONG_ASK.asks,
    message=_LONG_ASK.message,
    crumbs=(v.Link("Access requests", "/p/access-requests"),),
    action="/access-requests/1/refuse",
    cancel_href="/p/access-requests",
    reason=v.Field("reason", "A word to them", kind="textarea", help="They read it in the mail.", required=False),
)
INVITATION_SSO = dataclasses.replace(
    INVITATION,
    ways=(v.SignInWay("sso", "Continue with Kicks Okta", "As lucia@kicks.example; then you come back", "/p/login"),),
)
INVITATION_ONLY_SSO = dataclasses.replace(INVITATION_SSO, only_ways=True, needs="sign_in", sign_in_href="/p/login")


WHY_FORM = v.WhyPage(
    action="/p/why",
    person=v.Field("person", "Who", "priya.raman@kicks.example", "email", placeholder="email"),
    act=WHY.act,
    resource=WHY.resource,
    at=v.Field("at", "As of", kind="date", help="A day, to ask about its first moment (UTC).", required=False),
)
WHY_YES = dataclasses.replace(
    WHY_FORM,
    answer=v.WhyAnswer(
        True,
        "Priya Raman can edit iOS Prod.",
        "Edit the sources iOS Prod and Android Prod. 1,002 paths give it.",
        tuple(
            v.Path(
                (v.Chip("idp", "eng-mobile", "/p/person"), RULE_3, MOBILE_ENG, role("Source Admin")),
                links=(
                    "Mei Tanaka gave the User Group Mobile Engineering Source Admin, 12 Jan.",
                    "Mei Tanaka made the rule for the Okta group eng-mobile, 12 Jan; changed by Mei Tanaka, 3 Oct.",
                    "Okta put them into eng-mobile, by SCIM, 14 Mar 2024.",
                ),
            )
            for _ in range(10)
        ),
        total=1002,
        pager=v.Pager(1, 50, 1002, next="/p/why-yes"),
    ),
)
WHY_NO = dataclasses.replace(
    WHY_FORM,
    answer=v.WhyAnswer(
        False,
        "Priya Raman can’t edit Kicks Co Website.",
        "",
        ways=WHY.answer.ways if WHY.answer else (),
        obstacles=("Okta has deactivated Priya Raman: nothing works until Okta, or an owner, lets them in again.",),
        nearly=(
            v.NearlyPath(v.Path((ENG_MOBILE, RULE_3, role("Source Admin"))), ("The rule eng-mobile is switched off.",)),
            v.NearlyPath(
                v.Path((v.Chip("hand", "by hand"), role("Source Admin"))),
                ("Kicks Co Website lacks environment:prod.", "It ended on 3 Oct 2025."),
            ),
        ),
        nearly_left=31,
    ),
)
WHY_PROBLEM = dataclasses.replace(WHY_FORM, problem="No resource is called “Web site”. Kicks Co Website is nearest.")
RESOURCES = v.ResourcesPage(
    tabs=access_tabs("Resources"),
    says="Applications register what there is to work on. Open one to see who can read and edit it, and why.",
    action="/p/resources",
    query="",
    filters=(
        v.Choice("type", "Kind", (v.Option("", "Every kind", selected=True), v.Option("source", "Sources (2)"))),
        v.Choice("label", "Label", (v.Option("", "Every label", selected=True), v.Option("-", "Without labels (1)"))),
    ),
    rows=(
        v.ResourceRow("iOS Prod", "source", ("environment:prod", "team:mobile"), "/p/resource"),
        v.ResourceRow("Kicks Co Website", "source", (), "/p/resource-own"),
    ),
    pager=v.Pager(1, 2, 2),
    create=(v.Link("sources", "/p/resource"), v.Link("warehouses", "/p/resource")),
)
RESOURCES_NONE = dataclasses.replace(RESOURCES, rows=(), pager=v.Pager(0, 0, 0), empty="Applications register them.")
RESOURCE = v.ResourcePage(
    name="iOS Prod",
    says="A source of Kicks Co.",
    crumbs=(ACCESS, v.Link("Resources", "/p/resources")),
    facts=(v.Fact("Kind", "source"), v.Fact("Id", "7d1f3b9a-5e1c-4d0a-9a55-0f4f7c1c2b3d")),
    labels=(v.Link("environment:prod", "/p/label"), v.Link("team:mobile", "/p/label")),
    changes=(v.Link("Change labels…", "/p/resource-labels"), v.Link("Delete…", "/p/resource-delete")),
    tabs=(v.Tab("Who can edit", "/p/resource", current=True), v.Tab("Who can read", "/p/resource")),
    rows=(
        v.WhoMayRow(
            "Priya Raman", "priya.raman@kicks.example", "/p/person", "/p/why-yes", PERMISSIONS[0].paths, "2 more paths"
        ),
        v.WhoMayRow("Marcus Lindqvist", "marcus@kicks.example", "/p/person", "/p/why-yes", (BY_MARCUS,)),
    ),
    counted="2,041 people can",
    first_href="/p/resource",
    next_href="/p/resource",
    given_by=(MOBILE_ENG, v.Chip("idp", "eng-mobile")),
)
RESOURCE_NOBODY = dataclasses.replace(RESOURCE, rows=(), counted="0 people can", first_href=None, next_href=None)
RESOURCE_OWN = dataclasses.replace(
    RESOURCE,
    rows=None,
    tabs=(),
    given_by=(),
    own=(
        v.WhyAnswer(False, "Priya Raman can read iOS Prod, not edit it.", "Nothing that was given reaches that far."),
    ),
    ask_href="/p/access-request-new",
)
LABELS_HREF = v.Link("Labels", "/p/labels")
LABELS = v.LabelsPage(
    tabs=access_tabs("Labels"),
    action="/p/labels",
    query="",
    new_href="/p/label-new",
    rows=(
        v.LabelRow("environment:dev", "", 3, 0, "/p/label", built_in=True),
        v.LabelRow("environment:prod", "What customers use", 1_204, 17, "/p/label", built_in=True),
        v.LabelRow("team:mobile", "Looked after by Mobile Engineering in Oslo and in Lisbon", 2, 1, "/p/label"),
        v.LabelRow("team:web", "", 0, 0, "/p/label-unused"),
    ),
    pager=v.Pager(1, 4, 4),
)
LABELS_NOTHING = dataclasses.replace(
    LABELS,
    query="x",
    rows=(),
    pager=v.Pager(0, 0, 0),
    nothing_found=v.NothingFound("No label with “x”", "/p/labels"),
)
LABEL = v.LabelPage(
    label="team:mobile",
    description="Looked after by Mobile Engineering in Oslo and in Lisbon",
    crumbs=(ACCESS, LABELS_HREF),
    describe_href="/p/label-describe",
    carried="52 resources carry it",
    carriers=(v.Link("iOS Prod", "/p/resource"), v.Link("Android Prod", "/p/resource")),
    all_carriers=v.Link("50 more resources", "/p/resources"),
    named="3 roles are given on it",
    rows=(
        v.HeldRow("Priya Raman", "Member", "/p/person", "Source Admin", ("environment:prod", "team:mobile")),
        v.HeldRow("Mobile Engineering", "User Group", "/p/user-group", "Source Read-only", ("team:mobile",)),
        v.HeldRow("eng-*", "Rule", "/p/users", "Unify Read-only + Engage User", ("team:mobile",)),
    ),
    first_href="/p/label",
    next_href="/p/label",
    stays="It can be deleted once no resource carries it and no role is given on it.",
)
LABEL_UNUSED = dataclasses.replace(
    LABEL,
    label="team:web",
    description="",
    carried="0 resources carry it",
    carriers=(),
    all_carriers=None,
    named="0 roles are given on it",
    rows=(),
    first_href=None,
    next_href=None,
    stays="",
    delete_href="/p/label-delete",
)
LABEL_NEW = v.LabelFormPage(
    title="Make a label",
    text="It changes nobody’s access before a resource carries it and a role is given on it.",
    crumbs=(ACCESS, LABELS_HREF),
    action="/labels/new",
    cancel_href="/p/labels",
    label=v.Field("label", "Label", help="key:value, such as team:mobile."),
    description=v.Field("description", "What it is for", required=False, help="In one line."),
)
LABEL_WRONG = dataclasses.replace(
    LABEL_NEW,
    label=v.Field("label", "Label", "team", help="key:value, such as team:mobile.", error="'team' is not a label."),
)
LABEL_DESCRIBE = dataclasses.replace(LABEL_NEW, title="What team:mobile is for", label=None, button="Save")
LABEL_DELETE = v.ConfirmPage(
    title="Delete team:web?",
    crumbs=(ACCESS, LABELS_HREF, v.Link("team:web", "/p/label-unused")),
    action="/labels/team:web/delete",
    button="Delete team:web",
    consequences=(v.Consequence("keep", "Nobody’s access changes: no resource carries it"),),
    cancel_href="/p/label-unused",
)
RESOURCE_PANEL = v.PreviewPanel(
    title="If you save this",
    gains=v.MovedSide("0 gain", 0),
    loses=v.MovedSide(
        "12 lose",
        12,
        ("12 people lose Source Admin: edit 4 sources, all with environment:prod",),
        "2 of them signed in now",
        (
            v.MovedRow("Priya Raman", "priya.raman@kicks.example", "/p/person", "Source Admin (1)", signed_in=True),
            v.MovedRow("Tomás Herrera", "tomas.herrera@kicks.example", "/p/person", "Source Admin (1)"),
        ),
        all_do="loses:",
    ),
    covered=56,
    csv_do="csv",
)
RESOURCE_LABELS = v.LabellingPage(
    title="Labels of iOS Prod",
    text="Roles that are given on labels reach what carries all of them, now and in future.",
    crumbs=(ACCESS, v.Link("Resources", "/p/resources"), v.Link("iOS Prod", "/p/resource")),
    action="/resources/labels?of=source:ios",
    cancel_href="/p/resource",
    choices=(
        v.Choice("key-environment", "environment", (v.Option("", "No value"), v.Option("dev", "dev", selected=True))),
        v.Choice("key-team", "team", (v.Option("", "No value", selected=True), v.Option("mobile", "mobile"))),
    ),
    more=v.Field("more", "Other labels", help="key:value. A label that is new is made.", required=False),
    panel=RESOURCE_PANEL,
    save="Save: 12 lose",
    carried=(("seen", "{}"),),
    note=v.Note("warn", "Something changed while you were looking. Not saved yet.", "Now 12 lose.", urgent=True),
)
RESOURCE_LABELS_FIRST = dataclasses.replace(
    RESOURCE_LABELS,
    panel=v.PreviewPanel("If you save this", waiting="Choose other labels, and you see here who gains and who loses."),
    save=None,
    carried=(),
    note=None,
)
RESOURCE_DELETE = v.ConfirmPage(
    title="Delete iOS Prod?",
    text="A source of demo-ecommerce.",
    crumbs=RESOURCE_LABELS.crumbs,
    action="/resources/delete?of=source:ios",
    button="Delete it: 12 lose",
    consequences=(
        v.Consequence("lose", "3 roles given on nothing else: ended for good"),
        v.Consequence("keep", "Roles on all resources, and on labels, stay and reach the others"),
    ),
    cancel_href="/p/resource",
    panel=RESOURCE_PANEL,
)
PLAN = v.PlanPage(
    title="The team plan",
    says="demo-ecommerce is on it. Whoever runs this bridge sets the plan.",
    facts=(v.Fact("Roles", "Workspace Owner and Source Admin"), v.Fact("SCIM", "refused")),
    others=(v.Link("What the business plan would change", "/p/plan-other"),),
    left_out=(
        v.Consequence("lose", "3 grants of Source Read-only"),
        v.Consequence("lose", "Sign-in and SCIM by Okta"),
        v.Consequence("lose", "Require SSO: only owners named by hand come in, until one switches it off"),
    ),
    rows=LABEL.rows,
    next_href="/p/plan",
    unlisted="312 grants of Minimal Workspace Access not listed: all that gives is to see the workspace.",
)
PLAN_WHOLE = dataclasses.replace(PLAN, title="The business plan", left_out=(), rows=(), unlisted="", next_href=None)
PLAN_OTHER = v.OtherPlanPage(
    title="If demo-ecommerce were on the business plan",
    says="Nothing is changed here.",
    crumbs=(v.Link("Plan", "/p/plan"),),
    consequences=(v.Consequence("gain", "3 grants of Source Read-only"),),
    panel=dataclasses.replace(RESOURCE_PANEL, title="Who that moves"),
    command="bridge workspace set-plan demo-ecommerce business",
)
GIVES = v.GivesPage(
    name="What eng-mobile gives",
    says="12 people have what stands here by being in it. 1 member more: out, or named too long ago.",
    crumbs=(v.Link("Directory", "/p/users"), v.Link("eng-mobile", "/p/users")),
    facts=(v.Fact("Connection", "Okta"), v.Fact("Members", "13")),
    rules=(
        v.GivesRule(
            "People in the Okta group eng-mobile join Mobile Engineering.",
            "12 people now",
            "/p/users",
            (),
            PERMISSIONS[:1],
        ),
        v.GivesRule(
            "People in Okta groups named eng-* get Source Admin on sources labelled environment:prod.",
            "0 people now",
            "/p/users",
            ("The rule eng-* is switched off.",),
            PERMISSIONS[2:3],
        ),
    ),
)
GIVES_NOTHING = dataclasses.replace(GIVES, rules=())
SAMPLES: dict[str, tuple[str, v.Frame | v.BareFrame | v.AccountFrame, Any]] = {
    "login": ("login.html", BARE, LOGIN),
    "login-by-password": ("login.html", BARE, LOGIN_BY_PASSWORD),
    "login-signed-out": ("login.html", BARE, LOGIN_SIGNED_OUT),
    "login-wrong": ("login.html", BARE, LOGIN_WRONG),
    "login-password": ("login.html", BARE, LOGIN_PASSWORD),
    "login-password-wrong": ("login.html", BARE, LOGIN_PASSWORD_WRONG),
    "login-wait": ("login.html", BARE, LOGIN_WAIT),
    "login-choice": ("login.html", BARE, LOGIN_CHOICE),
    "refused": ("refused.html", BARE, REFUSED),
    "refused-expired": ("refused.html", BARE, REFUSED_EXPIRED),
    "invitation": ("invitation.html", BARE, INVITATION),
    "invitation-wrong": ("invitation.html", BARE, INVITATION_WRONG),
    "invitation-sign-in": ("invitation.html", BARE, INVITATION_SIGN_IN),
    "invitation-ready": ("invitation.html", BARE, INVITATION_READY),
    "invitation-sso": ("invitation.html", BARE, INVITATION_SSO),
    "invitation-only-sso": ("invitation.html", BARE, INVITATION_ONLY_SSO),
    "login-factor": ("login_factor.html", BARE, LOGIN_FACTOR),
    "account-factors": ("account_factors.html", ACCOUNT_FRAME, ACCOUNT_FACTORS),
    "account": ("account.html", ACCOUNT_FRAME, ACCOUNT),
    "account-at-twilio": ("account.html", ACCOUNT_FRAME, ACCOUNT_AT_TWILIO),
    "account-factors-at-twilio": ("account_factors.html", ACCOUNT_FRAME, ACCOUNT_FACTORS_AT_TWILIO),
    "account-prove": ("account_prove.html", ACCOUNT_FRAME, ACCOUNT_PROVE),
    "account-prove-anew": ("account_prove.html", ACCOUNT_FRAME, ACCOUNT_PROVE_ANEW),
    "account-factors-none": ("account_factors.html", ACCOUNT_FRAME, ACCOUNT_FACTORS_NONE),
    "account-factor-app": ("account_factor_app.html", ACCOUNT_FRAME, ACCOUNT_FACTOR_APP),
    "login-passkey": ("login_passkey.html", BARE, LOGIN_PASSKEY),
    "login-factor-passkey": ("login_factor.html", BARE, LOGIN_FACTOR_PASSKEY),
    "account-passkey": ("account_passkey.html", ACCOUNT_FRAME, ACCOUNT_PASSKEY),
    "account-recovery-codes": ("account_recovery_codes.html", ACCOUNT_FRAME, ACCOUNT_RECOVERY_CODES),
    "prove-account": ("prove_account.html", BARE, PROVE),
    "prove-account-sent": ("prove_account.html", BARE, PROVE_SENT),
    "agree-another": ("agree.html", BARE, AGREE_ANOTHER),
    "error-404": ("error.html", BARE, NOT_FOUND),
    "error-403": ("error.html", BARE, FORBIDDEN),
    "error-500": ("error.html", BARE, BROKEN),
    "own-sessions": ("account_sessions.html", ON_SESSIONS, OWN_SESSIONS),
    "workspaces": ("workspaces.html", BARE, WORKSPACES),
    "workspaces-none": ("workspaces.html", BARE, NO_WORKSPACE),
    "users": ("users.html", FRAME, USERS_PAGE),
    "users-only-you": ("users.html", dataclasses.replace(FRAME, people=1, others=()), ONLY_YOU),
    "users-nobody": ("users.html", FRAME, NOBODY),
    "users-notice": ("users.html", dataclasses.replace(FRAME, notices=NOTICES), USERS_PAGE),
    "invite": ("invite.html", FRAME, INVITE),
    "access-requests": ("access_requests.html", ON_REQUESTS, REQUESTS),
    "access-requests-own": ("access_requests.html", FRAME, OWN_REQUESTS),
    "access-requests-none": ("access_requests.html", FRAME, NO_REQUESTS),
    "access-request-new": ("access_request_new.html", FRAME, ASK),
    "access-request-wrong": ("access_request_new.html", FRAME, ASK_WRONG),
    "access-request-refuse": ("access_request_refuse.html", ON_REQUESTS, REFUSE_REQUEST),
    "invite-wrong": ("invite.html", FRAME, INVITE_WRONG),
    "person": ("person.html", FRAME, PERSON),
    "person-history": ("person.html", FRAME, PERSON_HISTORY),
    "person-no-history": ("person.html", FRAME, PERSON_NO_HISTORY),
    "person-grants": ("person.html", FRAME, PERSON_GRANTS),
    "person-no-grants": ("person.html", FRAME, PERSON_NO_GRANTS),
    "person-groups": ("person.html", FRAME, PERSON_GROUPS),
    "person-no-groups": ("person.html", FRAME, PERSON_NO_GROUPS),
    "person-last-owner": ("person.html", FRAME, LAST_OWNER),
    "person-nothing": ("person.html", FRAME, NOTHING_BUT_MEMBER),
    "person-many-paths": ("person.html", FRAME, MANY_PATHS),
    "person-remove": ("person_remove.html", FRAME, REMOVE),
    "confirm": ("confirm.html", FRAME, CONFIRM),
    "grant-role": ("grant_new.html", FRAME, GRANT_ROLE),
    "grant-where": ("grant_new.html", FRAME, GRANT_WHERE),
    "grant-labels": ("grant_new.html", FRAME, GRANT_LABELS),
    "user-groups": ("user_groups.html", FRAME, GROUPS_PAGE),
    "user-groups-none": ("user_groups.html", FRAME, NO_GROUPS),
    "user-group": ("user_group.html", FRAME, USER_GROUP),
    "user-group-members": ("user_group.html", FRAME, MEMBERS),
    "user-group-by-hand": ("user_group.html", FRAME, GUILD),
    "user-group-gone": ("user_group.html", FRAME, GONE),
    "user-group-empty": ("user_group.html", FRAME, EMPTY_GROUP),
    "user-group-new": ("user_group_new.html", FRAME, GROUP_FORM),
    "user-group-rename": ("user_group_new.html", FRAME, RENAME),
    "tokens": ("tokens.html", FRAME, TOKENS_PAGE),
    "token-made": ("tokens.html", FRAME, TOKEN_MADE),
    "tokens-none": ("tokens.html", FRAME, NO_TOKENS),
    "token-new": ("token_new.html", FRAME, TOKEN_API),
    "token-new-scim": ("token_new.html", FRAME, TOKEN_SCIM),
    "token-new-no-connection": ("token_new.html", FRAME, TOKEN_NO_CONNECTION),
    "roles": ("roles.html", FRAME, ROLES),
    "gives": ("gives.html", FRAME, GIVES),
    "gives-nothing": ("gives.html", FRAME, GIVES_NOTHING),
    "why": ("why_page.html", FRAME, WHY_FORM),
    "why-yes": ("why_page.html", FRAME, WHY_YES),
    "why-no": ("why_page.html", FRAME, WHY_NO),
    "why-problem": ("why_page.html", FRAME, WHY_PROBLEM),
    "resources": ("resources.html", FRAME, RESOURCES),
    "resources-none": ("resources.html", FRAME, RESOURCES_NONE),
    "resource": ("resource.html", FRAME, RESOURCE),
    "plan": ("plan.html", FRAME, PLAN),
    "plan-whole": ("plan.html", FRAME, PLAN_WHOLE),
    "plan-other": ("plan_other.html", FRAME, PLAN_OTHER),
    "labels": ("labels.html", FRAME, LABELS),
    "labels-nothing": ("labels.html", FRAME, LABELS_NOTHING),
    "label": ("label.html", FRAME, LABEL),
    "label-unused": ("label.html", FRAME, LABEL_UNUSED),
    "label-new": ("label_form.html", FRAME, LABEL_NEW),
    "label-wrong": ("label_form.html", FRAME, LABEL_WRONG),
    "label-describe": ("label_form.html", FRAME, LABEL_DESCRIBE),
    "label-delete": ("confirm.html", FRAME, LABEL_DELETE),
    "resource-labels": ("resource_labels.html", FRAME, RESOURCE_LABELS),
    "resource-labels-first": ("resource_labels.html", FRAME, RESOURCE_LABELS_FIRST),
    "resource-delete": ("confirm.html", FRAME, RESOURCE_DELETE),
    "resource-nobody": ("resource.html", FRAME, RESOURCE_NOBODY),
    "resource-own": ("resource.html", FRAME, RESOURCE_OWN),
    "sign-in-log": ("sign_in_log.html", FRAME, SIGN_IN_LOG),
    "sign-in-log-none": ("sign_in_log.html", FRAME, SIGN_IN_LOG_NONE),
    "sign-in-log-nothing": ("sign_in_log.html", FRAME, SIGN_IN_LOG_NOTHING),
    "sign-in-attempt": ("sign_in_attempt.html", FRAME, SIGN_IN_ATTEMPT),
    "connection-test": ("connection_test.html", FRAME, CONNECTION_TEST),
    "connection-test-result": ("connection_test_result.html", BARE, TEST_RESULT),
    "scim-log": ("scim_log.html", FRAME, SCIM_LOG),
    "scim-log-none": ("scim_log.html", FRAME, SCIM_LOG_NONE),
    "scim-log-nothing": ("scim_log.html", FRAME, SCIM_LOG_NOTHING),
    "domains": ("domains.html", FRAME, DOMAINS),
    "domains-missing": ("domains.html", FRAME, DOMAINS_MISSING),
    "domains-over": ("domains.html", FRAME, DOMAINS_OVER),
    "domains-none": ("domains.html", FRAME, NO_DOMAINS),
    "security": ("security.html", FRAME, SECURITY),
    "security-on": ("security.html", FRAME, SECURITY_ON),
    "security-not-by-sso": ("security.html", FRAME, SECURITY_NOT_BY_SSO),
    "break-glass": ("break_glass.html", BARE, BREAK_GLASS),
    "break-glass-stale": ("break_glass.html", BARE, BREAK_GLASS_STALE),
}
FRAGMENTS: dict[str, tuple[str, Any]] = {
    "summary": ("person_summary.html", dataclasses.replace(SUMMARY, name="Tomás Herrera", may_read=())),
    "summary-owner": ("person_summary.html", dataclasses.replace(SUMMARY, owner=True)),
    "summary-nothing": (
        "person_summary.html",
        dataclasses.replace(
            SUMMARY, may_edit=(), may_read=(), comes_from=(), status=v.Status("off", "Suspended by Okta")
        ),
    ),
}
