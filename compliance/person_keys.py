"""Signatures by people's own keys: over the very bytes of a draft, by a key registered for that person."""

from datetime import datetime, timedelta
from typing import Final

from compliance.attestation_store import AttestationStore
from crypto.keys import PublicKey
from crypto.sm2_forms import SIGNATURE_BYTES, signature_from_der
from crypto.sm3 import sm3_hex
from crypto.words import LiuheError, Refused, Words

DRAFT_VALID: Final = timedelta(minutes=30)  # time to carry a draft to the key and back


def fingerprint(public: PublicKey) -> str:
    """How a public key is named: the SM3 of its SubjectPublicKeyInfo."""
    return sm3_hex(public.spki())


def check_person(
    store: AttestationStore,
    data: bytes,
    *,
    key: str,
    signature: str,
    person: str,
    made: datetime,
    now: datetime,
) -> str:
    """The signature as kept, where ``person`` signed ``data``, a draft of ``made``, by a key of theirs.

    ``signature`` is hex: r then s as our tools write it, or DER as others do; r then s is kept.

    Raises Refused (person-key-not-found, attestation-signature).
    """
    registered = store.key(key)
    if registered.person != person or registered.revoked is not None:
        raise bad_signature(Words("密钥不属于此人或已吊销", "the key is not this person's, or revoked"))
    if not timedelta(0) <= now - made <= DRAFT_VALID:
        raise bad_signature(Words("草稿已过期,请重新生成", "the draft is too old; make a new one"))
    try:
        public = PublicKey.from_pem(registered.public_pem.encode())
        given = bytes.fromhex(signature)
        raw = given if len(given) == SIGNATURE_BYTES else signature_from_der(given)
        public.verify(data, raw)
    except (LiuheError, ValueError) as error:
        raise bad_signature(Words("签名验证失败", "the signature does not hold")) from error
    return raw.hex()


def bad_signature(what: Words) -> Refused:
    """What is said of a signature that is not taken."""
    return Refused(
        "attestation-signature",
        what,
        Words("请用已登记的 SM2 私钥对草稿原文签名", "sign the draft's bytes with the registered SM2 key"),
        field="signature",
    )
