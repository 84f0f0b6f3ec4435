"""The register as the console sees it; its acts are tested through the routes."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pydantic
import pytest

from crypto.keys import SigningKey
from crypto.x509_issue import Subject, issue_root, new_serial
from sensors.token import Token, encode_token
from soc_api import sensor_bodies, sensor_port
from soc_api.cli import parser
from soc_api.sensor_console import _certificate, command

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_the_command_is_one_our_command_line_takes() -> None:
    token = encode_token(Token(addresses=["[::1]:8610"], authority=bytes(32), id="1", secret=bytes(32)))
    first, second = command(token, "network").split(" | ")
    assert shlex.split(first) == ["printf", "%s", token]
    options = parser().parse_args(shlex.split(second)[1:])
    assert (options.token_file, options.kind) == ("-", "network")
    assert options.data == Path("/var/lib/liuhe/sensor-network")


def test_a_certificate_is_read_from_the_chain_in_the_register() -> None:
    subject = Subject(common_name="江苏省数据局")
    roots = [
        issue_root(SigningKey.generate(), subject, serial=new_serial(), now=NOW, days=10) for _ in range(2)
    ]
    found = _certificate("".join(root.pem().decode() for root in roots))
    assert found is not None
    assert (found.fingerprint, found.ends) == (roots[0].fingerprint, roots[0].not_after)
    assert _certificate("") is None
    assert _certificate("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n") is None


@pytest.mark.parametrize(
    ("value", "body"),
    [
        (sensor_port.SensorRowValue, sensor_bodies.SensorRow),
        (sensor_port.UnitValue, sensor_bodies.SensorUnit),
        (sensor_port.OpenTokenValue, sensor_bodies.OpenToken),
        (sensor_port.SensorPageValue, sensor_bodies.SensorPage),
        (sensor_port.GapValue, sensor_bodies.GapRow),
        (sensor_port.SourceValue, sensor_bodies.SourceRow),
        (sensor_port.CertificateValue, sensor_bodies.SensorCertificate),
        (sensor_port.SensorDetailValue, sensor_bodies.SensorDetail),
        (sensor_port.TokenValue, sensor_bodies.SensorToken),
    ],
)
def test_every_value_has_the_attributes_of_its_body(
    value: type[msgspec.Struct], body: type[pydantic.BaseModel]
) -> None:
    assert set(value.__struct_fields__) == set(body.model_fields)
