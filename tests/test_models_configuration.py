"""One file for the night and the day: each reads its own sections, and a section of nobody is named."""

from __future__ import annotations

from pathlib import Path

import pytest

import pipelines.settings
import serving.settings
from clv.errors import SettingError
from models.configuration import SECTIONS, read_sections


def test_every_section_somebody_reads_is_known_and_every_known_one_is_read() -> None:
    read = {*pipelines.settings.Settings.model_fields, *serving.settings.Settings.model_fields}
    assert read == set(SECTIONS)


def test_one_file_serves_both(tmp_path: Path) -> None:
    file = tmp_path / "clv.toml"
    file.write_text('[data]\ndata_dir = "shop"\n[value]\nhorizon_days = 90\n[security]\nsign_in = true\n')
    assert pipelines.settings.load_settings(file).value.horizon_days == 90
    assert serving.settings.load_settings(file).security.sign_in


def test_a_section_of_nobody_is_named(tmp_path: Path) -> None:
    file = tmp_path / "clv.toml"
    file.write_text("[severing]\nport = 1\n")
    with pytest.raises(SettingError, match="no section severing"):
        read_sections(file, ("serving",))
