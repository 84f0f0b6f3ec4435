"""The sensor's SM2 signature over a batch: made in one place (the uplink), verified in one (the ingest).

What is signed is a fixed layout, not MessagePack, so that anybody can rebuild it from the fields alone;
docs/reference/formats/wire.md has it byte by byte. The body is covered by its SM3.
"""

import struct
from typing import Final

from msgspec.structs import replace

from crypto import sm3
from crypto.keys import PublicKey, SigningKey
from crypto.words import Refused, Words
from sensors.messages import LANES, Batch

MAGIC: Final = b"liuhe batch 2\n\0\0"  # 16 bytes
_NUMBERS: Final = struct.Struct(">IBQQI")  # epoch, lane (1..3), first, last, count


def signed_bytes(batch: Batch) -> bytes:
    """What the signature of a batch is over; the default identity of GB/T 35276 comes before it."""
    sensor = batch.sensor.encode()
    numbers = _NUMBERS.pack(batch.epoch, LANES.index(batch.lane) + 1, batch.first, batch.last, batch.count)
    return MAGIC + bytes([len(sensor)]) + sensor + numbers + batch.sm3 + batch.key


class Signer:
    """A sensor's signing key, as batches name it."""

    def __init__(self, key: SigningKey) -> None:
        self._key: Final = key
        self._id: Final = bytes.fromhex(key.public.key_id)

    def sign(self, batch: Batch) -> Batch:
        """The batch with key and signature."""
        named = replace(batch, key=self._id)
        return replace(named, signature=self._key.sign(signed_bytes(named)))


def verify_batch(batch: Batch, key: PublicKey) -> None:
    """Return silently, or raise Refused: unsigned, another key's, another body's, or changed since."""
    if batch.key != bytes.fromhex(key.key_id):
        raise wrong_signature("签名密钥不是证书中的密钥", "signed by another key than the certificate's")
    if sm3.sm3(batch.body) != batch.sm3:
        raise wrong_signature("内容的 SM3 不符", "the SM3 of the body is another")
    try:
        key.verify(signed_bytes(batch), batch.signature)
    except Refused as error:
        raise wrong_signature("SM2 签名不符", "the SM2 signature does not match") from error


def wrong_signature(zh: str, en: str) -> Refused:
    """What is said of a batch that its sensor did not sign."""
    return Refused(
        "batch-signature",
        Words(f"批的签名无效:{zh}", f"the batch is not signed by its sensor: {en}"),
        Words(
            "请检查传感器的密钥与证书是否成对", "check that the sensor's key and certificate belong together"
        ),
        field="signature",
    )
