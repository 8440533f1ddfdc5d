"""Every reason of the product's own for refusing a sign-in is explained."""

from bridge.domain.sign_in_explanations import EXPLANATIONS, OIDC_EXPLANATIONS
from bridge.domain.sign_in_refusals import SignInRefused


def below(base: type[SignInRefused]) -> set[str]:
    """The codes of a class and of all below it."""
    return {base.code} | {code for one in base.__subclasses__() for code in below(one)}


def test_every_refusal_is_explained() -> None:
    assert below(SignInRefused) - set(EXPLANATIONS) - set(OIDC_EXPLANATIONS) == set()
