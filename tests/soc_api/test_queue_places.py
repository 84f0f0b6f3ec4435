"""Which system an entity is part of."""

from compliance.registry import GradedSystem
from soc_api.queue_places import Places, QueuePlaces
from soc_api.queue_views import SHIPPED

CITY = GradedSystem(id="a", unit="city", name="门户", level=2, grade="S2A2G2")
TOWN = GradedSystem(id="b", unit="town", name="门户分站", level=3, grade="S3A3G3")
PLACES = Places(
    revision=1, units={}, systems={"host:web": [CITY, TOWN], "source:10.0.0.1": [TOWN], "host:db": [CITY]}
)


def test_the_own_unit_comes_first_and_doubt_names_none() -> None:
    assert PLACES.system_of("host:WEB", "town") is TOWN
    assert PLACES.system_of("host:web", "elsewhere") is None
    assert PLACES.system_of("source:10.0.0.1", "elsewhere") is TOWN
    assert PLACES.system_of("user:root@db", "city") is CITY
    assert PLACES.system_of("user:root", "city") is None


def test_a_system_is_found_by_id_and_by_name() -> None:
    assert set(PLACES.keys_of("b")) == {"host:web", "source:10.0.0.1"}
    assert set(PLACES.keys_of("门户")) == {"host:web", "source:10.0.0.1", "host:db"}
    assert not PLACES.keys_of("none")


def test_views_that_are_shipped_are_for_somebody() -> None:
    assert all(view.roles and view.name.zh and view.name.en for view in SHIPPED)
    assert QueuePlaces.__doc__
