"""Attestations, their attachments, people's keys and imported documents over one state database.

Each change writes its act in the same transaction; the act gets its leaf from a job.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, Engine, RowMapping, Select, insert, select, update

from compliance.acts_store import Act, add_act, canonical, next_number
from compliance.attestation import Attestation, Signed, State
from compliance.enforcement_tables import acts, attachments, attestations, person_keys
from crypto.words import Refused, Words
from detection.store.state import writing
from detection.store.tables import from_micros, micros

PAGE_MAX: Final = 500
_signed: Final = msgspec.json.Decoder(Signed)


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file handed in; ``leaf`` holds its bytes."""

    sm3: str
    name: str
    bytes: int
    time: datetime
    actor: str
    leaf: int


class PersonKey(msgspec.Struct, frozen=True, kw_only=True):
    """A public key registered for a person."""

    fingerprint: str
    person: str
    public_pem: str
    added: datetime
    added_by: str
    revoked: datetime | None


class _Review(msgspec.Struct, frozen=True, kw_only=True):
    """What a reviewer said: the payload of the leaf."""

    attestation: int
    state: State
    reviewer: str
    note: str
    reviewed: datetime


class AttestationStore:
    """Attestations over one state database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, signed: Signed, state: State) -> Attestation:
        """Keep a new attestation."""
        said = signed.statement
        with writing(self._engine) as connection:
            act = Act(
                kind="attestation",
                time=said.made,
                actor=said.author,
                subject=f"attestation:{next_number(connection, attestations.c.id)}",
                summary=f"{said.check} {said.verdict} until {said.expires.date()}: {said.reason}",
                payload=canonical(signed),
            )
            number = int(act.subject.partition(":")[2])
            values = {
                "id": number,
                "system": said.system,
                "object": said.object,
                "check": said.check,
                "verdict": said.verdict,
                "state": state,
                "author": said.author,
                "made": micros(said.made),
                "expires": micros(said.expires),
                "act": add_act(connection, act),
                "body": canonical(signed).decode(),
            }
            connection.execute(insert(attestations).values(values))
        return self.get(number)

    def decide(
        self, number: int, *, was: State, state: State, reviewer: str, note: str, now: datetime
    ) -> Attestation:
        """Accept, reject or withdraw one that is ``was``. Raises Refused (attestation-state)."""
        review = _Review(attestation=number, state=state, reviewer=reviewer, note=note, reviewed=now)
        with writing(self._engine) as connection:
            done = connection.execute(
                update(attestations)
                .where(attestations.c.id == number, attestations.c.state == was)
                .values(state=state, reviewer=reviewer, reviewed=micros(now))
            )
            if not done.rowcount:
                raise _changed(number)
            act = Act(
                kind="attestation",
                time=now,
                actor=reviewer,
                subject=f"attestation:{number}/{state}",
                summary=f"{state}: {note}",
                payload=canonical(review),
            )
            add_act(connection, act)
        return self.get(number)

    def get(self, number: int) -> Attestation:
        """One attestation. Raises Refused (attestation-not-found)."""
        with self._engine.connect() as connection:
            row = connection.execute(_rows().where(attestations.c.id == number)).mappings().first()
            if row is None:
                raise Refused(
                    "attestation-not-found",
                    Words(f"没有编号为 {number} 的证明", f"there is no attestation {number}"),
                    Words("请从列表中选择", "choose one from the list"),
                    field=str(number),
                )
            return _attestation(connection, row)

    def of_system(self, system: str) -> dict[str, list[Attestation]]:
        """All attestations of a system that may still matter, by check, oldest first."""
        found: dict[str, list[Attestation]] = {}
        query = _rows().where(attestations.c.system == system).order_by(attestations.c.id)
        with self._engine.connect() as connection:
            for row in connection.execute(query).mappings():
                found.setdefault(row["check"], []).append(_attestation(connection, row))
        return found

    def page(
        self, *, system: str = "", check: str = "", state: str = "", before: int = 0, limit: int = 100
    ) -> list[Attestation]:
        """Attestations, newest first; '' is all."""
        query = _rows().order_by(attestations.c.id.desc()).limit(max(1, min(limit, PAGE_MAX)))
        for column, value in (("system", system), ("check", check), ("state", state)):
            if value:
                query = query.where(attestations.c[column] == value)
        if before:
            query = query.where(attestations.c.id < before)
        with self._engine.connect() as connection:
            return [_attestation(connection, row) for row in connection.execute(query).mappings().all()]

    def add_attachment(self, attachment: Attachment) -> None:
        """Keep a file's name; the same bytes again change nothing."""
        values = msgspec.structs.asdict(attachment) | {"time": micros(attachment.time)}
        with writing(self._engine) as connection:
            known = select(attachments.c.sm3).where(attachments.c.sm3 == attachment.sm3)
            if connection.scalar(known) is None:
                connection.execute(insert(attachments).values(values))

    def attachments(self, digests: Sequence[str]) -> list[Attachment]:
        """The known ones of these files."""
        query = select(attachments).where(attachments.c.sm3.in_(list(digests)))
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        return [Attachment(**(dict(row) | {"time": from_micros(row["time"])})) for row in rows]

    def add_key(self, key: PersonKey) -> None:
        """Register a public key for a person. Raises Refused (person-key-known)."""
        with writing(self._engine) as connection:
            known = select(person_keys.c.person).where(person_keys.c.fingerprint == key.fingerprint)
            if connection.scalar(known) is not None:
                raise Refused(
                    "person-key-known",
                    Words("该公钥已登记", "this public key is registered already"),
                    Words("一把密钥只属于一个人,请换一把", "a key belongs to one person; use another"),
                    field=key.fingerprint,
                )
            values = msgspec.structs.asdict(key) | {"added": micros(key.added), "revoked": None}
            connection.execute(insert(person_keys).values(values))
            _key_act(connection, key, "registered", key.added_by, key.added)

    def revoke_key(self, fingerprint: str, actor: str, now: datetime) -> None:
        """No signature of this key is taken from now on; those given stay. Raises Refused."""
        key = self.key(fingerprint)
        with writing(self._engine) as connection:
            place = person_keys.c.fingerprint == fingerprint
            fresh = place & person_keys.c.revoked.is_(None)
            if connection.execute(update(person_keys).where(fresh).values(revoked=micros(now))).rowcount:
                _key_act(connection, key, "revoked", actor, now)

    def key(self, fingerprint: str) -> PersonKey:
        """A registered key. Raises Refused (person-key-not-found)."""
        query = select(person_keys).where(person_keys.c.fingerprint == fingerprint)
        with self._engine.connect() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            raise Refused(
                "person-key-not-found",
                Words("该公钥未登记", "this public key is not registered"),
                Words("请先由管理员登记公钥", "have an administrator register it first"),
                field=fingerprint[:64],
            )
        return _person_key(row)

    def person_keys(self) -> list[PersonKey]:
        """All registered keys by person."""
        query = select(person_keys).order_by(person_keys.c.person, person_keys.c.added)
        with self._engine.connect() as connection:
            return [_person_key(row) for row in connection.execute(query).mappings()]


def _rows() -> Select[tuple[object, ...]]:
    return select(attestations, acts.c.leaf).join(acts, acts.c.id == attestations.c.act)


def _attestation(connection: Connection, row: RowMapping) -> Attestation:
    note = ""
    if row["reviewed"] is not None:
        subject = f"attestation:{row['id']}/{row['state']}"
        payload = connection.scalar(select(acts.c.payload).where(acts.c.subject == subject))
        note = msgspec.json.decode(payload, type=_Review).note if payload else ""
    return Attestation(
        id=row["id"],
        signed=_signed.decode(row["body"]),
        state=row["state"],
        reviewer=row["reviewer"],
        reviewed=None if row["reviewed"] is None else from_micros(row["reviewed"]),
        note=note,
        leaf=row["leaf"],
    )


def _person_key(row: RowMapping) -> PersonKey:
    revoked = None if row["revoked"] is None else from_micros(row["revoked"])
    return PersonKey(**(dict(row) | {"added": from_micros(row["added"]), "revoked": revoked}))


def _key_act(connection: Connection, key: PersonKey, what: str, actor: str, now: datetime) -> None:
    about = {"fingerprint": key.fingerprint, "person": key.person, "public_pem": key.public_pem, "did": what}
    add_act(
        connection,
        Act(
            kind="attestation",
            time=now,
            actor=actor,
            subject=f"person-key:{key.fingerprint}/{what}",
            summary=f"key of {key.person} {what}",
            payload=canonical(about),
        ),
    )


def _changed(number: int) -> Refused:
    return Refused(
        "attestation-state",
        Words("该证明的状态已变化", "the attestation is in another state by now"),
        Words("请刷新后重试", "reload and try again"),
        field=str(number),
    )
