"""Settings in, an open house out: what the server, the worker and every command begin with."""

from functools import partial

from bridge.flows.context import Context, TwilioClient
from bridge.flows.deliver import Mailer
from bridge.flows.open_context import open_context
from bridge.flows.outside import Outside
from bridge.outside import mail, web
from bridge.outside.calls import OF_TWILIO, Calls
from bridge.outside.domain_proof import ProofFinder
from bridge.settings import Settings


def make_context(settings: Settings) -> Context:
    """What every flow is handed, over a database brought to this version's schema. Call it after a fork.

    Raises `bridge.flows.open_context.CannotOpen`.
    """
    return open_context(
        database_url=settings.database_url,
        synchronous=settings.sqlite_synchronous,
        secret_keys=settings.secret_keys,
        public_url=settings.public_url,
        session_days=settings.session_days,
        invite_days=settings.invite_days,
        asserted_groups_days=settings.asserted_groups_days,
        scim_log_days=settings.scim_log_days,
        scim_search_seconds=settings.scim_search_seconds,
        sign_in_log_days=settings.sign_in_log_days,
        audit_days=settings.audit_days,
        metadata_refresh_hours=settings.metadata_refresh_hours,
        twilio=_twilio(settings),
    )


def _twilio(settings: Settings) -> TwilioClient | None:
    """The three settings come together, or not at all."""
    issuer, client_id, secret = settings.twilio_issuer, settings.twilio_client_id, settings.twilio_client_secret
    return TwilioClient(issuer, client_id, secret) if issuer and client_id and secret else None


def make_mailer(settings: Settings) -> Mailer:
    """The way in which mail leaves."""
    return mail.make_mailer(settings.mail_url, settings.mail_from)


def make_outside(settings: Settings) -> Outside:
    """Every way out of the house."""
    return Outside(
        fetch=partial(web.fetch, allow_private=settings.fetch_private_addresses),
        mailer=make_mailer(settings),
        look_for_proof=ProofFinder(),
        calls=Calls(settings.fetch_private_addresses),
        twilio=Calls(settings.fetch_private_addresses, slots=OF_TWILIO, most=OF_TWILIO, of_one=OF_TWILIO),
        errands=Calls(settings.fetch_private_addresses, slots=1, most=1, of_one=1),
    )
