"""What a person may set: one TOML file, overridden by ``CLV_SECTION__NAME`` variables."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from clv.errors import ClvError
from models.configuration import Sections, explained, read_sections

if TYPE_CHECKING:  # it takes long to load
    from clv.service import AgentCost


class DataSettings(BaseModel):
    """Where the data come from and where everything made of them goes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    data_dir: Path = Field(Path("var"), description="Folder of the ledger, models, scores and publications.")
    source: str = Field(
        "", description="Built-in source (complete-journey, cdnow), file, folder, glob or SQL URL."
    )
    tables: dict[str, str] = Field(
        default_factory=dict, description="One source per table: purchases, interactions, customers, ..."
    )
    mapping: Path | None = Field(None, description="TOML file that says which header is which column.")
    offers: Path | None = Field(None, description="JSON file of offers, beside those of the offers table.")
    audiences: Path | None = Field(None, description="TOML or JSON file of the marketer's own lists.")
    zone: str = Field("UTC", description="Time zone the best time to reach a customer is told in.")
    policies: Path | None = Field(None, description="TOML file of engagement and contact policies.")


class ValueSettings(BaseModel):
    """How lifetime value is counted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    horizon_days: int = Field(365, ge=1, le=3650, description="Days ahead that predicted_clv looks.")
    annual_discount: float = Field(
        0.10, ge=0, lt=1, description="Yearly rate at which later money counts less."
    )
    margin_rate: float = Field(
        1.0,
        gt=0,
        le=1,
        description="Share of the amount that is margin; 1 values revenue. Unit costs of the log come first.",
    )


class CentreSettings(BaseModel):
    """What the contact centre costs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    wage_per_hour: float | None = Field(
        None, ge=0, description="Gross wage of an agent; without one the cost to serve is not counted."
    )
    on_cost_factor: float = Field(1.3, ge=1, le=5, description="Loaded cost of an agent over the wage.")
    occupancy: float = Field(0.8, gt=0, le=1, description="Share of paid time in which contacts are handled.")

    def agent(self) -> AgentCost | None:
        """Return what an agent's time costs; None if no wage is set."""
        from clv.service import AgentCost  # noqa: PLC0415

        if self.wage_per_hour is None:
            return None
        return AgentCost(self.wage_per_hour, self.on_cost_factor, self.occupancy)


class TrainingSettings(BaseModel):
    """How models are fitted and judged."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    holdout_days: int | None = Field(
        None, ge=7, description="Days kept back to judge the value model; a quarter of the log unless set."
    )
    propensity_days: int = Field(
        14, ge=1, le=365, description="Days within which a proposed item must be bought."
    )
    random_state: int = Field(0, ge=0, description="Seed of everything random.")
    threads: int = Field(2, ge=1, le=256, description="Threads a fit may use.")


class SecuritySettings(BaseModel):
    """The part of ``[security]`` the night needs: with what it tells who asked to be forgotten."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    secret: SecretStr | None = Field(None, min_length=16, description="The installation's secret.")
    secret_file: Path | None = Field(None, description="File that holds the secret.")


class DecisionSettings(BaseModel):
    """How offers are weighed against each other, and whether something other than the best is tried."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exploration: Literal["none", "epsilon", "thompson", "plackett_luce"] = Field(
        "none",
        description="none says the best; epsilon tries any in a share of decisions, thompson what may be"
        " best, plackett_luce by priority. The log holds the exact probability of what was said.",
    )
    epsilon: float = Field(0.05, ge=0, le=1, description="Share of decisions in which epsilon tries any.")
    temperature: float = Field(0.2, gt=0, le=100, description="Of plackett_luce: towards 0 the best is said.")
    evidence: float = Field(
        200.0, gt=0, le=1e9, description="Presentations that thompson takes a new propensity to be worth."
    )
    seed: int = Field(0, ge=0, description="Seed of what is tried.")
    arbitration: dict[str, Any] = Field(
        default_factory=dict,
        description="Table [decision.arbitration]: use_propensity, use_context, use_value, use_lever, floor,"
        " default_value, issue_levers, group_levers, context_weights, annoyance.",
    )

    @field_validator("arbitration")
    @classmethod
    def _understood(cls, raw: dict[str, Any]) -> dict[str, Any]:
        from recommend.worth import Arbitration  # noqa: PLC0415  (what only the night needs)

        try:
            Arbitration.from_json(raw)
        except ClvError as wrong:
            raise ValueError(str(wrong)) from wrong
        return raw

    def explorer(self) -> dict[str, Any]:
        """Return the published form of the exploration; empty for none.

        Examples
        --------
        >>> DecisionSettings(exploration="epsilon", epsilon=0.1).explorer()
        {'kind': 'epsilon_greedy', 'epsilon': 0.1, 'seed': 0}
        """
        if self.exploration == "none":
            return {}
        own: dict[str, dict[str, Any]] = {
            "epsilon": {"kind": "epsilon_greedy", "epsilon": self.epsilon},
            "thompson": {"kind": "thompson", "evidence": self.evidence},
            "plackett_luce": {"kind": "plackett_luce", "temperature": self.temperature},
        }
        return {**own[self.exploration], "seed": self.seed}


class Settings(Sections):
    """The sections the pipelines read; the service reads its own section of the same file."""

    data: DataSettings = DataSettings()
    value: ValueSettings = ValueSettings()
    centre: CentreSettings = CentreSettings()
    training: TrainingSettings = TrainingSettings()
    decision: DecisionSettings = DecisionSettings()
    security: SecuritySettings = SecuritySettings()


def load_settings(file: Path | None = None) -> Settings:
    """Read the settings from a TOML file, from ``CLV_SECTION__NAME`` variables, or from the defaults.

    Parameters
    ----------
    file
        The configuration; without one ``clv.toml`` in the working folder if there is one.

    Raises
    ------
    SettingError
        When the file is missing or unreadable, or a value is unknown or out of range.
    """
    try:
        return Settings(**read_sections(file, Settings.model_fields))
    except ValidationError as invalid:
        raise explained(invalid, file) from invalid
