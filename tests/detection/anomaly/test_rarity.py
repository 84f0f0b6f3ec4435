"""Rarity: news of the quiet and of the unique surprises; habits, the fleet's habits and old news do not."""

import msgspec

from detection.anomaly.entities import entity_parameters
from detection.anomaly.rarity import Among, Rarity

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


def test_news_again_and_again_says_less_each_time() -> None:
    rarity = fleet()
    first = rarity.see("host0", "nc", 20 * DAY).surprise
    again = rarity.see("host0", "nc", 20 * DAY + 4 * 3_600).surprise
    assert again < 0.6 * first


def test_what_ones_peers_do_is_less_news_than_what_others_do() -> None:
    rarity = Rarity(PARAMETERS)
    servers, desks = Among("bureau", "server"), Among("bureau", "desk")
    for day in range(20):
        for host in range(12):
            group = servers if host < 6 else desks
            rarity.see(f"host{host}", "sh", day * DAY, group)
            if host in range(1, 5):
                rarity.see(f"host{host}", "httpd", day * DAY, group)
    server = rarity.see("host0", "httpd", 20 * DAY, servers)
    desk = rarity.see("host11", "httpd", 20 * DAY, desks)
    assert (server.peers_with, server.peers_all, server.others) == (4, 5, 4)
    assert (desk.peers_with, desk.peers_all, desk.others) == (0, 5, 5)
    assert server.surprise < desk.surprise - 0.4


def test_a_group_may_change_and_nothing_is_counted_twice() -> None:
    rarity = Rarity(PARAMETERS)
    for host in range(4):
        rarity.see(f"host{host}", "sh", 0, Among("bureau", "desk"))
    rarity.see("host0", "sh", 10, Among("bureau", "server"))
    moved = rarity.see("host0", "sh", 20, Among("bureau", "desk"))
    assert (moved.peers_with, moved.peers_all, moved.others) == (3, 3, 3)
    again = Rarity(PARAMETERS)
    assert again.from_bytes(rarity.to_bytes())
    assert again.to_bytes() == rarity.to_bytes()
    now = 2 * DAY
    ours, theirs = (one.see("host1", "nc", now, Among("bureau", "desk")) for one in (rarity, again))
    assert ours == theirs
    kept = msgspec.json.decode(rarity.to_bytes())
    kept["pairs"][0][5] = 9  # a group that is not there
    assert not again.from_bytes(msgspec.json.encode(kept))
