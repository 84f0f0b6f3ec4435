"""Where people hand in statements, files and documents, and others review them.

Every statement carries an SM2 signature: the person's own, where a key is registered for them and they sign
the draft outside; else the center's, over what they stated within their session. Files lie in the ledger as
payloads before a statement may name them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec

from compliance.acts_store import one_line
from compliance.attestation import (
    Attestation,
    Signature,
    Signed,
    State,
    Statement,
    check_reviewer,
    check_statement,
    needs_review,
    read_statement,
    statement_bytes,
)
from compliance.attestation_store import Attachment, AttestationStore, PersonKey
from compliance.checklist import Check
from compliance.document_store import DocumentStore
from compliance.documents import DocumentKind, Imported, read_document
from compliance.ledger import Ledger, NewEvidence
from compliance.person_keys import bad_signature, check_person, fingerprint
from crypto.keys import PublicKey, SigningKey
from crypto.sm3 import sm3_hex
from crypto.words import BadInput, Refused, Words

ATTACHMENT_BYTES_MAX: Final = 16 * 1024 * 1024
NAME_CHARS_MAX: Final = 200
NOTE_CHARS_MAX: Final = 500


class Desk(msgspec.Struct, frozen=True, kw_only=True):
    """What the desk stands on; ``known`` says whether there is such a graded system."""

    store: AttestationStore
    documents: DocumentStore
    ledger: Ledger
    key: SigningKey
    checks: Mapping[str, Check]
    kinds: Mapping[str, DocumentKind]
    known: Callable[[str], bool]


class AttestationDesk:
    """One per process that holds the ledger's writer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def attach(self, name: str, data: bytes, actor: str, now: datetime) -> Attachment:
        """Keep a file; durable on return. Raises BadInput (attachment-malformed)."""
        if not 0 < len(data) <= ATTACHMENT_BYTES_MAX:
            raise _bad_file(f"{len(data)} 字节", f"{len(data)} bytes", "file")
        if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable() or "/" in name or "\\" in name:
            raise _bad_file("文件名不合格式", "malformed name", "name")
        digest = sm3_hex(data)
        known = self._desk.store.attachments([digest])
        if known:
            return known[0]
        evidence = NewEvidence(
            kind="attestation",
            actor=actor,
            subject=f"attachment:{digest}",
            summary=one_line(f"{name}, {len(data)} bytes"),
            payload=data,
        )
        leaf = self._desk.ledger.append([evidence], now)[0]
        kept = Attachment(sm3=digest, name=name, bytes=len(data), time=now, actor=actor, leaf=leaf)
        self._desk.store.add_attachment(kept)
        return kept

    def file(self, digest: str) -> tuple[Attachment, bytes]:
        """A file's name and bytes. Raises Refused (attachment-not-found)."""
        known = self._desk.store.attachments([digest])
        if not known:
            raise _no_file(digest)
        ledger = self._desk.ledger
        return known[0], ledger.payload_of(ledger.record(known[0].leaf))

    def draft(self, statement: Statement, now: datetime) -> bytes:
        """The bytes a person signs outside. Raises as ``submit``."""
        self._check(statement, now)
        return statement_bytes(statement)

    def submit(self, statement: Statement, now: datetime) -> Attestation:
        """Take a statement made within a session; the center signs it.

        Raises BadInput (attestation-answer), Refused (check-not-found, system-not-found,
        attachment-not-found, attestation-not-asked).
        """
        check = self._check(statement, now)
        value = self._desk.key.sign(statement_bytes(statement)).hex()
        signature = Signature(method="center", key=fingerprint(self._desk.key.public), value=value)
        return self._keep(check, Signed(statement=statement, signature=signature))

    def submit_signed(
        self,
        data: bytes,
        key: str,
        signature: str,
        author: str,
        now: datetime,
        *,
        allowed: Callable[[str], bool] = bool,
    ) -> Attestation:
        """Take a statement signed by the person's own key. Raises also Refused (attestation-signature).

        ``allowed`` says whether this person has anything to say about a graded system.
        """
        statement = read_statement(data)
        if not allowed(statement.system):
            raise bad_signature(Words("不在其管辖范围", "that system is outside this person's scope"))
        check = self._check(statement, now)
        if statement.author != author:
            raise bad_signature(Words("这是他人的陈述", "this is somebody else's statement"))
        kept = check_person(
            self._desk.store,
            data,
            key=key,
            signature=signature,
            person=author,
            made=statement.made,
            now=now,
        )
        given = Signature(method="person", key=key, value=kept)
        return self._keep(check, Signed(statement=statement, signature=given))

    def review(self, number: int, *, accept: bool, note: str, actor: str, now: datetime) -> Attestation:
        """Accept or reject another person's statement. Raises Refused (attestation-review, -state)."""
        attestation = self._desk.store.get(number)
        check_reviewer(attestation, actor)
        _check_note(note, needed=not accept)
        state: State = "accepted" if accept else "rejected"
        return self._desk.store.decide(
            number, was="submitted", state=state, reviewer=actor, note=note, now=now
        )

    def withdraw(self, number: int, *, note: str, actor: str, now: datetime) -> Attestation:
        """Take a statement back; its author does, or whoever may review. Raises Refused."""
        attestation = self._desk.store.get(number)
        _check_note(note, needed=True)
        if attestation.state == "submitted":
            return self._desk.store.decide(
                number, was="submitted", state="rejected", reviewer=actor, note=note, now=now
            )
        return self._desk.store.decide(
            number, was="accepted", state="withdrawn", reviewer=actor, note=note, now=now
        )

    def bring(self, system: str, kind: str, data: bytes, name: str, actor: str, now: datetime) -> Imported:
        """Import a document; it counts at the next evaluation. Raises BadInput (document-malformed)."""
        known = self._kind(kind)
        self._system(system)
        rows = read_document(known, data)
        file = self.attach(name, data, actor, now)
        document = Imported(id=0, system=system, kind=kind, time=now, actor=actor, sm3=file.sm3, rows=rows)
        return self._desk.documents.add(document)

    def try_document(self, kind: str, data: bytes) -> int:
        """How many rows an import would bring; nothing is kept. Raises BadInput (document-malformed)."""
        return len(read_document(self._kind(kind), data))

    def add_key(self, person: str, public_pem: str, actor: str, now: datetime) -> PersonKey:
        """Register a person's public key. Raises Refused (person-key-known), BadInput."""
        public = PublicKey.from_pem(public_pem.encode())
        kept = PersonKey(
            fingerprint=fingerprint(public),
            person=person,
            public_pem=public.pem().decode(),
            added=now,
            added_by=actor,
            revoked=None,
        )
        self._desk.store.add_key(kept)
        return kept

    def _keep(self, check: Check, signed: Signed) -> Attestation:
        state: State = "submitted" if needs_review(check, signed.statement) else "accepted"
        return self._desk.store.add(signed, state)

    def _check(self, statement: Statement, now: datetime) -> Check:
        check = self._desk.checks.get(statement.check)
        if check is None:
            raise Refused(
                "check-not-found",
                Words("没有这个检查项", "there is no such check"),
                Words("请从清单中选择", "choose one from the list"),
                field=statement.check,
            )
        self._system(statement.system)
        check_statement(check, statement, now)
        self._attached(statement.attachments)
        return check

    def _attached(self, digests: Sequence[str]) -> None:
        known = {one.sm3 for one in self._desk.store.attachments(digests)}
        for digest in digests:
            if digest not in known:
                raise _no_file(digest)

    def _system(self, system: str) -> None:
        if not self._desk.known(system):
            raise Refused(
                "system-not-found",
                Words("没有这个定级对象", "there is no such graded system"),
                Words("请先登记定级对象", "register it first"),
                field=system,
            )

    def _kind(self, kind: str) -> DocumentKind:
        known = self._desk.kinds.get(kind)
        if known is None:
            raise Refused(
                "document-kind-not-found",
                Words("没有这种文档", "there is no such kind of document"),
                Words("请从列表中选择文档类型", "choose a kind from the list"),
                field=kind[:64],
            )
        return known


def _check_note(note: str, *, needed: bool) -> None:
    if len(note) > NOTE_CHARS_MAX or (needed and len(note.strip()) < 2):
        raise BadInput(
            "attestation-answer",
            Words("请写明理由", "say why"),
            Words(f"2 至 {NOTE_CHARS_MAX} 字", f"2 to {NOTE_CHARS_MAX} characters"),
            field="note",
        )


def _bad_file(zh: str, en: str, field: str) -> BadInput:
    return BadInput(
        "attachment-malformed",
        Words(f"附件不可接受:{zh}", f"the file can't be taken: {en}"),
        Words(
            f"单个文件不超过 {ATTACHMENT_BYTES_MAX // 2**20} MiB,文件名不含路径",
            f"one file, {ATTACHMENT_BYTES_MAX // 2**20} MiB at most, named without a path",
        ),
        field=field,
    )


def _no_file(digest: str) -> Refused:
    return Refused(
        "attachment-not-found",
        Words("附件尚未上传", "this file has not been handed in"),
        Words("请先上传附件", "hand it in first"),
        field=digest[:64],
    )
