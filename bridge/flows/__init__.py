"""What the bridge does: one function, one transaction, its audit events under one cause. No HTTP.

Every flow takes a `Context` first, the acting party where there is one, and `now`; takes and gives domain
values; raises `bridge.domain.errors`. A refusal rolls back; what must be remembered of it (a failed sign-in,
a counter, a mail to owners) is written in a second short transaction. Nothing is fetched inside a
transaction: fetch first, then flow.

- `provision_users`, `provision_groups`   an IdP pushes people and groups (SCIM); `pushed_person`: whom a record means
- `walk_directory`, `cursors`   it reads them page by page; where it went on from
- `log_requests`  each SCIM call, its answer and what it did (`request_buffer`: what waits; `tell_effects`: who lost)
- `request_log`   that log, read and forgotten
- `import_directory`, `import_people`      the same from a file, by the thousand
- `sign_in`, `resume_login`   a person signs in through a connection: its IdP's answer is taken, then the browser comes
  for what it led to (`sso_door`: is it open; `settle_login`: whose account it is; `login_requests`: what was sent to
  the IdP, of which nothing is kept here; `login_results`: what waits for the browser)
- `passkeys`, `passkey_login`   what they are asked and answer; signing in by one alone
- `require_factor`   a second factor of who comes without SSO
- `require_sso`, `break_glass`   SSO as the only way in, who is exempt, and the way past it when it is broken
- `hipaa`         workspaces that close to a session which isn't used
- `password_login`, `link_account`   by password (`password_tries`: guessing is slowed down); by proving first that an
  account is theirs; `tries`: how many there may be of anything that could be guessed, or asked for too often
- `password_reset`   a forgotten password: a link by mail, the same for whoever asks
- `account_settings`   what people change of their own account; `account_email`: its address, by mailed links
- `close_account`   a person closes their own, and leaves every workspace
- `fresh_proof`   changing an account asks for its own password or factor within the last ten minutes
- `second_factors`, `account_factors`   shown after the password; looked after by whom they belong to
- `sign_in_log`   each attempt with its trail, under the reference that a refusal shows; `read_sign_in_log`: its reader
- `try_connection`   a login that tests its connection, and is undone
- `connect_oidc`, `oidc_login`, `provider_keys`, `oidc_logout`   the same for OpenID Connect; asking a provider who came
- `twilio`, `twilio_login`, `twilio_link`   Twilio as a provider; a login with it; whose account it is, how a link ends
- `twilio_account`, `twilio_events`   what a linked account takes over from there; what Twilio tells by itself
- `single_logout`, `saml_logout`   somebody signed out at their IdP; SAML's messages about it, both ways
- `sessions`      opened, added to, ended; what one reaches, computed at each request; `own_sessions`: a person's own,
  listed and ended
- `map_groups`    rules: added, changed, switched, removed (`named_rules`: what they begin with)
- `preview`       who would gain and who would lose by a change, and whether it still is so when it is made;
  `preview_kinds`: what each kind of change does; `preview_people`: to the paths of a few people whom it names
- `export_moved`  all who would gain or lose, as CSV
- `rule_list`     rules as their owners see them, with whom each reaches; `picture`: what they all give, to be drawn;
  `rule_draft`: what helps to write one
- `idp_directory` groups and people as each IdP says them, for owners to look at
- `tie_groups`    pushed groups linked to User Groups, and what that changes; `waiting_records`: who has no account
- `explain`       what somebody may do, and why; `explain_links`: who made each link of a path, and when;
  `explain_not`: what stands in the way (`near_misses`: of which paths); `explain_past`, `explain_not_past`: at a moment
  that is past; `who_may`: backwards;
  `what_it_gives`: an IdP group, a rule; `explain_history`: when it changed, and what did it
- `access_checks` applications ask whether somebody may, one or a thousand at once (`access_json`: reasons as JSON)
- `forget_past`   what is past is kept as long as the operator says
- `as_code`       a workspace written as a file, compared with one, made what one says (`as_code_standing`: as it is;
  `as_code_outside`: what a file names, found before; `as_code_steps`: each step, by the flow for it)
- `overview`      counts, whom to ask, and workspaces a session does not reach
- `administer`    workspaces and plans; `plan_outlook`: what a plan leaves out
- `members`, `user_groups`, `give_roles`, `resources`, `tokens`, `domains`   what owners look after
- `take_over_token`   an owner goes on with a token that somebody else made
- `scim_clients`  OAuth clients that push by SCIM: made, given another secret; their access tokens
- `connect`       connections to IdPs are made (`connection_secrets`: what they keep sealed); `own_connections`: listed,
  switched, deleted; `saml_connection`: loaded for a sign-in
- `connection_settings`, `oidc_settings`, `rotate_key`, `rotate_client_key`, `connection_overview`   what an admin
  changes of one, our keys (`key_rotation`: in two steps), what hangs on it
- `trusted_idp`   what is trusted of a SAML IdP: read from metadata or fields, replaced; `refresh_metadata`: read again
  where it was given as an address
- `invite`, `accept_invitation`   invitations, and what becomes of them (`invite_gives`: what they promise)
- `access_requests`   members ask for a role, owners give it or refuse
- `deliver`       mail, put into the outbox by changes and sent after them; its words: `account_mails`,
  `workspace_mails`, `connection_mails`, their look: `mail_theme`
- `jobs`          what the worker does again and again: when each is due, who does it; `outside`: the ways out
- `renew_secrets` what older keys of the operator's have encrypted, encrypted anew
- `warn_expiries` owners are warned of certificates and tokens that end
- `warn_owners`   owners are told of what was refused to protect them
- `export_users`, `back_up`, `health`   for whoever looks after it
- `context`, `open_context`   what every flow is handed, and how the command line and the servers get it
- `named`, `roles_given`, `bearer_secrets`, `passwords`   what several flows begin with; `everywhere`: an event,
  in each workspace of its person
"""
