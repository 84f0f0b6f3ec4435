"""A release of the sensor in one signed file, for machines without a package index.

    liuhe-bundle 1\\n | u32 length | MessagePack of ``Sealed`` | the files' bytes one after another

What is signed is the manifest: version, machine, Python, and name, size and SM3 of every file. The signer is
the center whose sensors may install it. Documented in docs/reference/formats/bundle.md.
"""

import platform
import re
import struct
import sys
import zipfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Annotated, Final

import msgspec

from crypto import sm3
from crypto.chain import TrustStore
from crypto.keys import SigningKey
from crypto.words import BadInput, Refused, Words
from crypto.x509 import Certificate, read_certificates
from sensors.messages import Pem

MAGIC: Final = b"liuhe-bundle 1\n"
HEADER_BYTES_MAX: Final = 16 * 1024 * 1024
FILE_BYTES_MAX: Final = 256 * 1024 * 1024
BUNDLE_BYTES_MAX: Final = 1024 * 1024 * 1024
FILES_MAX: Final = 50_000
ANY_MACHINE: Final = "any"
_DOMAIN: Final = b"liuhe-bundle-1\0"
_LENGTH: Final = struct.Struct(">I")
_NAME: Final = re.compile(r"[A-Za-z0-9_@+,.-]{1,200}(/[A-Za-z0-9_@+,. -]{1,200}){0,20}")
_VERSION: Final = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6}){0,3}([a-z]{1,4}[0-9]{0,6})?")


class File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One file, in the order in which its bytes stand in the bundle."""

    name: Annotated[str, msgspec.Meta(max_length=1_024)]
    size: Annotated[int, msgspec.Meta(ge=0, le=FILE_BYTES_MAX)]
    sm3: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")]


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the signature is over."""

    version: Annotated[str, msgspec.Meta(max_length=40)]
    made: datetime
    center: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    machine: Annotated[str, msgspec.Meta(max_length=32)]
    python: Annotated[str, msgspec.Meta(pattern=r"^3\.[0-9]{1,2}$")]
    files: Annotated[list[File], msgspec.Meta(min_length=1, max_length=FILES_MAX)]


class Sealed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The manifest as it was signed, and by whom."""

    manifest: bytes
    signature: Annotated[bytes, msgspec.Meta(min_length=64, max_length=64)]
    chain: Annotated[list[Pem], msgspec.Meta(min_length=1, max_length=4)]


def order(version: str) -> tuple[int, ...]:
    """A version's numbers, for comparing; what follows them does not count. Raises BadInput."""
    if _VERSION.fullmatch(version) is None:
        raise malformed(f"version {version[:40]!r}")
    numbers = tuple(int(part) for part in re.findall(r"[0-9]+", re.split(r"[a-z]", version)[0]))
    return (*numbers, *(0,) * (4 - len(numbers)))


def make(
    out: IO[bytes],
    wheels: Iterable[Path],
    *,
    version: str,
    center: str,
    key: SigningKey,
    chain: Iterable[Certificate],
    now: datetime,
) -> Manifest:
    """Write a bundle of what these wheels install. Raises BadInput."""
    order(version)
    every: dict[str, tuple[Path, str]] = {}
    machine = ANY_MACHINE
    for wheel in wheels:
        for name, inside in _installed(wheel):
            every[name] = wheel, inside
        if not wheel.stem.endswith("-any"):
            machine = platform.machine()
    files = [_described(name, *every[name]) for name in sorted(every)]
    manifest = Manifest(
        version=version,
        made=now,
        center=center,
        machine=machine,
        python=f"3.{sys.version_info.minor}",
        files=files,
    )
    data = msgspec.msgpack.encode(manifest)
    _check(manifest)
    header = msgspec.msgpack.encode(
        Sealed(
            manifest=data,
            signature=key.sign(_DOMAIN + data),
            chain=[one.pem().decode("ascii") for one in chain],
        )
    )
    out.write(MAGIC + _LENGTH.pack(len(header)) + header)
    for file in files:
        out.write(_content(*every[file.name]))
    return manifest


def open_manifest(source: IO[bytes], trust: TrustStore, at: datetime) -> Manifest:
    """The verified manifest; ``source`` then stands at the first file. Raises BadInput, Refused."""
    if source.read(len(MAGIC)) != MAGIC:
        raise malformed("it is no bundle")
    head = source.read(_LENGTH.size)
    length = _LENGTH.unpack(head)[0] if len(head) == _LENGTH.size else 0
    if not 0 < length <= HEADER_BYTES_MAX:
        raise malformed("a header of no possible length")
    try:
        sealed = msgspec.msgpack.decode(source.read(length), type=Sealed)
        chain = [one for pem in sealed.chain for one in read_certificates(pem.encode())]
        verified = trust.verify(chain[0], at=at, usage="sign", kinds={"center-sign"}, extra=chain[1:])
        verified.key.verify(_DOMAIN + sealed.manifest, sealed.signature)
        manifest = msgspec.msgpack.decode(sealed.manifest, type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, IndexError) as error:
        raise malformed(str(error)) from error
    if verified.identity.id != manifest.center:
        raise Refused(
            "bundle-foreign",
            Words("升级包的签名者与其所称的中心不符", "the bundle names another center than its signer"),
            Words("请向本单位的中心索取升级包", "ask your own center for the bundle"),
            field=manifest.center,
        )
    _check(manifest)
    return manifest


def contents(source: IO[bytes], manifest: Manifest) -> Iterator[tuple[File, bytes]]:
    """Every file with its bytes, verified one by one. Raises Refused; what came before is then worthless."""
    for file in manifest.files:
        data = source.read(file.size)
        if len(data) != file.size or sm3.sm3_hex(data) != file.sm3:
            raise Refused(
                "bundle-damaged",
                Words("升级包已损坏或被改动", "the bundle is damaged or was changed"),
                Words("请重新取得升级包", "get the bundle again"),
                field=file.name,
            )
        yield file, data
    if source.read(1):
        raise malformed("bytes after the last file")


def _check(manifest: Manifest) -> None:
    order(manifest.version)
    if manifest.made.tzinfo is None:
        raise malformed("made has no zone")
    seen: set[str] = set()
    for file in manifest.files:
        parts = file.name.split("/")
        if _NAME.fullmatch(file.name) is None or {".", ".."} & set(parts) or file.name in seen:
            raise malformed(f"file name {file.name[:100]!r}")
        seen.add(file.name)
    if sum(file.size for file in manifest.files) > BUNDLE_BYTES_MAX:
        raise malformed("more than 1 GiB of files")


def _installed(wheel: Path) -> Iterator[tuple[str, str]]:
    """(name where it is imported from, name inside the wheel) of what a wheel installs; no scripts."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            infos = archive.infolist()
    except (OSError, zipfile.BadZipFile) as error:
        raise malformed(f"{wheel.name}: {error}") from error
    for info in infos:
        if info.is_dir() or info.file_size > FILE_BYTES_MAX:
            continue
        top, _, rest = info.filename.partition("/")
        if not top.endswith(".data"):
            yield info.filename, info.filename
            continue
        scheme, _, name = rest.partition("/")
        if scheme in ("purelib", "platlib"):
            yield name, info.filename


def _described(name: str, wheel: Path, inside: str) -> File:
    data = _content(wheel, inside)
    return File(name=name, size=len(data), sm3=sm3.sm3_hex(data))


def _content(wheel: Path, inside: str) -> bytes:
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(inside)


def malformed(reason: str) -> BadInput:
    """What is said of a bundle that cannot be one."""
    return BadInput(
        "bundle-malformed",
        Words(f"升级包不可用:{reason}", f"the bundle cannot be used: {reason}"),
        Words("请用 liuhe center bundle 重新制作", "make it again with liuhe center bundle"),
        field="bundle",
    )
