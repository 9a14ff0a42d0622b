"""A service loads what it needs; what it seldom needs it loads when it does."""

from __future__ import annotations

import inspect
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.deferred import Deferred, as_if_missing, defer, is_loaded
from models.snapshot import Snapshot
from recommend.candidates import Proposer
from recommend.context import Context
from tests.benchmarks.town import offers, publish_town

_DAY_OF_A_SERVICE = """
import json, sys
from models.deferred import SELDOM, is_loaded, lighten
lighten()
from starlette.testclient import TestClient
from serving.app import create_app
from serving.settings import Settings
order = {
    "type": "track", "messageId": "m1", "userId": "c0000003", "event": "Order Completed",
    "timestamp": "2026-02-01T10:00:00Z",
    "properties": {"order_id": "o1", "total": 10.0, "products": [{"item": "I007", "price": 10.0}]},
}
settings = Settings(data={"data_dir": sys.argv[1]}, serving={"log_level": "error"})
with TestClient(create_app(settings), base_url="http://127.0.0.1") as town:
    answers = [
        town.get("/v1/customers/c0000003"),
        town.post("/v1/customers/c0000003/next-best-offers", json={"text": "Do you have I005?"}),
        town.post("/v1/events", json=order),
        town.get("/v1/customers/c0000003"),
        town.post("/v1/customers/c0000003/next-best-offers", json={}),
        town.post("/v1/conversations/chat-1/messages", json={"customer_id": "c0000003", "text": "Hello"}),
        town.get("/v1/segments/rfm_champions/customers?format=csv"),
        town.get("/metrics"),
    ]
statuses = [answer.status_code for answer in answers]
live = [answers[place].json()["live"] for place in (0, 3)]
print(json.dumps([statuses, live, [name for name in SELDOM if is_loaded(name)]]))
"""
_PREDICTIONS = """
import json, sys
from pathlib import Path
from models.deferred import lighten
lighten()
from tests.test_models_deferred import propensities
print(json.dumps(propensities(Path(sys.argv[1]))))
"""


def propensities(var: Path) -> list[float]:
    """Return what the trees of a town say of one customer's candidates."""
    with Snapshot.current(var / "published") as snapshot:
        someone = snapshot.profile("c0000003")
    proposer, at = Proposer.load(var / "models" / "propensity"), datetime(2026, 2, 3, tzinfo=UTC)
    assert someone is not None
    return [
        one.propensity_raw for one in proposer.propose(someone, proposer.complete(offers()), Context(), at)
    ]


def run(code: str, *arguments: object) -> list[object]:
    """Run code in a fresh process, and return what it printed last."""
    command = [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    printed: list[object] = json.loads(ended.stdout.splitlines()[-1])
    return printed


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    var = tmp_path_factory.mktemp("town")
    publish_town(var, 40)
    return var


def test_a_service_answers_all_day_without_what_models_are_fitted_with(town: Path) -> None:
    statuses, live, loaded = run(_DAY_OF_A_SERVICE, town)
    assert statuses == [200, 200, 202, 200, 200, 200, 200, 200]
    assert live == [False, True]  # the second answer was worked out of news, by value model and trees
    assert loaded == []


def test_trees_say_the_same_whatever_is_loaded_beside_them(town: Path) -> None:
    here = propensities(town)
    assert run(_PREDICTIONS, town) == here
    assert len(here) > 10


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Yield the file of a library that can be imported under the name ``late``, and forget it afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "__init__.py").write_text("answer = 42\n")
    (tmp_path / "late" / "part.py").write_text("import late\nhalf = late.answer / 2\n")
    yield tmp_path / "late" / "__init__.py"
    for name in ("late", "late.part"):
        sys.modules.pop(name, None)


@pytest.mark.usefixtures("library")
def test_a_library_that_was_put_off_loads_when_something_is_asked_of_it() -> None:
    defer("late")
    import late  # type: ignore[import-not-found]

    assert isinstance(late, Deferred)
    assert inspect.getmodule(Path) is not None  # looks at the files of all that is loaded
    assert not is_loaded("late")
    assert late.answer == 42
    assert is_loaded("late")
    assert "answer" in vars(late)  # whoever holds what stood for it finds the rest there, too
    with pytest.raises(AttributeError, match="question"):
        _ = late.question


@pytest.mark.usefixtures("library")
def test_a_part_of_a_library_that_was_put_off_loads_the_library_first() -> None:
    defer("late")
    from late.part import half  # type: ignore[import-not-found]

    assert half == 21
    assert is_loaded("late")


@pytest.mark.usefixtures("library")
def test_a_part_can_be_put_off_alone() -> None:
    defer("late.part")
    import late

    assert is_loaded("late")
    assert not is_loaded("late.part")
    assert late.part.half == 21


def test_a_library_that_fails_to_load_fails_whenever_it_is_asked(library: Path) -> None:
    library.write_text("raise ImportError('no licence')\n")
    defer("late")
    for _ in range(2):
        with pytest.raises(ImportError, match="no licence"):
            _ = sys.modules["late"].answer
    assert not is_loaded("late")


def test_a_library_asked_by_two_at_once_is_loaded_once(library: Path) -> None:
    library.write_text("import time\ntime.sleep(0.2)\nanswer = object()\n")
    defer("late")
    put_off, answers = sys.modules["late"], []
    both = [threading.Thread(target=lambda: answers.append(put_off.answer)) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert answers[0] is answers[1] is sys.modules["late"].answer


def test_what_is_loaded_or_not_installed_is_not_put_off() -> None:
    before = sys.modules["json"]
    defer("json")
    assert sys.modules["json"] is before
    defer("no_such_library")
    assert "no_such_library" not in sys.modules


@pytest.mark.usefixtures("library")
def test_a_library_can_seem_missing_for_a_while() -> None:
    before = sys.modules["json"]
    with as_if_missing("json", "late"):
        with pytest.raises(ImportError):
            import json  # noqa: F401
        with pytest.raises(ImportError):
            import late
    assert sys.modules["json"] is before
    import late

    assert late.answer == 42
