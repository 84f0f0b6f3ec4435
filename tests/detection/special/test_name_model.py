"""The model of names: made against chosen, the same score in any batch, a changed file is refused."""

import json
import shutil
from pathlib import Path

import pytest

import rules
from crypto.words import BadInput
from detection.special.name_model import open_names

SHIPPED = Path(str(rules.__file__)).parent / "anomaly"
MADE = ["xjwqkzvhtr.com", "q8f3k2zx9v7t.net", "a9f3e1c07b5d2846.org", "wgdkqpxzbnrt.biz"]
CHOSEN = [
    "baidu.com",
    "jiangsu.gov.cn",
    "nanjingzhengwu.gov.cn",
    "wikipedia.org",
    "njgaj.gov.cn",
    "12345.gov.cn",
]


def test_made_names_stand_above_chosen_ones() -> None:
    model = open_names()
    assert min(model.scores(MADE)) > 1.0
    assert max(model.scores(CHOSEN)) < 0.0


def test_a_score_depends_on_the_name_alone() -> None:
    model = open_names()
    names = [*MADE, *CHOSEN, "", "a", "x" * 300 + ".com", "名字.cn", "a.b.c.d"]
    whole = model.scores(names * 500)
    alone = [model.scores([name])[0] for name in names]
    assert whole == alone * 500
    assert model.scores([]) == []


def test_changed_or_missing_weights_are_refused(tmp_path: Path) -> None:
    for name in ("names.json", "names.i16"):
        shutil.copy(SHIPPED / name, tmp_path / name)
    assert open_names(tmp_path / "names.json").scores(["a.cn"]) == open_names().scores(["a.cn"])
    body = bytearray((tmp_path / "names.i16").read_bytes())
    body[100] ^= 1
    (tmp_path / "names.i16").write_bytes(body)
    with pytest.raises(BadInput, match="parameters-malformed"):
        open_names(tmp_path / "names.json")
    with pytest.raises(BadInput, match="parameters-malformed"):
        open_names(tmp_path / "none.json")
    (tmp_path / "names.json").write_text(json.dumps({"file": "names.i16"}))
    with pytest.raises(BadInput, match="parameters-malformed"):
        open_names(tmp_path / "names.json")
