"""The matrix counts a technique once for each detection, its parts included."""

from crypto.words import Words
from detection.attack import BuiltIn, Technique
from soc_api.attack_view import covered, detections_of, matrix, unnamed

KNOWN = {
    one.id: one
    for one in (
        Technique(id="T1110", tactics=("credential-access",), name=Words("暴力破解", "Brute Force")),
        Technique(id="T1110.001", tactics=("credential-access",), name=Words("猜测口令", "Guessing")),
        Technique(id="T1046", tactics=("discovery", "impact"), name=Words("扫描", "Scan")),
    )
}


def test_the_matrix() -> None:
    said = [
        BuiltIn(rule=rule, kind="special", title=Words("题", "t"), level="high", attack=attack)
        for rule, attack in (("a", ("T1110.001", "T1110")), ("b", ("T1110.001",)), ("c", ("T0001",)))
    ]
    found = detections_of([], said, {"a": 3, "c": 1})
    columns = matrix(KNOWN, found)
    assert [column.id for column in columns] == ["credential-access", "discovery", "impact"]
    (guessing,) = columns[0].techniques
    assert (guessing.detections, guessing.enabled, guessing.hits) == (2, 2, 3)
    assert [(part.id, part.detections) for part in guessing.parts] == [("T1110.001", 2)]
    assert covered(columns) == (2, 1)
    assert unnamed(KNOWN, found) == ["T0001"]
