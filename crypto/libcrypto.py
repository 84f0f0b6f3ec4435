"""The one file on OpenSSL's libcrypto (3.0 or newer): the few calls by ctypes that SM2 and SM3 need.

Beside it only ``crypto.backends.sdf`` touches C memory, for cipher machines. Every pointer made here is
freed here; the error queue of OpenSSL is left empty after each call, because a stale entry would surface
later inside ``ssl``.
"""

import ctypes
import ctypes.util
import weakref
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final, Self

from crypto.backends.interface import wrong_key
from crypto.words import LiuheError, Words

VERSION_MIN: Final = 0x3000_0000  # OpenSSL_version_num: 3.0.0, the first with SM2 in the EVP providers
_SONAMES: Final = ("libcrypto.so.3", "libcrypto.so.4", "libcrypto.3.dylib")
_SIGNATURE_BYTES_MAX: Final = 128  # DER of two 256-bit integers is at most 72 bytes
_SPKI_BYTES_MAX: Final = 512
_SCALAR_BYTES: Final = 32
_POINT_BYTES: Final = 65
_UNCOMPRESSED: Final = 4  # POINT_CONVERSION_UNCOMPRESSED
_CIPHER_OVERHEAD_BYTES: Final = 128  # DER of x, y, C3 and the heads: at most 116

_pointer = ctypes.c_void_p
_int = ctypes.c_int
_size = ctypes.c_size_t
_bytes = ctypes.c_char_p
_SIGNATURES: Final[tuple[tuple[str, object, tuple[object, ...]], ...]] = (
    ("OpenSSL_version_num", ctypes.c_ulong, ()),
    ("OpenSSL_version", _bytes, (_int,)),
    ("ERR_get_error", ctypes.c_ulong, ()),
    ("ERR_clear_error", None, ()),
    ("ERR_error_string_n", None, (ctypes.c_ulong, _bytes, _size)),
    ("EVP_MD_fetch", _pointer, (_pointer, _bytes, _bytes)),
    ("EVP_MD_CTX_new", _pointer, ()),
    ("EVP_MD_CTX_free", None, (_pointer,)),
    ("EVP_MD_CTX_copy_ex", _int, (_pointer, _pointer)),
    ("EVP_DigestInit_ex", _int, (_pointer, _pointer, _pointer)),
    ("EVP_DigestUpdate", _int, (_pointer, _bytes, _size)),
    ("EVP_DigestFinal_ex", _int, (_pointer, _bytes, _pointer)),
    ("EVP_PKEY_free", None, (_pointer,)),
    ("EVP_PKEY_is_a", _int, (_pointer, _bytes)),
    ("EVP_PKEY_CTX_new_from_name", _pointer, (_pointer, _bytes, _bytes)),
    ("EVP_PKEY_CTX_new_from_pkey", _pointer, (_pointer, _pointer, _bytes)),
    ("EVP_PKEY_CTX_free", None, (_pointer,)),
    ("EVP_PKEY_keygen_init", _int, (_pointer,)),
    ("EVP_PKEY_generate", _int, (_pointer, _pointer)),
    ("EVP_PKEY_check", _int, (_pointer,)),
    ("EVP_PKEY_get_bn_param", _int, (_pointer, _bytes, _pointer)),
    ("BN_bn2binpad", _int, (_pointer, _bytes, _int)),
    ("BN_clear_free", None, (_pointer,)),
    ("i2d_PUBKEY", _int, (_pointer, _pointer)),
    ("d2i_PUBKEY", _pointer, (_pointer, _pointer, ctypes.c_long)),
    ("d2i_AutoPrivateKey", _pointer, (_pointer, _pointer, ctypes.c_long)),
    *(
        (f"EVP_PKEY_{operation}_init", _int, (_pointer,))
        for operation in ("sign", "verify", "encrypt", "decrypt")
    ),
    *(
        (f"EVP_PKEY_{operation}", _int, (_pointer, _bytes, _pointer, _bytes, _size))
        for operation in ("sign", "encrypt", "decrypt")
    ),
    ("EVP_PKEY_verify", _int, (_pointer, _bytes, _size, _bytes, _size)),
    ("OBJ_sn2nid", _int, (_bytes,)),
    ("BN_bin2bn", _pointer, (_bytes, _int, _pointer)),
    ("EC_GROUP_new_by_curve_name", _pointer, (_int,)),
    ("EC_POINT_new", _pointer, (_pointer,)),
    ("EC_POINT_clear_free", None, (_pointer,)),
    ("EC_POINT_oct2point", _int, (_pointer, _pointer, _bytes, _size, _pointer)),
    ("EC_POINT_point2oct", _size, (_pointer, _pointer, _int, _bytes, _size, _pointer)),
    ("EC_POINT_mul", _int, (_pointer, _pointer, _pointer, _pointer, _pointer, _pointer)),
    ("EC_POINT_add", _int, (_pointer, _pointer, _pointer, _pointer, _pointer)),
)


def _candidates() -> list[str]:
    """Where a libcrypto may lie, best first: the one this Python already runs on."""
    found: list[str] = []
    try:
        import _hashlib  # noqa: F401  # loads the libcrypto that hashlib and ssl are linked to

        for line in Path("/proc/self/maps").read_text().splitlines():
            path = line[line.find("/") :] if "/" in line else ""
            if "/libcrypto" in path and path not in found:
                found.append(path)
    except (ImportError, OSError):
        pass  # a static Python or no /proc: the names below still stand
    found.extend(_SONAMES)
    named = ctypes.util.find_library("crypto")
    return [*found, named] if named and named not in found else found


@cache
def library() -> ctypes.CDLL:
    """The loaded libcrypto with argument types set. Raises LiuheError where none is new enough."""
    tried: list[str] = []
    for name in _candidates():
        try:
            loaded = ctypes.CDLL(name)
            for function, result, arguments in _SIGNATURES:
                entry = getattr(loaded, function)
                entry.restype, entry.argtypes = result, arguments
        except (OSError, AttributeError) as error:
            tried.append(f"{name}: {error}")
            continue
        if int(loaded.OpenSSL_version_num()) >= VERSION_MIN:
            return loaded
        tried.append(f"{name}: {loaded.OpenSSL_version(0).decode(errors='replace')}")
    reason = "; ".join(tried)
    raise LiuheError(
        "libcrypto-missing",
        Words(f"找不到可用的 libcrypto({reason})", f"no usable libcrypto ({reason})"),
        Words(
            "请安装 OpenSSL 3.0 或更高版本;或安装附加组件 liuhe[native] 并选用 native 后端",
            "install OpenSSL 3.0 or newer; or install liuhe[native] and choose the backend native",
        ),
    )


def version() -> str:
    """What the loaded library calls itself."""
    text: bytes = library().OpenSSL_version(0)
    return text.decode("ascii", "replace")


def _reason() -> str:
    """The first queued error in words; the queue is empty afterwards."""
    code = library().ERR_get_error()
    buffer = ctypes.create_string_buffer(256)
    library().ERR_error_string_n(code, buffer, len(buffer))
    library().ERR_clear_error()
    return buffer.value.decode("ascii", "replace") if code else "no reason given"


def _failed(operation: str) -> LiuheError:
    reason = _reason()
    return LiuheError(
        "libcrypto-failed",
        Words(f"libcrypto 的 {operation} 失败:{reason}", f"libcrypto {operation} failed: {reason}"),
        Words(f"请检查所装的 OpenSSL({version()})", f"check the installed OpenSSL ({version()})"),
    )


def _done(result: int, operation: str) -> None:
    if result <= 0:
        raise _failed(operation)


@cache
def _sm3_method() -> int:
    method = library().EVP_MD_fetch(None, b"SM3", None)
    if not method:
        raise _failed("EVP_MD_fetch(SM3)")
    return int(method)


class Sm3Context:
    """A running SM3 by libcrypto, for Pythons whose hashlib lacks it; same calls as hashlib's."""

    __slots__ = ("__weakref__", "_context")

    def __init__(self, data: bytes = b"") -> None:
        method = _sm3_method()
        self._context = _md_context(self)
        _done(library().EVP_DigestInit_ex(self._context, method, None), "EVP_DigestInit_ex")
        self.update(data)

    def update(self, data: bytes, /) -> None:
        """Take more bytes."""
        data = bytes(data)
        _done(library().EVP_DigestUpdate(self._context, data, len(data)), "EVP_DigestUpdate")

    def digest(self) -> bytes:
        """The 32 bytes so far; computed on a copy, so that more may follow."""
        lib = library()
        copy = lib.EVP_MD_CTX_new()
        try:
            out = ctypes.create_string_buffer(64)
            _done(lib.EVP_MD_CTX_copy_ex(copy, self._context), "EVP_MD_CTX_copy_ex")
            _done(lib.EVP_DigestFinal_ex(copy, out, None), "EVP_DigestFinal_ex")
            return out.raw[:32]
        finally:
            lib.EVP_MD_CTX_free(copy)

    def hexdigest(self) -> str:
        """The digest as 64 hex digits."""
        return self.digest().hex()


def _md_context(owner: object) -> int:
    """An EVP_MD_CTX that dies with its owner."""
    context = library().EVP_MD_CTX_new()
    if not context:
        raise _failed("EVP_MD_CTX_new")
    weakref.finalize(owner, library().EVP_MD_CTX_free, context)
    return int(context)


class Sm2Handle:
    """One SM2 key inside libcrypto; freed with the object. Safe to share between threads.

    A prepared EVP_PKEY_CTX of each operation is kept with the key: setting one up costs a third of a
    signature. A thread takes one out of the pool, so no two threads ever use the same.
    """

    __slots__ = ("__weakref__", "_key", "_pools", "_private")

    def __init__(self, key: int, *, private: bool) -> None:
        self._key = key
        self._private = private
        self._pools: dict[str, list[int]] = {"sign": [], "verify": [], "encrypt": [], "decrypt": []}
        weakref.finalize(self, _release, key, self._pools)

    @classmethod
    def generate(cls) -> Self:
        """A fresh key pair from libcrypto's generator."""
        lib = library()
        context = lib.EVP_PKEY_CTX_new_from_name(None, b"SM2", None)
        if not context:
            raise _failed("EVP_PKEY_CTX_new_from_name(SM2)")
        key = ctypes.c_void_p()
        try:
            _done(lib.EVP_PKEY_keygen_init(context), "EVP_PKEY_keygen_init")
            _done(lib.EVP_PKEY_generate(context, ctypes.byref(key)), "EVP_PKEY_generate")
        finally:
            lib.EVP_PKEY_CTX_free(context)
        assert key.value is not None
        return cls(key.value, private=True)

    @classmethod
    def from_pkcs8(cls, der: bytes | bytearray) -> Self:
        """The key of an unencrypted PKCS#8; scalar, point and their match are checked."""
        return cls._read(der, library().d2i_AutoPrivateKey, library().EVP_PKEY_check, private=True)

    @classmethod
    def from_spki(cls, der: bytes) -> Self:
        """The key of a SubjectPublicKeyInfo; the decoder refuses a point that is not on the curve."""
        return cls._read(der, library().d2i_PUBKEY, None, private=False)

    @classmethod
    def _read(
        cls,
        der: bytes | bytearray,
        parse: Callable[..., int | None],
        check: Callable[[int], int] | None,
        *,
        private: bool,
    ) -> Self:
        lib = library()
        buffer = (ctypes.c_char * len(der)).from_buffer_copy(der)
        cursor = ctypes.c_void_p(ctypes.addressof(buffer))
        key = parse(None, ctypes.byref(cursor), len(der))
        consumed = (cursor.value or 0) - ctypes.addressof(buffer)
        if private:
            ctypes.memset(buffer, 0, len(der))
        if not key:
            raise wrong_key(_reason())
        handle = cls(key, private=private)
        if consumed != len(der) or lib.EVP_PKEY_is_a(key, b"SM2") != 1:
            raise wrong_key("not one SM2 key and nothing else")
        if check is not None:
            context = lib.EVP_PKEY_CTX_new_from_pkey(None, key, None)
            try:
                if check(context) != 1:
                    raise wrong_key(_reason())
            finally:
                lib.EVP_PKEY_CTX_free(context)
                lib.ERR_clear_error()
        return handle

    def spki(self) -> bytes:
        """The public half as SubjectPublicKeyInfo DER."""
        lib = library()
        length = lib.i2d_PUBKEY(self._key, None)
        if not 0 < length <= _SPKI_BYTES_MAX:
            raise _failed("i2d_PUBKEY")
        buffer = ctypes.create_string_buffer(length)
        cursor = ctypes.c_void_p(ctypes.addressof(buffer))
        _done(lib.i2d_PUBKEY(self._key, ctypes.byref(cursor)), "i2d_PUBKEY")
        return buffer.raw

    def scalar(self) -> bytearray:
        """The private number, 32 bytes big-endian; the caller wipes it."""
        assert self._private, "a public key has no scalar"
        lib = library()
        number = ctypes.c_void_p()
        _done(lib.EVP_PKEY_get_bn_param(self._key, b"priv", ctypes.byref(number)), "EVP_PKEY_get_bn_param")
        try:
            out = bytearray(_SCALAR_BYTES)
            view = (ctypes.c_char * _SCALAR_BYTES).from_buffer(out)
            _done(lib.BN_bn2binpad(number, view, _SCALAR_BYTES), "BN_bn2binpad")
            return out
        finally:
            lib.BN_clear_free(number)

    def sign_digest(self, digest: bytes) -> bytes:
        """SM2 over the 32-byte digest e; the signature as DER."""
        assert self._private, "signing needs the private key"
        return self._run("sign", digest, _SIGNATURE_BYTES_MAX)

    def verify_digest(self, digest: bytes, signature: bytes) -> bool:
        """Whether the DER signature is this key's over e; malformed ones are just not."""
        lib = library()
        context = self._context("verify")
        result: int = lib.EVP_PKEY_verify(context, signature, len(signature), digest, len(digest))
        if result != 1:
            lib.ERR_clear_error()
        self._pools["verify"].append(context)
        return result == 1

    def encrypt(self, data: bytes) -> bytes:
        """SM2 encryption with SM3; the ciphertext as DER (GM/T 0009)."""
        return self._run("encrypt", data, len(data) + _CIPHER_OVERHEAD_BYTES)

    def decrypt(self, der: bytes) -> bytes | None:
        """The plaintext, or None where C1 or C3 is wrong."""
        assert self._private, "decryption needs the private key"
        try:
            return self._run("decrypt", der, len(der))
        except LiuheError:
            return None

    def _run(self, operation: str, data: bytes, room: int) -> bytes:
        """One operation that writes into a buffer; the buffer is wiped, for it may hold a plaintext."""
        lib = library()
        context = self._context(operation)
        out = ctypes.create_string_buffer(room)
        length = ctypes.c_size_t(room)
        function = getattr(lib, f"EVP_PKEY_{operation}")
        try:
            _done(function(context, out, ctypes.byref(length), data, len(data)), f"EVP_PKEY_{operation}")
            return out.raw[: length.value]
        finally:
            if operation == "decrypt":
                ctypes.memset(out, 0, room)
            self._pools[operation].append(context)

    def _context(self, operation: str) -> int:
        """A prepared context that no other thread holds."""
        try:
            return self._pools[operation].pop()
        except IndexError:
            pass
        lib = library()
        context = lib.EVP_PKEY_CTX_new_from_pkey(None, self._key, None)
        if not context:
            raise _failed("EVP_PKEY_CTX_new_from_pkey")
        try:
            _done(getattr(lib, f"EVP_PKEY_{operation}_init")(context), f"EVP_PKEY_{operation}_init")
        except LiuheError:
            lib.EVP_PKEY_CTX_free(context)
            raise
        return int(context)


def _release(key: int, pools: dict[str, list[int]]) -> None:
    """Free a key and its contexts; libcrypto clears the private number itself."""
    lib = library()
    for contexts in pools.values():
        for context in contexts:
            lib.EVP_PKEY_CTX_free(context)
    lib.EVP_PKEY_free(key)


@cache
def _curve() -> int:
    group = library().EC_GROUP_new_by_curve_name(library().OBJ_sn2nid(b"SM2"))
    if not group:
        raise _failed("EC_GROUP_new_by_curve_name(SM2)")
    return int(group)


def combine(factor: bytes, point: bytes, added: bytes | None = None) -> bytes | None:
    """factor * point (+ added): an uncompressed point, or None for infinity.

    One scalar and one point: libcrypto takes its constant-time ladder. The addition is of public points.
    """
    lib, curve = library(), _curve()
    number = lib.BN_bin2bn(factor, len(factor), None)
    points = [lib.EC_POINT_new(curve) for _ in range(3)]
    try:
        for each, data in zip(points, (point, added), strict=False):
            if data is not None:
                _done(lib.EC_POINT_oct2point(curve, each, data, len(data), None), "EC_POINT_oct2point")
        out = points[2]
        _done(lib.EC_POINT_mul(curve, out, None, points[0], number, None), "EC_POINT_mul")
        if added is not None:
            _done(lib.EC_POINT_add(curve, out, out, points[1], None), "EC_POINT_add")
        buffer = ctypes.create_string_buffer(_POINT_BYTES)
        size = lib.EC_POINT_point2oct(curve, out, _UNCOMPRESSED, buffer, _POINT_BYTES, None)
        return buffer.raw if size == _POINT_BYTES else None
    finally:
        for each in points:
            lib.EC_POINT_clear_free(each)
        lib.BN_clear_free(number)
        lib.ERR_clear_error()
