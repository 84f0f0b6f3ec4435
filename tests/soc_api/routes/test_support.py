"""P-30: a center that names no port has no remote support channel."""

from typing import Any

TICKET = {"ticket": "WX-118", "reason": "厂商排查采集中断", "hours": 2}


def test_p30_without_a_configured_port_there_is_nothing_to_open(world: Any) -> None:
    admin = world.signed_in("system_admin")
    answer = admin("POST", "/support", json=TICKET)
    assert (answer.status_code, answer.json()["code"]) == (409, "support-absent")
    assert admin("GET", "/support").json()["port"] == 0
