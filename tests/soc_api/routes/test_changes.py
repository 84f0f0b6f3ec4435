"""P-31: rules, gates and retention change in versions, each with a second person, and as a diff."""

from datetime import timedelta
from typing import Any

from soc_api.change_desk import note_retention, retention_days
from soc_api.change_store import ChangeStore

RULE = "11111111-1111-4111-8111-111111111111"
NOTE = {"approve": True, "note": "已核对"}


def switched_off(world: Any) -> tuple[Any, int]:
    author = world.signed_in("security_admin")
    assert author("POST", f"/rules/{RULE}/disable", json={"reason": "误报过多"}).status_code == 200
    return author, author("GET", "/changes").json()["rows"][0]["id"]


def test_p31_a_rule_stays_off_when_another_person_confirms_it(world: Any) -> None:
    author, number = switched_off(world)
    own = author("POST", f"/changes/{number}/decide", json=NOTE)
    assert (own.status_code, own.json()["code"]) == (409, "change-own")
    other = world.signed_in("shift_lead")
    done = other("POST", f"/changes/{number}/decide", json=NOTE).json()
    assert (done["state"], done["before"], done["after"]) == ("confirmed", "enabled", "disabled")
    world.center.changes.beat(world.now + timedelta(days=2))
    assert world.rules.decided().disabled == {RULE}
    again = other("POST", f"/changes/{number}/decide", json=NOTE)
    assert (again.status_code, again.json()["code"]) == (409, "change-state")


def test_p31_what_nobody_confirms_in_a_day_is_undone(world: Any) -> None:
    switched_off(world)
    world.center.changes.beat(world.now + timedelta(hours=23))
    assert world.rules.decided().disabled == {RULE}
    world.center.changes.beat(world.now + timedelta(hours=24))
    assert world.rules.decided().disabled == frozenset()
    assert "change.expire" in [line[1] for line in world.audited()]


def test_p31_nobody_gets_around_the_second_person_by_changing_it_twice(world: Any) -> None:
    author, _ = switched_off(world)
    world.now += timedelta(minutes=5)
    author("POST", f"/rules/{RULE}/enable", json={"reason": "误操作恢复"})
    begun = world.now
    for minutes in (0, 5, 10):  # the first to expire put it on, the second one would have put it off
        world.center.changes.beat(begun + timedelta(hours=24, minutes=minutes))
    assert world.rules.decided().disabled == frozenset()


def test_p31_the_day_begins_with_the_first_change_and_not_again_alone(world: Any) -> None:
    author, _ = switched_off(world)
    world.now += timedelta(hours=7)
    author.login("security-admin", world.password)
    for word in ("enable", "disable"):
        answer = author("POST", f"/rules/{RULE}/{word}", json={"reason": "再次调整"})
        assert answer.status_code == 200, answer.text
    world.now += timedelta(hours=17, seconds=1)
    world.center.changes.beat(world.now)
    assert world.rules.decided().disabled == frozenset()
    author.login("security-admin", world.password)
    again = author("POST", f"/rules/{RULE}/disable", json={"reason": "再次停用"})
    assert (again.status_code, again.json()["code"]) == (409, "change-again")
    other = world.signed_in("security_admin", "second-admin")
    assert other("POST", f"/rules/{RULE}/disable", json={"reason": "确属误报"}).status_code == 200


def test_p31_a_refused_release_closes_the_gates(world: Any) -> None:
    author = world.signed_in("security_admin")
    author("POST", "/gates/release", json={"reason": "防汛抢险", "hours": 4})
    (row,) = author("GET", "/changes").json()["rows"]
    lead = world.signed_in("shift_lead")
    assert (
        lead("POST", f"/changes/{row['id']}/decide", json={"approve": False, "note": "不同意"}).json()[
            "state"
        ]
        == "refused"
    )
    held = world.enforcement.decisions.release()
    assert not held.holds(world.now)


def test_p31_a_shorter_retention_waits_for_a_second_person(world: Any) -> None:
    store = ChangeStore(world.engine)
    assert note_retention(store, 400, world.now) == 400
    assert note_retention(store, 200, world.now) == 400
    assert (note_retention(store, 200, world.now), len(store.rows())) == (400, 2)
    assert retention_days(store, 200) == 400
    (waiting,) = store.rows(states=("waiting",))
    world.signed_in("security_admin")("POST", f"/changes/{waiting.id}/decide", json=NOTE)
    assert retention_days(store, 200) == 200
    assert note_retention(store, 500, world.now) == 500


def test_p31_the_versions_are_a_diff_with_a_watermark(world: Any) -> None:
    author, _ = switched_off(world)
    lines = author("GET", "/changes/export").text.splitlines()
    assert "user:security-admin" in lines[0]
    assert '-"enabled"' in lines
    assert '+"disabled"' in lines
    assert any("误报过多" in line for line in lines)
    assert world.signed_in("analyst")("GET", "/changes").status_code == 403
