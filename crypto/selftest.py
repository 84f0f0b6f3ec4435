"""Self-test of a backend with the published values of the standards, run before its first use.

A process that would hash, sign or decrypt wrongly must not start: every failure is a LiuheError naming the
step. The steps go through ``sm2``, ``sm3``, ``sm4`` and ``kdf`` as the product uses them.
"""

from collections.abc import Callable
from typing import Final

from crypto import sm4
from crypto.backends.choice import current
from crypto.backends.interface import Backend
from crypto.kdf import sm3_kdf
from crypto.sm2 import Sm2PrivateKey, Sm2PublicKey
from crypto.sm3 import hmac_sm3, new
from crypto.words import LiuheError, Words

# GB/T 32905-2016 A.1 and A.2
_SM3_ABC: Final = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
_SM3_BLOCK: Final = "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"
# GM/T 0042-2015: key 01..20, the text below
_HMAC: Final = "ca05e144ed05d1857840d1f318a4a8669e559fc8391f414485bfdf7bb408963a"
_HMAC_TEXT: Final = b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq" * 2
# GB/T 32907-2016 A.1: the key is the plaintext
_SM4_KEY: Final = bytes.fromhex("0123456789abcdeffedcba9876543210")
_SM4_BLOCK: Final = "681edf34d206965e86b3e94f536e4246"
# RFC 8998 A.1 and A.2
_NONCE: Final = bytes.fromhex("00001234567800000000abcd")
_AAD: Final = bytes.fromhex("feedfacedeadbeeffeedfacedeadbeefabaddad2")
_TEXT: Final = bytes.fromhex("".join(digit * 16 for digit in "abcdefea"))
_GCM: Final = (
    "17f399f08c67d5ee19d0dc9969c4bb7d5fd46fd3756489069157b282bb200735d82710ca5c22f0ccfa7cbf93d496ac15"
    "a56834cbcf98c397b4024a2691233b8d83de3541e4c2b58177e065a9bf7b62ec"
)
_CCM: Final = (
    "48af93501fa62adbcd414cce6034d895dda1bf8f132f042098661572e7483094fd12e518ce062c98acee28d95df4416b"
    "ed31a2f04476c18bb40c84a74b97dc5b16842d4fa186f56ab33256971fa110f4"
)
# GB/T 32918.5-2017 A.2, identity 1234567812345678
_SM2_SCALAR: Final = bytes.fromhex("3945208f7b2144b13f36e38ac6d39f95889393692860b51a42fb81ef4df7c5b8")
_SM2_POINT: Final = bytes.fromhex(
    "0409f9df311e5421a150dd7d161e4bc5c672179fad1833fc076bb08ff356f35020"
    "ccea490ce26775a52dc6ea718cc1aa600aed05fbf35e084a6632f6072da9ad13"
)
_SM2_MESSAGE: Final = b"message digest"
_SM2_SIGNATURE: Final = bytes.fromhex(
    "f5a03b0648d2c4630eeac513e1bb81a15944da3827d5b74143ac7eaceee720b3"
    "b1b6aa29df212fd8763182bc0d421ca1bb9038fd1f7f42d4840b69c485bbc1aa"
)
# GM/T 0003.5-2012 Annex C: x of C1 begins with the byte 04
_SM2_CIPHERTEXT: Final = bytes.fromhex(
    "0404ebfc718e8d1798620432268e77feb6415e2ede0e073c0f4f640ecd2e149a73"
    "e858f9d81e5430a57b36daab8f950a3c64e6ee6a63094d99283aff767e124df0"
    "59983c18f809e262923c53aec295d30383b54e39d609d160afcb1908d0bd8766"
    "21886ca989ca9c7d58087307ca93092d651efa"
)
_SM2_PLAINTEXT: Final = b"encryption standard"


def _sm3_one_shot(backend: Backend) -> bool:
    return backend.sm3(b"abc").hexdigest() == _SM3_ABC


def _sm3_streaming(backend: Backend) -> bool:
    running = new(backend=backend)
    for _ in range(16):
        running.update(b"abcd")
    return running.hexdigest() == _SM3_BLOCK


def _hmac(backend: Backend) -> bool:
    return hmac_sm3(bytes(range(1, 33)), _HMAC_TEXT, backend=backend).hex() == _HMAC


def _sm4_block(backend: Backend) -> bool:
    sealed = sm4.ecb_encrypt(_SM4_KEY, _SM4_KEY, backend=backend)
    return sealed.hex() == _SM4_BLOCK and sm4.ecb_decrypt(_SM4_KEY, sealed, backend=backend) == _SM4_KEY


def _sm4_gcm(backend: Backend) -> bool:
    sealed = sm4.gcm_seal(_SM4_KEY, _NONCE, _TEXT, _AAD, backend=backend)
    opened = sm4.gcm_open(_SM4_KEY, _NONCE, sealed, _AAD, backend=backend)
    return sealed.hex() == _GCM and opened == _TEXT


def _sm4_gcm_altered_refused(backend: Backend) -> bool:
    altered = bytearray(bytes.fromhex(_GCM))
    altered[0] ^= 1
    return _refuses(lambda: sm4.gcm_open(_SM4_KEY, _NONCE, bytes(altered), _AAD, backend=backend))


def _sm4_ccm(backend: Backend) -> bool:
    return sm4.ccm_seal(_SM4_KEY, _NONCE, _TEXT, _AAD, backend=backend).hex() == _CCM


def _sm2_standard_signature(backend: Backend) -> bool:
    Sm2PublicKey(_SM2_POINT, backend=backend).verify(_SM2_MESSAGE, _SM2_SIGNATURE)
    return True


def _sm2_altered_text_refused(backend: Backend) -> bool:
    key = Sm2PublicKey(_SM2_POINT, backend=backend)
    return _refuses(lambda: key.verify(_SM2_MESSAGE + b".", _SM2_SIGNATURE))


def _sm2_other_identity_refused(backend: Backend) -> bool:
    key = Sm2PublicKey(_SM2_POINT, backend=backend)
    return _refuses(lambda: key.verify(_SM2_MESSAGE, _SM2_SIGNATURE, user_id=b"ALICE123@YAHOO.COM"))


def _sm2_off_curve_refused(backend: Backend) -> bool:
    off = _SM2_POINT[:-1] + bytes((_SM2_POINT[-1] ^ 1,))
    return _refuses(lambda: Sm2PublicKey(off, backend=backend))


def _sm2_standard_decryption(backend: Backend) -> bool:
    private = Sm2PrivateKey.from_scalar(_SM2_SCALAR, _SM2_POINT, backend=backend)
    return private.decrypt(_SM2_CIPHERTEXT) == _SM2_PLAINTEXT


def _sm2_altered_ciphertext_refused(backend: Backend) -> bool:
    private = Sm2PrivateKey.from_scalar(_SM2_SCALAR, _SM2_POINT, backend=backend)
    altered = _SM2_CIPHERTEXT[:-1] + bytes((_SM2_CIPHERTEXT[-1] ^ 1,))
    return _refuses(lambda: private.decrypt(altered))


def _sm2_round_trip(backend: Backend) -> bool:
    return round_trip(Sm2PrivateKey.generate(backend=backend))


def round_trip(key: Sm2PrivateKey) -> bool:
    """A key signs what its public half verifies, and decrypts what it encrypts."""
    key.public.verify(_SM2_MESSAGE, key.sign(_SM2_MESSAGE))
    return key.decrypt(key.public.encrypt(_SM2_PLAINTEXT)) == _SM2_PLAINTEXT


def _sm2_kdf(backend: Backend) -> bool:
    return sm3_kdf(b"abc", 40, backend=backend)[:32].hex() == new(b"abc\0\0\0\1", backend=backend).hexdigest()


def _refuses(step: Callable[[], object]) -> bool:
    try:
        step()
    except LiuheError:
        return True
    return False


Step = tuple[str, Callable[[Backend], bool]]
STEPS: Final[tuple[Step, ...]] = (
    ("SM3 GB/T 32905 A.1", _sm3_one_shot),
    ("SM3 GB/T 32905 A.2", _sm3_streaming),
    ("HMAC-SM3 GM/T 0042", _hmac),
    ("KDF GB/T 32918.4", _sm2_kdf),
    ("SM4 GB/T 32907 A.1", _sm4_block),
    ("SM4-GCM RFC 8998 A.1", _sm4_gcm),
    ("SM4-GCM altered text", _sm4_gcm_altered_refused),
    ("SM4-CCM RFC 8998 A.2", _sm4_ccm),
    ("SM2 GB/T 32918.5 A.2", _sm2_standard_signature),
    ("SM2 altered text", _sm2_altered_text_refused),
    ("SM2 other identity", _sm2_other_identity_refused),
    ("SM2 point off the curve", _sm2_off_curve_refused),
)
# With private keys given from outside; a cipher machine has its own instead, see its ``own_steps``.
KEY_STEPS: Final[tuple[Step, ...]] = (
    ("SM2 GM/T 0003.5 C", _sm2_standard_decryption),
    ("SM2 altered ciphertext", _sm2_altered_ciphertext_refused),
    ("SM2 round trip", _sm2_round_trip),
)


def steps_of(backend: Backend) -> tuple[Step, ...]:
    """The steps that a backend has to pass."""
    own: tuple[Step, ...] | None = getattr(backend, "own_steps", None)
    return STEPS + (KEY_STEPS if own is None else own)


def check(backend: Backend) -> tuple[str, ...]:
    """Run every step. Raises LiuheError naming the first that did not pass."""
    for name, step in steps_of(backend):
        reason = "wrong result"
        try:
            passed = step(backend)
        except LiuheError as error:
            passed, reason = False, error.what.en
        if not passed:
            raise LiuheError(
                "crypto-selftest",
                Words(
                    f"密码算法自检未通过:{name}({reason})",
                    f"cryptographic self-test failed: {name} ({reason})",
                ),
                Words("请检查密码库的安装,勿继续使用", "check the cryptographic libraries; do not go on"),
                field=name,
            )
    return tuple(name for name, _ in steps_of(backend))


def self_test() -> tuple[str, ...]:
    """The names of the steps that the backend in force passed. Raises LiuheError where one did not.

    A backend comes into force only through ``check``, so what it passed then is not run again.
    """
    return tuple(name for name, _ in steps_of(current()))
