"""Getting our own checkpoints cosigned: whom to ask, what they answered, since when nobody has.

One round takes the latest checkpoint to every witness of the policy with a URL, each with the proof from
the size it saw last. When those who signed make a quorum, the note with their lines becomes ``cosigned``.
A witness that has seen what this ledger does not contain proves that one of the two was rewritten or rolled
back: that is told at once. A center cut off from its witnesses goes on and says since when.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from compliance.ledger_files import replace_file
from compliance.ledger_reader import LedgerView
from compliance.witness import Request
from compliance.witness_policy import Policy, Witness
from crypto.cosignature import cosigners, verify_cosignature
from crypto.note import Checkpoint, Note, SignatureLine, parse_note, signature_line, with_signatures
from crypto.words import BadInput, LiuheError, Refused, Words

POLICY: Final = "policy"
COSIGNED: Final = "cosigned"
_STANDING: Final = "standing.json"
_LINES_MAX: Final = 16

Ask = Callable[[str, bytes], tuple[int, str]]  # (URL of the witness, body) -> (status, body); raises OSError
Contradicted = Callable[[Words, datetime], None]  # (which witness has seen what, now)


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far one witness has followed; ``problem`` says why not further."""

    witness: str
    size: int = 0
    time: datetime | None = None
    problem: Words | None = None


class Witnessed(msgspec.Struct, frozen=True, kw_only=True):
    """What the policy's quorum has cosigned, and since when leaves wait for it."""

    quorum: bool  # a policy is there and asks for somebody
    size: int
    time: datetime | None  # when the quorum's last member signed
    unwitnessed_since: datetime | None  # the first leaf beyond; None where there is none
    witnesses: tuple[Standing, ...]


def cosigned_note(folder: Path, ledger: LedgerView) -> Note | None:
    """The note kept in ``folder``, where ledger key and policy of today bear it out; else None.

    What was tampered with counts as absent: it would be signed anew, and ``cosigned_findings`` tells of it.
    """
    policy = Policy.load(folder / POLICY)
    try:
        raw = (folder / COSIGNED).read_bytes()
        ledger.checked(raw)
        note = parse_note(raw)
    except (FileNotFoundError, BadInput, Refused):
        return None
    verifiers = [one.verifier for one in policy.witnesses.values()] if policy else []
    if policy is None or not policy.satisfied(policy.names_of(cosigners(note, verifiers))):
        return None
    return note


def kept_checkpoint(folder: Path, ledger: LedgerView) -> Checkpoint | None:
    """What the ledger had when its witnesses last signed, whatever the policy is now; never falls behind."""
    try:
        return ledger.checked((folder / COSIGNED).read_bytes())
    except (FileNotFoundError, BadInput, Refused):
        return None


def cosigned_findings(folder: Path, ledger: LedgerView) -> list[Words]:
    """What does not hold of the kept note, for those who verify the ledger; empty where there is none.

    Each line of a witness the policy names must hold, by its name or by its key id: so a changed byte shows
    wherever it lies. Lines of witnesses that have left the policy are nobody's to judge.
    """
    where = f"witness/{COSIGNED}"
    try:
        raw = (folder / COSIGNED).read_bytes()
        ledger.checked(raw)
        note, where = parse_note(raw), f"witness/{POLICY}"
        policy = Policy.load(folder / POLICY)
    except FileNotFoundError:
        return []
    except LiuheError as error:
        return [Words(f"文件 {where}:{error.what.zh}", f"file {where}: {error.what.en}")]
    found, where = [], f"witness/{COSIGNED}"
    for witness in policy.witnesses.values() if policy else ():
        verifier = witness.verifier
        for line in note.signatures:
            if line.name != verifier.name and line.key_id != verifier.key_id:
                continue
            try:
                verify_cosignature(note.text, line, verifier)
            except LiuheError:
                found.append(
                    Words(
                        f"文件 {where}:{verifier.name} 的会签不成立(被改动,或其公钥已换)",
                        f"file {where}: the cosignature of {verifier.name} does not hold "
                        "(changed, or its key was replaced)",
                    )
                )
    return found


class Cosigning:
    """The asking side of one ledger; safe between threads."""

    def __init__(self, folder: Path, ledger: LedgerView, *, contradicted: Contradicted) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder, self._ledger, self._contradicted = folder, ledger, contradicted
        self._turn = threading.Lock()
        self._told: set[tuple[str, str]] = set()
        self._standings = self._load()
        self._collected: tuple[bytes, dict[str, SignatureLine]] = b"", {}

    def policy(self) -> Policy | None:
        """The policy as it is now. Raises BadInput where the file is wrong."""
        return Policy.load(self._folder / POLICY)

    def cosigned(self) -> Note | None:
        """The latest checkpoint with a quorum, checked against key and policy as they are now."""
        return cosigned_note(self._folder, self._ledger)

    def witnessed(self) -> Witnessed:
        """The state of things for those who watch."""
        policy, note = self.policy(), self.cosigned()
        size = Checkpoint.parse(note.text).size if note else 0
        time = None
        if policy and note:
            signed = cosigners(note, [one.verifier for one in policy.witnesses.values()])
            time = max(signed.values(), default=None)
        waiting = self._ledger.size > size
        names = policy.witnesses if policy else {}
        return Witnessed(
            quorum=bool(policy and policy.quorum),
            size=size,
            time=time,
            unwitnessed_since=self._ledger.record(size).time if waiting else None,
            witnesses=tuple(self._standings.get(name, Standing(witness=name)) for name in names),
        )

    def round(self, now: datetime, ask: Ask) -> bool:
        """Take the latest checkpoint to every witness; whether a quorum has signed it now."""
        with self._turn:
            policy, latest = self.policy(), self._ledger.latest()
            if policy is None or latest is None:
                return False
            if self._collected[0] != latest.raw:
                self._collected = latest.raw, {}
            lines = self._collected[1]
            note = parse_note(latest.raw)
            for witness in policy.witnesses.values():
                if witness.url and witness.name not in lines:
                    self._visit(witness, note, latest.checkpoint, lines, now, ask)
            self._save()
            if not policy.quorum or not policy.satisfied(lines.keys()):
                return False
            replace_file(self._folder / COSIGNED, with_signatures(note, list(lines.values())).encode())
            return True

    def _visit(
        self,
        witness: Witness,
        note: Note,
        checkpoint: Checkpoint,
        lines: dict[str, SignatureLine],
        now: datetime,
        ask: Ask,
    ) -> None:
        """One witness; asked a second time where it has seen another size than we believed."""
        before = self._standings.get(witness.name, Standing(witness=witness.name))
        old, problem = min(before.size, checkpoint.size), None
        for _ in range(2):
            proof = self._ledger.consistency(old, checkpoint.size) if old else []
            request = Request(old, tuple(proof), note, checkpoint)
            try:
                status, body = ask(f"{witness.url}/add-checkpoint", request.encode())
            except OSError as error:
                problem = Words(f"连接失败:{error}", f"not reached: {error}")
                break
            if status == 200:
                line, time = self._own_line(witness, note, body)
                if line is None:
                    problem = Words("见证签名无效", "its cosignature does not hold")
                    break
                lines[witness.name] = line
                self._standings[witness.name] = Standing(
                    witness=witness.name, size=checkpoint.size, time=time
                )
                return
            problem = self._refused(witness, status, body, old, checkpoint, now)
            seen = _size(body)
            if status != 409 or seen is None or seen == old or seen > checkpoint.size:
                break
            old = seen
        self._standings[witness.name] = msgspec.structs.replace(before, problem=problem)

    def _own_line(
        self, witness: Witness, note: Note, body: str
    ) -> tuple[SignatureLine | None, datetime | None]:
        for text in body.split("\n")[:_LINES_MAX]:
            try:
                line = signature_line(text)
                return line, verify_cosignature(note.text, line, witness.verifier)
            except LiuheError:
                continue
        return None, None

    def _refused(
        self, witness: Witness, status: int, body: str, old: int, checkpoint: Checkpoint, now: datetime
    ) -> Words:
        """Why it did not sign; a contradiction is told, once for each kind."""
        seen = _size(body)
        said: Words | None = None
        if status == 422:
            said = Words(
                f"见证方 {witness.name} 见过的第 {old} 条以前的历史与本账本不一致",
                f"witness {witness.name} has seen another history of the first {old} leaves",
            )
        elif status == 409 and seen is not None and seen > checkpoint.size:
            said = Words(
                f"见证方 {witness.name} 见过 {seen} 条,本账本只有 {checkpoint.size} 条:账本被回退",
                f"witness {witness.name} has seen {seen} leaves, this ledger {checkpoint.size}: rolled back",
            )
        elif status == 409 and seen == old == checkpoint.size:
            said = Words(
                f"见证方 {witness.name} 在 {seen} 条处见过另一个根:账本分叉",
                f"witness {witness.name} has seen another root at {seen} leaves: a fork",
            )
        if said is None:
            return Words(f"见证方答复 {status}", f"the witness answered {status}")
        if (witness.name, said.en) not in self._told:
            self._told.add((witness.name, said.en))
            self._contradicted(said, now)
        return said

    def _load(self) -> dict[str, Standing]:
        """What was known before a restart; a hint only, so what can't be read is asked anew."""
        try:
            stored = msgspec.json.decode((self._folder / _STANDING).read_bytes(), type=list[Standing])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
            return {}
        return {one.witness: one for one in stored}

    def _save(self) -> None:
        replace_file(self._folder / _STANDING, msgspec.json.encode(list(self._standings.values())))


def _size(body: str) -> int | None:
    digits = body.removesuffix("\n")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 20 else None
