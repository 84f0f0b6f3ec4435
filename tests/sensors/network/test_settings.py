"""Settings are refused where they would break the sensor."""

import msgspec
import pytest

from sensors.network.settings import NetworkSettings


def test_defaults_are_valid() -> None:
    assert msgspec.convert(msgspec.to_builtins(NetworkSettings()), NetworkSettings) == NetworkSettings()


@pytest.mark.parametrize(
    "table",
    [
        {"flow_entries_max": 0},
        {"ignore_ports": [70_000]},
        {"ring_bytes": 10},
        {"drop_report_seconds": 0},
        {"interface": ["lo"]},
    ],
)
def test_nonsense_is_refused(table: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(table, NetworkSettings)
