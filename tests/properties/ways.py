"""Small steps that several properties take."""

import re
from datetime import datetime

from bridge.domain.directory import PushedUser
from bridge.flows.context import Context
from bridge.flows.deliver import deliver_due
from bridge.flows.provision_users import change_user
from tests.flows.mailer import KeptMail
from tests.world import World, pushed


def mailed_secret(context: Context, now: datetime) -> str:
    """The secret of the link in the mail sent last."""
    mailer = KeptMail()
    deliver_due(context, mailer, now)
    return str(re.findall(r"/(?:prove/link|invitations)/(\S+)", mailer.sent[-1].text)[-1])


def say(world: World, user_id: str, said: PushedUser) -> None:
    """The IdP describes somebody anew."""
    change_user(world.context, world.connection, user_id, lambda _: said, world.now)


def set_active(world: World, user_id: str, user_name: str, active: bool) -> None:
    """The IdP suspends somebody, or lets them in again."""
    say(world, user_id, pushed(user_name, active=active))
