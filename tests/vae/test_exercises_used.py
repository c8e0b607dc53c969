"""What a reader has written in notebook 04 is what its later cells run."""

import pytest
import torch

from course_utils import vae
from course_utils.vae import exercises
from course_utils.vae.prior import MixturePrior
from tests.reader import Reader, nothing_accepted

READER = Reader("04")
CELLS, SOLUTIONS = READER.cells, READER.solutions
# the training of the nine digits is short here
CELLS["nine-train"] = CELLS["nine-train"].replace("steps=600", "steps=40")
NEEDED = ["encoder", "decoder", "exercise-kl", "exercise-kl-check", "kl-verify"]
NEEDED += ["exercise-sample", "exercise-sample-check", "exercise-elbo"]
NEEDED += ["exercise-elbo-check", "loss", "loss-first", "loss-verify", "nine-loop"]
NEEDED += ["nine-train", "nine-figure"]
NAMES = ("kl_term", "sample", "elbo")


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    yield from nothing_accepted(monkeypatch, exercises)


@pytest.fixture(scope="module")
def scope_with_digits():
    scope = {"__name__": "__main__"}
    run(["setup", "data"], scope)
    return scope


@pytest.fixture
def scope(scope_with_digits):
    return dict(scope_with_digits)


run = READER.run


@pytest.fixture
def untouched(scope):
    ours = dict(scope)
    ours["printed"] = run(NEEDED, ours)
    return ours


def weights(model):
    return torch.cat([p.detach().flatten() for p in model.parameters()])


def test_untouched_stubs_run_ours(untouched):
    assert untouched["printed"].count("ours: the exercise is open") == len(NAMES)
    assert not any(untouched[name].theirs for name in NAMES)


def test_all_solutions_typed_in(scope, untouched):
    printed = run(NEEDED, scope, SOLUTIONS)
    assert printed.count("yours, checked") == len(NAMES)
    assert "Ours goes on" not in printed
    assert all(scope[name].theirs for name in NAMES)
    assert all(scope[name].calls > 40 for name in NAMES)  # in each step of the training
    assert (scope["reached"] - untouched["reached"]).abs() < 0.5


def test_the_bound_and_the_walk_of_the_reader(scope):
    scope["big"] = vae.VAE(784, 4, hidden=(8,))
    scope["ten"] = scope["test"][:10]
    cells = [
        "exercise-iwae",
        "exercise-iwae-check",
        "iwae",
        "exercise-walk",
        "exercise-walk-check",
        "walk",
    ]
    theirs = dict(scope)
    assert run(cells, scope).count("ours: the exercise is open") == 2
    printed = run(cells, theirs, SOLUTIONS)
    assert "bound: yours, checked" in printed
    assert "walk: yours, checked" in printed
    assert "Ours goes on" not in printed
    for k, values in scope["bounds"].items():
        torch.testing.assert_close(values, theirs["bounds"][k])
    torch.testing.assert_close(theirs["blends"], scope["blends"])


def test_the_bound_of_the_reader_judges_the_priors(scope):
    scope["big"] = big = vae.VAE(784, 4, hidden=(8,))
    scope["q_test"] = big.encode(scope["test"])
    scope["z_test"] = scope["q_test"].mean.detach()
    scope["logvar_test"] = (2 * scope["q_test"].stddev.log()).detach()
    scope["log_p_x"] = -torch.arange(10_000.0)
    scope["priors"] = {"N(0, I)": MixturePrior.standard(4)}
    cells = ["exercise-prior", "exercise-prior-check", "judge"]
    theirs = dict(scope)
    assert "prior_bound: ours: the exercise is open" in run(cells, scope)
    printed = run(cells, theirs, SOLUTIONS)
    assert "prior_bound: yours, checked" in printed
    assert "Ours goes on" not in printed
    one, other = (each["judged"]["N(0, I)"][0] for each in (scope, theirs))
    torch.testing.assert_close(one, other)


FAILS_LATER = """
calls = []

def my_elbo(x, logits, kl):
    calls.append(1)
    made = exercises.elbo(x, logits, kl)
    return made if len(x) < 100 or len(calls) % 7 else {fault}
"""


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("x @ x", "it stopped with RuntimeError"),
        ("made / 0 * 0", "NaN or infinity"),
        ("made.detach()", "no gradient flows"),
    ],
)
def test_an_answer_that_fails_in_the_training(fault, why, scope, untouched):
    cells = [name for name in NEEDED if name not in ("loss-verify", "nine-figure")]
    typed = {"exercise-elbo": FAILS_LATER.format(fault=fault)}
    printed = run(cells[:-1], scope, typed)
    scope["calls"].clear()  # so that it fails in the training, not before
    printed += run(["nine-train"], scope)
    assert "elbo: yours, checked" in printed
    assert why in printed
    assert printed.count("Ours goes on.") == 1
    assert printed.count("This training starts again.") == 1
    difference = weights(scope["small"]) - weights(untouched["small"])
    assert difference.abs().max() < 1e-6


def test_an_edit_opens_the_exercise_until_its_check_runs(scope):
    stub, check, use = "exercise-kl", "exercise-kl-check", "kl-verify"
    assert "yours, checked" in run([stub, check, use], scope, SOLUTIONS)
    assert "the exercise is open" in run([stub, use], scope, SOLUTIONS)
    assert "yours, checked" in run([check, use], scope)


def test_the_typed_model_has_the_names_of_the_package(untouched):
    ours, package = untouched["mine"], untouched["tested"]
    assert list(ours.state_dict()) == list(package.state_dict())
    assert type(ours).__name__ == type(package).__name__ == "VAE"
