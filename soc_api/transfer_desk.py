"""What outgoing transfers, heartbeats and receipts share: the parts, the audit line, the sealed file."""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec

from crypto import package
from crypto.package import FileEntry, Manifest, Source
from crypto.package_files import folder_sources
from crypto.transfer import outgoing as machine
from crypto.transfer.channel import Receiving, Sending, check_height
from crypto.transfer.content import check_content
from crypto.transfer.outgoing import DropStaged, Outgoing
from crypto.transfer.policy import Policy
from crypto.words import BadInput, Refused, Words
from soc_api.audit import Entry, entry
from soc_api.transfer_channels import Channel, Channels
from soc_api.transfer_ferry import Ferry, sync_folder
from soc_api.transfer_gate import Gate
from soc_api.transfer_store import Acts, TransferStore

Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    """What transfers stand on; ``system`` is the graded system the gate is asked about."""

    store: TransferStore
    ferry: Ferry
    channels: Channels
    policy: Policy
    gate: Gate
    system: str


class Desk:
    """The acts that every outgoing package needs."""

    def __init__(self, parts: Parts) -> None:
        self.parts: Final = parts

    def drop(self, transfer: Outgoing, effects: Sequence[machine.Effect]) -> None:
        """Destroy what was staged, where the machine says so."""
        if any(isinstance(effect, DropStaged) for effect in effects):
            self.parts.ferry.destroy(self.parts.ferry.staged(transfer.request.id))
            self.parts.ferry.destroy(self.parts.ferry.sealed(transfer.request.id))

    @contextmanager
    def telling(self, said: Entry) -> Iterator[None]:
        """A refusal is an act too: its line says the code, the transaction of the act being gone."""
        try:
            yield
        except (Refused, BadInput) as error:
            with self.parts.store.acting(msgspec.structs.replace(said, result=error.code)):
                pass
            raise

    def end(self, acts: Acts, channel: str) -> Sending:
        """The sender's end. Raises Refused where it came back from a backup."""
        state = acts.sending(channel)
        check_height(state, self.parts.ferry.height("out", channel))
        return state

    def receiving_end(self, acts: Acts, channel: Channel) -> Receiving:
        """The receiver's end. Raises Refused where it came back from a backup."""
        state = acts.receiving(channel.fresh())
        check_height(state, self.parts.ferry.height("in", channel.id))
        return state

    def free_end(self, acts: Acts, channel: str) -> Sending:
        """The same, where no approved transfer holds its next place. Raises Refused (transfer-busy)."""
        holder = acts.holder(channel)
        if holder:
            raise Refused(
                "transfer-busy",
                Words("通道上有已审批而未导出的传输", "an approved transfer of the channel is not exported"),
                Words("请先导出或撤回它", "export or withdraw it first"),
                field=holder,
            )
        return self.end(acts, channel)

    def write(
        self,
        manifest: Manifest,
        signatures: Sequence[package.Signature],
        channel: Channel,
        progress: Progress | None,
        now: datetime,
        sources: Sequence[Source] | None = None,
    ) -> str:
        """Write the sealed package whole or not at all; its SM3. Raises Refused where a signer or recipient
        is not trusted at ``now``."""
        self.parts.channels.check_signed(channel, signatures, manifest, now)
        recipients = self.parts.channels.recipients(channel, now)
        if sources is None:
            sources = folder_sources(self.parts.ferry.staged(manifest.package))
        path = self.parts.ferry.sealed(manifest.package)
        partial = path.with_suffix(".part")
        with partial.open("wb") as sink:
            sealed = package.seal(
                sources,
                sink,
                manifest=manifest,
                signatures=signatures,
                recipients=recipients,
                progress=progress,
            )
            sink.flush()
            os.fsync(sink.fileno())
        partial.replace(path)
        sync_folder(path.parent)
        return sealed.header_sm3


def _kinds(sources: Sequence[Source], files: Sequence[FileEntry]) -> Iterator[tuple[str, str]]:
    for source, entry_ in zip(sources, files, strict=True):
        with source.open() as file:
            yield source.name, check_content(source.name, file, entry_.size)


def kinds_of(sources: Sequence[Source], files: Sequence[FileEntry]) -> list[tuple[str, str]]:
    """Name and kind of each file by its content. Raises Refused."""
    return list(_kinds(sources, files))


def said_of(action: str, person: str, about: str, now: datetime, source: str) -> Entry:
    """The audit line of an act; nobody is the service itself."""
    actor = f"user:{person}" if person else "system:transfer"
    return entry(time=now, actor=actor, source=source, action=action, about=f"transfer:{about}")
