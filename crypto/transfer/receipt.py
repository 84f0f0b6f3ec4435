"""Signed receipts: what became of a package at the receiver, bound to the SM3 of that very package.

A receipt is one JSON object in canonical form with the signature of the receiver's own key over it. It may
come back by any way, twice, or never: nothing but the signature and the package's digest is believed.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, Protocol

import msgspec

from crypto.keys import PublicKey
from crypto.package_format import CERTIFICATES_MAX, SEQUENCE_MAX, is_hex
from crypto.sm3 import sm3_hex
from crypto.transfer.request import Reason
from crypto.words import Refused, Words

RECEIPT_BYTES_MAX: Final = 16 * 1024
FORMAT: Final = "liuhe-receipt-v1"
_TEXT_MAX: Final = 256
_SIGNATURE_BYTES: Final = 64


class Receipt(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the receiver says of one package; a refused one may have no place that could be read."""

    format: str = FORMAT
    package: str
    package_sm3: str
    manifest_sm3: str
    channel: str
    epoch: int
    sequence: int
    receiver: str
    verdict: Literal["accepted", "refused"]
    reason: Reason | None = None
    time: datetime


class SignedReceipt(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A receipt with the signature, the id of its key, and the chain of its certificates where it has one.

    ``certificates`` are DER, leaf first; the member is absent where there are none.
    """

    receipt: Receipt
    key_id: str
    signature: bytes
    certificates: tuple[bytes, ...] = ()


class Signer(Protocol):
    """A key that signs: ``crypto.keys.SigningKey``, or one inside a cipher machine."""

    @property
    def public(self) -> PublicKey:
        """Its public half."""
        ...

    def sign(self, data: bytes) -> bytes:
        """64 bytes, r then s."""
        ...


def sign_receipt(receipt: Receipt, signer: Signer, certificates: Sequence[bytes] = ()) -> bytes:
    """The receipt as it travels; ``certificates`` in DER, leaf first."""
    assert not flaw_of_receipt(receipt), "receipts are made from verified values"
    signed = SignedReceipt(
        receipt=receipt,
        key_id=signer.public.key_id,
        signature=signer.sign(_statement(receipt)),
        certificates=tuple(certificates),
    )
    return msgspec.json.encode(signed)


def open_receipt(
    data: bytes,
    keys: dict[str, PublicKey],
    certified: Callable[[SignedReceipt], PublicKey] | None = None,
) -> Receipt:
    """The receipt, where one of the receiver's keys signed it. Raises Refused.

    ``certified`` is asked for the key of a receipt that carries certificates and no key of ``keys``.
    """
    signed = decode_receipt(data)
    key = keys.get(signed.key_id)
    if key is None and certified is not None and signed.certificates:
        key = certified(signed)
    if key is None or key.key_id != signed.key_id:
        raise Refused(
            "receipt-untrusted",
            Words("回执签名者不是该通道的接收方", "not signed by the channel's receiver"),
            Words("请核对接收方的签名公钥", "check the receiver's signing key"),
            field=signed.key_id,
        )
    key.verify(_statement(signed.receipt), signed.signature)
    return signed.receipt


def decode_receipt(data: bytes) -> SignedReceipt:
    """The receipt, its signature not verified. Raises Refused."""
    if len(data) > RECEIPT_BYTES_MAX:
        raise _malformed("too long")
    try:
        signed = msgspec.json.decode(data, type=SignedReceipt)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise _malformed("not the JSON of a receipt") from None
    flaw = flaw_of_receipt(signed.receipt)
    if not is_hex(signed.key_id, 32) or len(signed.signature) != _SIGNATURE_BYTES:
        flaw = "its key or signature has a wrong size"
    if len(signed.certificates) > CERTIFICATES_MAX or not all(signed.certificates):
        flaw = "its certificates are too many, or one is empty"
    if flaw:
        raise _malformed(flaw)
    if msgspec.json.encode(signed) != data:
        raise _malformed("not in its canonical form")
    return signed


def receipt_sm3(data: bytes) -> str:
    """The name of a receipt: its SM3."""
    return sm3_hex(data)


def flaw_of_receipt(receipt: Receipt) -> str:
    """Why this is no receipt; empty where it is."""
    if receipt.format != FORMAT:
        return "another format"
    if not is_hex(receipt.package, 16) or not is_hex(receipt.package_sm3, 32):
        return "the package is not named"
    if receipt.manifest_sm3 and not is_hex(receipt.manifest_sm3, 32):
        return "the manifest is not named by 64 hex digits"
    if not 0 <= receipt.sequence <= SEQUENCE_MAX or not 0 <= receipt.epoch <= SEQUENCE_MAX:
        return "the place is out of range"
    if not receipt.receiver or max(len(receipt.receiver), len(receipt.channel)) > _TEXT_MAX:
        return "receiver or channel is empty or too long"
    if receipt.time.tzinfo != UTC or receipt.time.microsecond:
        return "the time is not in UTC to the second"
    if (receipt.verdict == "accepted") != (receipt.reason is None):
        return "a refusal has a reason, an acceptance has none"
    if receipt.verdict == "accepted" and not (receipt.manifest_sm3 and receipt.sequence and receipt.epoch):
        return "an acceptance names manifest and place"
    return ""


def _statement(receipt: Receipt) -> bytes:
    return f"liuhe-receipt-signature-v1\n{sm3_hex(msgspec.json.encode(receipt))}\n".encode()


def _malformed(reason: str) -> Refused:
    return Refused(
        "receipt-malformed",
        Words(f"不是有效的回执:{reason}", f"not a valid receipt: {reason}"),
        Words("请让接收方重新出具", "ask the receiver to give it again"),
        field="receipt",
    )
