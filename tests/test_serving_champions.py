"""Models come in without a blink: the champion is tried, swapped in, or refused for the last good one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

import models
from clv.errors import BundleError, ClvError, RegistryError, TamperedBundle
from models.files import write_bundle
from models.registry import Registry
from models.snapshot import SnapshotWriter
from models.verdict import Verdict
from serving.app import create_app
from serving.champions import Champion, Champions
from serving.engines import open_publication
from serving.published import Publication, Shelf
from serving.settings import Settings
from tests.benchmarks.load import free_port, python, started
from tests.fakes import AS_OF, SEGMENTS, VALUATION, LocalClient, open_shop, publish_shop
from tests.figures import tell
from tests.turnstile import turnstile


class Announced(Champions):
    """A registry that says what the test wants it to say."""

    def __init__(self) -> None:
        super().__init__("sqlite:///registry", Path(), Path())
        self.says: Champion | Exception | None = None

    def _champion(self) -> Champion | None:
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def open_with(root: Path, champion: Champion | None = None) -> Publication:
    publication = open_shop(root)
    if champion is None:
        return publication
    if champion.version == "bad":
        raise BundleError("It does not load.")
    return replace(publication, propensity_model=f"clv-propensity/{champion.version}")


@pytest.fixture
def champions() -> Announced:
    return Announced()


@pytest.fixture
def shelf(tmp_path: Path, champions: Announced) -> Shelf:
    publish_shop(tmp_path / "published")
    shelf = Shelf(tmp_path / "published", open_with, champions)
    shelf.refresh()
    return shelf


def announce(champions: Announced, shelf: Shelf, says: Champion | Exception | None) -> str:
    champions.says = says
    if champions.poll():
        shelf.refresh()
    return shelf.require().propensity_model


def test_the_published_model_serves_until_there_is_a_champion(champions: Announced, shelf: Shelf) -> None:
    assert announce(champions, shelf, None) == "clv-propensity/2"
    assert announce(champions, shelf, Champion("7", Path("7"))) == "clv-propensity/7"
    assert shelf.swaps == 2


def test_the_same_champion_is_not_loaded_twice(champions: Announced, shelf: Shelf) -> None:
    announce(champions, shelf, Champion("7", Path("7")))
    announce(champions, shelf, Champion("7", Path("7")))
    assert shelf.swaps == 2


@pytest.mark.parametrize(
    "trouble",
    [RegistryError("It is down."), TamperedBundle("A byte was changed."), PermissionError(13, "no")],
)
def test_a_registry_in_trouble_leaves_the_last_good_model(
    champions: Announced, shelf: Shelf, trouble: Exception
) -> None:
    announce(champions, shelf, Champion("7", Path("7")))
    assert announce(champions, shelf, trouble) == "clv-propensity/7"
    assert champions.trouble != ""
    announce(champions, shelf, Champion("7", Path("7")))
    assert champions.trouble == ""


def test_a_champion_that_does_not_load_is_given_back_and_not_tried_again(
    champions: Announced, shelf: Shelf
) -> None:
    announce(champions, shelf, Champion("7", Path("7")))
    assert announce(champions, shelf, Champion("bad", Path("bad"))) == "clv-propensity/7"
    assert "clv-propensity/bad cannot be used" in champions.trouble
    assert champions.poll() is False
    assert announce(champions, shelf, Champion("8", Path("8"))) == "clv-propensity/8"
    assert champions.trouble == ""


def test_a_champion_stays_when_a_new_generation_is_published(
    champions: Announced, shelf: Shelf, tmp_path: Path
) -> None:
    announce(champions, shelf, Champion("7", Path("7")))
    publish_shop(tmp_path / "published")
    assert shelf.refresh() is True
    assert (shelf.require().propensity_model, shelf.sequence) == ("clv-propensity/7", 2)


def test_a_registry_that_is_not_there_makes_the_service_degraded_and_no_more(tmp_path: Path) -> None:
    publish_shop(tmp_path / "published")
    nowhere = "sqlite:////dev/null/mlflow.db"
    settings = Settings(
        data={"data_dir": tmp_path},
        serving={"registry": nowhere, "registry_seconds": 0.2, "log_level": "error"},
    )
    app = create_app(settings, open_with)
    with LocalClient(app) as client:
        app.state.service.champions.poll()
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
        assert client.get("/v1/customers/ann").json()["known"] is True


NAME = "clv-propensity"


@pytest.fixture
def registry_port(tmp_path: Path) -> Iterator[int]:
    """Run a real MLflow server on a store of its own."""
    port, home = free_port(), tmp_path / "mlflow"
    Registry(f"sqlite:///{home}.db", home).champion(NAME)  # makes the tables
    options = ["--backend-store-uri", f"sqlite:///{home}.db", "--default-artifact-root", home.as_uri()]
    command = python("-m", "mlflow", "server", "--port", str(port), "--workers", "1", *options)
    with started(command, port, tmp_path / "mlflow.log"):
        yield port


def bundle(folder: Path, seed: str) -> Path:
    VALUATION.save(folder)
    write_bundle(folder, kind="value", as_of=AS_OF, fingerprint=seed * 64)
    return folder


def until(found: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.faults
@pytest.mark.xdist_group("faults")
def test_a_registry_that_is_away_slow_silent_or_altered_leaves_the_last_good_model(
    tmp_path: Path, registry_port: int, monkeypatch: pytest.MonkeyPatch, record_property
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    home = tmp_path / "mlflow"
    direct = Registry(f"sqlite:///{home}.db", home)
    code, better = Path(models.__file__).parent / "served_value.py", Verdict.allow("It is better.")
    direct.log(NAME, bundle(tmp_path / "one", "1"), code=code)
    direct.promote(NAME, "1", better)
    publish_shop(tmp_path / "published")
    with turnstile(registry_port) as between:
        chosen = {
            "registry": f"http://127.0.0.1:{between.port}",
            "registry_seconds": 0.1,
            "log_level": "error",
        }
        app = create_app(Settings(data={"data_dir": tmp_path}, serving=chosen), open_with)
        with LocalClient(app) as client:

            def model() -> str:
                assert len(client.post("/v1/customers/ann/next-best-offers").json()["hints"]) == 3
                return client.get("/readyz").json()["models"][NAME]

            def reasons() -> str:
                return " ".join(client.get("/readyz").json()["reasons"])

            def silent() -> float:
                line = next(
                    one for one in client.get("/metrics").text.splitlines() if "silent_seconds{" in one
                )
                return float(line.rsplit(" ", 1)[1])

            until(lambda: model() == "1")
            assert reasons() == ""
            for trouble in (between.shut, between.hold):
                trouble()
                until(lambda: "registry does not answer" in reasons())
                before, started_at = silent(), time.monotonic()
                assert model() == "1"
                assert time.monotonic() - started_at < 5
                time.sleep(0.2)
                assert silent() > before
                between.reopen()
                until(lambda: reasons() == "")
            between.delay_seconds = 0.3  # slow, and still an answer
            time.sleep(1)
            assert (model(), reasons()) == ("1", "")
            between.delay_seconds = 0.0

            direct.log(NAME, bundle(tmp_path / "two", "2"), code=code)
            newest = max(home.rglob("bundle.json"), key=lambda path: path.stat().st_mtime_ns)
            whole = newest.read_bytes()
            newest.write_bytes(whole.replace(b"2222", b"3333", 1))
            direct.promote(NAME, "2", better)
            until(lambda: "not what was registered" in reasons())
            assert model() == "1"
            assert str(tmp_path) not in client.get("/readyz").text
            newest.write_bytes(whole)
            until(lambda: model() == "2")
            assert reasons() == ""
    tell(record_property, away="1 goes on", silent="1 goes on", altered="1 goes on", cured="2 in use")


def test_a_service_without_a_registry_asks_none() -> None:
    assert Champions("", Path(), Path()).poll() is False


@pytest.mark.parametrize(
    ("name", "content"),
    [("offers", {"offers": [{"id": 1}]}), ("segment_model", {"rules": 7}), ("exploration", {"kind": "dice"})],
)
def test_a_document_of_another_shape_is_refused_with_its_generation(
    tmp_path: Path, name: str, content: object
) -> None:
    with SnapshotWriter(tmp_path, AS_OF) as writer:
        writer.segments(SEGMENTS)
        writer.document(name, content)
        writer.commit()
    with pytest.raises(ClvError):
        open_publication(tmp_path)
    shelf = Shelf(tmp_path, open_publication, Champions("", Path(), Path()))
    assert shelf.refresh() is False
    assert shelf.trouble
    assert str(tmp_path) not in shelf.trouble


def test_a_generation_that_trips_over_the_first_question_is_refused(tmp_path: Path) -> None:
    class Clumsy:
        def decide(self, *_: object) -> None:
            raise KeyError("by_channel")

    publish_shop(tmp_path)
    shelf = Shelf(
        tmp_path, lambda root: replace(open_shop(root), decider=Clumsy()), Champions("", Path(), Path())
    )
    assert shelf.refresh() is False
    assert shelf.trouble == "The self-test tripped: KeyError."
