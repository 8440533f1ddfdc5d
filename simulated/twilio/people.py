"""People who have accounts from the start, for a demo or a test."""

from typing import Any

from simulated.twilio.accounts import parse_email, parse_name
from simulated.twilio.errors import Invalid
from simulated.twilio.passwords import check_rule, hash_password
from simulated.twilio.second_factor import parse_phone
from simulated.twilio.site import Site

NAMES = ("email", "given_name", "family_name", "password", "phone")


def load_people_once(site: Site, documents: Any) -> None:
    """The same at a site's first start; after that, who closed an account isn't given another. Raises Invalid."""
    with site.file.transaction() as db:
        if db.execute("INSERT OR IGNORE INTO settings VALUES ('people', 'loaded')").rowcount == 1:
            load_people(site, documents)


def load_people(site: Site, documents: Any) -> None:
    """Makes the accounts that aren't there yet; their second factor is the phone. Raises Invalid."""
    if not isinstance(documents, list):
        raise Invalid("The file of people has to be a list.")
    for document in documents:
        if not isinstance(document, dict) or set(document) != set(NAMES):
            raise Invalid(f"Each of the people has {', '.join(NAMES)}, and nothing else.")
        email = parse_email(document["email"])
        check_rule(document["password"])
        if site.accounts.find_by_email(email) is None:
            site.accounts.create(
                email,
                parse_name(document["given_name"]),
                parse_name(document["family_name"]),
                password_hash=hash_password(document["password"]),
                password_at=int(site.clock()),
                factor="phone",
                phone=parse_phone(document["phone"]),
            )
