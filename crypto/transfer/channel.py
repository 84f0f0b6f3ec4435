"""Both ends of a channel: which place comes next, what has come, what is missing, what must be refused.

Each manifest has a sequence number within the channel's epoch and names the manifest before it by SM3. The
sender's end counts; the receiver's end accepts every place exactly once, reports the places that are missing
(on a one-way link they cannot be asked for, so a list is carried by hand), and refuses a place that was
filled by another package, a break of the chain, another channel's package, and an epoch nobody announced.

``height`` counts the changes of a state. It is also kept outside the state database; a state whose height is
below the one witnessed was restored from a backup and must not go on (``check_height``).
"""

from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from crypto.package_format import SEQUENCE_MAX, Manifest
from crypto.transfer.request import Place
from crypto.words import BadInput, Refused, Words

AHEAD_MAX: Final = 4096  # places beyond the first gap: what a receiver remembers is bounded
JUMP_MAX: Final = 100_000
RESEND_BYTES_MAX: Final = 1 << 20
_RESEND_FORMAT: Final = "liuhe-resend-v1"


class Sending(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The sender's end."""

    channel: str
    epoch: int = 1
    sequence: int = 0
    manifest_sm3: str = ""
    sent: datetime | None = None
    height: int = 0


class Arrived(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place that was filled beyond a gap."""

    sequence: int
    manifest_sm3: str
    previous: str


class Receiving(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The receiver's end: everything up to ``low`` has come, ``ahead`` has come beyond gaps."""

    channel: str
    sender: str
    receiver: str
    one_way: bool
    epoch: int = 1
    epoch_allowed: int = 1
    low: int = 0
    low_sm3: str = ""
    ahead: tuple[Arrived, ...] = ()
    heard: datetime | None = None
    height: int = 0


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """A verified manifest at the receiver's end, with the SM3 of its package."""

    manifest: Manifest
    manifest_sm3: str
    package_sm3: str


class Gap(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Places that are missing, first and last included."""

    first: int
    last: int

    @property
    def count(self) -> int:
        """How many."""
        return self.last - self.first + 1


class ResendList(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a receiver asks for again; carried by hand where the link is one-way."""

    format: str = _RESEND_FORMAT
    channel: str
    epoch: int
    made: datetime
    gaps: tuple[Gap, ...]


def next_place(state: Sending) -> Place:
    """Where the next manifest stands. Raises Refused where the epoch is full."""
    if state.sequence >= SEQUENCE_MAX:
        raise _refused("transfer-epoch", "序号已用尽", "the sequence numbers are used up", state.channel)
    return Place(epoch=state.epoch, sequence=state.sequence + 1, previous=state.manifest_sm3)


def after_sending(state: Sending, place: Place, manifest_sm3: str, now: datetime) -> Sending:
    """The sender's end after a place was given away for good. Raises Refused where it is not the next."""
    if place != next_place(state):
        raise _refused(
            "transfer-place",
            "通道位置已被占用,须重新审批",
            "the place was taken meanwhile: it must be approved again",
            str(place.sequence),
        )
    return msgspec.structs.replace(
        state, sequence=place.sequence, manifest_sm3=manifest_sm3, sent=now, height=state.height + 1
    )


def new_epoch(state: Sending) -> Sending:
    """Start over after new keys or a restored state; the receiver must allow it."""
    return msgspec.structs.replace(
        state, epoch=state.epoch + 1, sequence=0, manifest_sm3="", height=state.height + 1
    )


def allow_epoch(state: Receiving, epoch: int) -> Receiving:
    """Let the next epoch in, at the operator's word. Raises Refused for any other."""
    if epoch != state.epoch + 1:
        raise _refused(
            "transfer-epoch", "只能放行下一个纪元", "only the next epoch may be allowed", str(epoch)
        )
    return msgspec.structs.replace(state, epoch_allowed=epoch, height=state.height + 1)


def judge(state: Receiving, arrival: Arrival, known: str | None) -> Literal["new", "duplicate"]:
    """Whether a package is new here; ``known`` is the SM3 of the package recorded at its place, if any.

    Raises Refused where it may not be imported at all.
    """
    manifest = arrival.manifest
    if (manifest.channel, manifest.sender, manifest.receiver) != (
        state.channel,
        state.sender,
        state.receiver,
    ):
        raise _refused("transfer-channel", "数据包属于另一通道", "it is of another channel", manifest.channel)
    if known is not None:
        if known == arrival.package_sm3:
            return "duplicate"
        raise _refused(
            "transfer-replay",
            "该序号已由另一个数据包占用(重放或分叉)",
            "another package came at its place: a replay or a fork",
            str(manifest.sequence),
        )
    if manifest.epoch != state.epoch:
        _check_new_epoch(state, manifest)
        return "new"
    if manifest.sequence <= state.low or any(one.sequence == manifest.sequence for one in state.ahead):
        raise _refused(
            "transfer-replay",
            "序号已到过,却无其记录",
            "its place has come, but nothing is recorded of it",
            str(manifest.sequence),
        )
    _check_jump(state, manifest.sequence - state.low)
    _check_chain(state, arrival)
    return "new"


def after_receiving(state: Receiving, arrival: Arrival, now: datetime) -> Receiving:
    """The receiver's end after an import of a package that was judged ``new``."""
    manifest = arrival.manifest
    if manifest.epoch != state.epoch:
        state = msgspec.structs.replace(state, epoch=manifest.epoch, low=0, low_sm3="", ahead=())
    arrived = Arrived(
        sequence=manifest.sequence, manifest_sm3=arrival.manifest_sm3, previous=manifest.previous
    )
    ahead = sorted((*state.ahead, arrived), key=lambda one: one.sequence)
    low, low_sm3, used = state.low, state.low_sm3, 0
    for one in ahead:
        if one.sequence != low + 1:
            break
        low, low_sm3, used = one.sequence, one.manifest_sm3, used + 1
    return msgspec.structs.replace(
        state, low=low, low_sm3=low_sm3, ahead=tuple(ahead[used:]), heard=now, height=state.height + 1
    )


def gaps_of(state: Receiving) -> tuple[Gap, ...]:
    """The places missing before the highest that has come."""
    gaps, expected = [], state.low + 1
    for one in state.ahead:
        if one.sequence > expected:
            gaps.append(Gap(first=expected, last=one.sequence - 1))
        expected = one.sequence + 1
    return tuple(gaps)


def silent(state: Receiving, now: datetime, every: timedelta) -> bool:
    """Whether nothing, not even a heartbeat, has come for twice the interval."""
    return state.heard is None or now - state.heard > 2 * every


def heartbeat_due(state: Sending, now: datetime, every: timedelta) -> bool:
    """Whether a heartbeat should show that the channel lives, and what was sent before it."""
    return state.sent is None or now - state.sent >= every


def resend_list(state: Receiving, now: datetime) -> ResendList:
    """What to ask the sender for."""
    return ResendList(channel=state.channel, epoch=state.epoch, made=now, gaps=gaps_of(state))


def encode_resend(wanted: ResendList) -> bytes:
    """The list as a small file."""
    return msgspec.json.encode(wanted) + b"\n"


def decode_resend(data: bytes) -> ResendList:
    """Read a list somebody carried here. It is a wish, not proof: nothing but sent packages is sent again.

    Raises BadInput.
    """
    try:
        if len(data) > RESEND_BYTES_MAX:
            raise ValueError
        wanted = msgspec.json.decode(data, type=ResendList)
        edges = [place for gap in wanted.gaps for place in (gap.first, gap.last)]
        if wanted.format != _RESEND_FORMAT or edges != sorted(edges) or wanted.made.tzinfo is None:
            raise ValueError
        if edges and not (edges[0] >= 1 and edges[-1] <= SEQUENCE_MAX):
            raise ValueError
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise BadInput(
            "transfer-resend",
            Words("不是有效的补传清单", "not a valid list of what to send again"),
            Words("请在接收端重新导出", "export it again at the receiver"),
            field="resend",
        ) from None
    return wanted


def check_height(state: Sending | Receiving, witnessed: int) -> None:
    """Raise Refused where the state is older than what was witnessed: it came back from a backup."""
    if state.height < witnessed:
        raise Refused(
            "transfer-state-old",
            Words(
                f"通道状态({state.height})落后于见证高度({witnessed}),疑为旧备份恢复",
                f"the channel's state ({state.height}) is behind its witness ({witnessed}): an old backup?",
            ),
            Words(
                "请核对两端序号后开启新纪元,不要继续使用旧状态",
                "compare both ends, then start a new epoch; do not go on with the old state",
            ),
            field=state.channel,
        )


def _check_new_epoch(state: Receiving, manifest: Manifest) -> None:
    if manifest.epoch < state.epoch:
        raise _refused(
            "transfer-replay",
            "数据包来自已结束的纪元",
            "the package is of an epoch that is over",
            str(manifest.epoch),
        )
    if manifest.epoch != state.epoch_allowed:
        raise _refused(
            "transfer-epoch",
            "新纪元未经接收端放行",
            "the new epoch was not allowed at this end",
            str(manifest.epoch),
        )
    _check_jump(state, manifest.sequence)


def _check_jump(state: Receiving, distance: int) -> None:
    if distance > 1 and not state.one_way:
        raise _refused(
            "transfer-gap",
            "此前的数据包未到,请先补传",
            "packages before it are missing: send them first",
            str(state.low + 1),
        )
    if distance > JUMP_MAX or len(state.ahead) >= AHEAD_MAX:
        raise _refused(
            "transfer-jump", "序号跳跃过大", "the sequence jumps too far", f"{state.low}+{distance}"
        )


def _check_chain(state: Receiving, arrival: Arrival) -> None:
    """Both neighbours that are known must agree, whichever of them came first."""
    sequence, previous = arrival.manifest.sequence, arrival.manifest.previous
    before = {one.sequence: one.manifest_sm3 for one in state.ahead} | {state.low: state.low_sm3}
    after = {one.sequence: one.previous for one in state.ahead}
    if (
        before.get(sequence - 1, previous) != previous
        or after.get(sequence + 1, arrival.manifest_sm3) != arrival.manifest_sm3
    ):
        raise _refused(
            "transfer-chain",
            "与前后数据包的摘要链不符",
            "it does not chain with the packages beside it",
            str(sequence),
        )


def _refused(code: str, zh: str, en: str, field: str) -> Refused:
    return Refused(
        code,
        Words(zh, en),
        Words("请与发送方核对通道状态", "compare the state of the channel with the other end"),
        field=field,
    )
