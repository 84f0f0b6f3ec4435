"""What a witness decides (C2SP tlog-witness): cosign a checkpoint only if it extends what was seen before.

Pure: the request, what was seen last and the key go in; the answer, what to remember and any fork come out.
Whoever calls it remembers durably before answering, and never has two requests of one log under way.
"""

from base64 import b64encode
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from compliance.witness_policy import Log
from crypto import merkle
from crypto.cosignature import cosign
from crypto.keys import SigningKey
from crypto.note import Checkpoint, Note, decode_base64, parse_note, verify_note
from crypto.words import BadInput, LiuheError, Refused, Words

REQUEST_BYTES_MAX: Final = 64 * 1024
SIZE_TYPE: Final = "text/x.tlog.size"
_TEXT_TYPE: Final = "text/plain; charset=utf-8"
_OLD: Final = "old "
_SIZE_DIGITS_MAX: Final = 19


class Request(NamedTuple):
    """``add-checkpoint``: the size the log believes was seen, the proof from there, the new checkpoint."""

    old: int
    proof: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint

    def encode(self) -> bytes:
        """The body as it goes over the wire."""
        proof = "".join(f"{b64encode(part).decode('ascii')}\n" for part in self.proof)
        return f"{_OLD}{self.old}\n{proof}\n".encode() + self.note.encode()


class Fork(NamedTuple):
    """Two statements of one log that contradict each other, both signed by it."""

    origin: str
    size: int
    certain: bool  # same size, two roots; else the growth could not be proved
    seen: bytes
    offered: bytes


class Answer(NamedTuple):
    """HTTP status, body and its type; ``remember`` is to be kept before the answer goes out."""

    status: int
    body: str
    type: str = _TEXT_TYPE
    remember: bytes | None = None
    fork: Fork | None = None


def parse_request(body: bytes) -> Request:
    """Read an add-checkpoint body. Raises BadInput."""
    if len(body) > REQUEST_BYTES_MAX:
        raise _malformed(f"{len(body)} bytes > {REQUEST_BYTES_MAX}")
    head, blank, raw = body.partition(b"\n\n")
    try:
        first, *rest = head.decode("ascii").split("\n")
    except UnicodeDecodeError:
        raise _malformed("not ASCII before the checkpoint") from None
    digits = first.removeprefix(_OLD)
    plain = digits.isascii() and digits.isdigit() and len(digits) <= _SIZE_DIGITS_MAX
    if not blank or not first.startswith(_OLD) or not plain or str(int(digits)) != digits:
        raise _malformed("it begins with old, a size, and the proof")
    proof = tuple(decode_base64(line) for line in rest)
    if len(proof) > merkle.PROOF_HASHES_MAX or any(len(part) != merkle.HASH_BYTES for part in proof):
        raise _malformed("a proof has at most 64 hashes of 32 bytes")
    note = parse_note(raw)
    return Request(int(digits), proof, note, Checkpoint.parse(note.text))


def decide(
    request: Request,
    logs: Mapping[str, Log],
    seen: bytes | None,
    name: str,
    key: SigningKey,
    now: datetime,
) -> Answer:
    """The witness's answer; ``seen`` is the note it cosigned last for this origin."""
    offered = request.checkpoint
    log = logs.get(offered.origin)
    if log is None:
        return Answer(404, "unknown origin\n")
    try:
        verify_note(request.note, offered.origin, log.verifier.public)
    except (Refused, BadInput):
        return Answer(403, "no valid signature of this log\n")
    if request.old > offered.size:
        return Answer(400, "old is larger than the checkpoint\n")
    known = Checkpoint.parse(parse_note(seen).text) if seen else None
    size = known.size if known else 0
    fork = None
    if seen and known and known.size == offered.size and known.root != offered.root:
        fork = Fork(offered.origin, size, True, seen, request.note.encode())
    if request.old != size or fork:
        return Answer(409, f"{size}\n", SIZE_TYPE, fork=fork)
    try:
        _extends(request, known)
    except LiuheError:
        if seen:
            fork = Fork(offered.origin, size, False, seen, request.note.encode())
        return Answer(422, "the checkpoint is not shown to extend the one seen\n", fork=fork)
    line = cosign(request.note.text, name, key, now).line()
    return Answer(200, line, remember=request.note.encode())


def _extends(request: Request, known: Checkpoint | None) -> None:
    """Raise Refused unless the offered checkpoint is proved to contain the known one."""
    offered = request.checkpoint
    if known and known.size:
        merkle.verify_consistency(known.size, offered.size, known.root, offered.root, request.proof)
        return
    empty_but_not = offered.size == 0 and offered.root != merkle.empty_root()
    if request.proof or empty_but_not:
        raise _malformed("nothing seen needs no proof")


def _malformed(reason: str) -> BadInput:
    return BadInput(
        "witness-malformed",
        Words(f"不是有效的见证请求:{reason}", f"not a valid add-checkpoint request: {reason}"),
        Words("请按 C2SP tlog-witness 的格式提交", "send it as C2SP tlog-witness says"),
        field="body",
    )
