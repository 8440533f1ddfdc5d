"""What must always hold, each property a file of permanent tests, over every path that can reach it.

- `test_01_…` to `test_17_…`   one property each; a property that is tested well elsewhere is referred to in its file
- `test_nobody_in_anothers_account.py`   people, companies and Twilio take any steps over accounts, in any order
- `account_steps.py`, `accounts.py`   those steps and what must hold after each; whoever takes them
- `planted.py`                 bugs that such a walk has to come upon
- `test_worlds.py`             what SQL says of access is what access means, in generated worlds
- `worlds.py`, `world_rows.py`, `world_steps.py`, `world_answers.py`   those worlds: drawn, written and read, changed by
  flows, asked everything
- `planted_in_access.py`       bugs that they have to come upon
- `rows.py`                    all that a workspace has, as rows, to be compared before and after
- `outsiders.py`               a hostile owner and IdP admin of one workspace, and what they try
- `guards.py`                  the smallest piece of code that upholds each property, and the tests that miss it
- `switch.py`                  the pytest plugin that runs tests without one of those pieces, or with one of those bugs

SAML's own rules are in a table of their own: tests/saml/test_guards.py.
"""
