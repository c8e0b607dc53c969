"""What a reader has written in notebook 03 is what its later cells run."""

import pytest
import torch
from matplotlib import pyplot as plt

from course_utils.variational import exercises
from tests.reader import Reader, nothing_accepted

READER = Reader("03")
CELLS, SOLUTIONS = READER.cells, READER.solutions
CELLS["encoder-train"] = CELLS["encoder-train"].replace(
    "circle.log_joint, train)", "circle.log_joint, train, n_steps=60)"
)
CELLS_RUN = [
    "shop",
    "heights-posterior",
    "heights-verify",
    "exercise-kl",
    "exercise-kl-check",
    "kl-verify",
    "exercise-elbo",
    "exercise-elbo-check",
    "elbo-chosen",
    "two-forces",
    "mean-field-verify",
    "one-update",
    "cavi-play",
    "exercise-cavi",
    "exercise-cavi-check",
    "cavi-rate",
    "chain",
    "exercise-gradient",
    "exercise-gradient-check",
    "climb",
    "climb-figure",
    "climb-verify",
    "exercise-control",
    "exercise-control-check",
    "steadier",
    "circle-data",
    "encoder",
    "batch-elbo",
    "encoder-loop",
    "encoder-train",
    "encoder-verify",
]
NAMES = ("sampled_kl", "elbo", "sweep", "gradient_of", "steadier")


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    yield from nothing_accepted(monkeypatch, exercises)


def run(scope, typed=(), cells=CELLS_RUN):
    """What the cells print, after the set-up."""
    return READER.run(["setup", *cells], scope, typed)


def fresh():
    return {"__name__": "__main__"}


@pytest.fixture(scope="module")
def untouched():
    scope = fresh()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plt, "show", lambda: plt.close("all"))
        scope["printed"] = run(scope)
    return scope


def same_results(ours, theirs):
    assert torch.allclose(ours["climbed"], theirs["climbed"], rtol=0, atol=1e-6)
    pairs = zip(ours["mine"].parameters(), theirs["mine"].parameters(), strict=True)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-6) for a, b in pairs)


def test_untouched_stubs_run_ours(untouched):
    assert untouched["printed"].count("ours: the exercise is open") == len(NAMES)
    assert not any(untouched[name].theirs for name in NAMES)


def test_all_solutions_typed_in(untouched):
    scope = fresh()
    typed = dict(SOLUTIONS)
    # the example after the function draws random numbers of its own
    typed["exercise-control"] = typed["exercise-control"].partition("\nnoise =")[0]
    printed = run(scope, typed)
    assert printed.count("yours, checked") == len(NAMES)
    assert "Ours goes on" not in printed
    assert all(scope[name].theirs and scope[name].calls for name in NAMES)
    same_results(untouched, scope)


LATER = """
calls = []

def my_elbo(log_joint, mean, sigma, noise):
    calls.append(1)
    z = mean + sigma * noise
    if mean.ndim and len(calls) % 7 == 0:
        {fault}
    return (log_joint(z) - Normal(mean, sigma).log_prob(z)).mean()
"""


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("z = z @ torch.ones(3)", "it stopped with RuntimeError"),
        ("z = z / 0 * 0", "ValueError"),
        ("return (0 * z).mean().detach()", "no gradient flows"),
        ("return 0 * z.mean() / 0", "NaN or infinity"),
    ],
)
def test_an_elbo_that_fails_in_the_training(fault, why, untouched):
    scope = fresh()
    printed = run(scope, {"exercise-elbo": LATER.format(fault=fault)})
    assert "elbo: yours, checked" in printed
    assert why in printed
    assert printed.count("Ours goes on.") == 1
    assert printed.count("This training starts again.") == 1
    same_results(untouched, scope)


def test_an_elbo_by_the_entropy_trains_the_network(untouched):
    scope = fresh()
    line = "0.5 * torch.log(2 * math.pi * math.e * sigma**2)"
    source = f"""
def my_elbo(log_joint, mean, sigma, noise):
    return log_joint(mean + sigma * noise).mean() + {line}
"""
    cells = [name for name in CELLS_RUN if name != "encoder-verify"]
    printed = run(scope, {"exercise-elbo": source}, cells)
    assert "elbo: yours, checked" in printed
    assert "Ours goes on" not in printed
    assert scope["elbo"].theirs
    assert scope["bounds_of_mine"][-1] > scope["bounds_of_mine"][0]


def test_a_gradient_that_fails_in_the_climb(untouched):
    scope = fresh()
    source = """
calls = []

def my_gradient(r, mu, logvar, noise):
    calls.append(1)
    assert len(calls) != 30
    return exercises.reparameterized_gradient(r, mu, logvar, noise)
"""
    printed = run(scope, {"exercise-gradient": source})
    assert "it stopped with AssertionError" in printed
    assert "This training starts again." in printed
    same_results(untouched, scope)


def test_an_edit_opens_the_exercise_until_its_check_runs(untouched):
    scope = dict(untouched)
    stub, check, use = "exercise-cavi", "exercise-cavi-check", "cavi-rate"
    assert "yours, checked" in run(scope, SOLUTIONS, [stub, check, use])
    assert "the exercise is open" in run(scope, SOLUTIONS, [stub, use])
    assert "yours, checked" in run(scope, SOLUTIONS, [check, use])
