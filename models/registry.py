"""Which version of which model is the champion, and what is known about every one that was ever trained.

One registered model per kind (``clv-value``, ``clv-propensity``, ``clv-topics``); the alias ``champion``
moves only with a reasoned verdict, which is kept as tags. What is handed over is a bundle, checked against
the hash that the registry holds apart from the files.
"""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import version as distribution_version
from pathlib import Path
from typing import TYPE_CHECKING, Final

import orjson

from clv.errors import RegistryError, TamperedBundle
from models.bundle import Bundle
from models.card import CARD
from models.files import MANIFEST, hash_file, read_bundle
from models.tracking import mlflow, tracking_to
from models.verdict import Verdict

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.models.model import ModelInfo

CHAMPION: Final = "champion"
_SEAL: Final = "bundle.sha256"
_DISTRIBUTION: Final = "clv-next-best-offer"
_LONGEST_PARAMETER: Final = 6_000


@dataclass(frozen=True, slots=True)
class Registered:
    """One version of a registered model.

    Parameters
    ----------
    name, version
        Its address: ``models:/<name>/<version>``.
    run_id
        The run that logged it.
    tags
        What was noted: data fingerprint, as-of day, hash of the bundle, the verdict.
    metrics
        Its holdout figures.
    """

    name: str
    version: str
    run_id: str
    tags: dict[str, str] = field(default_factory=dict)
    metrics: dict[str, float] = field(default_factory=dict)


class Registry:
    """A model registry in one SQLite file, with its artefacts in one folder.

    Parameters
    ----------
    uri
        The store, such as ``sqlite:////data/mlflow.db``; its tables are made when first used.
    artefacts
        Folder of runs' and models' files.
    """

    def __init__(self, uri: str, artefacts: Path) -> None:
        self.uri = uri
        self._artefacts = artefacts

    def log(
        self,
        name: str,
        folder: Path,
        *,
        code: Path,
        params: Mapping[str, object] | None = None,
        report: Path | None = None,
        example: Sequence[Mapping[str, object]] | None = None,
    ) -> Registered:
        """Log a bundle as a run and register it as the next version; the champion stays what it is.

        Parameters
        ----------
        name
            Registered model, such as ``clv-value``.
        folder
            A sealed bundle.
        code
            A file with a typed ``PythonModel`` that reads the bundle from its artefact ``bundle``.
        params
            What it was trained with, by name.
        report
            Folder of what people look at: pictures in ``plots/``, the card in ``model_card.md``.
        example
            Input to show in the interface, and to try the model on while logging.

        Returns
        -------
        Registered
            The new version.

        Raises
        ------
        BundleError
            If the folder is not a whole bundle.
        RegistryError
            If the store refuses.
        """
        bundle = read_bundle(folder)
        with self._client() as client:
            experiment = self._experiment(client, name)
            with mlflow.start_run(experiment_id=experiment, run_name=f"{name} {bundle.as_of}") as run:
                run_id = str(run.info.run_id)
                self._describe(client, run_id, bundle, params or {}, report)
                with tempfile.TemporaryDirectory() as aside:
                    shutil.copytree(folder, Path(aside) / "bundle")  # the folder's name is the artefact's
                    info = mlflow.pyfunc.log_model(
                        name=name,
                        python_model=str(code),
                        artifacts={"bundle": str(Path(aside) / "bundle")},
                        pip_requirements=[f"{_DISTRIBUTION}=={distribution_version(_DISTRIBUTION)}"],
                        input_example=None if example is None else [dict(row) for row in example],
                    )
            version = self._register(client, name, info, run_id, self._seal(folder, bundle), _card(report))
        return self.get(name, version)

    def promote(self, name: str, version: str, verdict: Verdict) -> bool:
        """Record a verdict on a version, and move the alias ``champion`` to it if the verdict allows.

        Returns
        -------
        bool
            Whether it is the champion now.
        """
        tags = {
            "verdict": "promoted" if verdict.promoted else "not promoted",
            "verdict.reason": verdict.reason,
            "verdict.checks": orjson.dumps([asdict(check) for check in verdict.checks]).decode(),
        }
        with self._client() as client:
            for key, value in tags.items():
                client.set_model_version_tag(name, version, key, value)
            if verdict.promoted:
                client.set_registered_model_alias(name, CHAMPION, version)
        return verdict.promoted

    def champion(self, name: str) -> Registered | None:
        """Return the version the alias points to; None if there is no such model or no champion yet."""
        with self._client() as client:
            found = client.search_registered_models(filter_string=f"name = '{name}'")
            version = found[0].aliases.get(CHAMPION) if found else None
        return None if version is None else self.get(name, str(version))

    def get(self, name: str, version: str) -> Registered:
        """Return one version with its tags and figures."""
        with self._client() as client:
            return self._registered(client, client.get_model_version(name, version))

    def versions(self, name: str) -> list[Registered]:
        """Return every version of a model, the newest first."""
        with self._client() as client:
            found = [self._registered(client, v) for v in client.search_model_versions(f"name = '{name}'")]
        return sorted(found, key=lambda one: -int(one.version))

    def find(self, name: str, bundle: Bundle) -> Registered | None:
        """Return the newest version that was registered from equal files and equal data, if there is one."""
        wanted = {"bundle.version": bundle.version, "data.fingerprint": bundle.fingerprint}
        return next((one for one in self.versions(name) if wanted.items() <= one.tags.items()), None)

    def download(self, name: str, version: str, to: Path) -> Path:
        """Fetch a version's bundle and check it against the hash the registry holds.

        Parameters
        ----------
        name, version
            Which one.
        to
            New folder for it; appears only once everything in it was checked.

        Returns
        -------
        Path
            ``to``.

        Raises
        ------
        TamperedBundle
            If a file or the manifest is not what was registered.
        RegistryError
            If there is no such version, or ``to`` is there already.
        """
        if to.exists():
            raise RegistryError("The folder is there already.", where=str(to), hint="Give a new one.")
        to.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=to.parent, prefix=".fetching-") as aside:
            folder = Path(aside) / "artifacts" / "bundle"
            with self._client() as client:
                sealed = client.get_model_version(name, version).tags.get(_SEAL, "")
                source = f"models:/{name}/{version}"
                mlflow.artifacts.download_artifacts(source, dst_path=aside, registry_uri=self.uri)
            manifest = folder / MANIFEST
            if not manifest.exists():
                hint = "Train and register again."
                raise RegistryError("The model's files are gone.", where=source, hint=hint)
            if hash_file(manifest) != sealed:
                hint = "Keep the last good one; train and register again."
                raise TamperedBundle("The manifest is not the registered one.", where=source, hint=hint)
            read_bundle(folder)
            folder.rename(to)
        return to

    @contextmanager
    def _client(self) -> Iterator[MlflowClient]:
        with tracking_to(self.uri):
            yield mlflow.MlflowClient(self.uri, self.uri)

    def _experiment(self, client: MlflowClient, name: str) -> str:
        found = client.get_experiment_by_name(name)
        if found is not None:
            return str(found.experiment_id)
        place = (self._artefacts / name).resolve()
        place.mkdir(parents=True, exist_ok=True)
        return str(client.create_experiment(name, artifact_location=place.as_uri()))

    def _describe(
        self,
        client: MlflowClient,
        run_id: str,
        bundle: Bundle,
        params: Mapping[str, object],
        report: Path | None,
    ) -> None:
        for key, value in {"as_of": bundle.as_of, "kind": bundle.kind, **bundle.facts, **params}.items():
            client.log_param(run_id, key, str(value)[:_LONGEST_PARAMETER])
        for key, figure in bundle.metrics.items():
            if math.isfinite(figure):
                client.log_metric(run_id, key, figure)
        if report is not None:
            client.log_artifacts(run_id, str(report))
        client.set_tag(run_id, "data.fingerprint", bundle.fingerprint)
        source = mlflow.data.code_dataset_source.CodeDatasetSource({"made by": "clv train"})
        digest = bundle.fingerprint[:36]  # as long as MLflow lets one be
        data = mlflow.data.meta_dataset.MetaDataset(  # type: ignore[abstract]  # MLflow makes its own like this
            source, name=f"ledger as of {bundle.as_of}", digest=digest
        )
        mlflow.log_input(data, context="training")

    @staticmethod
    def _seal(folder: Path, bundle: Bundle) -> dict[str, str]:
        return {
            _SEAL: hash_file(folder / MANIFEST),
            "bundle.version": bundle.version,
            "data.fingerprint": bundle.fingerprint,
            "as_of": bundle.as_of.isoformat(),
            "kind": bundle.kind,
        }

    @staticmethod
    def _register(
        client: MlflowClient, name: str, info: ModelInfo, run_id: str, tags: Mapping[str, str], card: str
    ) -> str:
        if not client.search_registered_models(filter_string=f"name = '{name}'"):
            client.create_registered_model(name)
        made = client.create_model_version(
            name,
            source=info.model_uri,
            run_id=run_id,
            tags=dict(tags),
            description=card or None,
            await_creation_for=0,
            model_id=info.model_id,
        )
        return str(made.version)

    @staticmethod
    def _registered(client: MlflowClient, found: ModelVersion) -> Registered:
        run_id = str(found.run_id)
        metrics = client.get_run(run_id).data.metrics
        return Registered(found.name, str(found.version), run_id, dict(found.tags), dict(metrics))


def _card(report: Path | None) -> str:
    path = None if report is None else report / CARD
    return "" if path is None or not path.exists() else path.read_text("utf-8")
