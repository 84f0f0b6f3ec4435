"""An incoming transfer from offer to import or refusal: a machine that does nothing itself.

offered -> verifying -> quarantined -> imported | refused, each refusal with its reason and a receipt.
"""

from typing import Final, Literal

import msgspec

from crypto.package_format import Manifest
from crypto.transfer.request import Reason
from crypto.words import Refused, Words

State = Literal["offered", "verifying", "quarantined", "imported", "refused"]
ENDED: Final[tuple[State, ...]] = ("imported", "refused")


class Incoming(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is known of one incoming package; the manifest once it was verified."""

    package: str
    package_sm3: str
    channel: str
    state: State = "offered"
    manifest: Manifest | None = None
    manifest_sm3: str = ""
    reason: Reason | None = None


class Verify(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Begin, or begin again after a crash."""


class Verified(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Every signature, chunk and digest held; the files lie in quarantine."""

    manifest: Manifest
    manifest_sm3: str


class Admit(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Content, policy, place and gate said yes too."""


class Reject(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Something said no."""

    reason: Reason


Command = Verify | Verified | Admit | Reject


class OpenToQuarantine(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Open the package into a quarantine that nobody else reads."""


class CheckContent(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Look at the files in quarantine, then ask the gate."""


class CommitImport(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Record import, place, receipt and audit line in one transaction; then let the files be seen."""


class Destroy(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Destroy what lies in quarantine."""


class SendReceipt(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Say so to the sender, by any way there is."""

    accepted: bool


Effect = OpenToQuarantine | CheckContent | CommitImport | Destroy | SendReceipt
Step = tuple[Incoming, tuple[Effect, ...]]


def step(transfer: Incoming, command: Command) -> Step:
    """The transfer after a command, and what is to be done. Raises Refused where it is not the time for it.

    What has ended stays as it is: asking again gives the receipt again and nothing else.
    """
    if transfer.state in ENDED:
        return transfer, (SendReceipt(accepted=transfer.state == "imported"),)
    match command:
        case Verify():
            # Verifying starts over whatever an earlier attempt left: only the import itself is remembered.
            return msgspec.structs.replace(transfer, state="verifying"), (Destroy(), OpenToQuarantine())
        case Verified(manifest=manifest, manifest_sm3=digest):
            _in(transfer, "verifying")
            after = msgspec.structs.replace(
                transfer, state="quarantined", manifest=manifest, manifest_sm3=digest
            )
            return after, (CheckContent(),)
        case Admit():
            _in(transfer, "quarantined")
            after = msgspec.structs.replace(transfer, state="imported")
            return after, (CommitImport(), SendReceipt(accepted=True))
        case Reject(reason=reason):
            after = msgspec.structs.replace(transfer, state="refused", reason=reason)
            return after, (Destroy(), SendReceipt(accepted=False))


def _in(transfer: Incoming, state: State) -> None:
    if transfer.state != state:
        raise Refused(
            "transfer-state",
            Words(f"传输处于 {transfer.state},不能这样操作", f"the transfer is {transfer.state}: not now"),
            Words("请查看 liuhe transfer status", "see liuhe transfer status"),
            field=transfer.package,
        )
