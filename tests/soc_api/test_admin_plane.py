"""Tests of soc_api.admin_plane: addresses of both families, the port, and whom it concerns."""

from typing import Any

import pytest

from crypto.words import BadInput, Refused
from soc_api.admin_plane import AdminPlane


@pytest.mark.parametrize(
    ("source", "port", "admitted"),
    [
        ("10.1.0.9", 8601, True),
        ("::ffff:10.1.0.9", 8601, True),
        ("2001:db8::1", 8601, True),
        ("10.1.1.9", 8601, False),
        ("10.1.0.9", 8600, False),
        ("10.1.0.9", None, False),
        ("unknown", 8601, False),
    ],
)
def test_both_address_and_port_must_fit(world: Any, source: str, port: int | None, admitted: bool) -> None:
    plane = AdminPlane(["10.1.0.0/24", "2001:db8::1"], 8601)
    world.account("audit_admin")
    world.account("analyst")
    plane.check(world.visit("analyst"), source, port)
    visit = world.visit("audit-admin")
    if admitted:
        plane.check(visit, source, port)
    else:
        with pytest.raises(Refused, match="admin-plane"):
            plane.check(visit, source, port)


def test_nothing_set_admits_all(world: Any) -> None:
    world.account("audit_admin")
    AdminPlane().check(world.visit("audit-admin"), "unknown", None)


def test_what_is_no_address_is_named() -> None:
    with pytest.raises(BadInput, match="admin-address"):
        AdminPlane(["10.1.0.0/99"])
