"""What an operator may set, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from clv.errors import SettingError
from serving.commands import check_address
from serving.settings import Settings, load_settings


def test_the_service_reads_its_own_sections_of_the_one_file(tmp_path: Path) -> None:
    file = tmp_path / "clv.toml"
    file.write_text(
        '[data]\ndata_dir = "shop"\nsource = "cdnow"\n[serving]\nport = 9000\n[training]\nthreads = 1\n'
    )
    settings = load_settings(file)
    assert settings.published == Path("shop/published")
    assert settings.serving.port == 9000


def test_the_environment_wins_over_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "clv.toml"
    file.write_text("[serving]\nport = 9000\n")
    monkeypatch.setenv("CLV_SERVING__PORT", "9001")
    assert load_settings(file).serving.port == 9001


@pytest.mark.parametrize("text", ["[serving]\nport = 99999\n", "[serving]\nprot = 1\n", "[serving\n"])
def test_a_setting_that_cannot_be_meant_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "clv.toml"
    file.write_text(text)
    with pytest.raises(SettingError):
        load_settings(file)


def test_a_configuration_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match="does not exist"):
        load_settings(tmp_path / "none.toml")


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "example.com"])
def test_without_sign_in_only_this_machine_is_served(host: str) -> None:
    with pytest.raises(SettingError, match="this machine only"):
        check_address(host, Settings())


def test_with_sign_in_any_address_may_be_served() -> None:
    check_address("0.0.0.0", Settings(security={"sign_in": True}))
    check_address("127.0.0.1", Settings())
