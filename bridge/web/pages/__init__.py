"""The pages for people: a module a page family, with templates and static files beside them.

- `workspaces`    `/`, `/w` to choose a workspace, its own start, the theme
- `users`         everyone in a workspace, with a summary; the same as CSV
- `person`        one person: access with every path, why not (`person_why`), roles by hand,
  User Groups, when it changed (`person_history`)
- `why`           a person, an action, a resource: by what, or why not (`why_parts`: the answer, on a person's page too)
- `gives`         what an IdP group or a rule gives, to how many
- `resources`     what there is to work on, and who may read and edit it; `resource_changes`: labelled, deleted
- `labels`        what resources carry and roles are given on, and what uses each
- `person_leaving`   removal and return (`person_parts`: what both share)
- `user_groups`   User Groups, who decides their members, what they give
- `user_group_changes`   made, renamed, deleted, members taken out (`user_group_parts`: what both share)
- `tokens`        keys for programs: made, shown once, revoked; `scim_clients`: another secret for an OAuth client;
  `token_takeover`: one that somebody else made
- `roles`         what each role gives; `plan`: what a plan leaves out, and what another one would move
- `sign_in_log`   every attempt to sign in, step by step; `attempts`: one of them as it is shown (`agents`: its browser)
- `connection_test`   a test of a connection, which signs nobody in
- `scim_log`      what IdPs asked by SCIM, and what it did
- `domains`       domains of e-mail addresses: claimed, proved, routed, let go
- `security`      Require SSO and exemptions; `security_switches`: closing unused, second factors; `break_glass`: codes
  for the day SSO is broken, and the page on which an owner uses one (`security_parts`: what they share)
- `connections`, `connection_new`, `connection_settings`, `connection_keys`, `client_key`   links to IdPs
  (`connection_parts`, `idp_form`, `settings_parts`: what they share; `oidc_settings`: the settings of OpenID Connect)
- `directory`     what a connection's IdP pushed: who has no account and why, groups and what they are tied to
- `mapping`       the rules, and one of them; `picture`: what they all give, drawn (`mapping_parts`: what they share)
- `rule_form`     a rule is written, with what it would do beside it; `rule_change`: deleted, switched
- `preview_parts` what a change would do, before it is made
- `mapping`       the rules, and one of them; `picture`: what they all give, drawn (`mapping_parts`: what they share)
- `idp_directory` groups and people of all connections, as each IdP says them
- `invitations`   sent, repeated, revoked, and accepted
- `access_requests`   members ask for a role, owners give it or refuse
- `account_sessions`   where one is signed in; one session, the others, or all ended
- `account`       one's own account: name, password, what opens it; `account_email`: its address;
  `account_factors`: second factors; `account_twilio`: its link with Twilio; `account_close`: its end
- `account_frame`   what surrounds the pages of one's own account, and who may open them; `account_proof`: show once
  more that it is you

`frame` lets somebody into a workspace their session reaches, and surrounds its pages; `bare` renders those outside.
`given_roles`, `held_grants`, `paths`, `forms` and `standing` are parts that several families share.

A view function calls one flow to change something, fills one value of `views` and renders the template of the same
name with `page`, `frame` and `now`. `filters` write times, numbers and labels. Everything works without script; htmx
only saves a page load. All of it runs under a policy without inline styles or scripts. A form that is refused comes
back with what was typed and the reason beside the field; one that is done sends the browser to what it changed.
"""
