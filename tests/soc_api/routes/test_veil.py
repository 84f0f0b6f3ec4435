"""Every route about alerts and events is veiled; those about the center's own staff are not."""

from soc_api.routes.veil import VEILED


def test_p28_alerts_events_and_cases_are_veiled_and_accounts_are_not() -> None:
    assert {"alerts.read", "events.search", "exceptions.ask", "incidents.read"} <= VEILED
    assert not {"accounts.read", "audit.read", "session.own"} & VEILED
