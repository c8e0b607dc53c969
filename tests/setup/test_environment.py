"""The lists of packages agree, the report tells the truth, and importing is quick."""

import importlib
import os
import re
import shutil
import statistics
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import yaml

import course_utils
from course_utils import __main__ as report
from course_utils import data
from tools import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
CONDA = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
CONDA_NAMES = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
FLOORS = ["data", "training", "verification", "quadrature", "gaussian"]
FLOOR_MODULES = [f"course_utils.{name}" for name in FLOORS]


def split(requirement):
    """``"numpy>=2.0"`` or conda's ``"numpy >=2.0"`` as a name and a bound."""
    name, bound = re.fullmatch(r"([\w-]+) ?([=<>\d.,*]*)", requirement).groups()
    return name, bound.removeprefix("==")


def test_conda_and_pip_ask_for_the_same():
    *packages, pip = CONDA["dependencies"]
    conda = dict(split(package) for package in packages)
    assert conda.pop("python") == PROJECT["requires-python"] + ",<3.14"
    conda.pop("pip")
    renamed = {CONDA_NAMES.get(name, name): bound for name, bound in conda.items()}
    asked = [*PROJECT["dependencies"], *EXTRAS["lab"], *EXTRAS["test"]]
    assert renamed == dict(map(split, asked))
    assert pip == {"pip": ["-e ."]}  # all the rest comes from conda-forge
    assert CONDA["channels"] == ["conda-forge", "nodefaults"]


def pins():
    """The lock as a dictionary, with torch, which course.py pins; all is exact."""
    lock = (ROOT / "requirements" / "browser.txt").read_text("utf-8")
    lines = re.findall(r"^[^# ][^ ]*", lock, re.MULTILINE)
    lines += re.findall(r'"(torch==.*?)"', (ROOT / "course_installer.py").read_text())
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in lines)
    return dict(line.split("==") for line in lines)


def test_every_direct_dependency_is_pinned_within_its_bound():
    exact = pins()
    everything = sum(EXTRAS.values(), PROJECT["dependencies"])
    for name, bound in map(split, everything):
        version = report.numbers(exact[name])
        if bound.startswith(">="):
            assert version >= report.numbers(bound), name
        else:
            assert exact[name].startswith(bound.removesuffix("*")), name


def test_the_lower_bounds_job_takes_the_lowest_torch():
    workflow = (ROOT / ".github" / "workflows" / "course.yml").read_text("utf-8")
    (lowest,) = re.findall(r"torch==(\S+)", workflow)
    bound = dict(map(split, PROJECT["dependencies"]))["torch"]
    assert report.numbers(lowest)[:2] == report.numbers(bound)
    jobs = yaml.safe_load(workflow)["jobs"].keys()
    assert jobs == {"tested", "conditions", "newest", "lowest", "audit"}


def test_workflows_end_in_time_and_agree_on_their_actions():
    versions = {}
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        workflow = yaml.safe_load(path.read_text("utf-8"))
        assert workflow["permissions"]["contents"] == "read"
        for name, job in workflow["jobs"].items():
            assert 0 < job["timeout-minutes"] <= 120, f"{path.name}: {name}"
            for action in [step["uses"] for step in job["steps"] if "uses" in step]:
                action, version = action.split("@")
                assert action.startswith("actions/")  # nobody else's code
                assert versions.setdefault(action, version) == version, action
    assert versions["actions/checkout"] == "v7"


def test_bounds_leave_alone_what_notebooks_in_the_cloud_have():
    """Colab in August 2026: pip must not replace torch or the kernel there."""
    colab = "torch 2.11.0, numpy 2.0.2, matplotlib 3.10.0, ipywidgets 7.7.1"
    bounds = dict(map(split, PROJECT["dependencies"]))
    for name, version in map(str.split, colab.split(", ")):
        bound = bounds[name].removeprefix(">=")
        assert report.numbers(bound) <= report.numbers(version), name
    assert not bounds.keys() & dict(map(split, EXTRAS["lab"])).keys()


def test_the_package_knows_its_version():
    assert PROJECT["dynamic"] == ["version"]  # one place: course_utils.__version__


def test_citation_is_complete():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "version"} <= citation.keys()
    assert str(citation["version"]) == course_utils.__version__
    assert citation["license"] == "MIT"  # archives refuse a list
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "2026 The course authors" in licence
    assert all(words in licence for words in ("MIT", "CC BY 4.0", "CC BY-SA 3.0"))


def test_report_ends_in_ready():
    run = [sys.executable, "-m", "course_utils"]
    done = subprocess.run(run, capture_output=True, encoding="utf-8", cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1] == "READY" and not done.stderr
    assert done.stdout.replace(str(ROOT), "").isascii()
    for name, bound in map(split, PROJECT["dependencies"]):
        assert any(re.match(rf"{name} \S+ \(at least {bound[2:]}\)", x) for x in lines)


def test_report_where_letters_are_missing(tmp_path):
    """Output in a code page of Windows, in a folder with Vietnamese letters."""
    folder = tmp_path / "Khóa học"
    away = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "course_utils", folder / "course_utils", ignore=away)
    lines = report_elsewhere(folder, PYTHONIOENCODING="cp1252")
    assert any(re.match(r"course_utils at .*Kh.a h\\u1ecdc", line) for line in lines)
    assert re.match(r"data file 'heights.csv' cannot be read.*\\u1ecdc", lines[-1])


def report_elsewhere(folder, **variables):
    """The lines of a report that is not ready, from a start in ``folder``."""
    run = [sys.executable, "-m", "course_utils"]
    settings = os.environ | variables
    done = subprocess.run(run, capture_output=True, cwd=folder, env=settings)
    assert done.returncode == 1 and b"Traceback" not in done.stderr, done.stderr
    return done.stdout.decode("cp1252").splitlines()


def test_report_names_a_file_that_hides_torch(tmp_path):
    (tmp_path / "torch.py").touch()
    sentence = report_elsewhere(tmp_path)[-1]
    assert "torch does not load (AttributeError: " in sentence
    assert f"rename {(tmp_path / 'torch.py').resolve()}" in sentence


def test_report_names_pythonpath(tmp_path):
    broken = tmp_path / "other" / "PIL" / "__init__.py"
    broken.parent.mkdir(parents=True)
    broken.write_text("raise SystemError('compiled for another Python')", "utf-8")
    sentence = report_elsewhere(tmp_path, PYTHONPATH=str(tmp_path / "other"))[-1]
    assert "does not load (SystemError: compiled for another Python)" in sentence
    assert "unset PYTHONPATH" in sentence


def failing(capsys):
    """The one sentence with which the report ends when it is not ready."""
    assert report.main() == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last != "READY"
    return last


def test_report_package_missing(capsys, monkeypatch):
    monkeypatch.setattr(report, "minima", lambda: {"no-such-package": "1.0"})
    assert "no-such-package is missing: run `python course.py" in failing(capsys)


def test_report_survives_what_nobody_foresaw(capsys, monkeypatch):
    monkeypatch.setattr(report, "minima", lambda: {"numpy": None})
    assert "check_packages failed (AttributeError: " in failing(capsys)


def test_report_package_too_old(capsys, monkeypatch):
    monkeypatch.setattr(report, "minima", lambda: {"numpy": "99.1"})
    sentence = failing(capsys)
    assert "is too old, 99.1 is needed" in sentence
    assert '`python -m pip install "numpy>=99.1"`' in sentence


def test_report_course_not_installed(capsys, monkeypatch):
    def nothing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(report.metadata, "metadata", nothing)
    assert "course_utils is not installed here" in failing(capsys)


@pytest.mark.parametrize(
    ("platform", "words"), [("win32", "Visual C++"), ("linux", "course.py clean")]
)
def test_report_torch_does_not_load(capsys, monkeypatch, platform, words):
    load = importlib.import_module

    def broken(name):
        if name == "torch":
            raise OSError("[WinError 126] the module was not found: fbgemm.dll")
        return load(name)

    monkeypatch.setattr(report.importlib, "import_module", broken)
    monkeypatch.setattr(report.sys, "platform", platform)
    sentence = failing(capsys)
    assert "torch does not load" in sentence and words in sentence


def test_report_data_damaged(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(data, "DATA_DIR", tmp_path)
    assert "data file 'heights.csv'" in failing(capsys)


def test_report_other_kernel(capsys, monkeypatch):
    kernelspec = importlib.import_module("jupyter_client.kernelspec")
    other = kernelspec.KernelSpec(argv=["/another/bin/python", "-m", "x"])
    monkeypatch.setattr(
        kernelspec.KernelSpecManager, "get_kernel_spec", lambda self, name: other
    )
    assert "starts another Python, /another/bin/python" in failing(capsys)


def test_report_no_kernel(capsys, monkeypatch):
    kernelspec = importlib.import_module("jupyter_client.kernelspec")

    def missing(self, name):
        raise kernelspec.NoSuchKernel(name)

    monkeypatch.setattr(kernelspec.KernelSpecManager, "get_kernel_spec", missing)
    assert "finds no kernel python3" in failing(capsys)


def test_report_no_jupyter(capsys, monkeypatch):
    load = importlib.import_module

    def bare(name):
        if name == "jupyter_client.kernelspec":
            raise ModuleNotFoundError(name)
        return load(name)

    monkeypatch.setattr(report.importlib, "import_module", bare)
    assert "There is no Jupyter kernel here: " in failing(capsys)


def test_report_is_ready_without_jupyterlab(capsys, monkeypatch):
    version = metadata.version

    def no_lab(name):
        if name == "jupyterlab":
            raise metadata.PackageNotFoundError(name)
        return version(name)

    monkeypatch.setattr(report.metadata, "version", no_lab)
    assert report.main() == 0
    *_, lab, ready = capsys.readouterr().out.splitlines()
    assert lab.startswith("JupyterLab is not here: ") and ready == "READY"


def test_importing_the_floors_is_quick_and_light():
    """At most 30 ms of a processor on top of torch; nothing that only tests need."""
    code = (
        "import sys, time, importlib, torch\n"
        "start = time.process_time()\n"
        f"for name in {FLOOR_MODULES!r}: importlib.import_module(name)\n"
        "print(time.process_time() - start)\n"
        "print(*{'sklearn', 'scipy', 'matplotlib', 'IPython'} & set(sys.modules))\n"
    )
    seconds = []
    for _ in range(3):
        run = [sys.executable, "-c", code]
        done = subprocess.run(run, capture_output=True, text=True, check=True)
        time, heavy = done.stdout.split("\n")[:2]
        assert heavy == ""
        seconds.append(float(time))
    assert statistics.median(seconds) <= 0.030, seconds
