"""Every page family that an app of ours has."""

from bridge.web.pages import (
    connection_test,
    domains,
    invitations,
    person,
    roles,
    scim_log,
    security,
    sign_in_log,
    tokens,
    user_groups,
    users,
    workspaces,
)

BLUEPRINTS = (
    workspaces.blueprint,
    users.blueprint,
    person.blueprint,
    user_groups.blueprint,
    tokens.blueprint,
    roles.blueprint,
    sign_in_log.blueprint,
    connection_test.blueprint,
    scim_log.blueprint,
    domains.blueprint,
    security.blueprint,
    invitations.blueprint,
)
