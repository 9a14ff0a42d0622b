"""What we ship is what we wrote: the wheel, alone in an environment, seen from another folder."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("clv", "recommend", "models", "pipelines", "serving")
pytestmark = [pytest.mark.install, pytest.mark.xdist_group("wheel")]


def run(*command: str | Path, folder: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} said:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT, folder=folder)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_every_file_of_the_five_packages_and_no_test(wheel: Path) -> None:
    shipped = {n for n in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in n}
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", *PACKAGES],
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert shipped == {name for name in tracked if (ROOT / name).exists()}


def test_the_installed_wheel_passes_its_own_examination_from_another_folder(
    wheel: Path, tmp_path: Path
) -> None:
    home = tmp_path / "fresh"
    venv.create(home, with_pip=True)
    python = home / "bin" / "python"
    pip = (python, "-m", "pip", "--disable-pip-version-check", "install", "-q", "--no-compile")
    run(*pip, "-c", ROOT / "constraints.txt", wheel, folder=tmp_path)
    seen = run(home / "bin" / "clv", "doctor", folder=tmp_path)
    assert "package names" in seen
    assert "all is well" in seen
