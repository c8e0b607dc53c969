"""The reader's own copies, and what JupyterLab is started with; it is not started."""

import json
import sys
from types import ModuleType, SimpleNamespace

import pytest

from tools import lab


@pytest.fixture
def root(tmp_path):
    """A course of seven small notebooks."""
    (tmp_path / "notebooks").mkdir()
    for name in lab.NAMES:
        (tmp_path / "notebooks" / f"{name}.ipynb").write_text(name)
    return tmp_path


def mine(root):
    return {path.name: path.read_text() for path in root.glob("my_notebooks/*.ipynb")}


def copy_missing(root):
    return lab.copy_missing(root / "notebooks", root / "my_notebooks")


def test_the_names_are_those_of_the_course():
    paths = (lab.ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")
    assert set(lab.NAMES) <= {path.stem for path in paths}


def test_each_notebook_is_copied_once_and_never_overwritten(root):
    (root / "notebooks" / "02_gmm_em-Copy1.ipynb").write_text("the reader's")
    assert copy_missing(root) == []
    assert mine(root) == {f"{name}.ipynb": name for name in lab.NAMES}
    own = root / "my_notebooks" / "02_gmm_em.ipynb"
    own.write_text("my answers")
    assert copy_missing(root) == []  # a copy that was changed is not out of date
    original = root / "notebooks" / "02_gmm_em.ipynb"
    original.write_text("a better text")
    assert copy_missing(root) == ["02_gmm_em"]
    assert copy_missing(root) == ["02_gmm_em"]
    assert own.read_text() == "my answers"
    own.rename(own.with_name("02_old.ipynb"))  # as the line says
    assert copy_missing(root) == []
    assert own.read_text() == "a better text"
    assert own.with_name("02_old.ipynb").read_text() == "my answers"


@pytest.mark.parametrize("damage", ["", "[1]", "null", '{"02_gmm'])
def test_without_its_note_a_copy_counts_as_new(root, damage):
    copy_missing(root)
    note = root / "my_notebooks" / ".made_from.json"
    note.write_text(damage)
    assert copy_missing(root) == []
    assert set(json.loads(note.read_text())) == set(lab.NAMES)


def test_a_copy_that_was_stopped_is_no_copy(root, monkeypatch):
    def stop(source, target):
        target.write_text("half")
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(lab.shutil, "copyfile", stop)
        with pytest.raises(KeyboardInterrupt):
            copy_missing(root)
    assert mine(root) == {}
    copy_missing(root)
    assert mine(root)["01_mle_gaussian.ipynb"] == "01_mle_gaussian"


def test_a_missing_original_is_no_trouble(root):
    (root / "notebooks" / "05_gan.ipynb").unlink()
    assert copy_missing(root) == [] and len(mine(root)) == 6


@pytest.mark.parametrize(
    "wish", ["2", "02", "02_gmm_em", "02_gmm_em.ipynb", "notebooks/02_gmm_em.ipynb"]
)
def test_what_is_meant(wish):
    assert lab.find(wish) == "02_gmm_em"


@pytest.mark.parametrize("wish", ["8", "gmm", "02_gmm_em-Copy1", "2x", ""])
def test_no_such_notebook(wish):
    with pytest.raises(SystemExit, match=r"no notebook .* there are: 01_mle_gaussian"):
        lab.find(wish)


@pytest.mark.parametrize(
    "given",
    [["--ip=0.0.0.0"], ["--ip", "0.0.0.0"], ["--ServerApp.ip=0.0.0.0"], ["--port=1"]],
)
def test_the_readers_options_count(given):
    options = lab.options("my_notebooks/01_mle_gaussian.ipynb", given)
    assert options[-len(given) :] == given
    assert ("--ip=127.0.0.1" in options) == (given == ["--port=1"])
    assert f"--ServerApp.root_dir={lab.ROOT}" in options
    assert "token" not in " ".join(options)


@pytest.mark.parametrize("user", [0, 1000, None])
def test_in_a_container(monkeypatch, user):
    if user is None:  # Windows
        monkeypatch.setattr(lab, "os", SimpleNamespace(name="nt"))
    else:
        monkeypatch.setattr(lab.os, "geteuid", lambda: user, raising=False)
    assert ("--allow-root" in lab.options("a", [])) == (user == 0)


@pytest.mark.parametrize(
    ("arguments", "opened"),
    [
        ([], "my_notebooks/01_mle_gaussian.ipynb"),
        (["2", "--no-browser"], "my_notebooks/02_gmm_em.ipynb"),
        (["--no-browser"], "my_notebooks/01_mle_gaussian.ipynb"),
        (["04_vae", "--original"], "notebooks/04_vae.ipynb"),
        (["--original", "4"], "notebooks/04_vae.ipynb"),
    ],
)
def test_start(root, monkeypatch, capsys, arguments, opened):
    started = []
    labapp = ModuleType("jupyterlab.labapp")
    labapp.LabApp = SimpleNamespace(launch_instance=started.extend)
    monkeypatch.setitem(sys.modules, "jupyterlab.labapp", labapp)
    monkeypatch.setattr(sys, "prefix", str(root / "env"))
    monkeypatch.setattr(lab, "ROOT", root)
    monkeypatch.setenv("MPLBACKEND", "Agg")  # a kernel would show no figure
    lab.main(arguments)
    assert "MPLBACKEND" not in lab.os.environ
    assert f"--LabApp.default_url=/lab/tree/{opened}" in started
    assert (started[-1] == "--no-browser") == ("--no-browser" in arguments)
    overrides = root / "env/share/jupyter/lab/settings/overrides.json"
    assert "fetchNews" in overrides.read_text("utf-8")
    assert bool(mine(root)) == ("--original" not in arguments)
    (root / "notebooks" / "03_elbo_vi.ipynb").write_text("newer")
    capsys.readouterr()
    lab.main(arguments)
    said = capsys.readouterr().out
    line = "Newer than your copy: 03_elbo_vi. Rename or remove that file"
    assert said.startswith(line) == ("--original" not in arguments)
