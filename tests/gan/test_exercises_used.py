"""What a reader writes in notebook 05 is what its next cells run."""

import pytest

from course_utils.checks.choice import accept
from course_utils.gan import exercises
from tests.performing import exercises as exercises_of
from tests.performing import run_source
from tests.reader import nothing_accepted
from tools import NOTEBOOKS, code_cells, fenced_python, label, load

PATH = NOTEBOOKS / "05_gan.ipynb"
NEEDED = [
    "setup",
    "layers",
    "generator",
    "d-loss",
    "bce-verify",
    "discriminator",
    "data-1d",
    "players",
    "players-verify",
    "step-of-d",
    "step-of-g",
    "algorithm",
    "algorithm-run",
    "integral-densities",
    "integral",
    "best-d",
    "jsd-verify",
    "jsd-ends",
    "jsd",
    "pull-one",
    "pull",
    "pull-verify",
    "own-verify",
    "running-mean",
    "running-mean-verify",
    "dirac",
    "dirac-verdict",
    "unrolled",
    "ratio",
]
BREAKS = """
calls = []


def breaks(generator, discriminator, optimizer, z):
    calls.append(1)
    if len(calls) == 5:
        raise ValueError("too late")
    return my_generator_step(generator, discriminator, optimizer, z)


accept(exercises.right_step, breaks)
step_of_g = chosen(breaks, otherwise=exercises.right_step)


def play():
    players = twins()[0]
    last(algorithm_1(*players, data, 10, step_of_g, adams_of(players)))
    return players


mine, ours = restarting(play, d_loss, step_of_g), twins()[0]
last(algorithm_1(*ours, data, 10, exercises.right_step, adams_of(ours)))
same = torch.equal(mine[0].network[0].weight, ours[0].network[0].weight)
print("the same weights:", same)
"""


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    yield from nothing_accepted(monkeypatch, exercises)
    accept(exercises.right_step, None)


def solved(names):
    """Run the cells with these names, and every exercise with its folded solution."""
    notebook, scope = load(PATH), {"__name__": "__main__"}
    found = {label(s): (c, text) for s, c, text in exercises_of(notebook)}
    for cell in code_cells(notebook):
        if label(cell) in found:
            check, text = found[label(cell)]
            source = "\n".join([*fenced_python(text.source), check.source])
            run_source(source, scope, f"<solved: {label(cell)}>")
        elif label(cell) in names:
            run_source(cell.source, scope, f"<solved: {label(cell)}>")
    return scope


def test_solutions_run_in_the_cells_that_follow(capsys):
    scope = solved(NEEDED)
    printed = capsys.readouterr().out
    for name in ("d_loss", "best_d", "jsd", "right_step", "unrolled"):
        assert f"{name}: yours, checked" in printed
    assert "Ours goes on" not in printed
    assert "✗" not in printed
    assert scope["step_of_g"].theirs
    assert scope["d_loss"].calls > 100


def test_a_step_that_breaks_begins_the_training_again(capsys):
    scope = solved([name for name in NEEDED if name != "pull-verify"])
    scope["accept"] = accept

    capsys.readouterr()
    run_source(BREAKS, scope, "<breaks>")
    printed = capsys.readouterr().out
    assert "right_step: yours, checked" in printed
    assert "at call 4 of your function it stopped with ValueError: too late" in printed
    assert "This training starts again." in printed
    assert "the same weights: True" in printed
