"""What must always hold, each property a file of permanent tests, over every path that can reach it.

- `test_01_…` to `test_17_…`   one property each; a property that is tested well elsewhere is referred to in its file
- `rows.py`                    all that a workspace has, as rows, to be compared before and after
- `outsiders.py`               a hostile owner and IdP admin of one workspace, and what they try
- `guards.py`                  the smallest piece of code that upholds each property, and the tests that miss it
- `switch.py`                  the pytest plugin that runs tests with one of those pieces taken out

SAML's own rules are in a table of their own: tests/saml/test_guards.py.
"""
