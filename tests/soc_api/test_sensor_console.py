"""The register as the console sees it; its acts are tested through the routes."""

import shlex
from datetime import UTC, datetime
from pathlib import Path

from crypto.keys import SigningKey
from crypto.x509_issue import Subject, issue_root, new_serial
from sensors.token import Token, encode_token
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
