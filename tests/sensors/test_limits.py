"""Own limits: patient with a spike, strict with a habit, and strikes outlive a restart."""

from pathlib import Path

from sensors.limits import GRACE_SECONDS, Limits, LimitSettings

MIB = 1 << 20
START = 1_000_000.0
WARM = START + GRACE_SECONDS


def opened(folder: Path, started: float = START, **values: object) -> Limits:
    folder.mkdir(exist_ok=True)
    given = {"rss_bytes_max": 100 * MIB, "cpu_percent_max": 20.0} | values
    return Limits(LimitSettings(**given), "host", folder, started)  # type: ignore[arg-type]


def busy(limits: Limits, start: float, looks: int = 3, cpu: float = 90.0) -> list[object]:
    return [limits.look(rss_bytes=MIB, cpu_percent=cpu, now=start + 10 * at) for at in range(looks)]


def test_a_spike_and_the_first_minutes_are_forgiven(tmp_path: Path) -> None:
    limits = opened(tmp_path)
    assert busy(limits, START, 29) == [None] * 29
    assert busy(limits, WARM, 2) == [None] * 2
    assert limits.look(rss_bytes=MIB, cpu_percent=1.0, now=WARM + 20) is None
    assert busy(limits, WARM + 30, 2) == [None] * 2
    assert not limits.paused(WARM + 60)


def test_three_strikes_pause_longer_each_time_and_then_to_the_end_of_the_hour(tmp_path: Path) -> None:
    limits = opened(tmp_path)
    at, pauses = WARM, []
    for number in (1, 2, 3):
        strike = busy(limits, at)[-1]
        assert strike is not None
        assert (strike.what, strike.number, strike.restart) == ("cpu", number, False)  # type: ignore[attr-defined]
        pauses.append(strike.pause_seconds)  # type: ignore[attr-defined]
        now = at + 20
        assert limits.paused(now + pauses[-1] - 1)
        assert not limits.paused(now + pauses[-1])
        at = now + 300
    assert pauses[:2] == [60.0, 120.0]
    assert pauses[2] == 3_600 - 640
    assert busy(limits, at + 7_200)[-1].number == 1  # type: ignore[attr-defined]


def test_memory_asks_for_a_fresh_start_that_does_not_forget_the_strikes(tmp_path: Path) -> None:
    limits = opened(tmp_path)
    looks = [limits.look(rss_bytes=101 * MIB, cpu_percent=0, now=WARM + 10 * at) for at in range(3)]
    assert looks[:2] == [None, None]
    assert looks[2] is not None
    assert (looks[2].what, looks[2].restart) == ("memory", True)
    again = opened(tmp_path, WARM + 30)
    assert again.paused(WARM + 31)
    second = busy(again, WARM + 30 + GRACE_SECONDS)[-1]
    assert second.number == 2  # type: ignore[attr-defined]


def test_a_clock_that_was_set_back_does_not_pause_for_days(tmp_path: Path) -> None:
    limits = opened(tmp_path)
    busy(limits, WARM)
    assert not limits.paused(WARM - 86_400)


def test_limits_may_be_left_to_the_service_manager(tmp_path: Path) -> None:
    assert busy(opened(tmp_path, enforce=False), WARM, 9) == [None] * 9


def test_a_damaged_file_counts_as_no_strikes(tmp_path: Path) -> None:
    (tmp_path / "limits.json").write_bytes(b"\x00")
    assert busy(opened(tmp_path), WARM)[-1].number == 1  # type: ignore[attr-defined]
