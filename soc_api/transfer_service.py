"""Outgoing transfers as use-cases: request, approve, refuse, seal, export, expire.

Every method takes the time and who acts, writes the audit line in the transaction of the change, and raises
``Refused`` naming what said no. Persons sign with keys of their own, which the caller unlocks; this service
keeps none. Receipts, heartbeats and what to send again are in soc_api/transfer_road.py.
"""

import secrets
import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from crypto import package
from crypto.certified import certificates_of
from crypto.package import APPROVER, AUTHOR, FileEntry, Manifest, Source
from crypto.package_files import FolderQuarantine, folder_sources
from crypto.package_names import flaw_of_names
from crypto.transfer import outgoing as machine
from crypto.transfer.channel import (
    after_sending,
    next_place,
)
from crypto.transfer.outgoing import Outgoing, Person
from crypto.transfer.policy import check_kinds, check_policy
from crypto.transfer.request import (
    Reason,
    Request,
    check_request,
    manifest_of,
    same_person,
)
from crypto.words import BadInput, Refused, Words
from soc_api.audit import Entry
from soc_api.transfer_channels import Channel
from soc_api.transfer_desk import Desk, Parts, Progress, kinds_of, said_of
from soc_api.transfer_ferry import deliver
from soc_api.transfer_gate import ask
from soc_api.transfer_lists import hand_over_lists

_COPY_BYTES: Final = 1 << 20


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What a person fills in; sender, receiver and zones are those of the channel."""

    channel: str
    application: str
    purpose: str
    label: str
    marks: tuple[str, ...] = ()
    days: int = 7


class TransferService:
    """Outgoing transfers of one center; calls may take as long as the files are large."""

    def __init__(self, parts: Parts) -> None:
        self._parts: Final = parts
        self._desk: Final = Desk(parts)
        self._store: Final = parts.store
        self._ferry: Final = parts.ferry

    def request(
        self, asked: Ask, sources: Sequence[Source], author: Person, now: datetime, *, source: str = "local"
    ) -> Outgoing:
        """经办: copy the files aside, look into them, and ask. The copies are what will be sent."""
        channel = self._parts.channels.find("out", asked.channel)
        name = secrets.token_hex(16)
        staged = self._ferry.staged(name)
        said = said_of("transfer.request", author.name, name, now, source)
        with self._desk.telling(said):
            try:
                request = self._staged(asked, channel, name, sources, now)
                check_request(request)
                allowed = check_policy(self._parts.policy, request)
                check_kinds(allowed, kinds_of(folder_sources(staged), request.files))
                transfer, _ = machine.step(
                    Outgoing(request=request, one_way=channel.one_way),
                    machine.Submit(author=author, now=now),
                )
                with self._store.acting(said) as acts:
                    acts.put_outgoing(transfer, now)
            except BaseException:
                self._ferry.destroy(staged)
                raise
        return transfer

    def approve(
        self, transfer: str, approver: Person, signer: package.Signer, now: datetime, *, source: str = "local"
    ) -> Outgoing:
        """审批: another person signs the final manifest, which takes the channel's next place."""
        said = said_of("transfer.approve", approver.name, transfer, now, source)
        with self._desk.telling(said), self._ferry.locked(), self._store.acting(said) as acts:
            before = acts.outgoing(transfer)
            check_policy(self._parts.policy, before.request)
            place = next_place(self._desk.free_end(acts, before.request.channel))
            author = before.author.name if before.author else ""
            manifest = manifest_of(before.request, place, author=author, approver=approver.name)
            _check_key(approver, signer)
            signature = package.sign(manifest, APPROVER, signer, certificates_of(signer))
            channel = self._parts.channels.find("out", before.request.channel)
            self._parts.channels.check_signed(channel, (signature,), manifest, now)
            command = machine.Approve(
                approver=approver,
                place=place,
                manifest_sm3=package.manifest_sm3(manifest),
                signature=signature,
                now=now,
            )
            after, _ = machine.step(before, command)
            acts.put_outgoing(after, now)
        return after

    def refuse(
        self, transfer: str, person: str, why: str, now: datetime, *, source: str = "local"
    ) -> Outgoing:
        """审批 says no, or anybody withdraws what was not exported yet."""
        reason = Reason(code="transfer-refused", zh=why[:500], en=why[:500])
        command = machine.Refuse(person=person, reason=reason)
        return self._step(transfer, command, said_of("transfer.refuse", person, transfer, now, source), now)

    def seal(
        self,
        transfer: str,
        author: Person,
        signer: package.Signer,
        now: datetime,
        *,
        progress: Progress | None = None,
        source: str = "local",
    ) -> Outgoing:
        """经办: sign the approved manifest and write the package."""
        said = said_of("transfer.seal", author.name, transfer, now, source)
        with self._desk.telling(said), self._ferry.locked():
            with self._store.reading() as acts:
                before = acts.outgoing(transfer)
            _check_key(author, signer)
            manifest = manifest_now(before)
            # Asked before anything is written, and again when it is recorded.
            command = machine.Seal(
                author=author, manifest_sm3=package.manifest_sm3(manifest), package_sm3="", now=now
            )
            machine.step(before, command)
            assert before.approval is not None, "approved transfers have one"
            signature = package.sign(manifest, AUTHOR, signer, certificates_of(signer))
            signatures = (signature, before.approval)
            channel = self._parts.channels.find("out", before.request.channel)
            digest = self._desk.write(manifest, signatures, channel, progress, now)
            command = msgspec.structs.replace(command, package_sm3=digest)
            return self._step(transfer, command, said, now, locked=True)

    def export(self, transfer: str, person: str, now: datetime, *, source: str = "local") -> Outgoing:
        """Ask the gate, take the place for good, hand the package over; again after a loss."""
        said = said_of("transfer.export", person, transfer, now, source)
        with self._desk.telling(said), self._ferry.locked():
            with self._store.reading() as acts:
                self._check_export(acts.outgoing(transfer), transfer, said.actor, now)
            with self._store.acting(said) as acts:
                before = acts.outgoing(transfer)
                request = before.request
                channel = self._parts.channels.find("out", request.channel)
                after, _ = machine.step(before, machine.Export(now=now))
                acts.put_outgoing(after, now)
                state = self._desk.end(acts, request.channel)
                if not before.exports and before.place is not None:
                    state = after_sending(state, before.place, before.manifest_sm3, now)
                    acts.put_channel(state)
            self._ferry.witness("out", state.channel, state.height)
            directory = self._parts.channels.path(channel.directory)
            hand_over_lists(self._parts.channels, channel, directory)
            deliver(self._ferry.sealed(transfer), directory, f"{transfer}.liuhe")
        return after

    def _check_export(self, before: Outgoing, transfer: str, actor: str, now: datetime) -> None:
        """What may forbid it; the gate keeps its answer, so it is asked before the transaction."""
        request = before.request
        channel = self._parts.channels.find("out", request.channel)
        if before.author is None:  # a heartbeat has none, and nothing leaves with it
            return
        check_policy(self._parts.policy, request)
        if before.approval is not None:  # not revoked since
            self._parts.channels.check_signed(channel, (before.approval,), manifest_now(before), now)
        ask(
            self._parts.gate,
            "export",
            self._parts.system,
            request.label,
            now,
            about=f"transfer:{transfer}",
            decider=actor,
        )

    def expire(self, now: datetime) -> list[str]:
        """End what is past its time; ids of what ended."""
        ended = []
        for kept in self._store.page(limit=100_000):
            if kept.outgoing is None:
                continue
            name = kept.outgoing.request.id
            after, effects = machine.step(kept.outgoing, machine.Expire(now=now))
            if effects:
                said = said_of("transfer.expire", "", name, now, "local")
                self._step(name, machine.Expire(now=now), said, now)
                ended.append(after.request.id)
        return ended

    # --- what the methods share

    def _step(
        self, transfer: str, command: machine.Command, said: Entry, now: datetime, *, locked: bool = False
    ) -> Outgoing:
        if not locked:
            with self._desk.telling(said), self._ferry.locked():
                return self._step(transfer, command, said, now, locked=True)
        with self._store.acting(said) as acts:
            after, effects = machine.step(acts.outgoing(transfer), command)
            acts.put_outgoing(after, now)
        self._desk.drop(after, effects)
        return after

    def _staged(
        self, asked: Ask, channel: Channel, name: str, sources: Sequence[Source], now: datetime
    ) -> Request:
        flaw = flaw_of_names(one.name for one in sources)
        if flaw:
            raise BadInput(
                "transfer-name",
                Words(f"文件名不合要求:{flaw}", f"a name is not fit: {flaw}"),
                Words("请改名后重新申请", "rename it and ask again"),
                field="files",
            )
        staged = self._ferry.staged(name)
        quarantine = FolderQuarantine(staged)
        for one in sources:
            with (
                one.open() as taken,
                quarantine.create(FileEntry(name=one.name, size=0, sm3="")) as given,
            ):
                shutil.copyfileobj(taken, given, _COPY_BYTES)
        quarantine.release()
        issued = now.astimezone(UTC).replace(microsecond=0)
        return Request(
            id=name,
            channel=channel.id,
            application=asked.application,
            purpose=asked.purpose,
            sender=channel.sender,
            receiver=channel.receiver,
            label=asked.label,
            marks=asked.marks,
            from_zone=channel.from_zone,
            to_zone=channel.to_zone,
            issued=issued,
            expires=issued + timedelta(days=asked.days),
            recipients=tuple(key.key_id for key in self._parts.channels.recipients(channel, now)),
            files=package.describe(folder_sources(staged)),
        )


def manifest_now(transfer: Outgoing) -> Manifest:
    """The manifest of an approved transfer. Raises Refused (transfer-state) where it has no place yet."""
    if transfer.place is None or transfer.author is None or transfer.approver is None:
        raise Refused(
            "transfer-state",
            Words("传输尚未审批", "the transfer is not approved"),
            Words("请先由另一人审批", "have another person approve it first"),
            field=transfer.request.id,
        )
    return manifest_of(
        transfer.request, transfer.place, author=transfer.author.name, approver=transfer.approver.name
    )


def _check_key(person: Person, signer: package.Signer) -> None:
    if person.key_id != signer.public.key_id:
        raise same_person()
