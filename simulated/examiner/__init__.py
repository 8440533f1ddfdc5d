"""Plays a vendor's provisioning against any SCIM 2.0 server, and says in words what came back wrong.

    python -m simulated.examiner okta --scim-url https://app.example.com/scim/v2 --token-stdin < token

It speaks with the very dialects that `simulated.company_idp` pushes with. After each step it reads back what a
conformant server must now hold; each fault names the paragraph that the server broke. It only ever writes to what it
made itself, and deletes that at the end, also after a failure or Ctrl-C.

- `findings`        faults, steps and the report, as text and as JSON
- `cast`            the people and groups that it makes up
- `way_there`       how the server is reached: address, CA, proxy
- `careful_client`  the SCIM client that won't touch what isn't its own
- `answers`         what is wrong with one answer, whatever was asked (RFC 7644)
- `comparing`       what a person or group should hold, held against what the server says
- `examination`     one examination under way: calls, look-ups, faults
- `people_steps`, `group_steps`   the life cycle, step by step; `life_cycle` puts them in order, and cleans up
"""
