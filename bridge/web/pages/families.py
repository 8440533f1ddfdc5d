"""Every page family that an app of ours has."""

from bridge.web.pages import (
    connection_keys,
    connection_new,
    connection_settings,
    connection_test,
    connections,
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
    connections.blueprint,
    connection_new.blueprint,
    connection_settings.blueprint,
    connection_keys.blueprint,
    invitations.blueprint,
)
