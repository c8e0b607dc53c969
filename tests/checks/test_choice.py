"""An accepted answer runs next, as long as it does what ours does."""

import time

import pytest
import torch

from course_utils.checks import chosen, exercise, restarting
from course_utils.checks.choice import accept, accepted
from tests.checks.cases import MEAN, mean


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    monkeypatch.setattr(exercise, "_given", exercise.Counter())
    accept(mean, None)
    yield
    accept(mean, None)


def right(x):
    """Another way to write it."""
    return x.mean()


X = torch.arange(5.0)


def test_an_open_exercise_runs_ours(capsys):
    use = chosen(right, otherwise=mean)
    assert capsys.readouterr().out == "mean: ours: the exercise is open\n"
    assert not use.theirs
    assert use(X) == 2


def test_an_accepted_answer_runs(capsys):
    calls = []

    def mine(x):
        calls.append(1)
        return x.mean()

    MEAN.check(mine)
    use = chosen(mine, otherwise=mean)
    assert capsys.readouterr().out.endswith("mean: yours, checked\n")
    before = len(calls)
    assert use(X) == 2
    assert len(calls) > before
    assert capsys.readouterr().out == ""


def test_acceptance_belongs_to_the_function_that_was_checked():
    MEAN.verdict(right)
    assert accepted(mean) is right
    assert not chosen(lambda x: x.mean(), otherwise=mean).theirs
    MEAN.verdict(lambda x: x.sum())  # a later wrong answer opens the exercise again
    assert not chosen(right, otherwise=mean).theirs
    MEAN.verdict(right)
    assert chosen(right, otherwise=mean).theirs


def used(function):
    accept(mean, function)
    return chosen(function, otherwise=mean)


def busy(seconds):
    """Work for so long; what else the machine does is not counted."""
    begin = time.thread_time()
    while time.thread_time() < begin + seconds:
        pass


def test_waiting_for_the_machine_is_no_slowness():
    use = used(lambda x: (x.mean(), time.sleep(0.2))[0])
    assert use(torch.arange(9.0)) == 4
    assert use.mine is not None


@pytest.mark.parametrize(
    ("mine", "why"),
    [
        (lambda x: x.mean() + (len(x) == 9), "it gives other numbers than ours"),
        (lambda x: [][len(x)], "it stopped with IndexError"),
        (lambda x: x.mean() if x.shape == (5,) else None, "it gives other numbers"),
        (lambda x: (x.mean(), busy(0.2))[0], "times as long as ours"),
    ],
)
def test_the_first_real_call_compares_both(mine, why, capsys):
    use = used(mine)
    capsys.readouterr()
    assert use(torch.arange(9.0)) == 4
    line = capsys.readouterr().out
    assert line.startswith("mean: at call 1 of your function ")
    assert why in line
    assert line.endswith("Ours goes on.\n")
    assert use(torch.arange(9.0)) == 4  # and stays with ours, in silence
    assert capsys.readouterr().out == ""


def test_the_first_call_spends_no_random_numbers_and_changes_nothing():
    def noisy(x):
        x += 0 * torch.rand(5)
        return x.mean()

    torch.manual_seed(0)
    expected = torch.rand(5), torch.rand(2)
    torch.manual_seed(0)
    assert used(noisy)(X) == 2
    torch.testing.assert_close(torch.rand(2), expected[1], atol=0, rtol=0)
    assert X.tolist() == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("later", "why"),
    [
        (lambda x: x.mean() / 0 * 0, "NaN or infinity where ours gives numbers"),
        (lambda x: x.mean().detach(), "no gradient flows through it"),
        (lambda x: x @ x[:3], "it stopped with RuntimeError"),
    ],
)
def test_a_training_starts_again_with_ours(later, why, capsys):
    calls, starts = [], []

    def mine(x):
        calls.append(1)
        return x.mean() if len(calls) < 5 else later(x)

    use = used(mine)

    def train():
        starts.append(torch.rand(()).item())
        weight = torch.ones(4, requires_grad=True)
        for _ in range(6):
            loss = use(weight * (1 + torch.rand(4)))
            weight = (weight - 0.1 * torch.autograd.grad(loss, weight)[0]).detach()
            weight.requires_grad_()
        return weight

    end = restarting(train, use)
    out = capsys.readouterr().out
    assert why in out
    assert "at call 4 of your function" in out
    assert out.endswith("This training starts again.\n")
    assert len(starts) == 2
    assert starts[0] == starts[1]  # the same random numbers
    assert bool(end.isfinite().all())


def test_diverged_weights_are_not_blamed_on_the_reader(capsys):
    use = used(right)
    use(X)
    capsys.readouterr()
    assert use(X * torch.nan).isnan()
    assert use.theirs
    assert capsys.readouterr().out == ""


def test_an_error_of_ours_is_no_fault_of_theirs():
    use = used(right)
    with pytest.raises(AttributeError):
        use("no tensor")


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="mine must be a function, got None"):
        chosen(None, otherwise=mean)
    with pytest.raises(TypeError, match="otherwise must be a function, got 3"):
        chosen(right, otherwise=3)


@pytest.mark.parametrize("mine", [lambda x: float(x.mean()), lambda x: [x.mean()]])
def test_a_float_or_a_list_comes_in_the_form_of_ours(mine):
    use = used(mine)
    made = use(X)
    assert made.shape == ()
    assert made.dtype == X.dtype
    assert use.theirs
