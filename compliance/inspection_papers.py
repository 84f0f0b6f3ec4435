"""Papers that go into the kit for an inspection: what people stated with its files, and a system's steps.

Only statements that count now and that the inspection asks about; files up to a total, the newest first. What
does not fit, or cannot be read any more, is listed with its digest and said to be left out.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Final, cast

import msgspec

from compliance.attestation import Attestation
from compliance.attestation_store import Attachment, AttestationStore
from compliance.grading_process import STEP_WORDS, Step
from compliance.ledger import LedgerReader
from compliance.milestone_store import milestones_of
from compliance.registry import Milestone
from compliance.report.sheets import Row, Sheet
from compliance.report.times import minute
from crypto.words import LiuheError
from detection.store.state import Engine

FOLDER: Final = "04-证明"
FILES_BYTES_MAX: Final = 64 * 1024 * 1024  # of all files of a kit together
FILES_MAX: Final = 200
_SIGNED_BY: Final = {"person": "本人密钥", "center": "会话登录,中心签名"}
_HEAD: Final = (
    "检查项", "对象", "结论", "理由", "证明人", "作出", "有效至", "复核人", "签名", "账本叶",
    "附件", "附件 SM3", "字节", "包内位置",
)  # fmt: skip
_STEPS_HEAD: Final = ("步骤", "日期", "文书", "机构", "结论", "有效期至", "说明", "登记人", "登记时间")


class Papers(msgspec.Struct, frozen=True, kw_only=True):
    """Files by their name in the kit, the sheets that list them, the leaves of the statements."""

    files: dict[str, bytes]
    sheets: tuple[Sheet, ...]
    leaves: frozenset[int]
    checks: frozenset[str]  # those that files are about


def papers_of(
    engine: Engine, ledger: LedgerReader, system: str, checks: Collection[str], now: datetime
) -> Papers:
    """The papers of a system about these checks."""
    store = AttestationStore(engine)
    stated = store.of_system(system)
    counting = [one for name in checks for one in stated.get(name, ()) if one.counts(now)]
    counting.sort(key=lambda one: one.id, reverse=True)
    digests = {digest for one in counting for digest in one.statement.attachments}
    known = {one.sm3: one for one in store.attachments(sorted(digests))}
    files: dict[str, bytes] = {}
    rows: list[Row] = []
    room = FILES_BYTES_MAX
    for one in counting:
        stands = _stated(one)
        if not one.statement.attachments:
            rows.append((*stands, "—", "", None, ""))
        for number, digest in enumerate(one.statement.attachments, 1):
            file = known.get(digest)
            name = "" if file is None else _name(one, number, file)
            where, data = _taken(ledger, file, room if len(files) < FILES_MAX else 0)
            if file is not None and data is not None:
                files[name] = data
                room -= len(data)
                where = name
            rows.append((*stands, file.name if file else "", digest, file.bytes if file else None, where))
    return Papers(
        files=files,
        sheets=(
            Sheet("人工证明", _HEAD, rows),
            Sheet("定级过程", _STEPS_HEAD, _steps(milestones_of(engine, system))),
        ),
        leaves=frozenset(one.leaf for one in counting if one.leaf is not None),
        checks=frozenset(PurePosixPath(name).parts[1] for name in files),
    )


def _taken(ledger: LedgerReader, file: Attachment | None, room: int) -> tuple[str, bytes | None]:
    """The bytes of a file, or why it does not go along."""
    if file is None:
        return "未附:没有登记", None
    if file.bytes > room:
        return "未附:超出本包附件总量,可凭 SM3 另行调取", None
    try:
        return "", ledger.payload_of(ledger.record(file.leaf))
    except LiuheError as error:
        return f"未附:读不出({error.what.zh})", None


def _name(one: Attestation, number: int, file: Attachment) -> str:
    return f"{FOLDER}/{one.statement.check}/{one.id}-{number}-{file.name}"


def _stated(one: Attestation) -> tuple[str | int | None, ...]:
    said = one.statement
    return (
        said.check,
        said.object or "整个系统",
        said.verdict,
        said.reason,
        said.author,
        minute(said.made),
        minute(said.expires),
        one.reviewer or "—",
        _SIGNED_BY[one.signed.signature.method],
        one.leaf,
    )


def _steps(taken: Sequence[Milestone]) -> list[Row]:
    return [
        (
            STEP_WORDS[cast("Step", one.step)].zh,
            one.day.isoformat(),
            one.document,
            one.authority,
            one.conclusion,
            one.valid_until.isoformat() if one.valid_until else "",
            one.note,
            one.actor,
            minute(one.recorded) if one.recorded else "",
        )
        for one in taken
    ]
