"""How transfers stand: each one's state, and each channel's place, gaps, silence and unconfirmed packages."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import msgspec

from crypto.transfer.channel import Gap, Receiving, gaps_of, heartbeat_due, silent
from crypto.transfer.outgoing import SENT
from crypto.transfer.request import Reason
from crypto.words import Refused
from soc_api.transfer_desk import Desk, Parts
from soc_api.transfer_store import Direction, Kept
from soc_api.transfer_trust_view import TrustView, trust_view


class TransferRow(msgspec.Struct, frozen=True, kw_only=True):
    """One transfer in either direction."""

    id: str
    direction: Direction
    channel: str
    state: str
    label: str
    application: str
    purpose: str
    author: str
    approver: str
    epoch: int
    sequence: int
    files: int
    content_bytes: int
    package_sm3: str
    expires: datetime | None
    created: datetime
    updated: datetime
    reason: Reason | None


class ChannelRow(msgspec.Struct, frozen=True, kw_only=True):
    """One end of a channel; ``sequence`` is the last place sent, or up to which all have come."""

    direction: Direction
    channel: str
    epoch: int
    sequence: int
    gaps: tuple[Gap, ...] = ()
    unconfirmed: int = 0
    heartbeat_due: bool = False
    silent: bool = False
    trouble: Reason | None = None
    trust: TrustView


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """All of it."""

    channels: tuple[ChannelRow, ...]
    transfers: tuple[TransferRow, ...]


def status(parts: Parts, now: datetime, *, limit: int = 500) -> Status:
    """How everything stands at ``now``; the last changed transfers first."""
    kept = parts.store.page(limit=100_000)
    return Status(channels=_channels(parts, kept, now), transfers=tuple(row_of(one) for one in kept[:limit]))


def row_of(kept: Kept) -> TransferRow:
    """One transfer as a row."""
    if kept.outgoing is not None:
        out, request, place = kept.outgoing, kept.outgoing.request, kept.outgoing.place
        return TransferRow(
            id=request.id,
            direction="out",
            channel=request.channel,
            state=out.state,
            label=request.label,
            application=request.application,
            purpose=request.purpose,
            author=out.author.name if out.author else "",
            approver=out.approver.name if out.approver else "",
            epoch=place.epoch if place else 0,
            sequence=place.sequence if place else 0,
            files=len(request.files),
            content_bytes=sum(entry.size for entry in request.files),
            package_sm3=out.package_sm3,
            expires=request.expires,
            created=kept.created,
            updated=kept.updated,
            reason=out.reason,
        )
    assert kept.incoming is not None, "a transfer goes out or comes in"
    manifest = kept.incoming.manifest
    return TransferRow(
        id=kept.incoming.package_sm3,
        direction="in",
        channel=kept.incoming.channel,
        state=kept.incoming.state,
        label=manifest.label if manifest else "",
        application=manifest.application if manifest else "",
        purpose=manifest.purpose if manifest else "",
        author=manifest.attributes.get("author", "") if manifest else "",
        approver=manifest.attributes.get("approver", "") if manifest else "",
        epoch=manifest.epoch if manifest else 0,
        sequence=manifest.sequence if manifest else 0,
        files=len(manifest.files) if manifest else 0,
        content_bytes=manifest.content_bytes if manifest else 0,
        package_sm3=kept.incoming.package_sm3,
        expires=manifest.expires if manifest else None,
        created=kept.created,
        updated=kept.updated,
        reason=kept.incoming.reason,
    )


def _channels(parts: Parts, kept: Sequence[Kept], now: datetime) -> tuple[ChannelRow, ...]:
    rows = []
    desk = Desk(parts)
    with parts.store.reading() as acts:
        for one in parts.channels.all:
            every = timedelta(seconds=one.heartbeat_seconds)
            trouble = None
            try:
                if one.direction == "out":
                    desk.end(acts, one.id)
                else:
                    desk.receiving_end(acts, one)
            except Refused as error:
                trouble = Reason(code=error.code, zh=error.what.zh, en=error.what.en)
            if one.direction == "out":
                sending = acts.sending(one.id)
                out = [k.outgoing for k in kept if k.outgoing and k.outgoing.request.channel == one.id]
                row = ChannelRow(
                    direction="out",
                    channel=one.id,
                    epoch=sending.epoch,
                    sequence=sending.sequence,
                    unconfirmed=sum(transfer.state in SENT for transfer in out),
                    heartbeat_due=heartbeat_due(sending, now, every),
                    trouble=trouble,
                    trust=trust_view(parts, one, now),
                )
            else:
                receiving: Receiving = acts.receiving(one.fresh())
                row = ChannelRow(
                    direction="in",
                    channel=one.id,
                    epoch=receiving.epoch,
                    sequence=receiving.low,
                    gaps=gaps_of(receiving),
                    silent=silent(receiving, now, every),
                    trouble=trouble,
                    trust=trust_view(parts, one, now),
                )
            rows.append(row)
    return tuple(rows)
