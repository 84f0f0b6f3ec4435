"""What a channel trusts, and until when: for ``transfer status`` and the console."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, Literal

import msgspec

from crypto.crl import NEXT_UPDATE_MAX, Crl, verify_crl
from crypto.key_files import KeyFolder
from crypto.transfer.request import Reason
from crypto.trust_files import TrustFolder
from crypto.words import LiuheError, Refused
from crypto.x509 import Certificate
from soc_api.transfer_channels import Channel
from soc_api.transfer_desk import Parts

Mode = Literal["keys", "certificates", "both"]
TrustKind = Literal["root", "issuer", "crl", "recipient", "own"]
TrustState = Literal["good", "soon", "ended", "missing"]
CERTIFICATE_SOON: Final = timedelta(days=30)
CRL_SOON: Final = timedelta(days=2)
FOLDERS: Final = ("keys", "persons")  # of this center's own keys


class TrustItem(msgspec.Struct, frozen=True, kw_only=True):
    """One certificate or revocation list; a list that is missing has no times."""

    kind: TrustKind
    name: str
    begins: datetime | None
    ends: datetime | None
    state: TrustState


class TrustView(msgspec.Struct, frozen=True, kw_only=True):
    """What counts on one channel: pinned keys, named holders of certificates, and how long each lasts."""

    mode: Mode
    keys: int
    names: tuple[str, ...] = ()
    items: tuple[TrustItem, ...] = ()
    trouble: Reason | None = None


def trust_view(parts: Parts, channel: Channel, now: datetime) -> TrustView:
    """The trust of a channel at ``now``; what is wrong with it is told, never raised."""
    pinned = (*channel.authors, *channel.approvers, *channel.stations, *channel.receipt_keys)
    if channel.trust is None:
        return TrustView(mode="keys", keys=len(pinned))
    names = channel.trust
    every = (*names.authors, *names.approvers, *names.stations, *names.receivers)
    items: list[TrustItem] = []
    trouble: Reason | None = None
    try:
        parts.channels.trusted(channel, now)
        items += _authorities(TrustFolder(parts.channels.path(names.folder)), now)
        items += _recipients(parts, channel, now)
        items += _own(parts.ferry.folder, now)
        parts.channels.recipients(channel, now)
    except LiuheError as error:
        trouble = Reason(code=error.code, zh=error.what.zh, en=error.what.en)
    return TrustView(
        mode="both" if pinned else "certificates",
        keys=len(pinned),
        names=tuple(dict.fromkeys(every)),
        items=tuple(items),
        trouble=trouble,
    )


def _authorities(folder: TrustFolder, now: datetime) -> Iterator[TrustItem]:
    roots, issuers, crls = folder.contents()
    for one in roots:
        yield _certificate("root", one, now)
        yield _list(one, crls, now)
    for one in issuers:
        yield _certificate("issuer", one, now)
        yield _list(one, crls, now)


def _recipients(parts: Parts, channel: Channel, now: datetime) -> Iterator[TrustItem]:
    for name in channel.recipients:
        for leaf in parts.channels.recipient_chain(name)[:1]:
            yield _certificate("recipient", leaf, now)


def _own(folder: Path, now: datetime) -> Iterator[TrustItem]:
    for name in FOLDERS:
        keys = KeyFolder(folder / name)
        for record in keys.records():
            for leaf in () if record.replaced_by else keys.chain(record)[:1]:
                found = _certificate("own", leaf, now)
                yield msgspec.structs.replace(found, name=f"{record.name} {found.name}")


def _certificate(kind: TrustKind, one: Certificate, now: datetime) -> TrustItem:
    name = str(one.identity) if one.identity.kind else str(one.subject)
    return TrustItem(
        kind=kind,
        name=name,
        begins=one.not_before,
        ends=one.not_after,
        state=_state(one.not_after, now, CERTIFICATE_SOON),
    )


def _list(issuer: Certificate, crls: tuple[Crl, ...], now: datetime) -> TrustItem:
    newest: Crl | None = None
    for crl in crls:
        if newest is None or crl.number > newest.number:
            newest = crl if _is_by(crl, issuer) else newest
    if newest is None:
        return TrustItem(kind="crl", name=str(issuer.subject), begins=None, ends=None, state="missing")
    ends = min(newest.next_update, newest.this_update + NEXT_UPDATE_MAX)
    return TrustItem(
        kind="crl",
        name=str(issuer.subject),
        begins=newest.this_update,
        ends=ends,
        state=_state(ends, now, CRL_SOON),
    )


def _is_by(crl: Crl, issuer: Certificate) -> bool:
    try:
        verify_crl(crl, issuer)
    except Refused:
        return False
    return True


def _state(ends: datetime, now: datetime, soon: timedelta) -> TrustState:
    return "ended" if now > ends else "soon" if now > ends - soon else "good"
