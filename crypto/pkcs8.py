"""Private keys as DER: PKCS#8 (RFC 5208), its encrypted form PBES2 (RFC 8018), and SEC 1 for import.

Written: PBKDF2 with HMAC-SM3 and SM4-CBC, which GmSSL reads; on request PBKDF2 with HMAC-SHA256, which
OpenSSL 3 reads. Read: both. Nothing else: an unknown algorithm, too few or too many rounds are refused before
any of them is run.

What a key is for stands inside the encrypted part as the PKCS#8 attribute keyUsage (2.5.29.15):
digitalSignature or keyEncipherment. So a key made for one is never taken for the other.
"""

import hashlib
import secrets
from typing import Any, ClassVar, Final, Literal, NamedTuple

from asn1crypto import core

from crypto import asn1, kdf, sm4
from crypto.sm2 import Sm2PrivateKey
from crypto.wiping import wipe
from crypto.words import BadInput, LiuheError, Refused, Words

Use = Literal["sign", "encrypt"]
Form = Literal["gmssl", "openssl"]

DER_BYTES_MAX: Final = 4 * 1024
ROUNDS: Final = 400_000  # measured 0.22 s on the machine of docs/reference/cryptography.md
ROUNDS_MIN: Final = 65_536  # what GmSSL writes; ours has more
ROUNDS_IMPORT_MIN: Final = 2_048  # what OpenSSL writes; an import is encrypted anew
ROUNDS_MAX: Final = 10_000_000  # five seconds: a file must not be able to stop us
SALT_BYTES: Final = 16
SALT_BYTES_MAX: Final = 64
_KEY_BYTES: Final = 16
_IV_BYTES: Final = 16
_DIGESTS: Final = {asn1.HMAC_SM3: "sm3", asn1.HMAC_SM3_PKCS5: "sm3", asn1.HMAC_SHA256: "sha256"}
_PRFS: Final[dict[Form, str]] = {"gmssl": asn1.HMAC_SM3, "openssl": asn1.HMAC_SHA256}

_SCALAR_BYTES: Final = 32
_POINT_BYTES: Final = 65
_USES: Final[dict[Use, bytes]] = {"sign": bytes((3, 2, 7, 0x80)), "encrypt": bytes((3, 2, 5, 0x20))}


class _Algorithm(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [
        ("algorithm", core.ObjectIdentifier),
        ("parameters", core.Any, {"optional": True}),
    ]


class _Pbkdf2(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [
        ("salt", core.OctetString),
        ("rounds", core.Integer),
        ("size", core.Integer, {"optional": True}),
        ("prf", _Algorithm, {"optional": True}),
    ]


class _Pbes2(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [("derivation", _Algorithm), ("cipher", _Algorithm)]


class _Encrypted(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [("algorithm", _Algorithm), ("data", core.OctetString)]


class _Values(core.SetOf):  # type: ignore[misc]
    _child_spec = core.Any


class _Attribute(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [("type", core.ObjectIdentifier), ("values", _Values)]


class _Attributes(core.SetOf):  # type: ignore[misc]
    _child_spec = _Attribute


class _Info(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [
        ("version", core.Integer),
        ("algorithm", _Algorithm),
        ("key", core.OctetString),
        ("attributes", _Attributes, {"implicit": 0, "optional": True}),
    ]


class _EcKey(core.Sequence):  # type: ignore[misc]
    _fields: ClassVar[Any] = [
        ("version", core.Integer),
        ("scalar", core.OctetString),
        ("curve", core.ObjectIdentifier, {"explicit": 0, "optional": True}),
        ("point", core.BitString, {"explicit": 1, "optional": True}),
    ]


class PrivateInfo(NamedTuple):
    """A private key out of its wrapping."""

    plain: bytes
    """PKCS#8 in the one form that ``crypto.sm2`` reads."""
    use: Use | None
    """What it was made for; None where nothing is said."""


class _Recipe(NamedTuple):
    digest: str
    salt: bytes
    rounds: int
    vector: bytes
    data: bytes


def with_use(plain: bytes, use: Use) -> bytes:
    """The PKCS#8 that also says what its key is for."""
    info = _Info.load(plain)
    value = core.Any.load(_USES[use])
    info["attributes"] = _Attributes([_Attribute({"type": asn1.KEY_USAGE, "values": _Values([value])})])
    return bytes(info.dump(force=True))


def read(der: bytes) -> PrivateInfo:
    """A PKCS#8 that is not encrypted. Raises BadInput where it is not that of an SM2 key."""
    what = "PKCS#8"
    info = asn1.load(_Info, der, bytes_max=DER_BYTES_MAX, what=what)
    with asn1.reading(what):
        algorithm, parameters = info["algorithm"]["algorithm"].dotted, info["algorithm"]["parameters"].dump()
        version, key = info["version"].native, info["key"].native
        uses = [
            bytes(value.dump())
            for attribute in info["attributes"] or ()
            if attribute["type"].dotted == asn1.KEY_USAGE
            for value in attribute["values"]
        ]
    if version != 0 or algorithm != asn1.EC_PUBLIC_KEY or parameters != _oid(asn1.SM2_CURVE):
        raise _not_sm2("the algorithm is not SM2")
    return PrivateInfo(read_sec1(key), _use_of(uses))


def _use_of(values: list[bytes]) -> Use | None:
    if not values:
        return None
    for use, value in _USES.items():
        if values == [value]:
            return use
    raise _not_sm2("its use is neither signing nor encryption alone")


def read_sec1(der: bytes) -> bytes:
    """The ``plain`` of an ECPrivateKey (SEC 1), with or without its public point."""
    what = "EC private key"
    key = asn1.load(_EcKey, der, bytes_max=DER_BYTES_MAX, what=what)
    with asn1.reading(what):
        version, scalar = key["version"].native, bytes(key["scalar"].native)
        curve = key["curve"].dotted if key["curve"].native is not None else asn1.SM2_CURVE
        point = bytes(key["point"].contents or b"")[1:]
    if version != 1 or curve != asn1.SM2_CURVE or len(scalar) != _SCALAR_BYTES:
        raise _not_sm2("not a private key of the SM2 curve")
    if point and len(point) != _POINT_BYTES:
        raise _not_sm2("its public point is compressed")
    return Sm2PrivateKey.from_scalar(bytearray(scalar), point or None).pkcs8()


def seal(info: bytes, passphrase: bytearray, *, form: Form = "gmssl", rounds: int = ROUNDS) -> bytes:
    """EncryptedPrivateKeyInfo DER around a PKCS#8."""
    assert ROUNDS_IMPORT_MIN <= rounds <= ROUNDS_MAX
    salt, vector = secrets.token_bytes(SALT_BYTES), secrets.token_bytes(_IV_BYTES)
    key = _derive(_DIGESTS[_PRFS[form]], passphrase, salt, rounds)
    # GmSSL wants the PRF without parameters, OpenSSL writes NULL.
    prf: dict[str, Any] = {"algorithm": _PRFS[form]}
    if form == "openssl":
        prf["parameters"] = core.Null()
    derivation = _Pbkdf2({"salt": salt, "rounds": rounds, "size": _KEY_BYTES, "prf": prf})
    parameters = _Pbes2(
        {
            "derivation": {"algorithm": asn1.PBKDF2, "parameters": derivation},
            "cipher": {"algorithm": asn1.SM4_CBC, "parameters": core.OctetString(vector)},
        }
    )
    sealed = _Encrypted(
        {
            "algorithm": {"algorithm": asn1.PBES2, "parameters": parameters},
            "data": sm4.cbc_encrypt(key, vector, info),
        }
    )
    wipe(key)
    return bytes(sealed.dump())


def open_(der: bytes, passphrase: bytearray, *, rounds_min: int = ROUNDS_MIN) -> PrivateInfo:
    """What ``seal``, GmSSL or OpenSSL encrypted. Raises Refused where the passphrase is not the one.

    A damaged file and a wrong passphrase cannot be told apart: CBC has no tag.
    """
    recipe = _recipe(der, rounds_min)
    key = _derive(recipe.digest, passphrase, recipe.salt, recipe.rounds)
    try:
        info = sm4.cbc_decrypt(key, recipe.vector, recipe.data)
        asn1.check(info, bytes_max=DER_BYTES_MAX)
    except LiuheError as error:
        raise Refused(
            "key-passphrase",
            Words("口令不对,或密钥文件已损坏", "the passphrase is wrong, or the key file is damaged"),
            Words("请核对口令后重试", "check the passphrase and try again"),
            field="key",
        ) from error
    finally:
        wipe(key)
    return read(info)


def _derive(digest: str, passphrase: bytearray, salt: bytes, rounds: int) -> bytearray:
    if digest == "sm3":
        return kdf.pbkdf2(passphrase, salt, rounds, _KEY_BYTES)
    return bytearray(hashlib.pbkdf2_hmac(digest, passphrase, salt, rounds, _KEY_BYTES))


def _recipe(der: bytes, rounds_min: int) -> _Recipe:
    what = "encrypted PKCS#8"
    sealed = asn1.load(_Encrypted, der, bytes_max=DER_BYTES_MAX, what=what)
    with asn1.reading(what):
        if sealed["algorithm"]["algorithm"].dotted != asn1.PBES2:
            raise _refused_algorithm("not PBES2")
        scheme = sealed["algorithm"]["parameters"].parse(_Pbes2)
        if scheme["derivation"]["algorithm"].dotted != asn1.PBKDF2:
            raise _refused_algorithm("not PBKDF2")
        derivation = scheme["derivation"]["parameters"].parse(_Pbkdf2)
        cipher, vector = scheme["cipher"]["algorithm"].dotted, scheme["cipher"]["parameters"]
        if cipher != asn1.SM4_CBC:
            raise _refused_algorithm(f"cipher {cipher}")
        prf = derivation["prf"]["algorithm"].dotted if derivation["prf"].native is not None else "HMAC-SHA1"
        recipe = _Recipe(
            digest=_DIGESTS.get(prf, ""),
            salt=bytes(derivation["salt"].native),
            rounds=int(derivation["rounds"].native),
            vector=bytes(vector.parse(core.OctetString).native),
            data=bytes(sealed["data"].native),
        )
        size = derivation["size"].native
    if not recipe.digest:
        raise _refused_algorithm(f"PRF {prf}")
    if not rounds_min <= recipe.rounds <= ROUNDS_MAX:
        which = "few" if recipe.rounds < rounds_min else "many"
        raise _refused_algorithm(f"too {which} rounds, allowed are {rounds_min} to {ROUNDS_MAX}")
    if size not in (None, _KEY_BYTES) or len(recipe.vector) != _IV_BYTES:
        raise _refused_algorithm("key or vector of another size")
    if not 8 <= len(recipe.salt) <= SALT_BYTES_MAX:
        raise _refused_algorithm(f"a salt of {len(recipe.salt)} bytes")
    return recipe


def _oid(dotted: str) -> bytes:
    return bytes(core.ObjectIdentifier(dotted).dump())


def _not_sm2(reason: str) -> BadInput:
    return BadInput(
        "key-malformed",
        Words(f"不是可用的 SM2 私钥:{reason}", f"not a usable SM2 private key: {reason}"),
        Words("请给出 SM2 私钥", "give an SM2 private key"),
        field="key",
    )


def _refused_algorithm(reason: str) -> Refused:
    return Refused(
        "key-encryption",
        Words(f"私钥的加密方式不被接受:{reason}", f"the key's encryption is not accepted: {reason}"),
        Words(
            "请用 liuhe keys import 导入,或改用 PBKDF2 与 SM4-CBC 重新加密",
            "import it with liuhe keys import, or encrypt it anew with PBKDF2 and SM4-CBC",
        ),
        field="key",
    )
