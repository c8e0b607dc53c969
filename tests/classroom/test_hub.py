"""A running hub, where there is one; and the files for other places can be read."""

import json
import os
import re
import shutil
import subprocess

import pytest
import yaml

from classroom import settings
from tools import ROOT

ELSEWHERE = ROOT / "classroom" / "elsewhere"


@pytest.mark.slow
@pytest.mark.parametrize(
    "trial", ["doors", "files", "memory", "killed", "restart", "full"]
)
def test_faults_on_a_running_hub(trial, capsys):
    """CLASS_CARDS names what `classroom.users` printed, for a hub that runs here."""
    cards = os.environ.get("CLASS_CARDS")
    if not cards or not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("needs root, a running hub, and CLASS_CARDS=cards.txt")
    from classroom import faults

    assert faults.main([cards, "--only", trial]) == 0, capsys.readouterr().out


def test_files_that_nobody_has_run_say_so():
    for path in [*ELSEWHERE.iterdir(), ROOT / ".devcontainer" / "devcontainer.json"]:
        first = path.read_text("utf-8").removeprefix("#!/bin/bash\n").splitlines()[0]
        assert "Not run" in first, path.name


def test_the_values_for_kubernetes_agree_with_the_hub():
    values = yaml.safe_load((ELSEWHERE / "values.yaml").read_text("utf-8"))
    user = values["singleuser"]
    assert user["memory"]["limit"] == f"{round(settings.ALL_MIB / 1000)}G"
    assert user["cpu"]["limit"] == settings.CPUS
    assert user["extraEnv"] == {"OMP_NUM_THREADS": "1"}
    first = user["defaultUrl"].rsplit("/", 1)[1]
    assert (ROOT / "notebooks" / first).is_file()


def test_the_devcontainer_sets_the_course_up():
    text = (ROOT / ".devcontainer" / "devcontainer.json").read_text("utf-8")
    settings_of_it = json.loads(re.sub(r"^ *//.*$", "", text, flags=re.MULTILINE))
    assert settings_of_it["postCreateCommand"] == "python course.py setup"


def test_the_script_for_the_littlest_hub_can_be_read():
    if not shutil.which("bash"):
        pytest.skip("no bash here")
    check = ["bash", "-n", str(ELSEWHERE / "littlest.sh")]
    assert subprocess.run(check, capture_output=True).stderr == b""


def test_binder_finds_the_environment():
    """A folder binder/ or .binder/ would hide environment.yml from repo2docker."""
    assert (ROOT / "environment.yml").is_file()
    assert not (ROOT / "binder").exists() and not (ROOT / ".binder").exists()
