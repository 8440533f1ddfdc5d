"""The signature of metadata (SAML Metadata 3): for an IdP whose metadata is held to a certificate that was given apart
from it, as federations publish theirs.

The same gate as for messages stands before the library, and what is read after is what was signed: the signed element
anew from its canonical form. A certificate inside the metadata vouches for nothing (SAML Metadata 3.1 leaves it open).
"""

from lxml import etree

from saml import gate, toolkit
from saml.errors import BadSignature, InvalidMetadata, Refused
from saml.markup import Element, children, parse

_CHECKS = (
    gate.unbroken_text,
    gate.unique_ids,
    gate.signatures_in_place,
    gate.signatures_cover_their_parent,
    gate.nothing_beside_signatures,
    gate.keys_are_not_fetched,
    gate.transforms_allowed,
    gate.signature_algorithms_allowed,
)


def signed_part(entity: Element, certificates: tuple[str, ...]) -> Element:
    """The md:EntityDescriptor, or the md:EntitiesDescriptor around it, that has a signature good under one of
    `certificates` (PEM), read anew from what that covers, without it. The innermost that is signed counts.

    Raises `InvalidMetadata`.
    """
    for element in (entity, *entity.iterancestors()):
        if children(element, "ds:Signature"):
            return _covered(element, certificates)
    raise InvalidMetadata(
        "The metadata isn't signed, and this connection takes signed metadata only. Give the signed one, or take back "
        "the certificate that it is held to."
    )


def _covered(element: Element, certificates: tuple[str, ...]) -> Element:
    try:
        alone = parse(etree.tostring(element, with_tail=False))
        for check in _CHECKS:
            check(alone)
        toolkit.verify(alone, certificates)
        alone.remove(children(alone, "ds:Signature")[0])
        return parse(etree.tostring(alone, method="c14n", exclusive=True, with_comments=False))
    except BadSignature:
        raise InvalidMetadata(
            "The metadata isn't signed by the certificate that this connection holds it to. If its publisher has a new "
            "one, give that first."
        ) from None
    except Refused:
        raise InvalidMetadata(
            "The metadata's signature isn't one that the bridge takes: one, over the whole description by its ID, by "
            "exclusive canonicalization, RSA or ECDSA, with SHA-256 or better."
        ) from None
    except (etree.LxmlError, ValueError):
        raise InvalidMetadata("The signed metadata can't be read.") from None
