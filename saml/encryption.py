"""Opening an EncryptedAssertion (XML Encryption 1.1): AES under a key sent by RSA-OAEP, with `cryptography`
alone.

xmlsec could do it, but it follows what the message says: other documents, other key sources, other
algorithms. Here only two base64 values and four algorithm names are read, so there is nothing to follow. It
is also faster: an xmlsec `KeysManager` loads the system's certificate store each time it is made.

Every failure is the same `DecryptionFailed`: with AES-CBC, telling bad padding from bad XML would let a
stranger decrypt (Jager and Somorovsky, 2011).
"""

import base64
import binascii

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from saml import algorithms
from saml.errors import DecryptionFailed
from saml.keys import private_key
from saml.markup import NAMESPACES, Element

_BLOCK = 16
_GCM_NONCE = 12


def decrypt(encrypted: Element, private_keys: tuple[str, ...]) -> bytes:
    """The octets inside a saml:EncryptedAssertion that passed the gate, by the first of `private_keys` (PEM) that
    opens it. Raises `DecryptionFailed`, whatever was wrong.

    Every key is tried on every EncryptedKey: which of them a message was meant for is what strangers write there.
    """
    for wrapped in encrypted.iterfind(".//xenc:EncryptedKey", NAMESPACES):
        for key in private_keys:
            try:
                return _opened(encrypted, wrapped, key)
            except (ValueError, LookupError, InvalidTag):
                continue
    raise DecryptionFailed


def _opened(encrypted: Element, wrapped: Element, private_key_pem: str) -> bytes:
    content = _only(encrypted, "xenc:EncryptedData")
    return _decipher(_algorithm(content), _unwrap(wrapped, private_key_pem), _cipher_value(content))


def _unwrap(encrypted_key: Element, private_key_pem: str) -> bytes:
    """The AES key (XML Encryption 1.1, 5.5.2). `rsa-oaep-mgf1p` fixes the mask to SHA-1, `rsa-oaep` names
    it."""
    method = _only(encrypted_key, "xenc:EncryptionMethod")
    digest = _parameter(method, "ds:DigestMethod", algorithms.OAEP_DEFAULT_DIGEST)
    mask = algorithms.OAEP_DEFAULT_MASK
    if method.get("Algorithm") == algorithms.RSA_OAEP:
        mask = _parameter(method, "xenc11:MGF", algorithms.OAEP_DEFAULT_MASK)
    label = method.findtext("xenc:OAEPparams", None, NAMESPACES)
    oaep = padding.OAEP(
        mgf=padding.MGF1(algorithms.OAEP_MASKS[mask]),
        algorithm=algorithms.OAEP_DIGESTS[digest],
        label=_decode(label) if label else None,
    )
    return private_key(private_key_pem).decrypt(_cipher_value(encrypted_key), oaep)


def _decipher(algorithm: str, key: bytes, octets: bytes) -> bytes:
    if len(key) != (algorithms.AES_GCM | algorithms.AES_CBC)[algorithm]:
        raise ValueError("the key's length isn't the algorithm's")
    if algorithm in algorithms.AES_GCM:
        return AESGCM(key).decrypt(octets[:_GCM_NONCE], octets[_GCM_NONCE:], None)
    decryptor = Cipher(AES(key), CBC(octets[:_BLOCK])).decryptor()
    padded = decryptor.update(octets[_BLOCK:]) + decryptor.finalize()
    if not padded or not 1 <= padded[-1] <= _BLOCK:  # XML Encryption 1.1, 5.2: only the last octet counts
        raise ValueError("bad padding")
    return padded[: -padded[-1]]


def _algorithm(element: Element) -> str:
    return _only(element, "xenc:EncryptionMethod").get("Algorithm") or ""


def _parameter(method: Element, name: str, default: str) -> str:
    element = method.find(name, NAMESPACES)
    return default if element is None else element.get("Algorithm") or ""


def _cipher_value(element: Element) -> bytes:
    return _decode(_only(element, "xenc:CipherData/xenc:CipherValue").text or "")


def _decode(written: str) -> bytes:
    try:
        return base64.b64decode("".join(written.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("not base64") from error


def _only(element: Element, path: str) -> Element:
    found = element.findall(path, NAMESPACES)
    if len(found) != 1:
        raise LookupError(path)
    return found[0]
