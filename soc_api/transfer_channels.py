"""The channels of a center and whose keys count on them: ``transfer/channels.toml`` in its data folder."""

import tomllib
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import msgspec

from crypto import pem
from crypto.keys import EncryptionKey, PublicKey
from crypto.package import APPROVER, AUTHOR, Manifest, PinnedKeys, Signature
from crypto.transfer.channel import Receiving
from crypto.transfer.receipt import SignedReceipt
from crypto.transfer.request import STATION
from crypto.trust_files import read_file
from crypto.words import BadInput, Words
from crypto.x509 import CERTIFICATE, Certificate, read_certificates
from soc_api.transfer_trust import ChannelTrust, Names, Trusted, key_revoked

NAME: Final = "channels.toml"
BYTES_MAX: Final = 256 * 1024


class Channel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One channel seen from this end. Keys are paths of PEM files, relative to the file's folder.

    ``directory`` is where packages are handed over, ``receipts`` where receipts are ('' where none can come
    back). An outgoing channel names the receiver's keys, an incoming one those of the sender's people.
    ``trust`` lets certificates count as well; ``recipients`` may then be certificates.
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
    trust: Names | None = None

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

    def recipients(self, channel: Channel, at: datetime) -> list[EncryptionKey]:
        """Whom packages are encrypted to, certificates verified. Raises Refused, BadInput."""
        found = []
        for one in channel.recipients:
            chain = self.recipient_chain(one)
            trusted = self.trusted(channel, at) if chain else None
            if chain and trusted is None:
                raise _wrong(
                    f"recipients 中的 {one} 是证书,而通道没有 trust",
                    f"{one} of recipients is a certificate, but the channel has no trust",
                    channel.id,
                )
            key = trusted.recipient(chain) if trusted else EncryptionKey.load(self.path(one))
            if key.key_id in channel.revoked:
                raise key_revoked(key.key_id)
            found.append(key)
        return found

    def recipient_chain(self, name: str) -> list[Certificate]:
        """The certificates in a file of ``recipients``, leaf first; none where it is a public key."""
        data = read_file(self.path(name))
        return read_certificates(data) if pem.label_of(data) == CERTIFICATE else []

    def receipt_keys(self, channel: Channel) -> dict[str, PublicKey]:
        """Whose receipts count."""
        return {
            key.key_id: key for key in self._public(channel.receipt_keys) if key.key_id not in channel.revoked
        }

    def certified_receipts(
        self, channel: Channel, at: datetime
    ) -> Callable[[SignedReceipt], PublicKey] | None:
        """The key of a receipt by its certificates, for ``open_receipt``; None where only keys count."""
        trusted = self.trusted(channel, at)
        return trusted.receipt_key if trusted else None

    def trust(self, channel: Channel, at: datetime) -> ChannelTrust:
        """Whose signatures count on one package of this channel. Raises BadInput."""
        pinned = PinnedKeys(
            {
                AUTHOR: self._public(channel.authors),
                APPROVER: self._public(channel.approvers),
                STATION: self._public(channel.stations),
            }
        )
        return ChannelTrust(pinned, frozenset(channel.revoked), self.trusted(channel, at))

    def trusted(self, channel: Channel, at: datetime) -> Trusted | None:
        """What certificates prove on this channel; None where it goes by keys alone. Raises BadInput."""
        if channel.trust is None:
            return None
        return Trusted(channel.trust, self.path(channel.trust.folder), frozenset(channel.revoked), at)

    def check_signed(
        self, channel: Channel, signatures: Sequence[Signature], manifest: Manifest, at: datetime
    ) -> None:
        """At the sender: raise Refused where the receiver would not take the word of one of its people.

        Only what certificates say is known here; keys that are pinned stand in the receiver's register.
        """
        trusted = self.trusted(channel, at)
        if trusted is None:
            return
        for one in signatures:
            if one.key_id in channel.revoked:
                raise key_revoked(one.key_id)
            if one.certificates or trusted.names.of(one.role):
                trusted.public_key(one, manifest, anybody=not trusted.names.of(one.role))

    def _public(self, paths: Sequence[str]) -> list[PublicKey]:
        return [PublicKey.load(self.path(one)) for one in paths]


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
        for name in [name for one in read.channel if one.trust for name in one.trust.flaws()]:
            raise ValueError(f"{name} is not a name such as person:zhang@gov or center:city-1@gov")
        if read.format != 1 or len(set(names)) < len(names):
            raise ValueError("format is not 1, or a channel stands twice")
    except (msgspec.ValidationError, tomllib.TOMLDecodeError, ValueError) as error:
        raise _wrong(str(error), str(error), str(path)) from None
    return Channels(folder, read.channel)


def _wrong(zh: str, en: str, channel: str) -> BadInput:
    return BadInput(
        "transfer-channels",
        Words(f"通道登记有误:{zh}", f"the register of channels is wrong: {en}"),
        Words("请对照 docs/reference/transfer.md 改正", "correct it after docs/reference/transfer.md"),
        field=channel,
    )
