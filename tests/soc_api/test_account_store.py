"""Tests of the stores behind accounts: soc_api.account_store, soc_api.set_up_store, soc_api.token_store."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from crypto.words import Refused
from detection.store.state import writing
from soc_api.account_store import AccountStore
from soc_api.audit import Entry, entry
from soc_api.identity_refusals import login_refused
from soc_api.set_up_store import Opened, SetUpStore
from soc_api.token_store import Token, TokenStore


def said(world: Any) -> Entry:
    return entry(time=world.now, actor="user:a", source="local", action="test.act", about="x")


def test_facts_tell_device_and_open_sessions(world: Any) -> None:
    world.signed_in("analyst")
    world.identity.create_account("new", "新", "", "320000-local", world.now)
    found = {one.account.username: one for one in AccountStore(world.engine).facts(world.now)}
    assert found["analyst"].bound == world.now
    assert found["analyst"].sessions == 2
    assert (found["new"].bound, found["new"].sessions, found["new"].account.waits) == (None, 0, True)
    later = world.now + timedelta(hours=9)
    assert all(one.sessions == 0 for one in AccountStore(world.engine).facts(later))


def test_a_refused_change_leaves_no_line(world: Any) -> None:
    world.account("audit_admin")
    store = AccountStore(world.engine)
    (facts,) = store.facts(world.now)
    before = len(world.audited())
    with pytest.raises(Refused, match="roles-exclusive"):
        store.change(facts.account, {"role": "analyst"}, said(world), evict=True)
    assert len(world.audited()) == before
    assert store.in_use("audit_admin") == 1
    store.change(facts.account, {"disabled": True}, said(world), evict=True)
    assert store.in_use("audit_admin") == 0


def test_set_up_ends_once(world: Any) -> None:
    store = SetUpStore(world.engine)
    assert store.opened() is None
    state = Opened(opened=world.now, expires=world.now, digest="", ended=None)
    store.begin(state)
    store.begin(msgspec.structs.replace(state, digest="other"))
    assert store.opened() == state
    assert store.end(world.now, said(world))
    assert not store.end(world.now, said(world))


def test_a_token_is_bound_and_revoked_once(world: Any) -> None:
    world.account("analyst")
    (facts,) = AccountStore(world.engine).facts(world.now)
    store = TokenStore(world.engine)
    token = Token(
        id="0" * 16,
        digest="d",
        account=facts.account.id,
        kind="kiosk",
        name="大厅",
        permissions=("overview.read",),
        unit="320000-local",
        source="",
        made=world.now,
        expires=world.now,
        revoked=None,
        used=None,
    )
    store.add(token, said(world))
    assert store.token("1" * 16) is None
    assert store.bind(token.id, "192.0.2.1", said(world))
    assert not store.bind(token.id, "192.0.2.2", said(world))
    assert store.revoke(token.id, said(world))
    assert not store.revoke(token.id, said(world))
    found = store.token(token.id)
    assert found is not None
    assert (found[0].source, found[0].revoked) == ("192.0.2.1", world.now)


def test_the_refusal_of_a_login_says_when_it_locks() -> None:
    assert "5" in login_refused(5).fix.en


def test_p06_the_database_itself_keeps_the_roles_apart(world: Any) -> None:
    """Whoever writes into it past the center."""
    for role in ("system_admin", "analyst"):
        world.account(role)
    columns = "password_changed, must_change, one_time_expires, disabled, created, person, waits, created_by"
    for statement in (
        "UPDATE accounts SET role = 'security_admin' WHERE username = 'system-admin'",
        "UPDATE accounts SET role = 'system_admin' WHERE username = 'analyst'",
        "UPDATE accounts SET role = 'system_admin,audit_admin' WHERE username = 'system-admin'",
        "UPDATE accounts SET username = 'other' WHERE username = 'analyst'",
        "DELETE FROM accounts WHERE username = 'analyst'",
        (
            f"INSERT OR REPLACE INTO accounts (id, username, display_name, role, unit, password, {columns}) "
            f"SELECT id, username, display_name, 'audit_admin', unit, password, {columns} "
            "FROM accounts WHERE username = 'system-admin'"
        ),
    ):
        with pytest.raises(IntegrityError), writing(world.engine) as connection:
            connection.execute(text(statement))
    assert AccountStore(world.engine).in_use("system_admin") == 1
