"""What the tests of the package have in common."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SAMPLE = ROOT / "datasets" / "sample" / "transactions.csv"


@pytest.fixture(scope="session")
def sample():
    """The sample of the repository."""
    return SAMPLE


@pytest.fixture(scope="session")
def command():
    """The command `crible`, from the environment variable CRIBLE or the path."""
    found = os.environ.get("CRIBLE") or shutil.which("crible")
    if not found or not Path(found).exists():
        pytest.skip("no command: CRIBLE names none")

    def run(*arguments):
        own = ("CRIBLE_KEY", "CRIBLE_PRESETS")
        environment = {name: value for name, value in os.environ.items() if name not in own}
        done = subprocess.run([found, *map(str, arguments)], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        return done

    return run


@pytest.fixture(scope="session")
def handbook():
    """The public Handbook set, where CRIBLE_DATA has it."""
    folder = os.environ.get("CRIBLE_DATA")
    path = Path(folder or "") / "handbook_dev.csv.gz"
    if not folder or not path.exists():
        pytest.skip("CRIBLE_DATA names no folder with handbook_dev.csv.gz")
    return path


@pytest.fixture
def script(tmp_path):
    """Runs Python in a process of its own."""

    def run(text, *arguments, **options):
        path = tmp_path / "script.py"
        path.write_text(text)
        command = [sys.executable, str(path), *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, **options)

    return run
