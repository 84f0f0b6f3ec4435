"""The center's certificates renew themselves before anybody needs to."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from crypto.link_authority import LinkAuthority
from soc_api.center_identity import keep_identities

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_at_two_thirds_there_is_a_new_key_and_certificate_under_the_same_root(tmp_path: Path) -> None:
    authority = LinkAuthority(tmp_path)
    authority.create("city", START)
    first = authority.identity()
    assert keep_identities(authority, "city", START + timedelta(days=700)).certificate == first.certificate
    now = START + timedelta(days=735)
    second = keep_identities(authority, "city", now)
    assert second.key.public.key_id != first.key.public.key_id
    assert authority.identity().certificate == second.certificate
    authority.refresh_lists(now)
    for one in (first, second):
        kept = authority.store().verify(
            one.certificate, at=now, usage="sign", kinds={"center-link"}, extra=one.chain[1:]
        )
        assert kept.identity.id == "city"
    assert keep_identities(authority, "city", now).certificate == second.certificate
