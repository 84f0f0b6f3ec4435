"""Tests of soc_api.account_commands and soc_api.recovery: the way in from the center's own machine."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from detection.store.alert_store import AlertStore
from soc_api import recovery
from soc_api.cli import main
from soc_api.folders import FIRST_ACCOUNT, Folders, audit_of, state_engine
from soc_api.set_up import Administrator
from soc_api.settings import load_settings


def ended(data: Path, token: str) -> None:
    """End set-up as its page does."""
    settings, folders = load_settings(data), Folders(data)
    engine = state_engine(folders, settings)
    people = [
        Administrator(role=role, username=role.replace("_", "."), display_name="某人", person=role)
        for role in ("system_admin", "security_admin", "audit_admin")
    ]
    recovery.people_at(folders, settings, engine).setup.finish(token, people, "192.0.2.1", datetime.now(UTC))
    engine.dispose()


def test_accounts_come_from_the_command_line_until_set_up_ends(
    center: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    data = ["--data", str(center)]
    assert main(["center", "account", "zhang", "--role", "analyst", *data]) == 0
    assert main(["center", "setup", *data]) == 0
    first = capsys.readouterr().out.split()[-1]
    assert main(["center", "setup", *data]) == 0
    second = capsys.readouterr().out.split()[-1]
    assert first != second
    with pytest.raises(Exception, match="setup-token"):
        ended(center, first)
    ended(center, second)
    assert main(["center", "setup", *data]) == 1
    assert main(["center", "account", "li", "--role", "analyst", *data]) == 1
    assert "setup-over" in capsys.readouterr().err


def test_a_recovery_after_set_up_is_audited_and_alarmed(
    center: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIUHE_LANG", "en")
    data = ["--data", str(center)]
    main(["center", "setup", *data])
    ended(center, capsys.readouterr().out.split()[-1])
    assert main(["center", "account", FIRST_ACCOUNT, *data]) == 0
    settings = load_settings(center)
    engine = state_engine(Folders(center), settings)
    said = [(line.entry.action, line.entry.object) for line in audit_of(engine).since(0)]
    assert said[-1] == ("account.reset", FIRST_ACCOUNT)
    assert AlertStore(engine).revision() > 0
    engine.dispose()
    owner = center.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    assert main(["center", "account", FIRST_ACCOUNT, *data]) == 1
    assert "recovery-root" in capsys.readouterr().err
