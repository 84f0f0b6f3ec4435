"""The texts of an evidence kit: keys, checkpoints, proofs, the witness policy; read and checked once more.

The verifier of an evidence kit carries this file inside, so it uses nothing of ours but ``verify_sm``.
"""

import base64
import hashlib
from datetime import UTC, datetime
from typing import NamedTuple

from compliance.verify_sm import Hash, sm2_verify

PROOF_HASHES_MAX = 64
NODES_MAX = 200_000
LOG_TYPE = b"\xffSM2-with-SM3/1.2.156.10197.1.501"
WITNESS_TYPE = b"\xffcosignature/v1-SM2-with-SM3/1.2.156.10197.1.501"
SPKI_HEAD = bytes.fromhex("3059301306072a8648ce3d020106082a811ccf5501822d034200")


class WrongError(Exception):
    """Something does not hold; Chinese and English."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)


class Tree(NamedTuple):
    """The signed head, as far as the verifier trusts it."""

    origin: str
    size: int
    root: bytes
    raw: bytes


def read_base64(text: str) -> bytes:
    """Base64 in its one canonical form."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("not canonical base64")
    return data


def read_key(pem: bytes) -> bytes:
    """The point of an SM2 public key in PEM; every byte must be as it should."""
    head, *lines, tail, end = pem.decode("ascii").replace("\r\n", "\n").split("\n")
    der = read_base64("".join(lines))
    if (head, tail, end) != ("-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----", ""):
        raise ValueError("not a PEM public key")
    if not der.startswith(SPKI_HEAD) or len(der) != len(SPKI_HEAD) + 65:
        raise ValueError("not an SM2 public key")
    return der[len(SPKI_HEAD) :]


def split_note(raw: bytes) -> tuple[str, list[tuple[str, bytes]]]:
    """A signed note: its text, and the name and value of each signature line."""
    body, blank, tail = raw.decode("utf-8").rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise ValueError("not a signed note")
    lines = []
    for line in tail[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        if dash != "\N{EM DASH}":
            raise ValueError("not a signature line")
        lines.append((name, read_base64(encoded)))
    return body + "\n", lines


def key_hash(name: str, kind: bytes, point: bytes) -> bytes:
    """The four bytes by which a signature line finds its key."""
    return hashlib.sha256(name.encode() + b"\n" + kind + point).digest()[:4]


def read_checkpoint(raw: bytes, point: bytes, sm3: Hash) -> Tree:
    """The checkpoint under the ledger's key; lines of others are left to the policy."""
    text, lines = split_note(raw)
    origin, digits, root = text.split("\n")[:3]
    if not digits.isdecimal() or str(int(digits)) != digits:
        raise ValueError("not a checkpoint")
    key_id = key_hash(origin, LOG_TYPE, point)
    values = [value[4:] for name, value in lines if (name, value[:4]) == (origin, key_id)]
    if not values:
        raise WrongError("检查点没有该公钥的签名", "the checkpoint is not signed with this key")
    if not all(sm2_verify(point, text.encode(), value, sm3) for value in values):
        raise WrongError("检查点的 SM2 签名无效", "the SM2 signature of the checkpoint is invalid")
    return Tree(origin, int(digits), read_base64(root), raw)


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


def remembered(sm3: Hash) -> Hash:
    """The same hash that computes no node twice: the upper part of the tree is on many paths."""
    known: dict[bytes, bytes] = {}

    def hashed(data: bytes) -> bytes:
        found = known.get(data)
        if found is None:
            if len(known) >= NODES_MAX:
                known.clear()
            found = known[data] = sm3(data)
        return found

    return hashed


def grows(old: Tree, new: Tree, proof: list[bytes], sm3: Hash) -> bool:
    """Whether a consistency proof leads from the old root to both (RFC 9162, 2.1.4.2)."""
    if not 0 < old.size <= new.size or any(len(part) != 32 for part in proof):
        return False
    if old.size == new.size:
        return not proof and old.root == new.root
    path = [old.root, *proof] if old.size & (old.size - 1) == 0 else list(proof)
    place, last = old.size - 1, new.size - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    if not path:
        return False
    was = now = path[0]
    for sibling in path[1:]:
        if not last:
            return False
        if place & 1 or place == last:
            was, now = sm3(b"\1" + sibling + was), sm3(b"\1" + sibling + now)
            while place and not place & 1:
                place, last = place >> 1, last >> 1
        else:
            now = sm3(b"\1" + now + sibling)
        place, last = place >> 1, last >> 1
    return not last and was == old.root and now == new.root


def cosigned(raw: bytes, name: str, point: bytes, sm3: Hash) -> datetime | None:
    """When this witness signed the note; None where it did not."""
    text, lines = split_note(raw)
    key_id = key_hash(name, WITNESS_TYPE, point)
    for by, value in lines:
        if (by, value[:4]) == (name, key_id):
            seconds = int.from_bytes(value[4:12], "big")
            signed = f"cosignature/v1\ntime {seconds}\nwitness {name}\n{text}".encode()
            if seconds < 1 << 40 and sm2_verify(point, signed, value[12:], sm3):
                return datetime.fromtimestamp(seconds, UTC)
    return None


def check_policy(policy: str, tree: Tree, sm3: Hash) -> dict[str, datetime]:
    """Which witnesses of a C2SP tlog-policy signed; raises WrongError where they make no quorum."""
    signed: dict[str, datetime] = {}
    known: dict[str, tuple[int, list[str]] | None] = {}  # a group with its number, or a witness
    quorum: str | None = None
    for line in policy.split("\n"):
        word, *rest = line.split() or ["#"]
        if word == "witness" and len(rest) in (2, 3):
            name, key_id, encoded = rest[1].split("+", 2)
            kind, point = read_base64(encoded)[:-65], read_base64(encoded)[-65:]
            if kind != WITNESS_TYPE or key_hash(name, kind, point).hex() != key_id:
                raise ValueError("a key line of the policy")
            known[rest[0]] = None
            if (when := cosigned(tree.raw, name, point, sm3)) is not None:
                signed[rest[0]] = when
        elif word == "group" and len(rest) >= 3 and all(name in known for name in rest[2:]):
            count = {"any": 1, "all": len(rest) - 2}.get(rest[1]) or int(rest[1])
            if not 1 <= count <= len(set(rest[2:])) == len(rest) - 2:
                raise ValueError("a group of the policy")
            known[rest[0]] = count, rest[2:]
        elif word == "quorum" and len(rest) == 1 and quorum is None:
            quorum = rest[0]
        elif word != "log" and not word.startswith("#"):
            raise ValueError("a line of the policy")
    if quorum is None or (quorum != "none" and quorum not in known):
        raise ValueError("the policy names no quorum")
    held = set(signed)
    for name, group in known.items():  # members stand above their group
        if group and sum(member in held for member in group[1]) >= group[0]:
            held.add(name)
    if quorum != "none" and quorum not in held:
        raise WrongError("见证签名未达到策略的法定数", "the cosignatures make no quorum of the policy")
    return signed
