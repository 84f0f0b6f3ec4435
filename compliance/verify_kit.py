"""Verify an evidence kit offline: this one file, the Python standard library, nothing of the platform.

    python3 -I verify.py KIT.zip [--key PUBLIC.pem] [--key-id HEX] [--pure]

KIT is the zip file or the folder unpacked from it. Checked: the SM2 signature of the checkpoint, the place
of every record in the SM3 tree it signs (RFC 9162), every payload's SM3, and that nothing listed is
missing. Give the public key (--key) or its fingerprint (--key-id) obtained from the center by another way:
the key inside the kit only proves that the kit agrees with itself.

SM3 and SM2 are written here a second time, on purpose. hashlib's SM3 does the bulk where it agrees with
the one below; --pure does without. Exit: 0 everything holds, 1 something does not, 2 wrong usage.
"""

import argparse
import base64
import binascii
import hashlib
import json
import os
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

PAYLOAD_BYTES_MAX = 64 * 1024 * 1024
TEXT_BYTES_MAX = 64 * 1024
MANIFEST_BYTES_MAX = 64 * 1024 * 1024
PROOF_HASHES_MAX = 64
TYPE = b"\xffSM2-with-SM3/1.2.156.10197.1.501"
IDENTITY = b"1234567812345678"
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")

# GB/T 32918.5-2017
P = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF
A = P - 3
B = 0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93
N = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
G = (
    0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)
# GB/T 32905-2016
IV = (
    0x7380166F,
    0x4914B2B9,
    0x172442D7,
    0xDA8A0600,
    0xA96F30BC,
    0x163138AA,
    0xE38DEE4D,
    0xB0FB0E4E,
)
M32 = 0xFFFFFFFF
_T = (0x79CC4519,) * 16 + (0x7A879D8A,) * 48
ROUND = tuple(((t << (j % 32)) | (t >> (32 - j % 32))) & M32 for j, t in enumerate(_T))
BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, NotImplementedError)
Point = tuple[int, int, int]
Hash = Callable[[bytes], bytes]


class WrongError(Exception):
    """Something does not hold; Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)


def _rotate(x: int, by: int) -> int:
    return ((x << by) | (x >> (32 - by))) & M32


def _compress(state: tuple[int, ...], block: bytes) -> tuple[int, ...]:
    w = [int.from_bytes(block[i : i + 4], "big") for i in range(0, 64, 4)]
    for j in range(16, 68):
        x = w[j - 16] ^ w[j - 9] ^ _rotate(w[j - 3], 15)
        w.append(x ^ _rotate(x, 15) ^ _rotate(x, 23) ^ _rotate(w[j - 13], 7) ^ w[j - 6])
    a, b, c, d, e, f, g, h = state
    for j in range(64):
        turned = ((a << 12) | (a >> 20)) & M32
        s1 = (turned + e + ROUND[j]) & M32
        s1 = ((s1 << 7) | (s1 >> 25)) & M32
        if j < 16:
            t1 = (a ^ b ^ c) + d + (s1 ^ turned) + (w[j] ^ w[j + 4])
            t2 = (e ^ f ^ g) + h + s1 + w[j]
        else:
            t1 = ((a & b) | (a & c) | (b & c)) + d + (s1 ^ turned) + (w[j] ^ w[j + 4])
            t2 = ((e & f) | (~e & g & M32)) + h + s1 + w[j]
        t2 &= M32
        d, c, b, a = c, _rotate(b, 9), a, t1 & M32
        h, g, f, e = g, _rotate(f, 19), e, t2 ^ _rotate(t2, 9) ^ _rotate(t2, 17)
    return tuple(x ^ y for x, y in zip(state, (a, b, c, d, e, f, g, h), strict=True))


def sm3_pure(data: bytes) -> bytes:
    """SM3 by the text of the standard."""
    padded = data + b"\x80" + bytes(-(len(data) + 9) % 64) + (8 * len(data)).to_bytes(8, "big")
    state: tuple[int, ...] = IV
    for at in range(0, len(padded), 64):
        state = _compress(state, padded[at : at + 64])
    return b"".join(word.to_bytes(4, "big") for word in state)


def choose_sm3(pure: bool) -> Hash:
    """hashlib's SM3 where it exists and agrees with ours, else ours."""
    if pure or "sm3" not in hashlib.algorithms_available:
        return sm3_pure
    for sample in (b"", b"abc", bytes(range(256)) * 3):
        if hashlib.new("sm3", sample).digest() != sm3_pure(sample):
            return sm3_pure
    return lambda data: hashlib.new("sm3", data).digest()


def _double(point: Point) -> Point:
    x, y, z = point
    if not z or not y:
        return 0, 1, 0
    yy = y * y % P
    s = 4 * x * yy % P
    m = (3 * x * x + A * pow(z, 4, P)) % P
    x3 = (m * m - 2 * s) % P
    return x3, (m * (s - x3) - 8 * yy * yy) % P, 2 * y * z % P


def _add(one: Point, two: Point) -> Point:
    if not one[2]:
        return two
    if not two[2]:
        return one
    x1, y1, z1 = one
    x2, y2, z2 = two
    zz1, zz2 = z1 * z1 % P, z2 * z2 % P
    u1, u2 = x1 * zz2 % P, x2 * zz1 % P
    s1, s2 = y1 * zz2 * z2 % P, y2 * zz1 * z1 % P
    if u1 == u2:
        return _double(one) if s1 == s2 else (0, 1, 0)
    h, r = (u2 - u1) % P, (s2 - s1) % P
    hh = h * h % P
    hhh, v = h * hh % P, u1 * hh % P
    x3 = (r * r - hhh - 2 * v) % P
    return x3, (r * (v - x3) - s1 * hhh) % P, h * z1 * z2 % P


def _times(number: int, x: int, y: int) -> Point:
    total: Point = (0, 1, 0)
    for bit in f"{number:b}":
        total = _double(total)
        if bit == "1":
            total = _add(total, (x, y, 1))
    return total


def sm2_verify(point: bytes, message: bytes, signature: bytes, sm3: Hash) -> bool:
    """GB/T 32918.2 verification with the default identity; ``signature`` is r then s."""
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:], "big")
    if len(point) != 65 or point[0] != 4 or x >= P or y >= P or (y * y - x * x * x - A * x - B) % P:
        return False
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    if len(signature) != 64 or not (1 <= r < N and 1 <= s < N) or not (r + s) % N:
        return False
    curve = b"".join(value.to_bytes(32, "big") for value in (A, B, *G))
    za = sm3((8 * len(IDENTITY)).to_bytes(2, "big") + IDENTITY + curve + point[1:])
    e = int.from_bytes(sm3(za + message), "big")
    px, _, pz = _add(_times(s, *G), _times((r + s) % N, x, y))
    return bool(pz) and (e + px * pow(pz, -2, P) % P) % N == r


class Kit:
    """The files of a kit, from the zip or from the folder; every read is bounded."""

    def __init__(self, path: Path) -> None:
        self.folder = path if path.is_dir() else None
        self.zip = None if self.folder else zipfile.ZipFile(path)

    def names(self) -> set[str]:
        """Every file in the kit."""
        if self.zip:
            listed = self.zip.namelist()
            if len(set(listed)) != len(listed):
                raise WrongError("存证包内有重名文件", "two files of one name in the kit")
            return set(listed)
        assert self.folder
        return {path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file()}

    def read(self, name: str, most: int) -> bytes:
        """One file, refused where it is missing or too large."""
        try:
            if self.zip:
                if self.zip.getinfo(name).compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                    raise WrongError(f"{name} 的压缩方式不允许", f"{name}: compression not allowed")
                with self.zip.open(name) as packed:
                    data = packed.read(most + 1)
            else:
                assert self.folder
                with (self.folder / name).open("rb") as plain:
                    data = plain.read(most + 1)
        except (KeyError, OSError, RuntimeError, EOFError, *BROKEN_ZIP) as error:
            raise WrongError(f"读不到 {name}:{error}", f"cannot read {name}: {error}") from error
        if len(data) > most:
            raise WrongError(f"{name} 超过 {most} 字节", f"{name} has more than {most} bytes")
        return data


class Tree(NamedTuple):
    """The signed head, as far as the verifier trusts it."""

    origin: str
    size: int
    root: bytes
    raw: bytes


def _base64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def read_key(pem: bytes) -> bytes:
    """The point of an SM2 public key in PEM; every byte must be as it should."""
    head, *lines, tail, end = pem.decode("ascii").replace("\r\n", "\n").split("\n")
    der = _base64("".join(lines))
    if (head, tail, end) != ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----", ""):
        raise ValueError("not a PEM public key")
    if not der.startswith(SPKI_HEAD) or len(der) != len(SPKI_HEAD) + 65:
        raise ValueError("not an SM2 public key")
    return der[len(SPKI_HEAD) :]


def read_checkpoint(raw: bytes, point: bytes, sm3: Hash) -> Tree:
    """The checkpoint under the key: text, an empty line, signature lines."""
    body, blank, tail = raw.decode("utf-8").rpartition("\n\n")
    text = body + "\n"
    origin, digits, root = text.split("\n")[:3]
    if not blank or not tail.endswith("\n") or not digits.isdecimal() or str(int(digits)) != digits:
        raise ValueError("not a checkpoint")
    key_id = hashlib.sha256(origin.encode() + b"\n" + TYPE + point).digest()[:4]
    signed = 0
    for line in tail[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        value = _base64(encoded)
        if dash == "—" and name == origin and value[:4] == key_id:
            if not sm2_verify(point, text.encode(), value[4:], sm3):
                raise WrongError("检查点的 SM2 签名无效", "the SM2 signature of the checkpoint is invalid")
            signed += 1
    if not signed:
        raise WrongError("检查点没有该公钥的签名", "the checkpoint is not signed with this key")
    return Tree(origin, int(digits), _base64(root), raw)


def climb(leaf: bytes, index: int, size: int, proof: list[bytes], sm3: Hash) -> bytes:
    """The root an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    place, last, computed = index, size - 1, leaf
    for sibling in proof:
        if not last or len(sibling) != 32:
            raise ValueError("a proof of the wrong length")
        if place & 1 or place == last:
            computed = sm3(b"\1" + sibling + computed)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            computed = sm3(b"\1" + computed + sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ValueError("a proof of the wrong length")
    return computed


def check_item(kit: Kit, index: int, tree: Tree, center: str, sm3: Hash) -> None:
    """One record: its proof, its place, its payload."""
    name = f"items/{index:012d}"
    leaf = kit.read(f"{name}.leaf", TEXT_BYTES_MAX)
    lines = kit.read(f"{name}.proof", TEXT_BYTES_MAX).decode("utf-8")
    head, _, note = lines.partition("\n\n")
    kind, place, *path = head.split("\n")
    if (kind, place) != ("c2sp.org/tlog-proof@v1", f"index {index}") or len(path) > PROOF_HASHES_MAX:
        raise ValueError("not a proof of this record")
    if note.encode() != tree.raw:
        raise WrongError(f"第 {index} 条的证明属于另一检查点", f"record {index}: proof of another checkpoint")
    proof = [_base64(line) for line in path]
    if not index < tree.size or climb(sm3(b"\0" + leaf), index, tree.size, proof, sm3) != tree.root:
        raise WrongError(f"第 {index} 条不在签名的树中", f"record {index} is not in the signed tree")
    record = json.loads(leaf)
    if record["sequence"] != index or record["center"] != center:
        raise WrongError(f"第 {index} 条的序号或中心不符", f"record {index}: wrong sequence or center")
    digest = str(record["payload_sm3"])
    payload = kit.read(f"payload/{digest}", PAYLOAD_BYTES_MAX)
    if sm3(payload).hex() != digest or len(payload) != record["payload_bytes"]:
        raise WrongError(f"第 {index} 条的载荷被改动", f"record {index}: its payload was altered")


def check_kit(kit: Kit, point: bytes, sm3: Hash) -> Iterator[WrongError | tuple[int, Tree]]:
    """Every problem found, and at the end how many records hold under which head."""
    tree = read_checkpoint(kit.read("checkpoint", TEXT_BYTES_MAX), point, sm3)
    manifest: dict[str, Any] = json.loads(kit.read("manifest.json", MANIFEST_BYTES_MAX))
    items = [int(index) for index in manifest["items"]]
    if (manifest["origin"], manifest["size"]) != (tree.origin, tree.size) or sorted(set(items)) != items:
        raise WrongError("清单与检查点不符", "the manifest does not match the checkpoint")
    others = {name: str(manifest["files"][name]) for name in ("verify.py", "README.txt")}
    for name, digest in others.items():
        if sm3(kit.read(name, MANIFEST_BYTES_MAX)).hex() != digest:
            yield WrongError(f"{name} 被改动", f"{name} was altered")
    extra = {name for name in kit.names() if not name.startswith("payload/")}
    extra -= {f"items/{index:012d}.{end}" for index in items for end in ("leaf", "proof")}
    extra -= {"checkpoint", "manifest.json", "public.pem", *others}
    if extra:
        yield WrongError(f"清单之外的文件:{min(extra)}", f"a file the manifest does not list: {min(extra)}")
    good = 0
    for index in items:
        try:
            check_item(kit, index, tree, str(manifest["center"]), sm3)
            good += 1
        except WrongError as wrong:
            yield wrong
        except (ValueError, KeyError, TypeError, RecursionError, binascii.Error) as error:
            yield WrongError(f"第 {index} 条不合格式:{error}", f"record {index} is malformed: {error}")
    yield good, tree


def _say(zh: str, en: str) -> None:
    chinese = (os.environ.get("LIUHE_LANG") or os.environ.get("LANG") or "zh").startswith(
        ("zh", "C", "POSIX")
    )
    print(zh if chinese else en)


def main(arguments: list[str] | None = None) -> int:
    """The command; its exit code."""
    parser = argparse.ArgumentParser(description="离线验证存证包 Verify an evidence kit offline")
    parser.add_argument("kit", type=Path, help="存证包 zip 或解压后的目录 the kit, zip or folder")
    parser.add_argument("--key", type=Path, help="另行取得的公钥 public key obtained by another way")
    parser.add_argument("--key-id", help="公钥指纹:SPKI 的 SM3 fingerprint: SM3 of the SPKI")
    parser.add_argument("--pure", action="store_true", help="只用本文件的 SM3 only this file's SM3")
    options = parser.parse_args(arguments)
    sm3 = choose_sm3(options.pure)
    failed = False
    try:
        kit = Kit(options.kit)
        pem = options.key.read_bytes() if options.key else kit.read("public.pem", TEXT_BYTES_MAX)
        point = read_key(pem)
        fingerprint = sm3(SPKI_HEAD + point).hex()
        if options.key_id and options.key_id.strip().lower() != fingerprint:
            raise WrongError(f"公钥指纹为 {fingerprint}", f"the key's fingerprint is {fingerprint}")
        if not (options.key or options.key_id):
            _say(
                f"注意:公钥取自包内,请与中心核对指纹 {fingerprint}",
                f"note: key from the kit, compare {fingerprint}",
            )
        for found in check_kit(kit, point, sm3):
            if isinstance(found, WrongError):
                failed = True
                _say(f"不成立:{found.args[0]}", f"WRONG: {found.args[1]}")
                continue
            good, tree = found
            _say(
                f"{tree.origin}:{good} 条记录属于 {tree.size} 条的树,根 {tree.root.hex()}",
                f"{tree.origin}: {good} records belong to the tree of {tree.size}, root {tree.root.hex()}",
            )
    except WrongError as wrong:
        failed = True
        _say(f"不成立:{wrong.args[0]}", f"WRONG: {wrong.args[1]}")
    except (
        OSError,
        zipfile.BadZipFile,
        ValueError,
        KeyError,
        TypeError,
        IndexError,
        RecursionError,
    ) as error:
        failed = True
        _say(f"不成立:存证包已损坏({error})", f"WRONG: the kit is damaged ({error})")
    _say("结论:不通过" if failed else "结论:通过", "RESULT: REFUSED" if failed else "RESULT: VERIFIED")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
