"""Every page family that an app of ours has."""

from bridge.web.pages import invitations, person, roles, scim_log, tokens, user_groups, users, workspaces

BLUEPRINTS = (
    workspaces.blueprint,
    users.blueprint,
    person.blueprint,
    user_groups.blueprint,
    tokens.blueprint,
    roles.blueprint,
    scim_log.blueprint,
    invitations.blueprint,
)
