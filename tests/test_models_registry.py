import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import models
from clv.bgnbd import BGNBD
from clv.errors import RegistryError, TamperedBundle
from clv.spend import GammaGamma
from clv.valuation import ValueModel
from models.card import Comparison, Purpose, write_card
from models.files import hash_folder, read_bundle, write_bundle
from models.registry import Registered, Registry
from models.tracking import mlflow, tracking_to
from models.verdict import Check, Verdict

NAME = "clv-value"
SERVED = Path(models.__file__).parent / "served_value.py"
ANN = {"frequency": 2, "recency_days": 213, "age_days": 272, "monetary_value": 30.0}
BETTER = Verdict.of([Check("ranking", True, 0.72, 0.70, "ranks at 0.72 against 0.70 of past spend")])
WORSE = Verdict.of([Check("level", False, 0.30, 0.10, "is 30 % too high where 10 % are allowed")])


def cdnow() -> ValueModel:
    """The fit to CDNOW of Fader, Hardie and Lee (2005) and of their note on the Gamma-Gamma model."""
    orders = BGNBD.of(r=0.243, alpha=30.9, a=0.793, b=2.426)
    return ValueModel(orders, GammaGamma.of(p=6.25, q=3.74, gamma=15.44), date(1997, 9, 30))


def bundle(folder: Path, gini: float = 0.72) -> Path:
    cdnow().save(folder)
    write_bundle(folder, kind="value", as_of=date(1997, 9, 30), fingerprint="5" * 64, metrics={"gini": gini})
    return folder


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("registry") / "mlflow.db"
    assert Registry(f"sqlite:///{store}", store.parent).champion(NAME) is None
    return store


@pytest.fixture
def uri(tmp_path: Path, migrated: Path) -> str:
    shutil.copy(migrated, tmp_path / "mlflow.db")
    return f"sqlite:///{tmp_path}/mlflow.db"


@pytest.fixture
def registry(tmp_path: Path, uri: str) -> Registry:
    return Registry(uri, tmp_path / "artefacts")


def log(registry: Registry, folder: Path) -> Registered:
    return registry.log(NAME, folder, code=SERVED, params={"horizon_days": 273})


def test_a_version_carries_its_figures_its_data_and_its_seal(registry: Registry, tmp_path: Path) -> None:
    made = log(registry, bundle(tmp_path / "b"))
    assert (made.name, made.version, made.metrics) == (NAME, "1", {"gini": 0.72})
    assert made.tags["data.fingerprint"] == "5" * 64
    assert made.tags["as_of"] == "1997-09-30"
    assert made.tags["bundle.sha256"] == hash_folder(tmp_path / "b")["bundle.json"]


def test_the_run_keeps_parameters_pictures_card_and_data_fingerprint(
    registry: Registry, uri: str, tmp_path: Path
) -> None:
    report = tmp_path / "report"
    (report / "plots").mkdir(parents=True)
    (report / "model_card.md").write_text("# Lifetime value")
    picture = Figure()
    picture.subplots().plot([0, 1])
    picture.savefig(report / "plots" / "gain.png")
    made = registry.log(
        NAME,
        bundle(tmp_path / "b"),
        code=SERVED,
        params={"horizon_days": 273, "long": "x" * 7_000},
        report=report,
        example=[ANN],
    )
    with tracking_to(uri):
        client = mlflow.MlflowClient(uri, uri)
        run = client.get_run(made.run_id)
        kept = [file.path for file in client.list_artifacts(made.run_id, "plots")]
        version = client.get_model_version(NAME, made.version)
        signature = mlflow.models.get_model_info(f"models:/{NAME}/1").signature
    assert run.data.params["horizon_days"] == "273"
    assert run.info.status == "FINISHED"
    assert kept == ["plots/gain.png"]
    assert version.description == "# Lifetime value"
    assert run.inputs.dataset_inputs[0].dataset.digest == "5" * 36
    assert "age_days: double (required)" in str(signature.inputs)
    assert "predicted_clv: double (required)" in str(signature.outputs)


def test_the_alias_moves_only_with_an_allowing_verdict_and_the_reason_stays(
    registry: Registry, tmp_path: Path
) -> None:
    folder = bundle(tmp_path / "b")
    first, second = log(registry, folder), log(registry, folder)
    assert registry.champion(NAME) is None
    assert registry.promote(NAME, first.version, BETTER)
    assert not registry.promote(NAME, second.version, WORSE)
    champion = registry.champion(NAME)
    assert champion is not None
    assert champion.version == "1"
    assert champion.tags["verdict.reason"] == "ranks at 0.72 against 0.70 of past spend"
    refused = registry.get(NAME, "2").tags
    assert (refused["verdict"], refused["verdict.reason"]) == (
        "not promoted",
        "is 30 % too high where 10 % are allowed",
    )
    assert json.loads(refused["verdict.checks"])[0]["bar"] == 0.10
    assert [one.version for one in registry.versions(NAME)] == ["2", "1"]


def test_equal_files_from_equal_data_are_recognised(registry: Registry, tmp_path: Path) -> None:
    folder = bundle(tmp_path / "b")
    assert registry.find(NAME, read_bundle(folder)) is None
    made = log(registry, folder)
    assert registry.find(NAME, read_bundle(folder)) == made


def test_a_downloaded_bundle_gives_the_same_answers(registry: Registry, tmp_path: Path) -> None:
    made = log(registry, bundle(tmp_path / "b"))
    folder = registry.download(NAME, made.version, tmp_path / "fetched")
    assert hash_folder(folder) == hash_folder(tmp_path / "b")
    assert ValueModel.load(folder).predict_one(2, 213, 272, 30.0) == cdnow().predict_one(2, 213, 272, 30.0)


@pytest.mark.parametrize("name", ["value.json", "bundle.json"])
def test_a_file_changed_in_the_artefacts_is_refused_and_nothing_is_left_behind(
    registry: Registry, tmp_path: Path, name: str
) -> None:
    made = log(registry, bundle(tmp_path / "b"))
    (kept,) = (tmp_path / "artefacts").rglob(name)
    kept.write_bytes(kept.read_bytes().replace(b"1997", b"1998"))
    with pytest.raises(TamperedBundle):
        registry.download(NAME, made.version, tmp_path / "fetched" / "new")
    assert list((tmp_path / "fetched").iterdir()) == []


def test_a_bundle_resealed_by_someone_else_is_refused(registry: Registry, tmp_path: Path) -> None:
    made = log(registry, bundle(tmp_path / "b"))
    (kept,) = (tmp_path / "artefacts").rglob("bundle")
    (kept / "value.json").write_text((kept / "value.json").read_text().replace("0.243", "9.243"))
    write_bundle(kept, kind="value", as_of=date(1997, 9, 30), fingerprint="5" * 64)
    read_bundle(kept)  # whole in itself, but not what was registered
    with pytest.raises(TamperedBundle, match="not the registered one"):
        registry.download(NAME, made.version, tmp_path / "fetched")


def test_missing_files_versions_and_taken_folders_are_errors_of_the_registry(
    registry: Registry, tmp_path: Path
) -> None:
    made = log(registry, bundle(tmp_path / "b"))
    with pytest.raises(RegistryError, match="there already"):
        registry.download(NAME, made.version, tmp_path / "b")
    with pytest.raises(RegistryError, match="not found"):
        registry.get(NAME, "9")
    with pytest.raises(RegistryError, match="not found"):
        registry.promote(NAME, "9", BETTER)
    shutil.rmtree(tmp_path / "artefacts")
    with pytest.raises(RegistryError, match="gone"):
        registry.download(NAME, made.version, tmp_path / "fetched")


def test_a_changed_bundle_is_not_logged(registry: Registry, tmp_path: Path) -> None:
    folder = bundle(tmp_path / "b")
    (folder / "value.json").write_text("{}")
    with pytest.raises(TamperedBundle):
        log(registry, folder)
    assert registry.versions(NAME) == []


def test_a_store_that_cannot_be_one_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("these are my notes, not a database")
    for name, words in (("notes.db", "not an SQLite database"), ("", "cannot be written")):
        began = time.monotonic()
        with pytest.raises(RegistryError, match=words):
            Registry(f"sqlite:///{tmp_path}/{name}", tmp_path).champion(NAME)
        assert time.monotonic() - began < 1


def test_mlflows_globals_are_left_as_they_were(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    mlflow.set_tracking_uri("sqlite:////elsewhere/mlflow.db")
    assert registry.champion(NAME) is None
    assert mlflow.get_tracking_uri() == "sqlite:////elsewhere/mlflow.db"
    mlflow.set_tracking_uri(None)
    assert registry.champion(NAME) is None
    assert "MLFLOW_TRACKING_URI" not in os.environ


def test_nothing_leaves_the_machine(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    made = log(registry, bundle(tmp_path / "b"))
    registry.promote(NAME, made.version, BETTER)
    registry.download(NAME, made.version, tmp_path / "fetched")
    assert mlflow.telemetry.get_telemetry_client() is None
    assert capfd.readouterr() == ("", "")  # and it does not talk either


def test_the_registered_model_loads_without_a_pickle_and_checks_what_it_is_asked(
    registry: Registry, uri: str, tmp_path: Path
) -> None:
    log(registry, bundle(tmp_path / "b"))
    kept = [path.name for path in (tmp_path / "artefacts").rglob("*") if path.is_file()]
    assert [name for name in kept if name.endswith((".pkl", ".joblib", ".skops"))] == []
    assert os.environ["MLFLOW_ALLOW_PICKLE_DESERIALIZATION"] == "false"
    with tracking_to(uri):
        loaded = mlflow.pyfunc.load_model(f"models:/{NAME}/1")
        (answer,) = loaded.predict([ANN])
        with pytest.raises(mlflow.MlflowException, match="greater than or equal to 0"):
            loaded.predict([{**ANN, "frequency": -1}])
        with pytest.raises(mlflow.MlflowException, match="Extra inputs"):
            loaded.predict([{**ANN, "shoe_size": 42}])
    expected = cdnow().predict_one(2, 213, 272, 30.0)
    assert answer.predicted_clv == expected.predicted_clv
    assert answer.expected_date_of_next_order == str(expected.expected_date_of_next_order)


@pytest.fixture
def served(registry: Registry, uri: str, tmp_path: Path) -> Iterator[str]:
    made = log(registry, bundle(tmp_path / "b"))
    registry.promote(NAME, made.version, BETTER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    here = str(Path(sys.executable).parent)  # MLflow looks for uvicorn on the path
    command = [
        f"{here}/mlflow",
        "models",
        "serve",
        "-m",
        f"models:/{NAME}@champion",
        "--env-manager",
        "local",
    ]
    with subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        env={**os.environ, "PATH": f"{here}:{os.environ['PATH']}", "MLFLOW_TRACKING_URI": uri},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        yield f"http://127.0.0.1:{port}"
        os.killpg(process.pid, signal.SIGTERM)


def ask(url: str, content: dict[str, object] | None = None) -> tuple[int, str]:
    body = None if content is None else json.dumps(content).encode()
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def wait_for(url: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            assert ask(url)[0] == 200
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < until, "the model server did not come up"
            time.sleep(0.1)
        else:
            return


def test_mlflow_serves_the_champion_over_http(served: str) -> None:
    wait_for(f"{served}/ping")
    status, body = ask(f"{served}/invocations", {"inputs": [ANN]})
    assert status == 200
    expected = cdnow().predict_one(2, 213, 272, 30.0)
    (answer,) = json.loads(body)["predictions"]
    assert answer["predicted_clv"] == pytest.approx(expected.predicted_clv, rel=1e-12)
    assert answer["probability_alive"] == pytest.approx(expected.probability_alive, rel=1e-12)
    status, body = ask(f"{served}/invocations", {"inputs": [{**ANN, "age_days": -1}]})
    assert status == 400
    assert "age_days" in body


def test_a_card_says_what_it_is_for_how_it_was_judged_and_where_it_is_weak(tmp_path: Path) -> None:
    card = write_card(
        read_bundle(bundle(tmp_path / "b")),
        Purpose("Lifetime value", "What will they spend?", "Credit decisions.", ("Knows no seasons.",)),
        [
            Comparison(
                "39 weeks from 1997-10-01", ("gini", "bias"), {"model": (0.72, 0.05), "mean": (0.0, 0.3)}
            )
        ],
        WORSE,
    )
    assert "| model | 0.720 | 0.050 |" in card
    assert "**Not promoted**, because: is 30 % too high where 10 % are allowed." in card
    assert "- Last day seen: 1997-09-30" in card
    assert "- Knows no seasons." in card


def test_two_threads_with_registries_of_their_own_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    uris = [f"sqlite:///{tmp_path / name}.db" for name in ("one", "two")]
    inside, seen = threading.Barrier(2, timeout=1), []

    def track(uri: str) -> None:
        with tracking_to(uri):
            with suppress(threading.BrokenBarrierError):
                inside.wait()  # the other comes in only when this one is through
            seen.append((uri, mlflow.get_tracking_uri()))

    threads = [threading.Thread(target=track, args=(uri,)) for uri in uris]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [(uri, uri) for uri in uris]
