"""Models come in without a blink: the champion is tried, swapped in, or refused for the last good one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from clv.errors import BundleError, RegistryError, TamperedBundle
from serving.app import create_app
from serving.champions import Champion, Champions
from serving.published import Publication, Shelf
from serving.settings import Settings
from tests.fakes import LocalClient, open_shop, publish_shop


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


def test_a_service_without_a_registry_asks_none() -> None:
    assert Champions("", Path(), Path()).poll() is False
