"""The mutants of the notebooks: what is changed, and what counts as noticed."""

import csv
import os
import random
import re
import subprocess
import sys

import nbformat
import pytest
from matplotlib import pyplot as plt
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from tools import ROOT, code_cells, label, load, mutants, notebook_paths


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("c = a + b", {"c = a - b", "c = a"}),
        ("c = a * b", {"c = a / b"}),
        ("c = -a", {"c = a"}),
        ("c = 0.5 * a", {"c = 1.0 * a", "c = 0.5 / a"}),
        ("c = x.mean(dim=0)", {"c = x.sum(dim=0)", "c = x.mean(dim=1)"}),
        ("c = x.detach()", {"c = x"}),
        ("c = a < b", {"c = a > b"}),
        ("c = kl(p, q)", {"c = kl(q, p)"}),
        ("verify('a + b', -a, b, atol=2.0)", {"verify('a + b', a, b, atol=2.0)"}),
        ("print(a + b); ax.plot(x, -y); f'{a + b}'", set()),
        ("x = torch.randn(2, 2)", set()),
    ],
)
def test_what_may_be_wrong_in_a_cell(source, expected):
    found = mutants.mutants_of("cell", source)
    assert {mutant.source for mutant in found} == expected
    assert all(m.line and m.change and m.cell == "cell" for m in found)


def test_kinds_of_change_take_turns():
    many = mutants.mutants_of("cell", "d = a + b\ne = a + c\nf = x.mean()")
    few = mutants.chosen(many, 3, random.Random(0))
    assert len({mutant.change for mutant in few}) == 3


@pytest.mark.parametrize(
    ("done", "word"),
    [
        ({"error": "AssertionError", "texts": {}}, "killed"),
        ({"error": "", "texts": {"0": "✗ wrong"}}, "killed"),
        ({"error": "", "texts": {"0": "2"}}, "seen"),
        ({"error": "", "texts": {"0": "✓ right"}}, "silent"),
    ],
)
def test_what_counts_as_noticed(done, word):
    assert mutants.verdict(done, {"0": "✓ right"}) == word


@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants play in forks")
def test_a_small_notebook(tmp_path, monkeypatch, capsys):
    cells = [
        new_markdown_cell("## 1"),
        new_code_cell("a = 3", metadata={"name": "start"}),
        new_code_cell("b = 2 * a", metadata={"name": "double", "tags": ["live"]}),
        new_code_cell("c = a + 1", metadata={"name": "plus", "tags": ["live"]}),
        new_code_cell("assert b == 6", metadata={"name": "check"}),
        new_code_cell("c", metadata={"name": "look"}),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "01_a.ipynb")
    monkeypatch.setattr(mutants, "NOTEBOOKS", tmp_path)
    monkeypatch.setattr(mutants, "harmless", lambda: {("plus", "c = a")})
    monkeypatch.setattr(
        mutants, "notebook_paths", lambda names: [tmp_path / "01_a.ipynb"]
    )
    monkeypatch.setattr(plt, "show", plt.show)  # which is put back afterwards
    monkeypatch.chdir(tmp_path)
    paths = mutants.notebook_paths([])
    options = mutants.parser().parse_args(["01"])
    counts = mutants.run(paths[0], options)
    assert counts == {"killed": 2, "seen": 1}
    assert "2 of 3 mutants killed (67 %), 1 seen, 0 silent" in capsys.readouterr().out


def test_the_list_of_harmless_mutants_is_about_cells_that_are_there():
    known = {label(c) for path in notebook_paths() for c in code_cells(load(path))}
    with mutants.HARMLESS.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            assert row["cell"] in known and row["line"] and row["reason"]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="mutants play in forks")
def test_a_few_mutants_of_a_notebook_are_noticed(notebook_path):
    """A sample; `python -m tools.mutants 01 --per-cell 4` plays many more."""
    options = ["--some", "5", "--seed", "11", "--limit", "120", "--all"]
    command = [sys.executable, "-W", "ignore", "-m", "tools.mutants"]
    command += [notebook_path.stem[:2], *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    killed, total = re.search(r"(\d+) of (\d+) mutants killed", done.stdout).groups()
    assert int(total) == 5 and int(killed) >= 4, done.stdout
