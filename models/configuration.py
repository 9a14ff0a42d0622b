"""The one TOML file that the night and the service both read, each its own sections."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from clv.errors import SettingError

VARIABLE: Final = "CLV_CONFIG"
_PASSWORD: Final = re.compile(r"(://[^/:@\s]*:)[^@\s]*@")
SECTIONS: Final = ("data", "value", "centre", "training", "decision", "serving", "store", "security")


class Sections(BaseSettings):
    """Sections of the file as fields; ``CLV_SECTION__NAME`` variables win over what stands in it."""

    model_config = SettingsConfigDict(
        env_prefix="CLV_", env_nested_delimiter="__", extra="ignore", frozen=True
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file."""
        return env_settings, init_settings


def read_sections(file: Path | None, wanted: Iterable[str]) -> dict[str, Any]:
    """Read sections of the configuration.

    Parameters
    ----------
    file
        The configuration; without one the file the variable ``CLV_CONFIG`` names, or ``clv.toml`` in the
        working folder if there is one.
    wanted
        Names of the sections the caller reads; those of others are left to them.

    Returns
    -------
    dict
        By section, what stands in it; a section that is not there is left out.

    Raises
    ------
    SettingError
        If the file is missing or no TOML, or a section of it is nobody's.
    """
    default = Path(os.environ.get(VARIABLE, "clv.toml"))
    chosen = file or (default if default.exists() else None)
    if chosen is None:
        return {}
    try:
        everything = tomllib.loads(chosen.read_text(encoding="utf-8"))
    except FileNotFoundError as missing:
        raise SettingError("The configuration file does not exist.", where=str(chosen)) from missing
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as broken:
        raise SettingError(f"The configuration file is not TOML: {broken}.", where=str(chosen)) from broken
    for name in everything:
        if name not in SECTIONS:
            hint = f"Sections are {', '.join(SECTIONS)}."
            raise SettingError(f"There is no section {name}.", where=str(chosen), hint=hint)
    return {name: everything[name] for name in wanted if name in everything}


def described(settings: Sections) -> list[tuple[str, str, str, str]]:
    """Return every setting: its name, its value now, its default and what it does; no password in it."""
    lines = []
    for section in type(settings).model_fields:
        part: BaseModel = getattr(settings, section)
        for name, field in type(part).model_fields.items():
            now, default = getattr(part, name), field.get_default(call_default_factory=True)
            lines.append((f"{section}.{name}", _plain(now), _plain(default), field.description or ""))
    return lines


def _plain(value: object) -> str:
    return _PASSWORD.sub(r"\1***@", str(value))


def explained(invalid: ValidationError, file: Path | None) -> SettingError:
    """Return what is wrong with a setting in our own words: which one, why, and where all are listed."""
    first = invalid.errors()[0]
    name = ".".join(str(part) for part in first["loc"])
    return SettingError(
        f"Setting {name} is not usable: {first['msg']}.",
        where=str(file or "clv.toml or environment"),
        hint="`clv settings` lists every setting with its range.",
    )
