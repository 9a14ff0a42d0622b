"""What an operator does at the command line: keys, audit trail, settings; examples of deployment."""

from __future__ import annotations

import configparser
import re
import sqlite3
import time
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

import serving
from clv.errors import SettingError
from models.configuration import SECTIONS, described
from pipelines.cli import app
from pipelines.settings import Settings as NightSettings
from serving.settings import Settings
from serving.store.database import Database
from serving.store.keys import all_keys

DEPLOY = Path(serving.__file__).parent / "deploy"


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CLV_DATA__DATA_DIR", str(tmp_path / "var"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def say(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, words)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_a_key_is_made_shown_once_rotated_and_revoked(at_home: Path) -> None:
    shown = say(
        "keys", "add", "helpdesk", "--role", "machine", "--scope", "events:write", "--days", "30"
    ).strip()
    key_id = shown.split("_")[1]
    assert re.fullmatch(r"clv_[0-9a-f]{12}_[\w-]{43}", shown)
    assert shown not in (listed := say("keys", "list"))
    assert key_id in listed
    second = say("keys", "rotate", key_id, "--overlap", "0").strip().split("_")[1]
    assert "is revoked" in say("keys", "revoke", second)
    store = sqlite3.connect(at_home / "var" / "service.sqlite")
    actions = [row[0] for row in store.execute("SELECT action FROM audit ORDER BY sequence")]
    store.close()
    assert actions == ["key.added", "key.rotated", "key.revoked"]


def test_an_old_key_opens_beside_the_new_one_for_as_long_as_was_said(at_home: Path) -> None:
    old = say("keys", "add", "desk", "--role", "agent").strip().split("_")[1]
    new = say("keys", "rotate", old, "--overlap", "2").strip().split("_")[1]
    keys = all_keys(Database(f"sqlite:///{at_home / 'var' / 'service.sqlite'}"))
    now, hour = time.time_ns() // 1000, 3_600_000_000
    assert [keys[old].valid(now + hours * hour) for hours in (0, 1, 3)] == [True, True, False]
    assert keys[new].valid(now + 3 * hour)


@pytest.mark.parametrize(
    "words",
    [
        ("keys", "add", "x", "--role", "king"),
        ("keys", "add", "x", "--role", "machine", "--scope", "everything"),
        ("keys", "rotate", "000000000000"),
        ("keys", "revoke", "000000000000"),
        ("serve", "--host", "0.0.0.0"),
    ],
)
def test_what_cannot_be_meant_is_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(SettingError):
        say(*words)


def test_a_forged_line_of_the_audit_trail_is_told(at_home: Path) -> None:
    say("keys", "add", "desk", "--role", "agent")
    assert "is whole: 1 lines" in say("audit", "verify")
    store = sqlite3.connect(at_home / "var" / "service.sqlite", isolation_level=None)
    store.execute("UPDATE audit SET actor = 'somebody'")
    store.close()
    say("audit", "verify", code=1)


def test_a_verb_without_the_secret_of_the_service_is_refused(at_home: Path) -> None:
    say("keys", "add", "desk", "--role", "agent")
    (at_home / "var" / "service.secret").unlink()
    for words in (("keys", "list"), ("feedback",), ("audit", "verify"), ("export", "ann")):
        with pytest.raises(SettingError, match="another secret"):
            say(*words)


def test_a_verb_leaves_the_store_closed_behind_it_whether_or_not_it_was_done(at_home: Path) -> None:
    say("keys", "add", "desk", "--role", "agent")
    for words in (("keys", "list"), ("feedback",), ("audit", "verify"), ("export", "ann"), ("erase", "ann")):
        say(*words)
        assert _beside_the_store(at_home) == [], words
    for words in (("keys", "rotate", "000000000000"), ("keys", "revoke", "000000000000")):
        with pytest.raises(SettingError):
            say(*words)
        assert _beside_the_store(at_home) == [], words


def _beside_the_store(home: Path) -> list[str]:
    """Return the files SQLite keeps while somebody has the store open."""
    return [file.name for file in (home / "var").glob("service.sqlite-*")]


def test_every_setting_is_printed_with_what_it_does() -> None:
    printed = say("settings")
    everything = {line[0]: line[3] for half in (Settings(), NightSettings()) for line in described(half)}
    assert {name.partition(".")[0] for name in everything} == set(SECTIONS)
    for name, about in everything.items():
        assert name in printed
        assert len(about) > 15, name


def test_the_password_of_the_store_is_not_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLV_STORE__URL", "postgresql://clv:hunter2@db/clv")
    monkeypatch.setenv("CLV_DATA__TABLES", '{"purchases": "mysql://clv:hunter2@db/shop"}')
    monkeypatch.setenv("CLV_SECURITY__SECRET", "hunter2 and sixteen more")
    assert "hunter2" not in say("settings")


def test_the_version_is_said() -> None:
    assert say("--version") == f"clv {version('clv-next-best-offer')}\n"


def test_a_key_that_ends_soon_ends_no_later_by_being_rotated(at_home: Path) -> None:
    old = say("keys", "add", "desk", "--role", "agent", "--days", "1").strip().split("_")[1]
    say("keys", "rotate", old, "--overlap", "2400")
    keys = all_keys(Database(f"sqlite:///{at_home / 'var' / 'service.sqlite'}"))
    now, hour = time.time_ns() // 1000, 3_600_000_000
    assert [keys[old].valid(now + hours * hour) for hours in (23, 25)] == [True, False]


def test_the_log_of_a_new_service_is_empty_tables(at_home: Path) -> None:
    assert say("feedback").count("0 rows") == 5
    assert (
        (at_home / "var" / "feedback" / "decisions.csv").read_text().startswith("decision_id,at,customer_id")
    )


def test_the_examples_of_deployment_name_settings_that_exist() -> None:
    named = {name for name, *_ in described(Settings())}
    for file in DEPLOY.iterdir():
        for section, name in re.findall(r"CLV_([A-Z]+)__([A-Z_]+)", file.read_text()):
            assert f"{section}.{name}".lower() in named, f"{file.name}: {section}.{name}"


def test_the_secrets_of_a_deployment_get_into_no_commit_no_image_and_no_wheel() -> None:
    root = DEPLOY.parents[1]
    secrets = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["secrets"]
    named = [f"serving/deploy/{secret['file'].removeprefix('./')}" for secret in secrets.values()]
    built = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    for kept_out in (
        (root / ".gitignore").read_text().split(),
        (root / ".dockerignore").read_text().split(),
        built["exclude"],
    ):
        assert set(named) <= set(kept_out)


def test_the_examples_of_deployment_can_be_read() -> None:
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    assert set(compose["services"]) == {"service", "postgres", "mlflow"}
    unit = configparser.RawConfigParser(strict=False)
    unit.read(DEPLOY / "clv.service")
    assert unit["Service"]["ExecStart"].endswith("serve --config /etc/clv/clv.toml")
    assert "USER clv" in (DEPLOY / "Dockerfile").read_text()
