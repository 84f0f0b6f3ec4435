"""A map is shown only together with its approval number."""

from pathlib import Path

from soc_api.site_map import SiteMap

MAP = b'{"type": "FeatureCollection", "features": []}'


def test_a_map_needs_its_approval_number(tmp_path: Path) -> None:
    site = SiteMap(tmp_path)
    assert (site.approval(), site.geojson()) == ("", None)
    (tmp_path / "map.geojson").write_bytes(MAP)
    assert (site.approval(), site.geojson()) == ("", None)
    (tmp_path / "map.toml").write_text('approval = "苏S(2026)001号"', "utf-8")
    assert (site.approval(), site.geojson()) == ("苏S(2026)001号", MAP)
    for wrong in ('approval = ""', "approval = 12345", "approval = [", 'approval = "a\\u0000bcd"'):
        (tmp_path / "map.toml").write_text(wrong, "utf-8")
        assert site.geojson() is None


def test_what_is_no_collection_of_features_is_not_given_out(tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text('approval = "苏S(2026)001号"', "utf-8")
    for wrong in (b"[]", b"{", b'{"type": "FeatureCollection"}', b"[" * 100_000):
        (tmp_path / "map.geojson").write_bytes(wrong)
        assert SiteMap(tmp_path).geojson() is None
