"""Tests of soc_api.static_console and soc_api.headers through the application."""

from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def built(world: Any) -> Any:
    folder = world.folder / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>console</title>", encoding="utf-8")
    (folder / "assets" / "app-1a2b3c.js").write_text("export {}", encoding="utf-8")
    (folder / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    return world


def get(world: Any, path: str) -> Any:
    client = world.client()
    return world.run(client.http.get, path)


@pytest.mark.parametrize("path", ["/", "/alerts", "/checks/PLT-01", "/index.html"])
def test_pages_of_the_console_are_never_kept(built: Any, path: str) -> None:
    answer = get(built, path)
    assert answer.status_code == 200
    assert "console" in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
    assert "unsafe-eval" not in answer.headers["content-security-policy"]


def test_hashed_assets_are_kept_for_ever(built: Any) -> None:
    answer = get(built, "/assets/app-1a2b3c.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert get(built, "/favicon.svg").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", ["/assets/gone.js", "/gone.css", "/api/v1/nothing", "/api/"])
def test_what_is_not_there_is_a_problem(built: Any, path: str) -> None:
    answer = get(built, path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "path-not-found"


@pytest.mark.parametrize(
    "path", ["/../state.sqlite", "/..%2fstate.sqlite", "/%2e%2e/state.sqlite", "//etc/passwd"]
)
def test_no_path_leaves_the_folder(built: Any, path: str) -> None:
    (built.folder / "static" / "link").symlink_to(built.folder / "state.sqlite")
    for asked in (path, "/link"):
        assert b"SQLite format" not in get(built, asked).content


def test_an_unbuilt_console_says_so_in_both_languages(world: Any) -> None:
    answer = get(world, "/")
    assert answer.status_code == 503
    assert "控制台尚未构建" in answer.text
    assert "not built" in answer.text


def test_a_build_made_later_is_found(world: Any, tmp_path: Path) -> None:
    assert get(world, "/").status_code == 503
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "index.html").write_text("now", encoding="utf-8")
    assert get(world, "/").text == "now"
