"""The road itself, seen from the sender: heartbeats, receipts, what to send again, new epochs."""

import secrets
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from crypto import package
from crypto.certified import certificates_of
from crypto.transfer import outgoing as machine
from crypto.transfer.channel import Sending, after_sending, decode_resend, new_epoch, next_place
from crypto.transfer.outgoing import Outgoing
from crypto.transfer.receipt import RECEIPT_BYTES_MAX, Receipt, open_receipt, receipt_sm3
from crypto.transfer.request import HEARTBEAT, STATION, Request, manifest_of
from crypto.words import Refused, Words
from soc_api.transfer_channels import Channel
from soc_api.transfer_desk import Desk, Parts, said_of
from soc_api.transfer_ferry import RECEIPT, deliver, offered, opened, take_away
from soc_api.transfer_lists import hand_over_lists, take_lists
from soc_api.transfer_service import TransferService
from soc_api.transfer_trust import RENEWABLE


class RoadService:
    """Outgoing channels of one center."""

    def __init__(self, parts: Parts) -> None:
        self._parts: Final = parts
        self._desk: Final = Desk(parts)
        self._store: Final = parts.store
        self._ferry: Final = parts.ferry

    def heartbeat(self, channel: str, station: package.Signer, now: datetime) -> Outgoing:
        """A package without files, signed by the center's own key: shows that the channel lives, and what
        was sent before. Raises Refused (transfer-busy) while an approved transfer holds the next place."""
        settings = self._parts.channels.find("out", channel)
        name = secrets.token_hex(16)
        said = said_of("transfer.heartbeat", "", name, now, "local")
        with self._desk.telling(said), self._ferry.locked():
            with self._store.reading() as acts:
                place = next_place(self._desk.free_end(acts, channel))
            request = self._heartbeat(settings, name, now)
            manifest = msgspec.structs.replace(
                manifest_of(request, place, author="", approver=""),
                kind=HEARTBEAT,
                roles=(STATION,),
                attributes={},
            )
            signatures = (package.sign(manifest, STATION, station, certificates_of(station)),)
            digest = self._desk.write(manifest, signatures, settings, None, now, sources=())
            after = Outgoing(
                request=request,
                one_way=settings.one_way,
                state="unconfirmed" if settings.one_way else "exported",
                place=place,
                manifest_sm3=package.manifest_sm3(manifest),
                package_sm3=digest,
                exported=now,
                exports=1,
            )
            with self._store.acting(said) as acts:
                state = after_sending(self._desk.end(acts, channel), place, after.manifest_sm3, now)
                acts.put_channel(state)
                acts.put_outgoing(after, now)
            self._ferry.witness("out", channel, state.height)
            directory = self._parts.channels.path(settings.directory)
            hand_over_lists(self._parts.channels, settings, directory)
            deliver(self._ferry.sealed(name), directory, f"{name}.liuhe")
        return after

    def take_receipts(self, channel: str, now: datetime) -> list[tuple[str, str]]:
        """Take up every receipt and revocation list that came: (transfer or file, state or code)."""
        settings = self._parts.channels.find("out", channel)
        if not settings.receipts:
            return []
        directory = self._parts.channels.path(settings.receipts)
        outcomes = take_lists(self._parts, settings, directory, now)
        for path in offered(directory, RECEIPT):
            try:
                with opened(path) as file:
                    data = file.read(RECEIPT_BYTES_MAX + 1)
                outcomes.append(self.take_receipt(settings, data, now))
                take_away(path, refused=False)
            except Refused as error:
                outcomes.append((path.name, error.code))
                if error.code not in RENEWABLE:
                    take_away(path, refused=True)
        return outcomes

    def take_receipt(self, channel: Channel, data: bytes, now: datetime) -> tuple[str, str]:
        """One receipt, by whatever way it came. Raises Refused where it is forged or of another package."""
        said = said_of("transfer.receipt", "", receipt_sm3(data), now, "local")
        with self._desk.telling(said), self._ferry.locked():
            channels = self._parts.channels
            certified = channels.certified_receipts(channel, now)
            receipt = open_receipt(data, channels.receipt_keys(channel), certified)
            with self._store.acting(said) as acts:
                before = acts.outgoing(receipt.package)
                _check_receipt(before, channel, receipt)
                command = machine.Receive(
                    accepted=receipt.verdict == "accepted",
                    receipt_sm3=receipt_sm3(data),
                    package_sm3=receipt.package_sm3,
                    reason=receipt.reason,
                )
                after, effects = machine.step(before, command)
                acts.put_outgoing(after, now)
                acts.add_receipt("out", receipt, data)
            self._desk.drop(after, effects)
        return receipt.package, after.state

    def resend(self, data: bytes, person: str, now: datetime) -> list[str]:
        """Hand over again what a receiver's list names; ids of what was. Raises BadInput."""
        wanted = decode_resend(data)
        again = []
        for kept in self._store.page(limit=100_000):
            one = kept.outgoing
            if one is None or one.place is None or not one.exports or one.state == "confirmed":
                continue
            if (one.request.channel, one.place.epoch) != (wanted.channel, wanted.epoch):
                continue
            if any(gap.first <= one.place.sequence <= gap.last for gap in wanted.gaps):
                again.append((one.place.sequence, one.request.id))
        again.sort()
        for _, name in again:
            TransferService(self._parts).export(name, person, now)
        return [name for _, name in again]

    def start_epoch(self, channel: str, person: str, now: datetime) -> Sending:
        """Start over after new keys or a restored state; the receiver must allow the new epoch."""
        said = said_of("transfer.epoch", person, channel, now, "local")
        with self._ferry.locked(), self._store.acting(said) as acts:
            old = acts.sending(channel)
            witnessed = self._ferry.height("out", channel)
            state = new_epoch(msgspec.structs.replace(old, height=max(old.height, witnessed)))
            acts.put_channel(state)
        self._ferry.witness("out", channel, state.height)
        return state

    def _heartbeat(self, channel: Channel, name: str, now: datetime) -> Request:
        issued = now.astimezone(UTC).replace(microsecond=0)
        return Request(
            id=name,
            channel=channel.id,
            application=HEARTBEAT,
            purpose=HEARTBEAT,
            sender=channel.sender,
            receiver=channel.receiver,
            label="一般",
            from_zone=channel.from_zone,
            to_zone=channel.to_zone,
            issued=issued,
            expires=issued + timedelta(days=30),
            recipients=tuple(key.key_id for key in self._parts.channels.recipients(channel, now)),
            files=(),
        )


def _check_receipt(transfer: Outgoing, channel: Channel, receipt: Receipt) -> None:
    place = transfer.place
    mine = (channel.id, channel.receiver)
    accepted = receipt.verdict == "accepted"
    fits = (receipt.channel, receipt.receiver) == mine and transfer.request.channel == channel.id
    if accepted:
        fits &= place is not None and (receipt.epoch, receipt.sequence, receipt.manifest_sm3) == (
            place.epoch,
            place.sequence,
            transfer.manifest_sm3,
        )
    if not fits:
        raise Refused(
            "receipt-other-package",
            Words("回执不是这个数据包的", "the receipt is of another package"),
            Words("请核对回执与传输编号", "check the receipt and the transfer"),
            field=receipt.package,
        )
