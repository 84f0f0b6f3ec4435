"""Incoming transfers: each package that lies in a channel's directory is imported exactly once or refused.

Order of an import: verify all of it into a quarantine; look at the content; ask the gate; then one
transaction with audit line, import, place on the channel and signed receipt; then let the files be seen, hand
the receipt over, clear the package away. A crash at any point is repeated from the start: what was not
recorded is done anew, what was recorded is only finished.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO, Final, Literal

import msgspec

from crypto import package
from crypto.certified import certificates_of
from crypto.keys import DecryptionKey
from crypto.package import Manifest
from crypto.package_envelope import Header
from crypto.package_files import FolderQuarantine, folder_sources
from crypto.transfer import incoming as machine
from crypto.transfer.channel import (
    Arrival,
    ResendList,
    after_receiving,
    allow_epoch,
    judge,
    resend_list,
)
from crypto.transfer.incoming import Incoming
from crypto.transfer.policy import check_kinds, check_policy
from crypto.transfer.receipt import Receipt, decode_receipt, receipt_sm3, sign_receipt
from crypto.transfer.request import HEARTBEAT, Reason, check_dual_control, reason_of
from crypto.words import BadInput, Refused, Words
from soc_api.audit import Entry, entry
from soc_api.transfer_channels import Channel
from soc_api.transfer_desk import Desk, Parts, Progress, kinds_of, said_of
from soc_api.transfer_ferry import (
    PACKAGE,
    Glance,
    deliver_small,
    glance,
    offered,
    opened,
    still_arriving,
    take_away,
)
from soc_api.transfer_gate import ask
from soc_api.transfer_lists import hand_over_lists, take_lists
from soc_api.transfer_store import Acts
from soc_api.transfer_trust import RENEWABLE

Effect = Callable[[Acts, Arrival, Path], None]
# Nothing is wrong with the package itself: its place comes later, or our revocation lists are to be renewed.
_WAITS: Final = frozenset({"transfer-gap", *RENEWABLE})


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one file: ``partial`` is still being copied, ``waiting`` waits for those before it."""

    name: str
    state: Literal["imported", "duplicate", "refused", "partial", "waiting"]
    package_sm3: str = ""
    reason: Reason | None = None


class ImportService:
    """Incoming transfers of one center."""

    def __init__(
        self,
        parts: Parts,
        keys: Mapping[str, DecryptionKey],
        station: package.Signer,
        effect: Effect | None = None,
        person: str = "",
    ) -> None:
        """``keys`` open packages, by key id; ``station`` signs receipts; ``effect`` is what an import does
        beyond its files, within the same transaction; ``person`` is who has it done, if not the service."""
        self._parts: Final = parts
        self._desk: Final = Desk(parts)
        self._keys: Final = keys
        self._station: Final = station
        self._effect: Final = effect
        self._person: Final = person

    def import_all(self, channel: str, now: datetime, *, progress: Progress | None = None) -> list[Outcome]:
        """Everything that lies in the channel's directory, after finishing what a crash left."""
        settings = self._parts.channels.find("in", channel)
        self.recover()
        take_lists(self._parts, settings, self._parts.channels.path(settings.directory), now)
        outcomes: dict[str, Outcome] = {}
        moved = True
        while moved:  # on an ordered channel each import may let the next one in
            moved = False
            for path in offered(self._parts.channels.path(settings.directory), PACKAGE):
                known = outcomes.get(path.name)
                if known is not None and known.state != "waiting":
                    continue
                outcome = self.import_file(path, settings, now, progress=progress)
                moved |= outcome.state == "imported"
                outcomes[path.name] = outcome
        if settings.receipts and outcomes:
            hand_over_lists(self._parts.channels, settings, self._parts.channels.path(settings.receipts))
        return list(outcomes.values())

    def import_file(
        self, path: Path, channel: Channel, now: datetime, *, progress: Progress | None = None
    ) -> Outcome:
        """One package. Nothing but a failure of this machine is raised; a refusal is an outcome."""
        with self._parts.ferry.locked():
            try:
                with opened(path) as file:
                    if still_arriving(file):
                        return Outcome(name=path.name, state="partial")
                    file.seek(0)
                    seen = glance(file)
                    outcome = self._import(file, path, seen, channel, now, progress)
            except Refused as error:
                # Not even a header: there is nothing a receipt could be bound to.
                with self._parts.store.acting(self._said("transfer.import", path.name, now, error.code)):
                    pass
                outcome = Outcome(name=path.name, state="refused", reason=reason_of(error))
            if outcome.state not in {"waiting", "partial"}:
                take_away(path, refused=outcome.state == "refused")
        return outcome

    def recover(self) -> None:
        """Finish imports that were recorded, but whose files or receipts a crash held back."""
        with self._parts.ferry.locked():
            for one in self._parts.store.unfinished():
                self._finish(one.package_sm3)

    def _import(
        self,
        file: BinaryIO,
        path: Path,
        seen: Glance,
        channel: Channel,
        now: datetime,
        progress: Progress | None,
    ) -> Outcome:
        if self._parts.store.imported(seen.package_sm3):
            with self._parts.store.acting(self._said("transfer.duplicate", seen.package_sm3, now)):
                pass
            self._finish(seen.package_sm3)
            return Outcome(name=path.name, state="duplicate", package_sm3=seen.package_sm3)
        offer = Incoming(package=seen.package, package_sm3=seen.package_sm3, channel=channel.id)
        transfer, _ = machine.step(offer, machine.Verify())
        with self._parts.store.acting(self._said("transfer.verify", seen.package_sm3, now)) as acts:
            acts.put_incoming(transfer, now)
        self._parts.channels.trust(channel, now)  # a wrong register is ours to mend: raised here
        try:
            header = self._verify(file, seen, channel, now, progress)
            transfer, _ = machine.step(
                transfer, machine.Verified(manifest=header.manifest, manifest_sm3=header.manifest_sm3)
            )
            self._look(header, seen.package_sm3, now)
            self._commit(transfer, header, channel, now)
        except (Refused, BadInput) as error:
            self._parts.ferry.destroy(self._parts.ferry.quarantine(seen.package_sm3))
            if error.code in _WAITS:
                return Outcome(name=path.name, state="waiting", reason=reason_of(error))
            self._refuse(transfer, channel, reason_of(error), now)
            return Outcome(
                name=path.name,
                state="refused",
                package_sm3=seen.package_sm3,
                reason=reason_of(error),
            )
        self._finish(seen.package_sm3)
        return Outcome(name=path.name, state="imported", package_sm3=seen.package_sm3)

    def _verify(
        self, file: BinaryIO, seen: Glance, channel: Channel, now: datetime, progress: Progress | None
    ) -> Header:
        """Everything that the package itself and the channel can say, into the quarantine."""
        place = self._parts.ferry.quarantine(seen.package_sm3)
        self._parts.ferry.destroy(place)
        file.seek(0)
        done = package.open_(
            file,  # type: ignore[arg-type]  # opened unbuffered, so it reads into buffers
            recipient=_key_for(seen, self._keys),
            trust=self._parts.channels.trust(channel, now),
            quarantine=FolderQuarantine(place),
            now=now,
            accept=lambda header: self._accept(header, channel),
            progress=progress,
        )
        return done.header

    def _accept(self, header: Header, channel: Channel) -> None:
        """The manifest alone: parties, persons, policy, place. Nothing was decrypted yet."""
        manifest = header.manifest
        if (manifest.from_zone, manifest.to_zone) != (channel.from_zone, channel.to_zone):
            raise Refused(
                "transfer-channel",
                Words("数据包的网络区域不是本通道的", "its zones are not those of the channel"),
                Words("请与发送方核对通道状态", "compare the state of the channel with the other end"),
                field=f"{manifest.from_zone}>{manifest.to_zone}",
            )
        _check_manifest(self._parts, manifest)
        arrival = _arrival(header)
        with self._parts.store.reading() as acts:
            judge(self._desk.receiving_end(acts, channel), arrival, acts.imported_at(arrival))

    def _look(self, header: Header, package_sm3: str, now: datetime) -> None:
        """What the verified files really are, then whether compliance lets them in."""
        manifest = header.manifest
        if manifest.kind == HEARTBEAT:
            return  # nothing comes in with it, and losing it would look like a gap
        sources = {one.name: one for one in folder_sources(self._parts.ferry.quarantine(package_sm3))}
        kinds = kinds_of([sources[one.name] for one in manifest.files], manifest.files)
        check_kinds(check_policy(self._parts.policy, manifest), kinds)
        ask(
            self._parts.gate,
            "import",
            self._parts.system,
            manifest.label,
            now,
            about=f"package:{package_sm3}",
        )

    def _commit(self, transfer: Incoming, header: Header, channel: Channel, now: datetime) -> None:
        """The import: line, place, effect and receipt together."""
        arrival = _arrival(header)
        after, _ = machine.step(transfer, machine.Admit())
        receipt = self._receipt(after, channel, now)
        data = sign_receipt(receipt, self._station, certificates_of(self._station))
        with self._parts.store.acting(self._said("transfer.import", after.package_sm3, now)) as acts:
            state = self._desk.receiving_end(acts, channel)
            judge(state, arrival, acts.imported_at(arrival))
            state = after_receiving(state, arrival, now)
            acts.add_import(arrival, now)
            acts.put_channel(state)
            acts.put_incoming(after, now)
            acts.add_receipt("in", receipt, data)
            if self._effect is not None:
                self._effect(acts, arrival, self._parts.ferry.received(after.package_sm3))
        self._parts.ferry.witness("in", channel.id, state.height)

    def _refuse(self, transfer: Incoming, channel: Channel, reason: Reason, now: datetime) -> None:
        after, _ = machine.step(transfer, machine.Reject(reason=reason))
        receipt = self._receipt(after, channel, now)
        data = sign_receipt(receipt, self._station, certificates_of(self._station))
        with self._parts.store.acting(
            self._said("transfer.import", after.package_sm3, now, reason.code)
        ) as acts:
            acts.put_incoming(after, now)
            acts.add_receipt("in", receipt, data)
        self._hand_over(channel.id, after.package_sm3)

    def _finish(self, package_sm3: str) -> None:
        """Let the files be seen, hand the receipt over, remember both. Repeated without harm."""
        ferry, store = self._parts.ferry, self._parts.store
        with store.reading() as acts:
            transfer = acts.incoming(package_sm3)
        if transfer is None:
            return
        if transfer.manifest is not None and transfer.manifest.kind == HEARTBEAT:
            ferry.destroy(ferry.quarantine(package_sm3))
        else:
            ferry.publish(package_sm3)
        self._hand_over(transfer.channel, package_sm3)
        with store.acting(None) as acts:
            acts.set_published(package_sm3)

    def _hand_over(self, channel: str, package_sm3: str) -> None:
        """Every receipt about this package into the directory of receipts, where there is one."""
        settings = self._parts.channels.find("in", channel)
        if not settings.receipts:
            return
        for data in self._parts.store.receipts(package_sm3):
            accepted = decode_receipt(data).receipt.verdict == "accepted"
            suffix = "" if accepted else f"-{receipt_sm3(data)[:8]}"
            name = f"{package_sm3[:32]}{suffix}.receipt"
            deliver_small(data, self._parts.channels.path(settings.receipts), name)

    def _said(self, action: str, about: str, now: datetime, result: str = "ok") -> Entry:
        said = said_of(action, self._person, about, now, "local")
        return msgspec.structs.replace(said, result=result)

    def _receipt(self, transfer: Incoming, channel: Channel, now: datetime) -> Receipt:
        manifest = transfer.manifest
        return Receipt(
            package=transfer.package,
            package_sm3=transfer.package_sm3,
            manifest_sm3=transfer.manifest_sm3,
            channel=channel.id,
            epoch=manifest.epoch if manifest else 0,
            sequence=manifest.sequence if manifest else 0,
            receiver=channel.receiver,
            verdict="accepted" if transfer.state == "imported" else "refused",
            reason=transfer.reason,
            time=now.astimezone(UTC).replace(microsecond=0),
        )


def wanted(parts: Parts, channel: str, now: datetime) -> ResendList:
    """The list of what is missing, for the sender."""
    settings = parts.channels.find("in", channel)
    with parts.store.reading() as acts:
        return resend_list(
            Desk(parts).receiving_end(acts, settings), now.astimezone(UTC).replace(microsecond=0)
        )


def let_epoch_in(parts: Parts, channel: str, epoch: int, person: str, now: datetime) -> None:
    """Let the sender's next epoch in. Raises Refused for any other."""
    settings = parts.channels.find("in", channel)
    said = entry(
        time=now,
        actor=f"user:{person}",
        source="local",
        action="transfer.epoch",
        about=f"channel:{channel}",
    )
    with parts.ferry.locked():
        with parts.store.acting(said) as acts:
            state = allow_epoch(acts.receiving(settings.fresh()), epoch)
            acts.put_channel(state)
        parts.ferry.witness("in", channel, state.height)


def open_package(
    parts: Parts, path: Path, channel: str, keys: Mapping[str, DecryptionKey], target: Path, now: datetime
) -> Manifest:
    """Verify one package by a channel's trust and open it into a new folder; nothing is imported.

    Raises Refused.
    """
    with opened(path) as file:
        seen = glance(file)
        file.seek(0)
        done = package.open_(
            file,  # type: ignore[arg-type]  # opened unbuffered, so it reads into buffers
            recipient=_key_for(seen, keys),
            trust=parts.channels.trust(parts.channels.find("in", channel), now),
            quarantine=FolderQuarantine(target),
            now=now,
            accept=lambda header: _check_manifest(parts, header.manifest),
        )
    return done.header.manifest


def _check_manifest(parts: Parts, manifest: Manifest) -> None:
    if manifest.kind != HEARTBEAT:
        check_dual_control(manifest)
    check_policy(parts.policy, manifest)


def _key_for(seen: Glance, keys: Mapping[str, DecryptionKey]) -> DecryptionKey:
    recipient = next((keys[one] for one in seen.recipients if one in keys), None)
    if recipient is None:
        raise Refused(
            "package-not-for-us",
            Words("数据包不是发给本密钥的", "the package is not addressed to this key"),
            Words("请核对接收方与所用的加密密钥", "check the receiver and the encryption key in use"),
            field=seen.package,
        )
    return recipient


def _arrival(header: Header) -> Arrival:
    return Arrival(manifest=header.manifest, manifest_sm3=header.manifest_sm3, package_sm3=header.header_sm3)
