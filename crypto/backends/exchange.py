"""The numbers of the SM2 key exchange (GB/T 32918.3-2016, 6.1) that do not depend on who computes."""

from typing import Final

from crypto.sm2_forms import N
from crypto.wiping import wipe
from crypto.words import Refused, Words

_W: Final = 127  # ceil(ceil(log2 n) / 2) - 1


def exchange_scalar(
    ephemeral_point: bytes, private: bytearray | None = None, ephemeral: bytearray | None = None
) -> bytes:
    """x of a fresh point cut to 127 bits and one set; with private numbers t = (d + x * r) mod n.

    The private numbers are wiped. Python's integers are not constant-time; r is fresh in every exchange,
    so what a run leaks of t says little of d, but a device does this inside.
    """
    cut = (1 << _W) | (int.from_bytes(ephemeral_point[1:33], "big") & ((1 << _W) - 1))
    if private is None or ephemeral is None:
        return cut.to_bytes(32, "big")
    total = (int.from_bytes(private, "big") + cut * int.from_bytes(ephemeral, "big")) % N
    wipe(private, ephemeral)
    return total.to_bytes(32, "big")


def exchange_point() -> Refused:
    """The refusal where the shared point is infinity."""
    return Refused(
        "sm2-exchange",
        Words("密钥协商得到无穷远点", "the key exchange reached the point at infinity"),
        Words("请拒绝该对端并重新发起", "refuse this peer and start again"),
    )
