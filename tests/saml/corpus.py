"""Every bad response there is: `ATTACKS`, filled by importing the modules that register them."""

from tests.saml import attacks, published_attacks
from tests.saml.attacks import Attack

ATTACKS: list[Attack] = attacks.ATTACKS

assert published_attacks.__doc__  # imported for what it registers
