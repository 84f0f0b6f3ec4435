"""Sensor and center under faults F1 to F12, seeded: a failing run is repeated by the seed it names."""

import os

import pytest
from world import World

ROUNDS = int(os.environ.get("LIUHE_FAULT_ROUNDS", "60"))
FIRST_SEED = int(os.environ.get("LIUHE_SEED", "1"))


def run(seed: int) -> World:
    world = World(seed)
    try:
        world.run()
    except BaseException as error:
        error.add_note(
            f"repeat with LIUHE_SEED={seed} LIUHE_FAULT_ROUNDS=1; faults so far: {dict(world.happened)}"
        )
        raise
    return world


@pytest.mark.slow
@pytest.mark.timeout(3_000)
def test_nothing_is_lost_doubled_or_changed_whatever_happens() -> None:
    happened: set[str] = set()
    stored = 0
    for seed in range(FIRST_SEED, FIRST_SEED + ROUNDS):
        world = run(seed)
        happened |= set(world.happened)
        stored += len(world.sensor.durable)
    if ROUNDS >= 60:
        assert stored > 10_000
        assert len(happened) == 18, happened


def test_a_run_is_repeated_by_its_seed() -> None:
    first, second = run(FIRST_SEED), run(FIRST_SEED)
    assert first.happened == second.happened
    assert first.sensor.durable == second.sensor.durable
    assert first.sensor.disk.operations == second.sensor.disk.operations
