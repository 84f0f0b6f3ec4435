"""The console's side of transfers: ``TransferPort`` over the services, persons' keys unlocked for one act.

Persons' keys are software keys in ``transfer/persons`` of the data folder, one name per account, encrypted
with a passphrase of that person. The center's own keys (``center-sign`` for receipts, ``center-encrypt`` for
opening packages) lie in ``transfer/keys``; the console imports only where they need no passphrase.
"""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from crypto.certified import CertifiedSigner, signer_of
from crypto.key_files import KeyFolder
from crypto.package_files import file_source
from crypto.transfer.outgoing import OPEN, Outgoing, Person
from crypto.transfer.receipt import RECEIPT_BYTES_MAX
from crypto.transfer.request import LABELS
from crypto.words import BadInput, Refused, Words
from soc_api.audit_store import AuditStore
from soc_api.transfer_channels import Channel
from soc_api.transfer_desk import Parts
from soc_api.transfer_door import ENCRYPT, SIGN
from soc_api.transfer_import import ImportService
from soc_api.transfer_port import (
    Authors,
    ChannelValue,
    GapValue,
    RouteValue,
    TransferAsk,
    TransferChoicesValue,
    TransferDetailValue,
    TransferFilter,
    TransferPageValue,
    TransferRowValue,
    WayValue,
    ZoneValue,
)
from soc_api.transfer_road import RoadService
from soc_api.transfer_service import Ask, TransferService
from soc_api.transfer_status import status
from soc_api.transfer_store import Kept
from soc_api.transfer_values import detail_of, reason_value, row_value, trust_value

PERSONS: Final = "persons"
STATION_KEYS: Final = "keys"
T = TypeVar("T")
_KEPT_MAX: Final = 100_000
_STATES: Final[dict[TransferFilter, frozenset[str]]] = {
    "open": frozenset({*OPEN, "offered", "verifying", "quarantined"}),
    "unconfirmed": frozenset({"exported", "unconfirmed"}),
    "refused": frozenset({"refused", "rejected", "expired"}),
    "done": frozenset({"confirmed", "imported"}),
}


class ConsoleTransfers:
    """Transfers as the API sees them; the register of channels is read anew for each call."""

    def __init__(self, parts: Callable[[], Parts], audit: AuditStore) -> None:
        self._parts: Final = parts
        self._audit: Final = audit

    def page(
        self, state: TransferFilter, cursor: str, limit: int, authors: Authors = None
    ) -> TransferPageValue:
        """Transfers, the last changed first; where ``authors`` are given, those they asked for."""
        first = _place(cursor)
        parts = self._parts()
        kept = [one for one in parts.store.page(limit=_KEPT_MAX) if state == "all" or _in(one, state)]
        if authors is not None:
            kept = [one for one in kept if row_value(parts, one).author in authors]
        rows = tuple(row_value(parts, one) for one in kept[first : first + limit])
        return TransferPageValue(rows=rows, next=str(first + limit) if len(kept) > first + limit else "")

    def detail(self, transfer: str) -> TransferDetailValue:
        """One transfer."""
        parts = self._parts()
        name = transfer.partition("-")[2]
        return detail_of(parts, self._kept(parts, transfer), self._audit.about(f"transfer:{name}"))

    def channels(self, now: datetime) -> Sequence[ChannelValue]:
        """Every end of every channel."""
        parts = self._parts()
        found = []
        for one in status(parts, now, limit=0).channels:
            channel = parts.channels.find(one.direction, one.channel)
            found.append(
                ChannelValue(
                    channel=one.channel,
                    direction=one.direction,
                    peer=channel.receiver if one.direction == "out" else channel.sender,
                    one_way=channel.one_way,
                    epoch=one.epoch,
                    sequence=one.sequence,
                    gaps=tuple(GapValue(first=gap.first, last=gap.last) for gap in one.gaps),
                    unconfirmed=one.unconfirmed,
                    silent=one.silent,
                    trouble=reason_value(one.trouble),
                    trust=trust_value(one.trust),
                )
            )
        return found

    def choices(self) -> TransferChoicesValue:
        """What a request may choose from."""
        parts = self._parts()
        policy = parts.policy
        every = {(a, b) for rule in policy.allow for a in rule.from_zones for b in rule.to_zones}
        ways = [
            WayValue(label=label, from_zone=a, to_zone=b, contents=tuple(sorted(contents)))
            for label in LABELS
            for a, b in sorted(every)
            if (contents := policy.contents(label, a, b))
        ]
        return TransferChoicesValue(
            channels=tuple(
                RouteValue(
                    channel=one.id,
                    receiver=one.receiver,
                    one_way=one.one_way,
                    from_zone=one.from_zone,
                    to_zone=one.to_zone,
                )
                for one in parts.channels.all
                if one.direction == "out"
            ),
            incoming=tuple(sorted({one.id for one in parts.channels.all})),
            zones=tuple(ZoneValue(id=one.id, name=Words(one.zh, one.en)) for one in policy.zones),
            labels=LABELS,
            marks=policy.marks,
            ways=tuple(ways),
            validity_days_max=policy.limits.validity_days,
        )

    def request(self, ask: TransferAsk, person: str, now: datetime) -> TransferRowValue:
        """经办 asks; the uploaded files are copied aside."""
        parts = self._parts()
        record = _key(lambda: self._persons(parts).find(person))
        asked = Ask(
            channel=ask.channel,
            application=ask.application,
            purpose=ask.purpose,
            label=ask.label,
            marks=ask.marks,
            days=ask.days,
        )
        sources = [file_source(one.path, one.name) for one in ask.files]
        author = Person(name=person, key_id=record.id)
        return self._row(parts, TransferService(parts).request(asked, sources, author, now))

    def approve(self, transfer: str, person: str, passphrase: bytearray, now: datetime) -> TransferRowValue:
        """审批 signs."""
        parts = self._parts()
        signer = self._signer(parts, person, passphrase)
        who = Person(name=person, key_id=signer.public.key_id)
        return self._row(parts, TransferService(parts).approve(_out(transfer), who, signer, now))

    def seal(self, transfer: str, person: str, passphrase: bytearray, now: datetime) -> TransferRowValue:
        """经办 signs, and the package is written."""
        parts = self._parts()
        signer = self._signer(parts, person, passphrase)
        who = Person(name=person, key_id=signer.public.key_id)
        return self._row(parts, TransferService(parts).seal(_out(transfer), who, signer, now))

    def refuse(self, transfer: str, person: str, reason: str, now: datetime) -> TransferRowValue:
        """Refused with a reason."""
        parts = self._parts()
        return self._row(parts, TransferService(parts).refuse(_out(transfer), person, reason, now))

    def export(self, transfer: str, person: str, now: datetime) -> TransferRowValue:
        """Hand the package over."""
        parts = self._parts()
        return self._row(parts, TransferService(parts).export(_out(transfer), person, now))

    def package(self, transfer: str) -> Path:
        """The sealed package of an exported transfer."""
        parts = self._parts()
        with parts.store.reading() as acts:
            found = acts.outgoing(_out(transfer))
        path = parts.ferry.sealed(found.request.id)
        if not found.exports or not path.is_file():
            raise Refused(
                "transfer-not-exported",
                Words("尚未导出,或已确认送达而清除", "not exported yet, or confirmed and cleared away"),
                Words("请先导出", "export it first"),
                field=transfer,
            )
        return path

    def receipt(self, transfer: str) -> bytes:
        """The newest signed receipt: to be carried back by hand where no directory takes it."""
        parts = self._parts()
        kept = self._kept(parts, transfer)
        package_sm3 = kept.outgoing.package_sm3 if kept.outgoing else transfer.partition("-")[2]
        receipts = parts.store.receipts(package_sm3) if package_sm3 else []
        if not receipts:
            raise Refused(
                "transfer-no-receipt",
                Words("还没有回执", "there is no receipt yet"),
                Words("接收端导入或拒绝后才有回执", "there is one once the receiver imported or refused it"),
                field=transfer,
            )
        return receipts[-1]

    def import_(self, channel: str, package: Path, person: str, now: datetime) -> TransferRowValue:
        """A package, or the receipt of one."""
        parts = self._parts()
        with package.open("rb") as file:
            head = file.read(RECEIPT_BYTES_MAX + 1)
        if head.startswith(b"{"):
            settings = parts.channels.find("out", channel)
            name, _ = RoadService(parts).take_receipt(settings, head, now)
            return row_value(parts, self._kept(parts, f"out-{name}"))
        return self._imported(parts, parts.channels.find("in", channel), package, person, now)

    def revision(self) -> int:
        """Grows with every change of a transfer."""
        return self._parts().store.revision()

    def _imported(
        self, parts: Parts, channel: Channel, package: Path, person: str, now: datetime
    ) -> TransferRowValue:
        service = self._importing(parts, person)
        # In a folder of its own: what is refused is moved aside, and both go with the folder.
        with tempfile.TemporaryDirectory(dir=parts.ferry.folder, prefix=".console-") as folder:
            path = Path(folder) / "package.liuhe"
            shutil.copyfile(package, path)
            outcome = service.import_file(path, channel, now)
        if outcome.package_sm3:
            return row_value(parts, self._kept(parts, f"in-{outcome.package_sm3}"))
        reason = outcome.reason
        raise Refused(
            reason.code if reason else "transfer-partial",
            reason.words if reason else Words("数据包不完整", "the package is not whole"),
            Words("请按原因处理后再导入一次", "mend what it says, then import it again"),
            field=channel.id,
        )

    def _importing(self, parts: Parts, person: str) -> ImportService:
        folder = KeyFolder(parts.ferry.folder / STATION_KEYS)

        def opened() -> ImportService:
            keys = folder.decryption_keys(ENCRYPT, None)
            return ImportService(parts, keys, signer_of(folder, SIGN, None), person=person)

        return _key(opened)

    def _persons(self, parts: Parts) -> KeyFolder:
        return KeyFolder(parts.ferry.folder / PERSONS)

    def _signer(self, parts: Parts, person: str, passphrase: bytearray) -> CertifiedSigner:
        folder = self._persons(parts)
        return _key(lambda: signer_of(folder, person, passphrase or None))

    def _row(self, parts: Parts, transfer: Outgoing) -> TransferRowValue:
        return row_value(parts, self._kept(parts, f"out-{transfer.request.id}"))

    def _kept(self, parts: Parts, transfer: str) -> Kept:
        direction, _, name = transfer.partition("-")
        for one in parts.store.page(limit=_KEPT_MAX):
            out, into = one.outgoing, one.incoming
            if direction == "out" and out is not None and out.request.id == name:
                return one
            if direction == "in" and into is not None and into.package_sm3 == name:
                return one
        raise Refused(
            "transfer-not-found",
            Words("没有这个传输", "there is no such transfer"),
            Words("请从列表重新打开", "open it from the list again"),
            field=transfer,
        )


def _key(work: Callable[[], T]) -> T:
    """A key, or the one sentence a person in a browser can act on."""
    try:
        return work()
    except Refused as error:
        if error.code != "key-unknown":
            raise
        raise Refused(
            "transfer-no-key",
            Words("中心没有为此建立签名密钥", "the center holds no key for this"),
            Words(
                "请系统管理员用 liuhe keys new 建立,见 docs/reference/permissions.md",
                "have it made with liuhe keys new, see docs/reference/permissions.md",
            ),
            field=error.field,
        ) from None


def _in(kept: Kept, state: TransferFilter) -> bool:
    found = kept.outgoing.state if kept.outgoing else kept.incoming.state if kept.incoming else ""
    return found in _STATES[state]


def _out(transfer: str) -> str:
    direction, _, name = transfer.partition("-")
    if direction != "out":
        raise Refused(
            "transfer-state",
            Words("收到的传输不能这样操作", "this cannot be done to a transfer that came in"),
            Words("请在发送端操作", "act at the sender's center"),
            field=transfer,
        )
    return name


def _place(cursor: str) -> int:
    if not cursor:
        return 0
    if cursor.isascii() and cursor.isdigit() and len(cursor) <= 9:
        return int(cursor)
    raise BadInput(
        "transfer-cursor",
        Words("翻页位置无效", "not a cursor of this list"),
        Words("请从第一页重新开始", "start again from the first page"),
        field="cursor",
    )
