"""Tests of soc_api.identity over its store: locks, one-time passwords, session ends."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from crypto.words import BadInput, LiuheError, Refused
from detection.store.state import writing
from soc_api import identity as module
from soc_api.identity import FAILURES_MAX, IDLE_MAX, LOCKED_FOR, ONE_TIME_MAX, SESSION_MAX, csrf_of
from soc_api.passwords import matches

SOURCE = "192.0.2.9"


def refused(code: str) -> Any:
    return pytest.raises(LiuheError, match=code)


def test_an_account_begins_with_a_one_time_password_that_must_be_changed(world: Any) -> None:
    one_time = world.identity.create_account("zhang", "张三", "analyst", "320000-local", world.now)
    assert world.identity.must_change("zhang") is True
    assert world.identity.must_change("nobody") is None
    for _ in range(2):  # it stays good until it is changed or expires
        _, visit = world.identity.login("zhang", one_time, SOURCE, world.now)
        assert visit.account.must_change
    with refused("second-factor-required"):
        world.identity.change_password(visit, one_time, "Correct-horse-7", world.now)
    visit = world.bound(visit)
    world.identity.change_password(visit, one_time, "Correct-horse-7", world.now)
    assert world.identity.must_change("zhang") is False
    with refused("login-refused"):
        world.identity.login("zhang", one_time, SOURCE, world.now)
    world.visit("zhang", world.now + 2 * ONE_TIME_MAX)


def test_a_one_time_password_expires(world: Any) -> None:
    one_time = world.identity.create_account("zhang", "张三", "analyst", "320000-local", world.now)
    with refused("password-expired"):
        world.identity.login("zhang", one_time, SOURCE, world.now + ONE_TIME_MAX)
    again = world.identity.reset_password("zhang", world.now + ONE_TIME_MAX)
    world.identity.login("zhang", again, SOURCE, world.now + ONE_TIME_MAX)
    with refused("account-not-found"):
        world.identity.reset_password("nobody", world.now)


@pytest.mark.parametrize(
    ("username", "role", "field"),
    [("Zhang San", "analyst", "username"), ("x", "analyst", "username"), ("zhang", "god", "role")],
)
def test_malformed_accounts_are_refused(world: Any, username: str, role: str, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        world.identity.create_account(username, "某人", role, "320000-local", world.now)
    assert caught.value.field == field


def test_names_are_given_out_once(world: Any) -> None:
    world.identity.create_account("zhang", "张三", "analyst", "320000-local", world.now)
    with pytest.raises(Refused, match="account-exists"):
        world.identity.create_account("zhang", "张四", "audit_admin", "320000-local", world.now)


@pytest.mark.parametrize("known", [True, False])
def test_five_failures_lock_a_name_known_or_not_alike(world: Any, known: bool) -> None:
    name = world.account("analyst") if known else "nobody"
    for _ in range(FAILURES_MAX):
        with refused("login-refused"):
            world.identity.login(name, "wrong", SOURCE, world.now)
    for password in ("wrong", world.password):
        with refused("login-locked"):
            world.identity.login(name, password, SOURCE, world.now, code=world.code(name))
    later = world.now + LOCKED_FOR
    if known:
        world.visit(name, later)
    with refused("login-refused"):
        world.identity.login(name, "wrong", SOURCE, later)


def test_failures_far_apart_do_not_add_up(world: Any) -> None:
    name = world.account("analyst")
    for number in range(2 * FAILURES_MAX):
        with refused("login-refused"):
            world.identity.login(name, "wrong", SOURCE, world.now + number * 2 * LOCKED_FOR)


def test_known_and_unknown_names_cost_one_hash_each(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    name = world.account("analyst")
    hashed: list[str] = []

    def counted(given: str, stored: str) -> bool:
        hashed.append(stored)
        return matches(given, stored)

    monkeypatch.setattr(module, "matches", counted)
    for typed in (name, "nobody"):
        with refused("login-refused"):
            world.identity.login(typed, "wrong", SOURCE, world.now)
    assert len(hashed) == 2
    assert {stored.split("$")[1] for stored in hashed} == {"4"}


def test_sessions_end_by_idling_by_age_and_by_logout(world: Any) -> None:
    world.account("analyst")
    identity, start = world.identity, world.now
    token, visit = world.entered("analyst", start)
    assert identity.visit(token, SOURCE, start + IDLE_MAX, active=True) is not None
    assert identity.visit(token, SOURCE, start + 2 * IDLE_MAX, active=False) is not None
    assert identity.visit(token, SOURCE, start + 2 * IDLE_MAX + timedelta(seconds=1), active=True) is None
    token, visit = world.entered("analyst", start)
    now = start
    while now < start + SESSION_MAX:
        assert identity.visit(token, SOURCE, now, active=True) is not None
        now += IDLE_MAX
    assert identity.visit(token, SOURCE, now, active=True) is None
    token, visit = world.entered("analyst", start)
    identity.logout(visit, start)
    assert not identity.alive(visit.token_digest, start)


def test_a_wall_display_does_not_idle_but_ends(world: Any) -> None:
    world.account("wall_display")
    token, _ = world.entered("wall-display")
    assert world.identity.visit(token, SOURCE, world.now + 3 * IDLE_MAX, active=False) is not None
    assert world.identity.visit(token, SOURCE, world.now + SESSION_MAX, active=True) is None


def test_the_database_holds_neither_tokens_nor_passwords(world: Any) -> None:
    world.account("analyst")
    token, visit = world.entered("analyst")
    dump = b"".join(path.read_bytes() for path in world.folder.glob("state.sqlite*"))
    for secret in (token, visit.csrf, csrf_of(token), world.password):
        assert secret.encode() not in dump


def test_a_new_password_keeps_the_rules_and_ends_other_sessions(world: Any) -> None:
    world.account("analyst")
    other, _ = world.entered("analyst")
    own, visit = world.entered("analyst")
    with refused("login-refused"):
        world.identity.change_password(visit, "wrong", "Other-horse-88", world.now)
    for weak in (world.password, "short"):
        with refused("password-weak"):
            world.identity.change_password(visit, world.password, weak, world.now)
    old = world.password
    for number in range(5):
        world.identity.change_password(visit, old, f"Other-horse-{number}", world.now)
        old, visit = f"Other-horse-{number}", world.identity.refreshed(visit)
    with refused("password-weak"):
        world.identity.change_password(visit, old, "Other-horse-1", world.now)
    world.identity.change_password(visit, old, world.password, world.now)  # five others ago
    assert world.identity.visit(own, SOURCE, world.now, active=True) is not None
    assert world.identity.visit(other, SOURCE, world.now, active=True) is None


def test_an_account_has_a_bounded_number_of_sessions(world: Any) -> None:
    world.account("analyst")
    tokens = []
    for _number in range(8):
        world.now += timedelta(seconds=1)
        tokens.append(world.entered("analyst")[0])
    alive = [world.identity.visit(token, SOURCE, world.now, active=True) is not None for token in tokens]
    assert alive == [False, False, False, True, True, True, True, True]


def test_without_an_audit_line_nobody_gets_in(world: Any) -> None:
    world.account("analyst")
    with writing(world.engine) as connection:
        connection.execute(text("ALTER TABLE audit_head RENAME TO away"))
        before = connection.scalar(text("SELECT count(*) FROM sessions"))
    with refused("audit-unwritable"):
        world.entered("analyst")
    with world.engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sessions")) == before


def test_logins_are_audited_and_a_mistyped_name_is_not_kept(world: Any) -> None:
    world.account("analyst")
    with refused("login-refused"):
        world.identity.login("My-Secret-1", "zhang", SOURCE, world.now)
    world.entered("analyst")
    lines = world.audited()
    assert ("system:center", "account.create", "analyst/analyst", "ok") in lines
    assert lines[-1] == ("user:analyst", "session.login", "analyst/otp", "ok")
    assert lines[-2][0].startswith("unknown:")
    assert lines[-2][1:] == ("session.login", "session", "failed")
    assert "My-Secret-1" not in str(lines)
