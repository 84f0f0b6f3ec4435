"""The channels of a center and whose keys count on them: ``transfer/channels.toml`` in its data folder."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

import msgspec

from crypto.keys import EncryptionKey, PublicKey
from crypto.package import APPROVER, AUTHOR, Manifest, PinnedKeys, Signature
from crypto.transfer.channel import Receiving
from crypto.transfer.request import HEARTBEAT, STATION
from crypto.words import BadInput, Refused, Words

NAME: Final = "channels.toml"
BYTES_MAX: Final = 256 * 1024


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel seen from this end. Keys are paths of PEM files, relative to the file's folder.

    ``directory`` is where packages are handed over, ``receipts`` where receipts are ('' where none can come
    back). An outgoing channel names the receiver's keys, an incoming one those of the sender's people.
    """

    id: str
    direction: Literal["out", "in"]
    sender: str
    receiver: str
    from_zone: str
    to_zone: str
    directory: str
    receipts: str = ""
    one_way: bool = False
    heartbeat_seconds: int = 3600
    recipients: tuple[str, ...] = ()
    receipt_keys: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    approvers: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    revoked: tuple[str, ...] = ()

    def fresh(self) -> Receiving:
        """The receiver's end before anything came."""
        return Receiving(channel=self.id, sender=self.sender, receiver=self.receiver, one_way=self.one_way)


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    format: int
    channel: tuple[Channel, ...] = ()


class Channels:
    """What the file says, with the keys read when they are needed."""

    def __init__(self, folder: Path, channels: Sequence[Channel]) -> None:
        self._folder: Final = folder
        self.all: Final = tuple(channels)

    def find(self, direction: str, channel: str) -> Channel:
        """One channel. Raises BadInput where there is none."""
        for one in self.all:
            if (one.direction, one.id) == (direction, channel):
                return one
        raise BadInput(
            "transfer-channel-unknown",
            Words(f"没有登记通道 {channel}", f"no channel {channel} is registered"),
            Words("请在 transfer/channels.toml 中登记", "register it in transfer/channels.toml"),
            field=channel,
        )

    def path(self, text: str) -> Path:
        """A path of the file."""
        return self._folder / text

    def recipients(self, channel: Channel) -> list[EncryptionKey]:
        """Whom packages are encrypted to."""
        return [EncryptionKey.load(self.path(one)) for one in channel.recipients]

    def receipt_keys(self, channel: Channel) -> dict[str, PublicKey]:
        """Whose receipts count."""
        return {
            key.key_id: key for key in self._public(channel.receipt_keys) if key.key_id not in channel.revoked
        }

    def trust(self, channel: Channel) -> "ChannelTrust":
        """Whose signatures count on packages of this channel."""
        pinned = PinnedKeys(
            {
                AUTHOR: self._public(channel.authors),
                APPROVER: self._public(channel.approvers),
                STATION: self._public(channel.stations),
            }
        )
        return ChannelTrust(channel, pinned)

    def _public(self, paths: Sequence[str]) -> list[PublicKey]:
        return [PublicKey.load(self.path(one)) for one in paths]


class ChannelTrust:
    """The keys of one channel: people sign transfers, the station heartbeats, the revoked nothing."""

    def __init__(self, channel: Channel, pinned: PinnedKeys) -> None:
        self._channel: Final = channel
        self._pinned: Final = pinned

    def public_key(self, signature: Signature, manifest: Manifest) -> PublicKey:
        """The key for this role. Raises Refused."""
        if signature.key_id in self._channel.revoked:
            raise Refused(
                "transfer-key-revoked",
                Words("签名密钥已被吊销", "the signing key is revoked"),
                Words("请让发送方用有效密钥重新签发", "ask the sender to sign with a valid key"),
                field=signature.key_id,
            )
        if (signature.role == STATION) != (manifest.kind == HEARTBEAT):
            raise Refused(
                "transfer-role",
                Words("签名角色与数据包类别不符", "the signer's role is not one of this kind of package"),
                Words("请核对发送方", "check the sender"),
                field=signature.role,
            )
        return self._pinned.public_key(signature, manifest)


def load_channels(folder: Path) -> Channels:
    """The channels of a transfer folder; none where the file is missing. Raises BadInput."""
    path = folder / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Channels(folder, ())
    try:
        if len(data) > BYTES_MAX:
            raise ValueError("too long")
        read = msgspec.convert(tomllib.loads(data.decode()), _File)
        names = [(one.direction, one.id) for one in read.channel]
        if read.format != 1 or len(set(names)) < len(names):
            raise ValueError("format is not 1, or a channel stands twice")
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, ValueError) as error:
        raise BadInput(
            "transfer-channels",
            Words(f"通道登记有误:{error}", f"the register of channels is wrong: {error}"),
            Words("请对照 docs/reference/transfer.md 改正", "correct it after docs/reference/transfer.md"),
            field=str(path),
        ) from None
    return Channels(folder, read.channel)
