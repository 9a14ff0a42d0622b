"""What an operator may set: sections of the one TOML file, overridden by ``CLV_SECTION__NAME`` variables.

The pipelines read their own sections of the same file; a section that is not listed here is left to them.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from models.configuration import Sections, explained, read_sections

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class DataSettings(BaseModel):
    """The part of ``[data]`` the service needs: where the pipelines put what they made."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    data_dir: Path = Field(Path("var"), description="Folder of the publications and of the service's store.")


class ServingSettings(BaseModel):
    """Where the service listens and how it answers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field("127.0.0.1", description="Address to listen on; only loopback without sign-in.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 lets the system choose.")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer.")
    clock: Literal["published", "system"] = Field(
        "published",
        description="published: today is the day after the published data; system: today is today.",
    )
    poll_seconds: float = Field(
        2.0, gt=0, le=3600, description="How often a new publication is looked for, in seconds."
    )
    registry: str = Field(
        "",
        description="Store of the model registry, such as sqlite:///var/mlflow.db; then its champion serves.",
    )
    registry_seconds: float = Field(
        10.0, gt=0, le=3600, description="How often the registry is asked who is champion, in seconds."
    )
    refused_limit: int = Field(20, ge=0, le=500, description="How many refused offers an answer explains.")
    page_limit: int = Field(1000, ge=1, le=10_000, description="Largest page of a list.")
    stale_days: int = Field(
        3,
        ge=1,
        le=365,
        description="Age of the published numbers that counts as trouble, by the system clock.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="info writes a line for each request."
    )
    drain_seconds: int = Field(
        10, ge=0, le=600, description="How long running requests may take to finish at shutdown."
    )


class StoreSettings(BaseModel):
    """Where events, decisions and outcomes are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(
        "",
        description="sqlite:///file or postgresql://user@host/name; in the data folder unless set.",
    )
    wait_seconds: float = Field(
        2.0, gt=0, le=60, description="How long a write waits for a lock before it is refused."
    )
    most_waiting: int = Field(
        20_000, ge=100, le=1_000_000, description="Events and decisions that may wait to be written."
    )
    log_wait_seconds: float = Field(
        1.0,
        gt=0,
        le=10,
        description="How long an answer waits for its log; after that hints go on and say so.",
    )
    write_wait_seconds: float = Field(
        10.0, gt=0, le=300, description="How long a sender waits for the store; after that it is told so."
    )
    attribution_days: int = Field(
        14,
        ge=1,
        le=365,
        description="Days after it was presented within which a purchase counts for an offer.",
    )
    keep_days: int | None = Field(
        None,
        ge=1,
        description="Days after which decisions, their outcomes and conversations are forgotten; kept unless "
        "set. Learn from them with clv feedback before.",
    )

    @model_validator(mode="after")
    def _keeps_what_counts(self) -> Self:
        """Refuse to forget what an order may still be counted for."""
        if self.keep_days is not None and self.keep_days <= self.attribution_days:
            raise ValueError(
                "keep_days must be more than attribution_days: orders still count for a decision"
            )
        return self


class SecuritySettings(BaseModel):
    """Who may ask, and how much."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    sign_in: bool = Field(False, description="Ask for a key or a token; without it only loopback is served.")
    secret: SecretStr | None = Field(
        None, min_length=16, description="Seals keys, pseudonyms and the audit trail; at least 16 characters."
    )
    secret_file: Path | None = Field(
        None, description="File that holds the secret; service.secret in the data folder is made unless set."
    )
    issuer: str = Field(
        "", description="Issuer (iss) of the tokens people sign in with; empty for keys only."
    )
    audience: str = Field("", description="Audience (aud) a token must name.")
    jwks: str = Field("", description="https address or file of the issuer's public keys (JWKS).")
    role_claim: str = Field("roles", description="Claim of a token that holds the role, or a list of them.")
    requests_per_minute: int = Field(
        6000,
        ge=1,
        le=10_000_000,
        description="Requests a key or person may make in a minute, of all workers on a machine.",
    )
    customers_per_hour: int = Field(
        300,
        ge=1,
        le=10_000_000,
        description="Customers an agent may ask about in an hour, of all workers and machines.",
    )
    frame_ancestors: tuple[str, ...] = Field(
        (), description="Origins that may show the agent's page in a frame, beside our own."
    )


class Settings(Sections):
    """Every section the service reads."""

    data: DataSettings = DataSettings()
    serving: ServingSettings = ServingSettings()
    store: StoreSettings = StoreSettings()
    security: SecuritySettings = SecuritySettings()

    @property
    def published(self) -> Path:
        """Folder of the published generations."""
        return self.data.data_dir / "published"

    @property
    def store_url(self) -> str:
        """Where events, decisions and outcomes are kept."""
        return self.store.url or f"sqlite:///{self.data.data_dir / 'service.sqlite'}"


def load_settings(file: Path | None = None) -> Settings:
    """Read the service's settings from a TOML file, the environment, or the defaults.

    Parameters
    ----------
    file
        The configuration; without one the file ``CLV_CONFIG`` names, or ``clv.toml`` in the working folder.

    Raises
    ------
    SettingError
        When the file is missing or unreadable, or a value is unknown or out of range.
    """
    try:
        return Settings(**read_sections(file, Settings.model_fields))
    except ValidationError as invalid:
        raise explained(invalid, file) from invalid
