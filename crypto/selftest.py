"""Self-test of the algorithms with the published values of the standards, run once at start.

A process that would hash or sign wrongly must not start: every failure is a LiuheError naming the step.
"""

from collections.abc import Callable
from functools import cache
from typing import Final

from crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from crypto.sm3 import hmac_sm3, new, sm3_hex
from crypto.words import LiuheError, Words

# GB/T 32905-2016 A.1 and A.2
_SM3_ABC: Final = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
_SM3_BLOCK: Final = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
# GM/T 0042-2015: key 01..20, the text below
_HMAC: Final = "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"
_HMAC_TEXT: Final = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2
# GB/T 32918.5-2017 A.2, identity 1234567812345678
_SM2_POINT: Final = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_SM2_MESSAGE: Final = b"message digest"
_SM2_SIGNATURE: Final = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)


def _sm3_one_shot() -> bool:
    return sm3_hex(b"abc") == _SM3_ABC


def _sm3_streaming() -> bool:
    running = new()
    for _ in range(16):
        running.update(b"abcd")
    return running.hexdigest() == _SM3_BLOCK


def _hmac() -> bool:
    return hmac_sm3(bytes(range(1, 33)), _HMAC_TEXT).hex() == _HMAC


def _sm2_standard_signature() -> bool:
    Sm2PublicKey(_SM2_POINT).verify(_SM2_MESSAGE, _SM2_SIGNATURE)
    return True


def _sm2_altered_text_refused() -> bool:
    return _refuses(lambda: Sm2PublicKey(_SM2_POINT).verify(_SM2_MESSAGE + b".", _SM2_SIGNATURE))


def _sm2_other_identity_refused() -> bool:
    key = Sm2PublicKey(_SM2_POINT)
    return _refuses(lambda: key.verify(_SM2_MESSAGE, _SM2_SIGNATURE, user_id=b"ALICE123@YAHOO.COM"))


def _sm2_off_curve_refused() -> bool:
    return _refuses(lambda: Sm2PublicKey(_SM2_POINT[:-1] + bytes((_SM2_POINT[-1] ^ 1,))))


def _sm2_round_trip() -> bool:
    key = Sm2PrivateKey.generate()
    again = Sm2PrivateKey.from_pkcs8(key.pkcs8())
    key.public.verify(_SM2_MESSAGE, again.sign(_SM2_MESSAGE))
    return True


def _refuses(step: Callable[[], None] | Callable[[], object]) -> bool:
    try:
        step()
    except LiuheError:
        return True
    return False


STEPS: Final[tuple[tuple[str, Callable[[], bool]], ...]] = (
    ("SM3 GB/T 32905 A.1", _sm3_one_shot),
    ("SM3 GB/T 32905 A.2", _sm3_streaming),
    ("HMAC-SM3 GM/T 0042", _hmac),
    ("SM2 GB/T 32918.5 A.2", _sm2_standard_signature),
    ("SM2 altered text", _sm2_altered_text_refused),
    ("SM2 other identity", _sm2_other_identity_refused),
    ("SM2 point off the curve", _sm2_off_curve_refused),
    ("SM2 round trip", _sm2_round_trip),
)


@cache
def self_test() -> tuple[str, ...]:
    """The names of all steps, each passed. Raises LiuheError naming the first that did not."""
    for name, step in STEPS:
        reason = "wrong result"
        try:
            passed = step()
        except LiuheError as error:
            passed, reason = False, error.what.en
        if not passed:
            raise LiuheError(
                "crypto-selftest",
                Words(
                    f"密码算法自检未通过:{name}({reason})",
                    f"cryptographic self-test failed: {name} ({reason})",
                ),
                Words("请检查 OpenSSL 的安装,勿继续使用", "check the OpenSSL installation; do not go on"),
                field=name,
            )
    return tuple(name for name, _ in STEPS)
