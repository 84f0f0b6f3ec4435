"""Signatures at the login by the keys people state things with (compliance/person_keys.py)."""

from datetime import datetime

from compliance.attestation_store import AttestationStore
from compliance.person_keys import check_person
from crypto.words import LiuheError
from soc_api.second_factor import KeyProof


class PersonKeys:
    """The registered keys of the center's people."""

    def __init__(self, store: AttestationStore) -> None:
        self._store = store

    def holds(self, data: bytes, proof: KeyProof, person: str, made: datetime, now: datetime) -> bool:
        """Whether ``person`` signed ``data`` by a key of theirs that is not revoked."""
        try:
            check_person(
                self._store,
                data,
                key=proof.key,
                signature=proof.signature,
                person=person,
                made=made,
                now=now,
            )
        except LiuheError:
            return False
        return True
