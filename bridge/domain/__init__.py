"""The rules of the product, as values and pure functions: no IO, no framework, no protocol.

- `workspace`      workspaces, people, memberships and connections, as everything above passes them on
- `identity`       who an IdP says somebody is (`AssertedIdentity`)
- `sign_in`        whose account that opens; `sign_in_refusals`: every reason why not; `reach`: what a session reaches
- `second_factors` what an account shows after its password; `ways_in`: by what it opens, and what must be left
- `directory`      what an IdP pushes: people, groups, and typed changes of a group's members
- `idp_records`    groups and people as each IdP says them
- `waiting_records`   pushed records without an account: why, and what to do
- `imports`        what an import of a directory did, or would do
- `roles`          the catalogue: which role gives which level on what, and what each plan includes
- `access`         grants, scopes, and which grant makes another one superfluous
- `obstacles`      what stands between a person and a permission that something nearly gives them
- `origins`        who made each link of a path of access, and when
- `access_facts`   what access means: who may do what, by which paths, over the facts of one moment
- `access_checks`  what applications ask about access, and how long they may keep the answer
- `group_mapping`  rules: which IdP groups match, and what a rule gives, in one sentence
- `previews`       changes that can be previewed, what a preview says, and what of it who saves hands back
- `moves`          what a change does to what groups give, and so what to ask about people; `moved_bits`: asked of one
  after another; `held`: what people hold before a change that was done, and after it
- `picture`        the picture of access: who passes what; `picture_layout`: where its boxes and ribbons are
- `as_code`        a workspace as values that names hold together; `as_code_keys`: all that its file may say, of which
  files are read (`as_code_reading`), written (`as_code_writing`) and described (`as_code_schema`); `as_code_yaml`:
  YAML with lines, within bounds; `as_code_difference`: the steps from what stands to what a file says
  (`as_code_step`: one of them), by subject: `as_code_connections`, `as_code_given`, `as_code_rules`; `as_code_names`:
  who is who; `as_code_needs`: what a file names and isn't there; `as_code_pruning`: what isn't in it
- `labels`         `key:value` labels of resources
- `members`        a workspace's people and User Groups as its owners see them
- `tokens`, `resources`, `domains`, `slugs`   what they say, each
- `people`         e-mail addresses and names, compared and checked; `passwords`: what a password may be
- `mail`           one mail to one person; `web_calls`: one call to another machine
- `expiry`         what ends by itself, and when its owners are warned
- `presets`        each IdP's words for what a connection needs, as data
- `audit_sentences`   what happened, in one plain sentence an event
- `sentences`      permissions in plain words; `request_log`: a SCIM call and what it did, in one
- `sign_in_log`    one attempt, its steps, and what of an answer may be kept
- `sign_in_explanations`   what a refusal means, whose turn it is; `sign_in_consoles`: where each IdP keeps it
- `errors`         what can be refused, a class a reason

Rule of the house: nothing here knows how it is stored or sent, so every rule can be read, and tested, alone.
"""
