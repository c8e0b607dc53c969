"""The diffusion model: against the Gaussian and the mixture, where all is known."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal, Normal

from course_utils.beyond.diffusion import Denoiser, DiffusionState, train_diffusion
from course_utils.data import ring_of_gaussians
from course_utils.quadrature import integrate

MEAN, WIDTH = torch.tensor([0.4, -0.6]), 0.7  # the Gaussian target N(MEAN, WIDTH² I)


class Exact(Denoiser):
    """The best denoiser for N(mean, width² I): x moves towards the mean."""

    def __init__(self, mean=MEAN, width=WIDTH, factor=1.0, **options):
        super().__init__(len(mean), sigma_data=width, **options)
        self.mean, self.width, self.factor = mean, width, factor

    def forward(self, x, sigma):
        sigma = torch.as_tensor(sigma, dtype=x.dtype)
        keep = self.width**2 / (self.width**2 + sigma**2)
        return self.mean.to(x.dtype) + self.factor * keep * (x - self.mean.to(x.dtype))


def gaussian(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return MEAN + WIDTH * torch.randn(n, 2, generator=generator)


def test_the_best_guess_is_the_posterior_mean_and_gives_the_score():
    """E[x₀ | x] by quadrature against the exact denoiser and its score."""
    grid = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    exact = Exact(torch.tensor([0.4]).double(), 0.7).double()
    prior = Normal(torch.tensor(0.4).double(), 0.7)
    for sigma in (0.05, 0.5, 3.0):
        for x in (-1.0, 0.3, 2.0):
            log_joint = prior.log_prob(grid) + Normal(grid, sigma).log_prob(
                torch.tensor(x).double()
            )
            joint = log_joint.exp()
            mean = integrate(grid * joint, grid) / integrate(joint, grid)
            at = torch.tensor([[x]]).double()
            assert exact(at, sigma).item() == pytest.approx(mean.item(), abs=1e-9)
            noisy = Normal(0.4, math.hypot(0.7, sigma))
            slope = -(x - 0.4) / noisy.variance
            assert exact.score(at, sigma).item() == pytest.approx(slope.item(), 1e-6)


def test_the_loss_has_its_least_value_at_the_best_guess():
    """At N(m, σ_data²) it is d; D(x) too strong by a factor costs what theory says."""
    torch.manual_seed(0)
    x = gaussian(400_000)
    for factor in (1.0, 1.1, 0.9):
        exact = Exact(factor=factor)
        low, high = map(math.log, exact.sigma_range)
        log_sigma = torch.linspace(low, high, 20_001, dtype=torch.float64)
        variance = log_sigma.exp().square()
        keep = WIDTH**2 / (WIDTH**2 + variance)
        weight = 1 / variance + 1 / WIDTH**2
        # D − x₀ = (f k − 1)(x₀ − m) + f k σ ε, and x₀ and ε are independent
        error = (factor * keep - 1) ** 2 * WIDTH**2 + (factor * keep) ** 2 * variance
        expected = 2 * integrate(weight * error, log_sigma) / (high - low)
        generator = torch.Generator().manual_seed(1)
        parts = torch.stack([exact.loss(rows, generator) for rows in x.split(10_000)])
        spread = parts.std() / len(parts) ** 0.5
        assert abs(parts.mean().double() - expected) < 4.5 * spread
        if factor == 1.0:
            assert expected == pytest.approx(2, abs=1e-9)
        else:
            assert expected > 2.05


def test_a_trained_network_knows_the_score_of_a_gaussian():
    """Relative error of σ·score, root mean square over noisy data: at most 10 %."""
    denoiser = Denoiser(hidden=(48, 48))
    x = gaussian(20_000)
    states = list(train_diffusion(denoiser, x, 800, n_states=4))
    assert states[-1].loss < 1.1 * states[0].loss
    exact, new = Exact(), gaussian(4000, seed=1)
    generator = torch.Generator().manual_seed(2)
    for sigma in (0.1, 0.3, 1.0, 3.0, 8.0):
        noisy = new + sigma * torch.randn(new.shape, generator=generator)
        with torch.no_grad():
            error = denoiser.score(noisy, sigma) - exact.score(noisy, sigma)
        assert sigma * error.square().mean().sqrt() < 0.1
    torch.manual_seed(3)
    made = denoiser.sample(4000)
    assert (made.mean(0) - MEAN).abs().max() < 0.1
    assert (made.std(0) / WIDTH - 1).abs().max() < 0.1
    truth = MultivariateNormal(MEAN, WIDTH**2 * torch.eye(2))
    gap = (truth.log_prob(new) - denoiser.log_prob(new)).mean()
    assert abs(gap) < 0.05


@pytest.mark.parametrize(("steps", "error"), [(8, 0.15), (16, 0.04), (64, 0.004)])
def test_the_walk_with_the_exact_score_makes_the_gaussian(steps, error):
    """The exact walk is x = m + (x_T − m) √(s² + σ²) / √(s² + σ_T²)."""
    exact = Exact().double()
    torch.manual_seed(0)
    begin = exact.start.sample((500,))
    levels = exact.levels(steps)
    path = list(exact.walk(begin, levels))
    assert len(path) == steps
    mean = MEAN.double()
    expected = [
        mean + (begin - mean) * math.hypot(WIDTH, s) / math.hypot(WIDTH, levels[0])
        for s in levels
    ]
    worst = max((a - b).abs().max().item() for a, b in zip(path, expected, strict=True))
    assert worst < error * 4 * WIDTH


def reached(exact):
    """Where the exact walk takes its start N(0, …): a Gaussian, a little off MEAN."""
    low, high = exact.sigma_range
    ratio = math.hypot(WIDTH, low) / math.hypot(WIDTH, high)
    mean = MEAN.to(exact.start.mean.dtype)
    return Normal(mean - ratio * mean, ratio * exact.start.stddev)


def test_samples_of_the_exact_score_have_its_moments():
    torch.manual_seed(0)
    exact = Exact()
    x = exact.sample(40_000)
    assert not x.requires_grad
    assert (x.mean(0) - reached(exact).mean).abs().max() < 4.5 * WIDTH / 200
    assert (x.std(0) / WIDTH - 1).abs().max() < 0.02


def test_the_density_of_the_walk_is_exact_for_a_gaussian():
    exact = Exact().double()
    x = gaussian(200).double()
    truth = reached(exact).log_prob(x).sum(1)
    errors = [
        (exact.log_prob(x, steps) - truth).abs().max().item() for steps in (32, 64, 128)
    ]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]  # Heun: the square of the step
    assert errors[2] < 0.01


def test_a_code_leads_back_to_its_point():
    exact = Exact().double()
    x = gaussian(100).double()
    code = exact.encode(x, 200)
    most, least = exact.sigma_range[1], exact.sigma_range[0]
    *_, back = exact.walk(code * exact.start.stddev, exact.levels(200))
    torch.testing.assert_close(back, x, atol=1e-3, rtol=0)
    scale = math.hypot(WIDTH, most) / math.hypot(WIDTH, least)
    noise = (MEAN.double() + scale * (x - MEAN.double())) / exact.start.stddev
    torch.testing.assert_close(code, noise, atol=2e-3, rtol=0)


def test_density_of_any_network_has_mass_one():
    torch.manual_seed(0)
    denoiser = Denoiser(hidden=(16,), sigma_range=(0.05, 5.0)).double()
    ticks = torch.linspace(-7, 7, 101, dtype=torch.float64)
    density = denoiser.log_prob(torch.cartesian_prod(ticks, ticks), 48).exp()
    mass = torch.trapezoid(torch.trapezoid(density.view(101, 101), ticks), ticks)
    assert mass.item() == pytest.approx(1, abs=0.02)


def test_the_levels_fall_and_more_of_them_are_small():
    denoiser = Denoiser(sigma_range=(0.01, 10.0))
    levels = denoiser.levels(20)
    assert levels[0] == pytest.approx(10) and levels[-1] == pytest.approx(0.01)
    assert levels == sorted(levels, reverse=True)
    assert levels[10] < 1
    one = Denoiser().sample(5, steps=1)
    assert one.shape == (5, 2) and bool(torch.isfinite(one).all())


def test_a_ring_is_found():
    ring = ring_of_gaussians(sigma=0.3, n_modes=3)
    torch.manual_seed(0)
    denoiser = Denoiser(hidden=(48, 48))
    *_, last = train_diffusion(denoiser, ring.sample((4000,)), 800)
    near = torch.cdist(denoiser.sample(1000), ring.centres).amin(1) < 3 * ring.sigma
    assert near.float().mean() > 0.85
    assert isinstance(last, DiffusionState)
    assert str(last).startswith("step 800, loss ")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sigma_range": (0.0, 1.0)}, r"sigma_range must be 0 < low < high, got \(0"),
        ({"sigma_range": (2.0, 1.0)}, "sigma_range"),
        ({"sigma_range": (0.1, math.inf)}, "sigma_range"),
        ({"sigma_data": 0.0}, "sigma_data must be positive, got 0"),
        ({"data_dim": 0}, "data_dim must be at least 1, got 0"),
    ],
)
def test_bad_settings_are_named(options, words):
    with pytest.raises(ValueError, match=words):
        Denoiser(**options)


def test_bad_calls_are_named():
    denoiser = Denoiser()
    with pytest.raises(ValueError, match="steps must be at least 1, got 0"):
        denoiser.sample(3, steps=0)
    for use in (denoiser.log_prob, denoiser.encode):
        with pytest.raises(ValueError, match=r"shape \(n, 2\), got \(4, 3\)"):
            use(torch.zeros(4, 3))
        with pytest.raises(ValueError, match="steps must be at least 2, got 1"):
            use(torch.zeros(4, 2), steps=1)


@pytest.mark.parametrize(
    ("sigma", "words"),
    [
        (0.0, "sigma must be positive and finite, got values from 0 to 0"),
        (-1.0, "sigma must be positive and finite, got values from -1 to -1"),
        (math.nan, "sigma must be positive .* nan"),
        (math.inf, "sigma must be positive .* inf"),
        (torch.tensor([[1.0], [0.0], [2.0], [1.0]]), "got values from 0 to 2"),
        (torch.ones(4), r"a number or have shape \(4, 1\), got shape \(4,\)"),
        (torch.ones(4, 2), r"have shape \(4, 1\), got shape \(4, 2\)"),
    ],
)
def test_noise_without_sense_is_named(sigma, words):
    for denoiser in (Denoiser(), Exact()):
        with pytest.raises(ValueError, match=words):
            denoiser.score(torch.zeros(4, 2), sigma)
    with pytest.raises(ValueError, match=words):
        Denoiser()(torch.zeros(4, 2), sigma)


def test_x_and_levels_without_sense_are_named():
    denoiser = Denoiser()
    for use in (denoiser, denoiser.score):
        with pytest.raises(
            ValueError, match=r"x must have shape \(n, 2\), got \(4, 3\)"
        ):
            use(torch.zeros(4, 3), 1.0)
    for levels in ([], [1.0, 0.0], [1.0, -0.5], [math.nan], [math.inf, 1.0]):
        with pytest.raises(ValueError, match=r"levels must be .* positive and finite"):
            next(denoiser.walk(torch.zeros(4, 2), levels))
