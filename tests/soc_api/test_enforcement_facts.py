"""What the center says of itself: channels in trouble, transfers without grounds, administrators missing."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from crypto.transfer.request import Reason
from soc_api import enforcement_rows
from soc_api.enforcement_facts import account_fact, own_facts, transfer_facts
from soc_api.identity_store import IdentityStore
from soc_api.transfer_desk import Parts
from soc_api.transfer_status import Status

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


def row(name: str, state: str, **given: str) -> SimpleNamespace:
    plain = {
        "package_sm3": "ab",
        "application": "AP-1",
        "purpose": "共享",
        "label": "一般",
        "direction": "out",
    }
    return SimpleNamespace(id=name, state=state, **(plain | given))


def test_channels_and_transfers_as_facts() -> None:
    trouble = Reason(code="x", zh="吊销", en="revoked")
    channels = (
        SimpleNamespace(channel="up", trouble=trouble, gaps=(1,)),
        SimpleNamespace(channel="down", trouble=None, gaps=()),
    )
    transfers = (
        row("t1", "confirmed"),
        row("t2", "rejected"),
        row("t3", "exported", package_sm3=""),
        row("t4", "draft", purpose=""),
        row("t5", "exported", package_sm3="", direction="in"),
    )
    found = {
        fact.name: fact.fields
        for fact in transfer_facts(
            cast("Status", SimpleNamespace(channels=channels, transfers=transfers)), NOW
        )
    }
    assert found["transfer.channels"]["transfer.trouble"] == ["up"]
    assert found["transfer.channels"]["transfer.gaps"] == 1
    assert found["transfer.sealed"]["transfer.exported"] == 3
    assert (found["transfer.sealed"]["transfer.unsealed"], found["transfer.sealed"]["transfer.rejected"]) == (
        ["t3"],
        ["t2"],
    )
    assert found["transfer.bound"]["transfer.unbound"] == ["t4"]


def test_the_three_administrators_are_three_accounts(world: Any) -> None:
    fields = account_fact(["system_admin", "audit_admin"], NOW).fields
    assert fields["center.roles_missing"] == ["security_admin"]
    world.account("system_admin")
    world.account("audit_admin")
    assert {"audit_admin", "system_admin"} <= set(IdentityStore(world.engine).roles_held())


def test_another_system_has_none_of_these_facts(world: Any) -> None:
    parts = cast("Parts", SimpleNamespace(system="local"))
    assert own_facts(lambda: parts, IdentityStore(world.engine))("elsewhere", NOW) == ()


def test_a_form_as_the_api_tells_it(world: Any) -> None:
    form = world.enforcement.checks["PHY-07"].form
    told = enforcement_rows.form_row(form)
    assert (told.valid_days, told.attachments) == (365, 1)
    assert [ask.kind for ask in told.asks] == ["text", "date", "choice"]
