"""What each page shows: plain, frozen values. A view function fills one, its template writes it down.

A template is rendered with three names and no others: `page` (a value of this package), `frame` (a `Frame` inside
a workspace, else a `BareFrame`) and `now` (the request's time, aware). Addresses are ready-made strings, so
templates know no routes. An address that is None means that this person can't do it, or that it doesn't exist yet;
the control is then left out. Times are aware datetimes, written by the filters; sentences are finished English.

- `parts`       parts that pages of every family are made of
- `form_parts`  parts of forms
- `frame`       what is around every page
- `signing_in`  pages before and beside a workspace: signing in, invitations, refusals, the choice of a workspace
- `second_factors` showing one at a login, and looking after one's own
- `users`       Access Management: Users, and inviting them
- `person`      a person's page: what they may do and by which path, giving, taking, removing
- `user_groups` User Groups
- `tokens`      tokens of IdPs and programs
- `scim_log`    the SCIM log
- `sign_in_log` the sign-in log, and tests of connections
- `connections` connections to IdPs; `directory`: what one pushed
- `domains`     domains of e-mail addresses; `security`: Require SSO, exemptions, break-glass codes
- `roles`       what each role gives
- `account`     one's own account; `own_sessions`: where one is signed in
- `access_requests` access asked for, and answered
"""

from bridge.web.pages.views.access_requests import AskedRow, AskPage, RefuseRequestPage, RequestsPage
from bridge.web.pages.views.account import (
    AccountConfirmPage,
    AccountFormPage,
    AccountFrame,
    AccountPage,
    AccountProvePage,
    AccountWay,
)
from bridge.web.pages.views.connections import (
    CertificateRow,
    CertificatesPage,
    ConnectionChoosePage,
    ConnectionDeletePage,
    ConnectionFormPage,
    ConnectionHead,
    ConnectionPage,
    ConnectionRow,
    ConnectionSettingsPage,
    ConnectionsPage,
    ConsoleValue,
    IdpForm,
    PresetLink,
    SettingsGroup,
    SetupStep,
)
from bridge.web.pages.views.directory import (
    DirectoryGroupsPage,
    TiedGroupRow,
    TieGroupPage,
    UnlinkedPage,
    UnlinkedRow,
)
from bridge.web.pages.views.domains import DomainPanel, DomainRow, DomainsPage
from bridge.web.pages.views.form_parts import Choice, Field, Option, OptionGroup, ScopePicker
from bridge.web.pages.views.frame import BareFrame, Frame, Me, NavItem, NavSection, OtherWorkspace
from bridge.web.pages.views.own_sessions import OwnSessionRow, OwnSessionsPage
from bridge.web.pages.views.parts import (
    Chip,
    Consequence,
    Fact,
    Kind,
    Link,
    Note,
    NoteTone,
    NothingFound,
    Pager,
    Path,
    Post,
    Status,
    Tab,
    Theme,
    Tone,
)
from bridge.web.pages.views.person import (
    AccessChange,
    ConfirmPage,
    GrantPage,
    GrantRow,
    InGroupRow,
    PermissionLine,
    PersonPage,
    RemovePersonPage,
    WayToGet,
    WhyAnswer,
    WhyPanel,
)
from bridge.web.pages.views.roles import RoleArea, RoleCard, RolesPage
from bridge.web.pages.views.scim_log import OpenedRequest, RequestRow, ScimLogPage
from bridge.web.pages.views.second_factors import (
    AccountFactorsPage,
    FactorPage,
    FactorRow,
    MailPost,
    NewAppPage,
    NewPasskeyPage,
    NewRecoveryCodesPage,
    PasskeyLoginPage,
)
from bridge.web.pages.views.security import BreakGlassPage, ExemptRow, FactorCard, GlassRow, NewGlassCodes, SecurityPage
from bridge.web.pages.views.sign_in_log import (
    AttemptCard,
    AttemptPage,
    AttemptRow,
    Fix,
    SignInLogPage,
    TestConnectionPage,
    TestResultPage,
    TraceStep,
    WouldBox,
)
from bridge.web.pages.views.signing_in import (
    ErrorPage,
    InvitationPage,
    LeavingPage,
    LoginPage,
    LogoutPage,
    ProveAccountPage,
    RefusedPage,
    ResetPage,
    SignInWay,
    TwilioEmailPage,
    TwilioLinkPage,
    TwilioWelcomePage,
    WaitingPage,
    WorkspaceChoice,
    WorkspacesPage,
)
from bridge.web.pages.views.tokens import NewToken, TokenFormPage, TokenRow, TokensPage, TokenSummary
from bridge.web.pages.views.user_groups import (
    Deciders,
    MemberRow,
    UserGroupFormPage,
    UserGroupPage,
    UserGroupRow,
    UserGroupsPage,
)
from bridge.web.pages.views.users import (
    InvitePage,
    Origin,
    PersonRow,
    PersonSummary,
    Reach,
    Source,
    UsersPage,
)

__all__ = [
    "AccessChange",
    "AccountConfirmPage",
    "AccountFactorsPage",
    "AccountFormPage",
    "AccountFrame",
    "AccountPage",
    "AccountProvePage",
    "AccountWay",
    "AskPage",
    "AskedRow",
    "AttemptCard",
    "AttemptPage",
    "AttemptRow",
    "BareFrame",
    "BreakGlassPage",
    "CertificateRow",
    "CertificatesPage",
    "Chip",
    "Choice",
    "ConfirmPage",
    "ConnectionChoosePage",
    "ConnectionDeletePage",
    "ConnectionFormPage",
    "ConnectionHead",
    "ConnectionPage",
    "ConnectionRow",
    "ConnectionSettingsPage",
    "ConnectionsPage",
    "Consequence",
    "ConsoleValue",
    "Deciders",
    "DirectoryGroupsPage",
    "DomainPanel",
    "DomainRow",
    "DomainsPage",
    "ErrorPage",
    "ExemptRow",
    "Fact",
    "FactorCard",
    "FactorPage",
    "FactorRow",
    "Field",
    "Fix",
    "Frame",
    "GlassRow",
    "GrantPage",
    "GrantRow",
    "IdpForm",
    "InGroupRow",
    "InvitationPage",
    "InvitePage",
    "Kind",
    "LeavingPage",
    "Link",
    "LoginPage",
    "LogoutPage",
    "MailPost",
    "Me",
    "MemberRow",
    "NavItem",
    "NavSection",
    "NewAppPage",
    "NewGlassCodes",
    "NewPasskeyPage",
    "NewRecoveryCodesPage",
    "NewToken",
    "Note",
    "NoteTone",
    "NothingFound",
    "OpenedRequest",
    "Option",
    "OptionGroup",
    "Origin",
    "OtherWorkspace",
    "OwnSessionRow",
    "OwnSessionsPage",
    "Pager",
    "PasskeyLoginPage",
    "Path",
    "PermissionLine",
    "PersonPage",
    "PersonRow",
    "PersonSummary",
    "Post",
    "PresetLink",
    "ProveAccountPage",
    "Reach",
    "RefuseRequestPage",
    "RefusedPage",
    "RemovePersonPage",
    "RequestRow",
    "RequestsPage",
    "ResetPage",
    "RoleArea",
    "RoleCard",
    "RolesPage",
    "ScimLogPage",
    "ScopePicker",
    "SecurityPage",
    "SettingsGroup",
    "SetupStep",
    "SignInLogPage",
    "SignInWay",
    "Source",
    "Status",
    "Tab",
    "TestConnectionPage",
    "TestResultPage",
    "Theme",
    "TieGroupPage",
    "TiedGroupRow",
    "TokenFormPage",
    "TokenRow",
    "TokenSummary",
    "TokensPage",
    "Tone",
    "TraceStep",
    "TwilioEmailPage",
    "TwilioLinkPage",
    "TwilioWelcomePage",
    "UnlinkedPage",
    "UnlinkedRow",
    "UserGroupFormPage",
    "UserGroupPage",
    "UserGroupRow",
    "UserGroupsPage",
    "UsersPage",
    "WaitingPage",
    "WayToGet",
    "WhyAnswer",
    "WhyPanel",
    "WorkspaceChoice",
    "WorkspacesPage",
    "WouldBox",
]
