"""An incoming transfer: nothing is imported that was not verified, and what ended stays ended."""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from crypto.package_format import Manifest
from crypto.transfer.incoming import (
    ENDED,
    Admit,
    Command,
    CommitImport,
    Incoming,
    Reject,
    SendReceipt,
    Verified,
    Verify,
    step,
)
from crypto.transfer.request import Place, Reason, Request, manifest_of
from crypto.words import Refused

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NO = Reason(code="no", zh="不", en="no")


def manifest() -> Manifest:
    request = Request(
        id="0" * 32,
        channel="a-b",
        application="a",
        purpose="b",
        sender="a",
        receiver="b",
        label="一般",
        from_zone="x",
        to_zone="y",
        issued=NOW,
        expires=NOW + timedelta(days=1),
        recipients=("c" * 64,),
        files=(),
    )
    return manifest_of(request, Place(epoch=1, sequence=1, previous=""), author="a", approver="b")


MANIFEST = manifest()


class IncomingMachine(RuleBasedStateMachine):
    """Any order of commands."""

    def __init__(self) -> None:
        super().__init__()
        self.transfer = Incoming(package="0" * 32, package_sm3="a" * 64, channel="a-b")
        self.commits = 0

    @rule(
        command=st.sampled_from(
            [Verify(), Verified(manifest=MANIFEST, manifest_sm3="b" * 64), Admit(), Reject(reason=NO)]
        )
    )
    def command(self, command: Command) -> None:
        before = self.transfer
        try:
            self.transfer, effects = step(before, command)
        except Refused:
            return
        if before.state in ENDED:
            assert self.transfer == before
            assert effects == (SendReceipt(accepted=before.state == "imported"),)
        if CommitImport() in effects:
            assert before.state == "quarantined"
            assert self.transfer.manifest is not None
            self.commits += 1
        assert self.commits == (self.transfer.state == "imported")
        assert (self.transfer.state == "refused") == (self.transfer.reason is not None)


IncomingMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=12, deadline=None)
TestIncoming = IncomingMachine.TestCase
