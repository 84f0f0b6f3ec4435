"""Rarity: news of the quiet and of the unique surprises; habits, the fleet's habits and old news do not."""

import msgspec

from detection.anomaly.entities import entity_parameters
from detection.anomaly.rarity import Rarity

PARAMETERS = entity_parameters().rarity
DAY = 86_400


def fleet() -> Rarity:
    """Ten hosts with the same three programs for twenty days; host9 starts a new one every day."""
    rarity = Rarity(PARAMETERS)
    for day in range(20):
        for host in range(10):
            for program in ("sh", "cron", "sshd"):
                rarity.see(f"host{host}", program, day * DAY)
        rarity.see("host9", f"build{day}", day * DAY)
    return rarity


def test_a_habit_does_not_surprise_and_news_does() -> None:
    rarity = fleet()
    now = 20 * DAY
    assert rarity.see("host0", "sh", now).surprise < 0.7
    news = rarity.see("host0", "nc", now)
    assert news.new
    assert (news.others, news.last) == (0, 0)
    assert news.surprise > 2
    assert rarity.see("host9", "build20", now).surprise < news.surprise - 0.5  # always something new there


def test_what_the_fleet_does_is_less_news() -> None:
    rarity = fleet()
    for host in range(5):
        rarity.see(f"host{host}", "agent", 20 * DAY)
    assert rarity.see("host5", "agent", 20 * DAY).surprise < rarity.see("host5", "nc", 20 * DAY).surprise
    assert rarity.see("host6", "agent", 20 * DAY).others == 6


def test_news_stays_news_for_a_day() -> None:
    rarity = fleet()
    assert rarity.see("host0", "nc", 20 * DAY).new
    again = rarity.see("host0", "nc", 20 * DAY + 3_600)
    assert again.new
    assert again.last == 20 * DAY
    assert not rarity.see("host0", "nc", 22 * DAY).new


def test_snapshot_recall_and_bounds() -> None:
    rarity = fleet()
    again = Rarity(PARAMETERS)
    assert again.from_bytes(rarity.to_bytes())
    assert again.see("host0", "nc", 20 * DAY) == rarity.see("host0", "nc", 20 * DAY)
    assert not again.from_bytes(b"{}")
    few = Rarity(msgspec.structs.replace(PARAMETERS, pairs_max=5, entities_max=2))
    for number in range(40):
        few.see(f"host{number}", f"program{number}", number)
    assert len(list(few.pairs())) == 5
    assert few.forgotten == 35
    assert not few.from_bytes(rarity.to_bytes())  # more than it may hold
