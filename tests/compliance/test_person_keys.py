"""Signatures by people's own keys; what is refused is tested with the desks that ask."""

from compliance.person_keys import bad_signature, fingerprint
from crypto.keys import SigningKey
from crypto.sm3 import sm3_hex
from crypto.words import Words


def test_a_key_is_named_by_its_public_part() -> None:
    public = SigningKey.generate().public
    assert fingerprint(public) == sm3_hex(public.spki())
    assert bad_signature(Words("甲", "a")).code == "attestation-signature"
