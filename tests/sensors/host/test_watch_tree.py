"""Which paths are watched."""

from pathlib import Path

from sensors.host.inotify import CREATE, IS_FOLDER, Change, Inotify
from sensors.host.watch_tree import WatchTree, below, ignored


def test_chosen_paths_and_what_lies_below(tmp_path: Path) -> None:
    (tmp_path / "d/e").mkdir(parents=True)
    (tmp_path / "d/e/f").write_text("")
    (tmp_path / "d/e/f~").write_text("")
    (tmp_path / "x").write_text("")
    (tmp_path / "loop").symlink_to(tmp_path)
    inotify = Inotify()
    try:
        tree = WatchTree([tmp_path / "d", tmp_path / "x", tmp_path / "absent", tmp_path / "loop"], inotify)
        tree.open()
        names = {str(path.relative_to(tmp_path)) for path in tree.paths()}
        assert names == {"d", "d/e", "d/e/f", "x", "loop"}
        watch = inotify.add(tmp_path)
        assert watch is not None
        assert tree.path_of(Change(watch, CREATE, b"neighbour")) is None
        assert tree.path_of(Change(watch, CREATE, b"absent")) == tmp_path / "absent"
        assert tree.path_of(Change(9999, CREATE | IS_FOLDER, b"x")) is None
    finally:
        inotify.close()


def test_depth_is_bounded(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 12)
    deep.mkdir(parents=True)
    assert len(list(below(tmp_path))) == 8


def test_names_of_editors_are_ignored() -> None:
    assert [name for name in ("a", "a~", ".a.swp", "4913", "#a#", ".#a", ".bashrc") if ignored(name)] == [
        "a~",
        ".a.swp",
        "4913",
        "#a#",
        ".#a",
    ]
