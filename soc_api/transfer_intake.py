"""Packages that come in over the network go the way of those that a ferry brings: the same import, once."""

from collections.abc import Callable, Mapping
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final, NamedTuple

from crypto import package
from crypto.keys import DecryptionKey, PublicKey
from crypto.package import Manifest, Signature
from crypto.package_envelope import Header, read_clear
from crypto.transfer.receipt import decode_receipt
from crypto.words import Refused, Words
from soc_api.transfer_channels import Channels
from soc_api.transfer_desk import Parts
from soc_api.transfer_import import ImportService
from soc_api.transfer_trust import ChannelTrust


class Desk(NamedTuple):
    """What an import stands on at this moment; ``keys`` open packages, by key id."""

    parts: Parts
    imports: ImportService
    keys: Mapping[str, DecryptionKey]


class CenterIntake:
    """The incoming channels of a center, for ``TransferListener``."""

    def __init__(self, desk: Callable[[], Desk]) -> None:
        """``desk`` is asked anew for each package: channels may have been registered, keys rotated."""
        self._desk: Final = desk

    def receipt(self, package_sm3: str) -> bytes | None:
        """The receipt of a package that was imported; its files are seen, even after a crash between."""
        desk = self._desk()
        if not desk.parts.store.imported(package_sm3):
            return None
        desk.imports.recover()
        return _newest(desk, package_sm3, accepted=True)

    def header(self, data: bytes, peer: str, now: datetime) -> Header:
        """The verified header, where its channel is one of this peer. Raises Refused, BadInput."""
        desk = self._desk()
        clear, _, _ = read_clear(BytesIO(data))
        key = next((desk.keys[one.key_id] for one in clear.recipients if one.key_id in desk.keys), None)
        if key is None:
            raise Refused(
                "package-not-for-us",
                Words("数据包不是发给本密钥的", "the package is not addressed to this key"),
                Words("请核对接收方与所用的加密密钥", "check the receiver and the encryption key in use"),
                field=clear.package,
            )
        trust = _AnyChannel(desk.parts.channels, now)
        header = package.read_header(BytesIO(data), recipient=key, trust=trust)
        if header.manifest.sender != peer:
            raise Refused(
                "transfer-peer",
                Words("对端证书不是数据包发送方的", "the peer's certificate is not the package's sender's"),
                Words("请由发送方中心用其证书推送", "have the sending center push it with its certificate"),
                field=peer[:80],
            )
        package.check_times(header.manifest, now)
        return header

    def take(self, package: Path, header: Header, now: datetime) -> bytes:
        """Import it or refuse it; the signed receipt. Raises Refused where it waits for those before it."""
        desk = self._desk()
        channel = desk.parts.channels.find("in", header.manifest.channel)
        outcome = desk.imports.import_file(package, channel, now)
        receipt = _newest(desk, header.header_sm3, accepted=outcome.state in {"imported", "duplicate"})
        if receipt is None or outcome.state in {"waiting", "partial"}:
            what = outcome.reason.words if outcome.reason else Words("数据包不完整", "it is not whole")
            raise Refused(
                "transfer-not-taken",
                Words(f"接收端未导入:{what.zh}", f"not imported at the receiver: {what.en}"),
                Words("请先传输此前的数据包,再推送一次", "send those before it first, then push it again"),
                field=outcome.reason.code if outcome.reason else outcome.state,
            )
        return receipt


def _newest(desk: Desk, package_sm3: str, *, accepted: bool) -> bytes | None:
    verdict = "accepted" if accepted else "refused"
    for one in reversed(desk.parts.store.receipts(package_sm3)):
        if decode_receipt(one).receipt.verdict == verdict:
            return one
    return None


class _AnyChannel:
    """The trust of the incoming channel that a manifest names."""

    def __init__(self, channels: Channels, now: datetime) -> None:
        self._channels: Final = channels
        self._now: Final = now
        self._trust: dict[str, ChannelTrust] = {}  # remembers who signed as what

    def public_key(self, signature: Signature, manifest: Manifest) -> PublicKey:
        """The key for this role. Raises Refused, BadInput where there is no such channel."""
        if manifest.channel not in self._trust:
            channel = self._channels.find("in", manifest.channel)
            self._trust[manifest.channel] = self._channels.trust(channel, self._now)
        return self._trust[manifest.channel].public_key(signature, manifest)
