"""What the routes ask of the transfer side: ``TransferPort`` and the values it returns.

Every value has exactly the attributes of the body of the same name in transfer_bodies.py, so a route
translates it by reading its attributes. Nothing here imports FastAPI or pydantic, and nothing knows how a
transfer is kept, signed or carried.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

import msgspec

from crypto.words import Words

Direction = Literal["out", "in"]
TransferFilter = Literal["all", "open", "unconfirmed", "refused", "done"]


class ReasonValue(msgspec.Struct, frozen=True, kw_only=True):
    """Why something was refused or is unsure: a stable code and a sentence."""

    code: str
    message: Words


class TransferRowValue(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer; ``id`` is ``out-`` and its package's id, or ``in-`` and its package's SM3."""

    id: str
    direction: Direction
    state: str
    label: str
    marks: tuple[str, ...]
    from_zone: str
    to_zone: str
    application: str
    purpose: str
    channel: str
    sender: str
    receiver: str
    files: int
    bytes: int
    issued: datetime | None
    expires: datetime | None
    author: str
    approver: str
    sequence: int | None
    receipt: Literal["", "accepted", "refused"]
    reason: ReasonValue | None
    package_ready: bool


class TransferFileValue(msgspec.Struct, frozen=True, kw_only=True):
    """One file of a transfer."""

    name: str
    size: int
    sm3: str


class TransferSignatureValue(msgspec.Struct, frozen=True, kw_only=True):
    """Who stands for a role, with which key, and whether that key has signed yet."""

    role: str
    name: str
    key_id: str
    signed: bool


class TransferActValue(msgspec.Struct, frozen=True, kw_only=True):
    """One step in the life of a transfer."""

    time: datetime
    actor: str
    action: str
    result: str
    note: str


class TransferReceiptValue(msgspec.Struct, frozen=True, kw_only=True):
    """A signed receipt whose signature was verified."""

    time: datetime
    receiver: str
    verdict: Literal["accepted", "refused"]
    reason: ReasonValue | None
    sm3: str


class TransferDetailValue(msgspec.Struct, frozen=True, kw_only=True):
    """A transfer with all that is known of it."""

    transfer: TransferRowValue
    package_sm3: str
    manifest_sm3: str
    recipients: tuple[str, ...]
    exports: int
    files: tuple[TransferFileValue, ...]
    signatures: tuple[TransferSignatureValue, ...]
    history: tuple[TransferActValue, ...]
    receipts: tuple[TransferReceiptValue, ...]


class TransferPageValue(msgspec.Struct, frozen=True, kw_only=True):
    """Transfers, the newest first; ``next`` is empty on the last page."""

    rows: tuple[TransferRowValue, ...]
    next: str


class GapValue(msgspec.Struct, frozen=True, kw_only=True):
    """Places that never arrived, first and last included."""

    first: int
    last: int


class TrustItemValue(msgspec.Struct, frozen=True, kw_only=True):
    """A certificate or revocation list that a channel stands on; a missing list has no times."""

    kind: Literal["root", "issuer", "crl", "recipient", "own"]
    name: str
    begins: datetime | None
    ends: datetime | None
    state: Literal["good", "soon", "ended", "missing"]


class TrustValue(msgspec.Struct, frozen=True, kw_only=True):
    """Whose signatures count on a channel: pinned keys, named holders of certificates, or both."""

    mode: Literal["keys", "certificates", "both"]
    keys: int
    names: tuple[str, ...]
    items: tuple[TrustItemValue, ...]
    trouble: ReasonValue | None


class ChannelValue(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a channel: how far it has come, what is missing and what nobody confirmed."""

    channel: str
    direction: Direction
    peer: str
    one_way: bool
    epoch: int
    sequence: int
    gaps: tuple[GapValue, ...]
    unconfirmed: int
    silent: bool
    trouble: ReasonValue | None  # why it must not go on, for example a state out of an old backup
    trust: TrustValue


class ZoneValue(msgspec.Struct, frozen=True, kw_only=True):
    """A network zone that the policy knows."""

    id: str
    name: Words


class WayValue(msgspec.Struct, frozen=True, kw_only=True):
    """What a label may carry from one zone to another."""

    label: str
    from_zone: str
    to_zone: str
    contents: tuple[str, ...]


class RouteValue(msgspec.Struct, frozen=True, kw_only=True):
    """A channel somebody may ask for, with its receiver and its two zones."""

    channel: str
    receiver: str
    one_way: bool
    from_zone: str
    to_zone: str


class TransferChoicesValue(msgspec.Struct, frozen=True, kw_only=True):
    """What a request may choose from."""

    channels: tuple[RouteValue, ...]
    zones: tuple[ZoneValue, ...]
    labels: tuple[str, ...]
    marks: tuple[str, ...]
    incoming: tuple[str, ...]  # channels whose packages may be imported
    ways: tuple[WayValue, ...]
    validity_days_max: int


class StagedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file somebody uploaded: its checked name, and where its bytes lie."""

    name: str
    size: int
    sm3: str
    path: Path


class TransferAsk(msgspec.Struct, frozen=True, kw_only=True):
    """A request as a person made it in the console."""

    channel: str
    application: str
    purpose: str
    label: str
    marks: tuple[str, ...]
    days: int
    files: tuple[StagedFile, ...]


Authors = frozenset[str] | None  # user names; None: everybody


class TransferPort(Protocol):
    """The transfer side as the API sees it. Called from several threads at a time; calls may take seconds.

    ``person`` is the account's name; ``passphrase`` unlocks that person's key and is wiped by the caller.
    Errors are those of crypto.words: Refused with a code ending in ``-not-found`` for what is not there
    (404), other Refused (409), BadInput naming the field (422), LiuheError (503). That two different persons
    act is enforced behind this seam, not by the routes.
    """

    def page(
        self, state: TransferFilter, cursor: str, limit: int, authors: Authors = None
    ) -> TransferPageValue:
        """Transfers in both directions, the newest first. Raises BadInput (transfer-cursor).

        Where ``authors`` are given, only what they asked for.
        """

    def detail(self, transfer: str) -> TransferDetailValue:
        """One transfer. Raises Refused (transfer-not-found)."""

    def channels(self, now: datetime) -> Sequence[ChannelValue]:
        """Every end of every channel here."""

    def choices(self) -> TransferChoicesValue:
        """What a request may choose from."""

    def request(self, ask: TransferAsk, person: str, now: datetime) -> TransferRowValue:
        """Ask for a transfer; the files are copied before this returns."""

    def approve(self, transfer: str, person: str, passphrase: bytearray, now: datetime) -> TransferRowValue:
        """Approve and sign as another person than the author. Raises Refused (transfer-dual-control)."""

    def refuse(self, transfer: str, person: str, reason: str, now: datetime) -> TransferRowValue:
        """Say no to what was not exported yet."""

    def seal(self, transfer: str, person: str, passphrase: bytearray, now: datetime) -> TransferRowValue:
        """The author signs what was approved, and the package is written."""

    def export(self, transfer: str, person: str, now: datetime) -> TransferRowValue:
        """Ask the gate and hand the sealed package over; again after a loss."""

    def package(self, transfer: str) -> Path:
        """Where the exported package lies. Raises Refused (transfer-not-exported)."""

    def receipt(self, transfer: str) -> bytes:
        """The newest signed receipt about a transfer. Raises Refused (transfer-no-receipt)."""

    def import_(self, channel: str, package: Path, person: str, now: datetime) -> TransferRowValue:
        """Verify and import a package, or take a receipt; what is refused is a row with its reason."""

    def revision(self) -> int:
        """A number that changes whenever the page would look different: one cheap read."""
