"""The game by its theory: the best D, the value, the losses against their logits."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.distributions import (
    Categorical,
    MixtureSameFamily,
    Normal,
    Uniform,
    kl_divergence,
)
from torch.nn import functional as F

from course_utils.divergences import js
from course_utils.gan import (
    LOSSES,
    Discriminator,
    Generator,
    gradient_penalty,
    optimal_discriminator,
    train_gan,
    value,
)
from course_utils.mixture.model import GaussianMixture
from course_utils.quadrature import expectation
from course_utils.trilemma.flow import Flow
from course_utils.vae import VAE
from tests.gan.cases import players

GRID = torch.linspace(-25, 25, 4001, dtype=torch.float64)


def normal(mu, sigma):
    return Normal(torch.tensor(mu, dtype=torch.float64), sigma)


def two_humps():
    centres = torch.tensor([-2.0, 3.0], dtype=torch.float64)
    weights = Categorical(torch.tensor([0.3, 0.7], dtype=torch.float64))
    return MixtureSameFamily(
        weights, Normal(centres, torch.tensor([0.5, 1.0]).double())
    )


class Half:
    """The mixture m = (p + q) / 2."""

    def __init__(self, p, q):
        self.p, self.q = p, q

    def log_prob(self, x):
        both = torch.stack([self.p.log_prob(x), self.q.log_prob(x)])
        return both.logsumexp(0) - math.log(2)


def jsd(p, q):
    m = Half(p, q).log_prob(GRID)
    logs = [p.log_prob(GRID), q.log_prob(GRID)]
    return sum(expectation(each - m, each, GRID) for each in logs) / 2


@pytest.mark.parametrize(
    ("p", "q"),
    [
        (normal(0.0, 1.0), normal(1.0, 2.0)),
        (two_humps(), normal(0.5, 3.0)),
        (normal(0.0, 1.0), normal(0.0, 1.0)),
        (normal(-9.0, 0.5), normal(9.0, 0.5)),
    ],
)
def test_the_best_value_is_two_jsd_minus_log_four(p, q):
    best = value(p, q, optimal_discriminator(p, q), GRID)
    assert best.item() == pytest.approx(2 * jsd(p, q).item() - math.log(4), abs=1e-10)
    assert -math.log(4) - 1e-10 <= best.item() <= 1e-10


def test_the_sum_of_the_two_kls_is_twice_the_jsd():
    p, q = normal(0.0, 1.0), normal(1.0, 2.0)
    m = Half(p, q).log_prob(GRID)
    sum_of_kls = sum(
        expectation(each.log_prob(GRID) - m, each.log_prob(GRID), GRID)
        for each in (p, q)
    )
    assert sum_of_kls.item() == pytest.approx(2 * jsd(p, q).item(), abs=1e-12)
    assert jsd(p, q) < kl_divergence(p, q)


@settings(deadline=None, max_examples=25)
@given(
    st.floats(-4, 4),
    st.floats(0.3, 3),
    st.floats(-3, 3),
    st.floats(-3, 3),
    st.booleans(),
)
def test_no_discriminator_beats_the_best_one(mu, sigma, a, b, constant):
    p, q = two_humps(), normal(mu, sigma)
    best = optimal_discriminator(p, q)
    probability = best(GRID)
    assert bool(((probability >= 0) & (probability <= 1)).all())

    def other(x):
        return torch.sigmoid(a + (0 if constant else b) * x)

    assert value(p, q, other, GRID) <= value(p, q, best, GRID) + 1e-12


@settings(deadline=None, max_examples=50)
@given(st.floats(0.01, 5), st.floats(0.01, 5), st.floats(0.001, 0.999))
def test_a_log_y_plus_b_log_one_minus_y_peaks_at_a_over_a_plus_b(a, b, y):
    def curve(y):
        return a * math.log(y) + b * math.log1p(-y)

    assert curve(y) <= curve(a / (a + b)) + 1e-12


def test_the_best_discriminator_far_out_and_where_there_is_nothing():
    p, q = normal(0.0, 1.0), normal(1.0, 1.0)
    x = torch.tensor([-60.0, 0.5, 60.0], dtype=torch.float64)
    assert optimal_discriminator(p, q)(x).tolist() == pytest.approx(
        [1, 0.5, 0], abs=1e-9
    )

    class Nothing:
        def log_prob(self, x):
            return torch.full_like(x, -math.inf)

    assert bool((optimal_discriminator(Nothing(), Nothing())(x) == 0.5).all())
    assert bool((optimal_discriminator(p, Nothing())(x) == 1).all())


def test_densities_that_end_have_a_value_too():
    """V(D*) = 2 JSD − log 4, also where p or q is zero and torch would raise."""
    edge = torch.tensor(2.00625, dtype=torch.float64)  # between two points of the grid
    p, q = Uniform(-edge, edge), normal(0.5, 1.5)
    best = optimal_discriminator(p, q)
    probability = best(GRID)
    outside = GRID.abs() > edge
    assert bool((probability[outside] == 0).all())
    assert bool((probability[~outside] > 0).all())
    found = value(p, q, best, GRID).item()
    assert found == pytest.approx(2 * js(p, q, GRID).item() - math.log(4), abs=1e-12)
    assert optimal_discriminator(p, Uniform(edge + 1, edge + 2))(edge + 0.5) == 0.5


def test_models_of_the_course_and_of_torch_are_data_alike():
    mixture = GaussianMixture([1.0], [[2.0, 0.0]], [[[0.01, 0.0], [0.0, 0.01]]])
    for data in (mixture, mixture.distribution, Flow(), VAE(2, 2, hidden=(4,))):
        made, judge = players()
        *_, last = train_gan(made, judge, data, 3)
        assert 0 < last.d_loss < 2
    words = r"samples of shape \(n, 1\), got \(1,\): Normal"
    with pytest.raises(ValueError, match=words):
        next(train_gan(Generator(1, 1), Discriminator(1), Normal(0.0, 1.0)))
    data = Normal(torch.zeros(1), 1.0)
    assert next(train_gan(Generator(1, 1), Discriminator(1), data, 1)).step == 1


def test_value_says_what_is_wrong():
    p, q = normal(0.0, 1.0), normal(6.0, 1.0)
    short = torch.linspace(-8, 5, 801, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"^q: .*to the right of 5"):
        value(p, q, optimal_discriminator(p, q), short)
    with pytest.raises(ValueError, match=r"^p: .*to the left of -1"):
        value(p, q, optimal_discriminator(p, q), torch.linspace(-1, 15, 801).double())
    with pytest.raises(ValueError, match=r"d must lie in \[0, 1\], got .* to 2"):
        value(p, q, lambda x: 2 + 0 * x, GRID)
    with pytest.raises(ValueError, match=r"d must return shape \(4001,\)"):
        value(p, q, lambda x: x[:, None].sigmoid(), GRID)
    net = Discriminator(data_dim=1, hidden=(8,)).double()
    found = value(p, q, net.probability, GRID)
    assert found <= value(p, q, optimal_discriminator(p, q), GRID)


LOGITS = torch.linspace(-30, 30, 13, dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "slope"),
    [
        ("minimax", lambda x: -x.sigmoid()),
        ("non_saturating", lambda x: -(-x).sigmoid()),
        ("wasserstein", lambda x: -torch.ones_like(x)),
        ("relativistic", lambda x: -(0.7 - x).sigmoid()),
    ],
)
def test_gradients_of_the_generators_loss_against_the_logit(name, slope):
    logits = LOGITS.clone().requires_grad_(True)
    LOSSES[name].generator(logits, torch.full_like(LOGITS, 0.7)).backward()
    torch.testing.assert_close(logits.grad * len(LOGITS), slope(LOGITS))


def test_the_discriminators_loss_is_binary_cross_entropy_and_minus_the_value():
    real, fake = LOGITS, LOGITS.flip(0) / 3
    labels = torch.cat([torch.ones_like(real), torch.zeros_like(fake)])
    both = F.binary_cross_entropy_with_logits(torch.cat([real, fake]), labels)
    for name in ("minimax", "non_saturating"):
        loss = LOSSES[name].discriminator(real, fake)
        torch.testing.assert_close(loss, 2 * both)
    moderate = LOGITS / 5
    v = moderate.sigmoid().log().mean() + (1 - moderate.sigmoid()).log().mean()
    torch.testing.assert_close(LOSSES["minimax"].discriminator(moderate, moderate), -v)


def test_the_other_losses_by_hand():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([0.0, 2.0])
    assert LOSSES["wasserstein"].discriminator(real, fake) == -1
    assert LOSSES["wasserstein"].generator(fake) == -1
    expected = math.log(1 + math.exp(-1))
    assert LOSSES["relativistic"].discriminator(real, fake) == pytest.approx(expected)
    back = LOSSES["relativistic"].generator(fake, real)
    assert back == pytest.approx(math.log(1 + math.e))


@pytest.mark.parametrize("name", ["relativistic", "wasserstein", "non_saturating"])
def test_the_penalty_against_finite_differences(name):
    net = Discriminator(hidden=(8, 8), frequencies=2, activation="tanh", scale=2.0)
    net = net.double()
    generator = torch.Generator().manual_seed(0)
    real, fake = torch.randn(2, 6, 2, generator=generator, dtype=torch.float64)
    mix = torch.rand(6, 1, generator=generator, dtype=torch.float64)
    step = 1e-6

    def slopes(x):
        sides = []
        for axis in torch.eye(2, dtype=torch.float64):
            difference = net(x + step * axis) - net(x - step * axis)
            sides.append(difference / (2 * step))
        return 2.0 * torch.stack(sides, 1).norm(dim=1)  # per unit of x / scale

    with torch.no_grad():
        if name == "wasserstein":
            by_hand = (slopes(mix * real + (1 - mix) * fake) - 1).square().mean()
        else:
            parts = [slopes(x).square().mean() for x in (real, fake)]
            by_hand = sum(parts) / 2
    found = gradient_penalty(net, real, fake, LOSSES[name], mix)
    assert found.item() == pytest.approx(by_hand.item(), rel=1e-6)
    found.backward()
    assert net.network[0].weight.grad.abs().sum() > 0
