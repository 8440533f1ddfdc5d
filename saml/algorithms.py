"""The algorithms that the bridge accepts: an allow-list, as data. What isn't here is refused before any
library sees it."""

from typing import Final, Literal

from cryptography.hazmat.primitives import hashes

_DSIG = "http://www.w3.org/2000/09/xmldsig#"
_DSIG_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_DSIG_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
_XENC = "http://www.w3.org/2001/04/xmlenc#"
_XENC11 = "http://www.w3.org/2009/xmlenc11#"

RSA_SHA256: Final = f"{_DSIG_MORE}rsa-sha256"

_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}
#: How each is made: PKCS #1 v1.5, PSS with the hash in the mask and as long a salt (RFC 9231 2.3.10), or ECDSA.
SIGNED_BY: Final[dict[str, tuple[Literal["rsa", "rsa-pss", "ecdsa"], hashes.HashAlgorithm]]] = {
    **{f"{_DSIG_MORE}rsa-{name}": ("rsa", digest) for name, digest in _HASHES.items()},
    **{f"{_DSIG_2007}{name}-rsa-MGF1": ("rsa-pss", digest) for name, digest in _HASHES.items()},
    **{f"{_DSIG_MORE}ecdsa-{name}": ("ecdsa", digest) for name, digest in _HASHES.items()},
}
SIGNATURES: Final = frozenset(SIGNED_BY)
DIGESTS: Final = frozenset({f"{_XENC}sha256", f"{_DSIG_MORE}sha384", f"{_XENC}sha512"})

EXCLUSIVE_C14N: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
CANONICALIZATIONS: Final = frozenset({EXCLUSIVE_C14N, f"{EXCLUSIVE_C14N}WithComments"})
TRANSFORMS: Final = CANONICALIZATIONS | {f"{_DSIG}enveloped-signature"}
# For the block that is signed SAML Core 5.4.3 only prefers the exclusive kind; .NET's default is the inclusive one.
BLOCK_CANONICALIZATIONS: Final = CANONICALIZATIONS | {"http://www.w3.org/TR/2001/REC-xml-c14n-20010315"}

AES_CBC: Final = {f"{_XENC}aes{bits}-cbc": bits // 8 for bits in (128, 192, 256)}
AES_GCM: Final = {f"{_XENC11}aes{bits}-gcm": bits // 8 for bits in (128, 192, 256)}
RSA_OAEP_MGF1_SHA1: Final = f"{_XENC}rsa-oaep-mgf1p"
RSA_OAEP: Final = f"{_XENC11}rsa-oaep"
KEY_TRANSPORTS: Final = frozenset({RSA_OAEP_MGF1_SHA1, RSA_OAEP})

# SHA-1 stands here alone: inside OAEP it needs no collision resistance, and it is the default of the standard (XML
# Encryption 1.1, 5.5.2), which most identity providers send.
OAEP_DIGESTS: Final[dict[str, hashes.HashAlgorithm]] = {
    f"{_DSIG}sha1": hashes.SHA1(),  # noqa: S303
    f"{_XENC}sha256": hashes.SHA256(),
    f"{_DSIG_MORE}sha384": hashes.SHA384(),
    f"{_XENC}sha512": hashes.SHA512(),
}
OAEP_DEFAULT_DIGEST: Final = f"{_DSIG}sha1"
OAEP_MASKS: Final[dict[str, hashes.HashAlgorithm]] = {
    f"{_XENC11}mgf1sha1": hashes.SHA1(),  # noqa: S303
    f"{_XENC11}mgf1sha256": hashes.SHA256(),
    f"{_XENC11}mgf1sha384": hashes.SHA384(),
    f"{_XENC11}mgf1sha512": hashes.SHA512(),
}
OAEP_DEFAULT_MASK: Final = f"{_XENC11}mgf1sha1"

OFFERED_ENCRYPTION: Final = (
    f"{_XENC11}aes256-gcm",
    f"{_XENC11}aes128-gcm",
    f"{_XENC}aes256-cbc",
    f"{_XENC}aes128-cbc",
    RSA_OAEP_MGF1_SHA1,
    RSA_OAEP,
)
