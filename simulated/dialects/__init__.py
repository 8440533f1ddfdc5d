"""How vendors' identity providers provision by SCIM 2.0: what each sends for each change, over real HTTP.

One player with two doors: `simulated.company_idp` pushes a pretended company with it, `simulated.examiner` plays it
against any SCIM server and judges the answers. It imports neither.

- `people`       a person and a group, as a dialect needs to know them
- `scim_client`  calls, retries, and what came back in plain words; knows no vendor
- `dialect`      what every vendor does
- `okta`, `entra`, `onelogin`   in whose words; what is documented or was seen of each stands in its module
- `speaking`     the dialect of a name, connected to a server
"""
