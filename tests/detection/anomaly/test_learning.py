"""Learning: counts window times, not windows, bounds its rows, and says how far it is."""

import msgspec

from detection.anomaly.learning import Kept, Learning, model_words, standing, state_words
from detection.anomaly.open import window_parameters
from detection.anomaly.windows import Closed

PARAMETERS = msgspec.structs.replace(
    window_parameters(), learning_rows_per_time=3, learning_rows_max=20, learning_windows=5
)


def window(start: int) -> Closed:
    return Closed("source", "u", "s", "10.0.0.1", start, (1.0,), ())


def test_many_windows_of_one_minute_are_one_time() -> None:
    learning = Learning(needed=5)
    assert not any(learning.add(window(60), PARAMETERS) for _ in range(100))
    assert learning.times("source") == 1
    assert len(learning.rows["source"]) == 3
    assert [learning.add(window(60 * n), PARAMETERS) for n in range(2, 6)] == [False, False, False, True]


def test_rows_are_bounded() -> None:
    learning = Learning(needed=100)
    for number in range(200):
        learning.add(window(number), PARAMETERS)
    assert len(learning.rows["source"]) == 20


def test_words_name_what_is_still_learning() -> None:
    assert Learning(needed=60).words().zh == "学习中:主机 0/60 个时间窗;网络来源 0/60 个时间窗"
    assert "sources 0/60" in Learning(needed=60, ready=["host"]).words().en
    assert "hosts" not in Learning(needed=60, ready=["host"]).words().en
    ready = Learning(needed=60, ready=["host", "source"])
    assert ready.words().en == "anomaly detection is on"
    assert state_words(msgspec.json.encode(ready), 60) == ready.words()


def test_a_page_reads_how_it_stands_without_the_rest() -> None:
    learning = Learning(needed=5, ready=["host"], kept={"host": Kept(refitted=7, outside=0.4)})
    for number in (60, 60, 120):
        learning.add(window(number), PARAMETERS)
    found = standing(msgspec.json.encode(learning))
    assert (found.needed, found.times("source"), found.times("host")) == (5, 2, 0)
    assert (found.kept["host"].refitted, found.kept["host"].outside) == (7, 0.4)
    assert standing(b"{") == standing(None)


def test_a_kind_of_models_in_words() -> None:
    assert model_words("host").zh == "主机"
    assert model_words("source.servers").en == "network sources, servers"
    assert model_words("other").zh == "other"
