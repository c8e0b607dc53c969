"""What a reader writes in notebook 06 is what its next cells run."""

import pytest

from course_utils.checks.choice import accept
from course_utils.divergences import exercises
from tests.reader import Reader, nothing_accepted

READER = Reader("06")
NAMES = ("kl", "js", "mmd", "choice", "renyi")
SOLUTIONS = {f"exercise-{name}": READER.solutions[f"exercise-{name}"] for name in NAMES}
CELLS = [
    *["setup", "two-candidates", "kl-verify", "exercise-kl", "exercise-kl-check"],
    *["best", "best-verify", "exercise-js", "exercise-js-check"],
    *["shift", "shift-verify", "mmd-biased", "exercise-mmd", "exercise-mmd-check"],
    *["estimates", "estimates-verify", "theis", "want", "want-figure", "want-verify"],
    *["exercise-choice", "exercise-choice-check", "choice"],
    *["discriminator", "bound", "discriminator-verify"],
    *["two-sample-test", "permutation"],
    *["exercise-renyi", "exercise-renyi-check", "renyi-fits"],
]
USED = {  # the exercise → the name of its solution, and the cell that runs it
    "exercise-kl": ("both_kls", "best"),
    "exercise-js": ("js", "shift"),
    "exercise-mmd": ("unbiased_mmd2", "estimates"),
    "exercise-choice": ("choice", "choice"),
    "exercise-renyi": ("renyi", "renyi-fits"),
}
BREAKS = """
def my_mmd2(x, y, sigma):
    if len(x) == 60:
        raise ValueError("too many")
    n, m = len(x), len(y)
    within_x = (kernel(x, x, sigma).sum() - n) / (n * (n - 1))
    within_y = (kernel(y, y, sigma).sum() - m) / (m * (m - 1))
    return within_x + within_y - 2 * kernel(x, y, sigma).mean()
"""
NO_GRADIENT = """
def my_renyi(log_p, log_q, cell, alpha=0.5):
    log_p, log_q = log_p.detach(), log_q.detach()
    power = (alpha * log_p + (1 - alpha) * log_q).exp()
    return (power.sum() * cell).log() / (alpha - 1)
"""


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    yield from nothing_accepted(monkeypatch, exercises)
    accept(exercises.choice, None)


TEST = READER.cells["two-sample-test"]
SHORT = {"two-sample-test": TEST.replace("shuffles=500", "shuffles=20")}


def test_untouched_stubs_leave_ours():
    printed = READER.run(CELLS, {}, SHORT)
    assert printed.count("ours: the exercise is open") == len(USED)
    assert "yours" not in printed


def test_all_solutions_run_in_the_cells_that_follow():
    scope = {}
    printed = READER.run(CELLS, scope, SHORT | SOLUTIONS)
    for name, _ in USED.values():
        assert f"{name}: yours, checked" in printed
    assert "Ours goes on" not in printed and "✗" not in printed
    assert scope["mmd2"].calls == 600 + 2 * 21  # the estimates, and both tests
    assert scope["kls"].calls > 4 and scope["jsd_of"].calls == 81
    assert scope["renyi"].theirs and scope["renyi"].calls > 50


def test_an_answer_that_stops_later_gives_way_in_the_test():
    scope = {}
    until = CELLS[: CELLS.index("exercise-renyi")]
    typed = SHORT | {"exercise-mmd": BREAKS}
    printed = READER.run(until, scope, typed)
    assert "unbiased_mmd2: yours, checked" in printed
    assert "it stopped with ValueError: too many. Ours goes on." in printed
    assert not scope["mmd2"].theirs
    ours = {}
    READER.run(until, ours, SHORT)
    assert scope["tests"]["p against q"].p_value == ours["tests"]["p against q"].p_value


def test_a_divergence_without_a_gradient_gives_way_in_the_fit():
    cells = ["setup", "theis", "exercise-renyi", "exercise-renyi-check", "renyi-fits"]
    printed = READER.run(cells, {}, {"exercise-renyi": NO_GRADIENT})
    ours = READER.run(cells, {})
    fits = [line for line in ours.splitlines() if line.startswith("Rényi, α")]
    assert all(line in printed for line in fits) and len(fits) == 3
    assert "yours, checked" not in printed or "no gradient flows" in printed


def test_check_then_edit_then_run_again():
    scope = {}
    cells = ["setup", "two-candidates", "kl-verify", "exercise-kl", "exercise-kl-check"]
    typed = {"exercise-kl": SOLUTIONS["exercise-kl"]}
    printed = READER.run([*cells, "best"], scope, typed)
    assert "both_kls: yours, checked" in printed
    edited = READER.run(["exercise-kl", "best"], scope, typed)  # not checked again
    assert "both_kls: ours: the exercise is open" in edited
    again = READER.run(["exercise-kl-check", "best"], scope)
    assert "both_kls: yours, checked" in again
    assert "Ours goes on" not in again


QUICK = """
one = fit_gaussian(points)
mixture = restarts(points[:500], 8, 1)[0].mixture
soft = vae.VAE(2, 2, likelihood="normal").float()
cured = gan.Generator().float()
"""


def test_the_last_table_shows_what_the_reader_has_kept():
    cells = ["setup", "trilemma-imports", "trilemma-data", "train-old", "verbs"]
    cells += ["verbs-train", "verbs-table"]
    scope = {}
    printed = READER.run(cells, scope, {"train-old": QUICK})
    rows = {line[:13].strip(): line for line in printed.splitlines()}
    names = ("one Gaussian", "mixture", "VAE", "GAN")
    assert all(rows[name].endswith("–") for name in names)  # as committed: nothing
    mine = dict.fromkeys(["vae.elbo", "variational.iwae", "gan.d_loss", "mixture.em"])
    scope["kept"] = lambda: mine
    printed = READER.run(["verbs-table"], scope)
    rows = {line[:13].strip(): line for line in printed.splitlines()}
    assert rows["one Gaussian"].endswith("–")
    assert rows["mixture"].endswith(" mixture.em")
    assert rows["VAE"].endswith(" vae.elbo, variational.iwae")
    assert rows["GAN"].endswith(" gan.d_loss")
