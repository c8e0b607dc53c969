"""The bound on the JSD from a discriminator: the best one, a trained one, nonsense."""

import math

import pytest
import torch

from course_utils.divergences import js, js_bound, train_discriminator
from course_utils.gan import Discriminator
from course_utils.training import last
from tests.hostile import Door, cases, nonsense, refuses, same_in_all_clothes

P, Q = (torch.distributions.Normal(at, 1.0) for at in (0.0, 2.0))
GRID = torch.linspace(-9, 11, 2001, dtype=torch.float64)


def samples(seed, n, shift):
    random = torch.Generator().manual_seed(seed)
    return shift + torch.randn(n, 1, generator=random)


def test_the_best_discriminator_gives_the_jsd_and_others_less():
    weights = 0.01 * torch.stack([P.log_prob(GRID).exp(), Q.log_prob(GRID).exp()])
    best = P.log_prob(GRID) - Q.log_prob(GRID)

    def on_the_grid(logits):  # the same mean, by quadrature
        log = torch.nn.functional.logsigmoid
        return math.log(2) + (weights[0] @ log(logits) + weights[1] @ log(-logits)) / 2

    truth = js(P, Q, grid=GRID).item()
    assert on_the_grid(best).item() == pytest.approx(truth, abs=1e-6)
    for other in (0 * best, 0.5 * best, best + 0.3, 2 * best):
        assert on_the_grid(other) < truth - 1e-3
    x, y = samples(0, 50_000, 0.0), samples(1, 50_000, 2.0)
    ratio = [P.log_prob(rows) - Q.log_prob(rows) for rows in (x, y)]
    assert js_bound(*ratio).item() == pytest.approx(truth, abs=0.006)
    assert js_bound(torch.zeros(3), torch.zeros(5)).item() == pytest.approx(0, abs=1e-6)
    assert js_bound(torch.tensor([900.0]), torch.tensor([-900.0])).item() == (
        pytest.approx(math.log(2))
    )


def test_it_climbs_to_just_below_the_truth():
    x, y, new = samples(0, 2000, 0.0), samples(1, 2000, 2.0), samples(2, 4000, 0.0)
    d = Discriminator(data_dim=1, hidden=(16,))
    states = list(train_discriminator(d, x, y, 60, learning_rate=0.03))
    assert [state.step for state in states] == list(range(1, 61))
    assert states[-1].bound > states[0].bound + 0.1
    with torch.no_grad():
        on_new = js_bound(d(new), d(new + 2.0)).item()
    truth = js(P, Q, grid=GRID).item()
    assert truth - 0.03 < on_new < truth + 0.01
    assert str(states[-1]) == f"step 60, JSD at least {states[-1].bound:.3f} nats"


def test_it_is_adam_on_minus_the_bound():
    x, y = samples(0, 30, 0.0), samples(1, 20, 1.0)
    nets = [Discriminator(data_dim=1, hidden=(8,)) for _ in range(2)]
    last(train_discriminator(nets[0], x, y, 5, learning_rate=0.02))
    optimizer = torch.optim.Adam(nets[1].parameters(), 0.02)
    for _ in range(5):
        optimizer.zero_grad()
        (-js_bound(nets[1](x), nets[1](y))).backward()
        optimizer.step()
    for a, b in zip(nets[0].parameters(), nets[1].parameters(), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"steps": 0}, "steps must be"),
        ({"learning_rate": 0.0}, "learning_rate must be"),
        ({"x": torch.zeros(4)}, "x must be of shape"),
        ({"y": torch.zeros(0, 1)}, "y must be of shape"),
        ({"y": torch.full((3, 1), math.nan)}, "y"),
        ({"y": torch.zeros(3, 2)}, "y must be as wide as x"),
    ],
)
def test_nonsense_is_refused_at_the_call(changes, words):
    given = {"x": torch.zeros(4, 1), "y": torch.zeros(3, 1), "steps": 2} | changes
    with pytest.raises(ValueError, match=words):
        train_discriminator(Discriminator(data_dim=1), **given)


def trained(x=((0.5,), (2.0,), (-1.0,)), y=((1.0,), (4.5,)), steps=3, **options):
    torch.manual_seed(0)
    net = Discriminator(data_dim=1, hidden=(4,)).double()
    return [state.bound for state in train_discriminator(net, x, y, steps, **options)]


LOGITS = [0.5, 2.0, -1.0]
DOORS = {
    "p": Door("logits_p", lambda p: js_bound(p, LOGITS), LOGITS, ("column", "nan")),
    "q": Door("logits_q", lambda q: js_bound(LOGITS, q), LOGITS, ("column", "nan")),
    "x": Door("x", lambda x: trained(x=x), [[0.5], [2.0], [-1.0]]),
    "y": Door("y", lambda y: trained(y=y), [[1.0], [4.5]]),
}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(door, kind):
    if kind == "infinite" and "logits" in door.name:  # D is sure, and right
        assert js_bound([math.inf], [-math.inf]).item() == math.log(2)
    else:
        refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_all_forms_of_the_same_numbers_agree(door):
    same_in_all_clothes(door)


def test_a_column_of_logits_is_a_row_of_them():
    column = torch.tensor(LOGITS)[:, None]
    assert js_bound(column, LOGITS) == js_bound(torch.tensor(LOGITS), LOGITS)
    refuses(lambda: js_bound(torch.zeros(3, 2), LOGITS), "logits_p")


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"steps": 2.5}, "steps"),
        ({"steps": True}, "steps"),
        ({"learning_rate": math.inf}, "learning_rate"),
        ({"learning_rate": "0.1"}, "learning_rate"),
        ({"learning_rate": 1j}, "learning_rate"),
    ],
)
def test_settings_without_sense(options, name):
    x = torch.zeros(3, 1)
    with pytest.raises((ValueError, TypeError), match=name):
        options = {"steps": 2} | options
        train_discriminator(Discriminator(data_dim=1), x, x, **options)


@pytest.mark.parametrize("network", [None, torch.sin, torch.nn.ReLU(), [1]])
def test_what_is_no_network(network):
    x = torch.zeros(3, 1)
    refuses(lambda: train_discriminator(network, x, x, 2), "discriminator")


def test_two_logits_for_each_row_are_refused():
    x = torch.zeros(3, 2)
    run = train_discriminator(torch.nn.Linear(2, 2), x, x, 2)
    refuses(lambda: next(run), "one logit for each row")


def test_it_stops_where_the_bound_is_no_number():
    torch.manual_seed(0)
    net = torch.nn.Linear(1, 1)
    x = torch.full((3, 1), 1e30)
    with pytest.raises(FloatingPointError, match="back where it was one step before"):
        list(train_discriminator(net, x, -x, 50, learning_rate=1e20))
    assert all(bool(w.isfinite().all()) for w in net.parameters())
    with torch.no_grad():
        net.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="the bound became nan at step 1"):
        last(train_discriminator(net, x, x, 2))


def test_whatever_mode_the_caller_is_in():
    truth = trained()
    for mode in (torch.no_grad, torch.inference_mode):
        with mode():
            x = torch.tensor([[0.5], [2.0], [-1.0]], dtype=torch.float64)
            if mode is torch.no_grad:  # no network of inference mode can learn
                assert trained() == truth
        assert trained(x=x) == truth
