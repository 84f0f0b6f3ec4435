"""The baseline of entities: learns robustly, borrows from peers, recalls, and does not follow a ramp."""

import io

import msgspec
import numpy as np
import pytest

from detection.anomaly.baseline import Baseline
from detection.anomaly.encoding import Array
from detection.anomaly.entities import entity_parameters

PARAMETERS = entity_parameters().baseline
DAY = 86_400


def taught(rounds: int, *, entities: int = 8, slot: int = 9, seed: int = 1) -> tuple[Baseline, Array]:
    """Entities around 20, 30, 40 … of one count, and the rates."""
    generator = np.random.default_rng(seed)
    rates: Array = 20.0 + 10.0 * np.arange(entities, dtype=np.float64)
    baseline = Baseline(("count",), PARAMETERS)
    keys = [f"host{n}" for n in range(entities)]
    for number in range(rounds):
        places = baseline.places(keys, ["unit"] * entities)
        baseline.observe(number * 600, slot, places, generator.poisson(rates)[:, np.newaxis].astype(float))
    return baseline, rates


def test_each_entity_is_measured_by_itself_once_it_is_known() -> None:
    baseline, rates = taught(400)
    places = baseline.places([f"host{n}" for n in range(8)], ["unit"] * 8)
    usual = baseline.measure(places, 9, rates[:, np.newaxis]).deviation
    assert np.abs(usual).max() < 1.5
    swapped = baseline.measure(places, 9, rates[::-1, np.newaxis].copy()).deviation
    assert swapped[0, 0] > 3  # 90 is nothing for the last host and much for the first
    low, high, peers_low, peers_high = baseline.usual(int(places[0]), 9)
    assert low[0] < 20 < high[0] < 60
    assert peers_low[0] < 40 < peers_high[0]


def test_a_burst_moves_little() -> None:
    baseline, _ = taught(400)
    places = baseline.places(["host0"], ["unit"])
    before = baseline.measure(places, 9, np.array([[20.0]])).expected[0, 0]
    for number in range(5):
        baseline.observe(300_000 + number * 600, 9, places, np.array([[1e6]]))
    after = baseline.measure(places, 9, np.array([[20.0]])).expected[0, 0]
    assert abs(after - before) < 0.1
    assert baseline.measure(places, 9, np.array([[1e6]])).deviation[0, 0] > 15


def test_a_new_entity_is_taken_for_its_peers() -> None:
    baseline, _ = taught(200)
    fresh = baseline.places(["newcomer"], ["unit"])
    assert abs(float(baseline.measure(fresh, 9, np.array([[55.0]])).deviation[0, 0])) < 1.5
    assert float(baseline.measure(fresh, 9, np.array([[5_000.0]])).deviation[0, 0]) > 4
    assert baseline.windows_of(int(fresh[0])) == 0


def test_the_hour_is_a_factor_of_the_peers() -> None:
    generator = np.random.default_rng(3)
    baseline = Baseline(("count",), PARAMETERS)
    keys = [f"host{n}" for n in range(20)]
    for number in range(60):
        for slot, rate in ((3, 4.0), (9, 200.0)):
            places = baseline.places(keys, ["unit"] * 20)
            start = number * DAY + slot * 3_600
            baseline.observe(start, slot, places, generator.poisson(rate, (20, 1)).astype(float))
    one = baseline.places(["host0"], ["unit"])
    assert abs(float(baseline.measure(one, 9, np.array([[200.0]])).deviation[0, 0])) < 2
    assert float(baseline.measure(one, 3, np.array([[200.0]])).deviation[0, 0]) > 3


def test_a_new_group_is_taken_for_the_wider_one_and_a_change_of_group_keeps_what_is_known() -> None:
    baseline, _ = taught(400)
    fresh = baseline.places(["newcomer"], ["unit\0server"])
    assert abs(float(baseline.measure(fresh, 9, np.array([[55.0]])).deviation[0, 0])) < 1.5
    assert float(baseline.measure(fresh, 9, np.array([[5_000.0]])).deviation[0, 0]) > 4
    place = baseline.find("host0")
    assert place is not None
    before = baseline.measure(np.array([place]), 9, np.array([[20.0]])).expected[0, 0]
    moved = baseline.places(["host0"], ["unit\0server"])
    baseline.observe(400 * 600, 9, moved, np.array([[20.0]]))
    after = baseline.measure(moved, 9, np.array([[20.0]])).expected[0, 0]
    assert abs(after - before) < 0.15
    assert baseline.find("nobody") is None


@pytest.mark.parametrize("size", [1, 3])
def test_the_cut_into_batches_changes_nothing_to_the_bit(size: int) -> None:
    generator = np.random.default_rng(5)
    whole, cut = Baseline(("a", "b"), PARAMETERS), Baseline(("a", "b"), PARAMETERS)
    keys = [f"host{n}" for n in range(7)]
    for number in range(30):
        values = generator.poisson(9, (7, 2)).astype(float)
        peers = ["u", "u\0a"] * 3 + ["v" if number % 9 else "u\0a"]  # the last one changes its group
        ours = whole.observe(number * 60, number % 48, whole.places(keys, peers), values)
        theirs = []
        for at in range(0, 7, size):
            some = slice(at, at + size)
            places = cut.places(keys[some], peers[some])
            theirs.append(cut.observe(number * 60, number % 48, places, values[some]).deviation)
        assert (np.concatenate(theirs) == ours.deviation).all()
    assert whole.to_bytes() == cut.to_bytes()


@pytest.mark.slow
def test_a_ramp_of_five_percent_a_day_is_seen_after_thirty_days() -> None:
    generator = np.random.default_rng(6)
    baseline = Baseline(("count",), PARAMETERS)
    keys = [f"host{n}" for n in range(5)]
    seen: list[float] = []
    for day in range(40):
        rates = np.full((5, 1), 100.0)
        rates[0] *= 1.05 ** max(day - 10, 0)
        for window in range(144):
            places = baseline.places(keys, ["unit"] * 5)
            values = generator.poisson(rates).astype(float)
            measured = baseline.observe(day * DAY + window * 600, window // 6, places, values)
            seen.append(float(measured.deviation[0, 0]))
    assert np.mean(seen[9 * 144 : 10 * 144]) < 0.5
    assert np.mean(seen[-144:]) > 2.5


def test_snapshot_and_recall_and_what_is_refused() -> None:
    baseline, _ = taught(50)
    data = baseline.to_bytes()
    again = Baseline(("count",), PARAMETERS)
    assert again.from_bytes(data)
    assert again.to_bytes() == data
    assert not Baseline(("other",), PARAMETERS).from_bytes(data)
    assert not again.from_bytes(data[:-40])
    assert not again.from_bytes(b"")
    assert again.to_bytes() == data
    few = msgspec.structs.replace(PARAMETERS, entities_max=3)
    assert not Baseline(("count",), few).from_bytes(data)
    with np.load(io.BytesIO(data), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    names = msgspec.json.decode(arrays.pop("names").tobytes())
    for changed in ({**names, "format": 1}, {key: one for key, one in names.items() if key != "format"}):
        buffer = io.BytesIO()
        written = np.frombuffer(msgspec.json.encode(changed), dtype=np.uint8)
        np.savez(buffer, allow_pickle=False, names=written, **arrays)
        assert not again.from_bytes(buffer.getvalue())  # of an older edition


def test_entities_are_bounded_and_those_not_seen_for_longest_go() -> None:
    few = msgspec.structs.replace(PARAMETERS, entities_max=50, peers_max=3)
    baseline = Baseline(("count",), few)
    for number in range(200):
        places = baseline.places(["always", f"host{number}"], ["a", f"peer{number}"])
        baseline.observe(number * 60, 1, places, np.array([[5.0], [5.0]]))
    assert len(baseline) <= 50
    assert baseline.forgotten >= 150
    place = int(baseline.places(["always"], ["a"])[0])
    assert baseline.windows_of(place) == 199  # in the first one even its peers were new
