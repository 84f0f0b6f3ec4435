"""Bodies of the transfer routes as pydantic models."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, SecretStr

from soc_api.bodies import Body, Text

UploadId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class TransferReason(Body):
    """Why something was refused or is unsure."""

    code: str
    message: Text


class TransferRow(Body):
    """One transfer; ``id`` begins with its direction."""

    id: str
    direction: Literal["out", "in"]
    state: str
    label: str
    marks: list[str]
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
    reason: TransferReason | None
    package_ready: bool


class TransferPage(Body):
    """GET /api/v1/transfers."""

    rows: list[TransferRow]
    next: str


class TransferFile(Body):
    """One file of a transfer."""

    name: str
    size: int
    sm3: str


class TransferSignature(Body):
    """Who stands for a role, with which key, and whether that key has signed yet."""

    role: str
    name: str
    key_id: str
    signed: bool


class TransferAct(Body):
    """One step in the life of a transfer."""

    time: datetime
    actor: str
    action: str
    result: str
    note: str


class TransferReceipt(Body):
    """A verified receipt."""

    time: datetime
    receiver: str
    verdict: Literal["accepted", "refused"]
    reason: TransferReason | None
    sm3: str


class TransferDetail(Body):
    """GET /api/v1/transfers/{transfer}."""

    transfer: TransferRow
    package_sm3: str
    manifest_sm3: str
    recipients: list[str]
    exports: int
    files: list[TransferFile]
    signatures: list[TransferSignature]
    history: list[TransferAct]
    receipts: list[TransferReceipt]


class TransferGap(Body):
    """Places that never arrived, first and last included."""

    first: int
    last: int


class TransferTrustItem(Body):
    """A certificate or revocation list that a channel stands on; a missing list has no times."""

    kind: Literal["root", "issuer", "crl", "recipient", "own"]
    name: str
    begins: datetime | None
    ends: datetime | None
    state: Literal["good", "soon", "ended", "missing"]


class TransferTrust(Body):
    """Whose signatures count on a channel: pinned keys, named holders of certificates, or both."""

    mode: Literal["keys", "certificates", "both"]
    keys: int
    names: list[str]
    items: list[TransferTrustItem]
    trouble: TransferReason | None


class TransferChannel(Body):
    """One end of a channel."""

    channel: str
    direction: Literal["out", "in"]
    peer: str
    one_way: bool
    epoch: int
    sequence: int
    gaps: list[TransferGap]
    unconfirmed: int
    silent: bool
    trouble: TransferReason | None
    trust: TransferTrust


class TransferChannels(Body):
    """GET /api/v1/transfers/channels."""

    rows: list[TransferChannel]


class TransferZone(Body):
    """A network zone of the policy."""

    id: str
    name: Text


class TransferWay(Body):
    """What a label may carry from one zone to another."""

    label: str
    from_zone: str
    to_zone: str
    contents: list[str]


class TransferRoute(Body):
    """A channel somebody may ask for."""

    channel: str
    receiver: str
    one_way: bool
    from_zone: str
    to_zone: str


class TransferChoices(Body):
    """GET /api/v1/transfers/choices: what a request may choose from, and the limits of an upload."""

    channels: list[TransferRoute]
    zones: list[TransferZone]
    labels: list[str]
    marks: list[str]
    incoming: list[str]
    ways: list[TransferWay]
    validity_days_max: int
    upload_bytes_max: int
    upload_files_max: int


class TransferUpload(Body):
    """POST /api/v1/transfers/files: an uploaded file that waits to be asked for."""

    id: UploadId
    name: str
    size: int
    sm3: str


class TransferOrder(Body):
    """POST /api/v1/transfers: a request over uploaded files."""

    channel: str = Field(min_length=1, max_length=64)
    application: str = Field(min_length=1, max_length=64)
    purpose: str = Field(min_length=2, max_length=500)
    label: str = Field(min_length=1, max_length=16)
    marks: list[Annotated[str, Field(min_length=1, max_length=16)]] = Field(max_length=8)
    days: int = Field(ge=1, le=366)
    files: list[UploadId] = Field(min_length=1, max_length=64)


class TransferSign(Body):
    """POST /api/v1/transfers/{transfer}/approve and /seal: unlocks the person's own key."""

    passphrase: SecretStr = Field(max_length=256)


class TransferRefusal(Body):
    """POST /api/v1/transfers/{transfer}/refuse."""

    reason: str = Field(min_length=2, max_length=500)
