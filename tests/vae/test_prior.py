"""The learned prior: a density, a sampler, and a bound that is one."""

import math

import pytest
import torch
from torch.distributions import (
    Categorical,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
    kl_divergence,
)

from course_utils.mixture import GaussianMixture
from course_utils.quadrature import expectation, integrate
from course_utils.training import seeded
from course_utils.vae import VAE, prior
from course_utils.vae.prior import (
    MixturePrior,
    bound_with,
    learn_prior,
    split_kl,
    used_latents,
)
from tests.vae.cases import GREY, small


def three(d=2):
    with seeded(3):
        root = torch.randn(3, d, d, dtype=torch.float64)
        covariances = root @ root.mT + 0.1 * torch.eye(d, dtype=torch.float64)
        means = 2 * torch.randn(3, d, dtype=torch.float64)
    return GaussianMixture(torch.tensor([0.2, 0.3, 0.5]), means, covariances)


def test_the_density_is_that_of_torch():
    """All latents at once: zeros and ones where the mixture knows nothing."""
    mixture = three()
    learned = MixturePrior(mixture, (3, 1), latent_dim=5)
    means = torch.zeros(3, 5, dtype=torch.float64)
    means[:, [3, 1]] = mixture.means
    covariances = torch.eye(5, dtype=torch.float64).repeat(3, 1, 1)
    for i, row in enumerate((3, 1)):
        for j, column in enumerate((3, 1)):
            covariances[:, row, column] = mixture.covariances[:, i, j]
    whole = MixtureSameFamily(
        Categorical(mixture.weights), MultivariateNormal(means, covariances)
    )
    with seeded(0):
        z = 2 * torch.randn(2500, 5, dtype=torch.float64)
    torch.testing.assert_close(learned.log_prob(z), whole.log_prob(z))
    assert learned.log_prob(z.float()).dtype == torch.float32
    assert learned.others == [0, 2, 4]


def test_samples_have_the_moments_and_say_whose_they_are():
    learned = MixturePrior(three(), (3, 1), latent_dim=5)
    generator = torch.Generator().manual_seed(0)
    z, whose = learned.sample(40_000, components=True, generator=generator)
    assert z.shape == (40_000, 5)
    shares = whose.bincount(minlength=3) / len(whose)
    torch.testing.assert_close(shares.double(), three().weights, atol=0.01, rtol=0)
    for k in range(3):
        own = z[whose == k][:, [3, 1]].double()
        torch.testing.assert_close(own.mean(0), three().means[k], atol=0.1, rtol=0)
        gap = torch.cov(own.T) - three().covariances[k]
        assert gap.abs().max() < 0.1 * three().covariances[k].abs().max()
    others = z[:, [0, 2, 4]]
    assert others.mean(0).abs().max() < 0.03
    assert (others.std(0) - 1).abs().max() < 0.03
    again = learned.sample(40_000, generator=torch.Generator().manual_seed(0))
    assert torch.equal(again, z)
    assert learned.sample(3).shape == (3, 5)


@pytest.mark.parametrize("used", [(0,), (0, 0), (0, 5), (0, -1), (0, 1, 2)])
def test_columns_without_sense_are_refused(used):
    words = r"used(\[1\])? must be (2 different columns below 5|at least 0)"
    with pytest.raises(ValueError, match=words):
        MixturePrior(three(), used, latent_dim=5)


def clusters(n=900):
    """Three far clouds in two of three columns, with their number, out of order."""
    with seeded(1):
        labels = torch.randint(3, (n,))
        centres = torch.tensor([[0.0, 6.0], [6.0, 0.0], [-6.0, -6.0]])
        z = torch.randn(n, 3)
        z[:, [2, 0]] = centres[labels] + 0.5 * torch.randn(n, 2)
    return z, labels


def test_one_gaussian_for_each_class_has_its_moments():
    z, labels = clusters()
    learned = learn_prior(z, 1, labels=labels, used=(2, 0), covariance_floor=0.0)
    assert learned.mixture.k == 3
    for value in range(3):
        own = z[labels == value][:, [2, 0]].double()
        torch.testing.assert_close(learned.mixture.means[value], own.mean(0))
        cov = torch.cov(own.T, correction=0)
        torch.testing.assert_close(learned.mixture.covariances[value], cov)
        share = (labels == value).double().mean()
        torch.testing.assert_close(learned.mixture.weights[value], share)


def test_components_belong_to_their_class():
    z, labels = clusters()
    learned = learn_prior(z, 4, labels=labels, used=(2, 0))
    _, whose = learned.sample(500, components=True)
    assert learned.mixture.k == 12
    assert set((whose // 4).tolist()) == {0, 1, 2}
    nearest = learned.mixture.means.mean(1)  # −6, 3 and 3: the third class stands out
    assert bool((nearest[8:] < -4).all())
    assert bool((nearest[:8] > 1).all())


def test_without_labels_em_finds_the_density():
    z, _ = clusters()
    learned = learn_prior(z, 3, max_iterations=200, seed=1)
    new, _ = clusters(4000)
    by_class = learn_prior(z, 1, labels=clusters()[1])
    assert learned.used == (0, 1, 2)
    gap = (by_class.log_prob(new) - learned.log_prob(new)).mean()
    assert abs(gap) < 0.05
    again = learn_prior(z, 3, max_iterations=200, seed=1)
    assert torch.equal(again.mixture.means, learned.mixture.means)


def test_wrong_labels_are_refused():
    z, labels = clusters()
    with pytest.raises(ValueError, match="one for each of the 900 rows"):
        learn_prior(z, 1, labels=labels[:10])


def test_the_used_latents_are_those_with_a_kl():
    kl = torch.tensor([[0.0, 1.0, 0.06], [0.02, 0.0, 0.06]])
    assert used_latents(kl) == (1, 2)
    assert used_latents(kl, least=0.1) == (1,)


@pytest.fixture
def one_pixel():
    """p(x = 1 | z) = sigmoid(2z − 1), with any q; everything by quadrature."""
    model = VAE(1, 1, hidden=()).double()
    with torch.no_grad():
        model.decoder.network[0].weight.fill_(2.0)
        model.decoder.network[0].bias.fill_(-1.0)
    return model


def test_the_bound_is_that_of_quadrature(one_pixel):
    """Its mean over q, and below log p(x) of the new model, with the gap of a KL."""
    mixture = GaussianMixture(
        torch.tensor([0.3, 0.7]),
        torch.tensor([[-1.0], [1.5]]),
        torch.tensor([[[0.5]], [[0.2]]]),
    )
    learned = MixturePrior(mixture, (0,), latent_dim=1)
    x = torch.ones(1, 1, dtype=torch.float64)
    grid = torch.linspace(-14, 14, 8001, dtype=torch.float64)
    q = one_pixel.encode(x)
    log_q = q.log_prob(grid)[0]
    log_p = torch.nn.functional.logsigmoid(2 * grid - 1)
    log_joint = log_p + learned.log_prob(grid[:, None])
    exact = expectation(log_joint - log_q, log_q, grid)
    with seeded(0):
        many = bound_with(one_pixel, x.expand(200_000, 1), learned)
    error = many.std() / len(many) ** 0.5
    assert abs(many.mean() - exact) < 4 * error
    log_p_x = integrate(log_joint.exp(), grid).log()
    gap = kl_divergence(Categorical(logits=log_q), Categorical(logits=log_joint))
    torch.testing.assert_close(log_p_x - exact, gap, atol=1e-6, rtol=0)


def test_with_the_old_prior_it_is_the_elbo():
    model = small()
    x = (torch.arange(60).view(5, 12) % 3 == 0).float().repeat(500, 1)
    noise = torch.randn(2500, 2)
    log_p, kl = model.terms(x, noise)
    by_draws = bound_with(model, x, noise=noise)
    q = model.encode(x)
    z = q.mean + q.stddev * noise
    ratio = (Normal(0.0, 1.0).log_prob(z) - q.log_prob(z)).sum(1)
    torch.testing.assert_close(by_draws, log_p + ratio, atol=1e-4, rtol=1e-4)
    assert abs(by_draws.mean() - (log_p - kl.sum(1)).mean()) < 0.2
    assert bound_with(model, x).shape == (2500,)


def test_the_gain_is_a_difference_of_two_kls():
    """mean log r(z) − log p(z) = KL(q(z) ‖ p(z)) − KL(q(z) ‖ r(z)), in one latent."""
    mu = torch.tensor([[-2.0], [0.5], [1.5]], dtype=torch.float64)
    logvar = torch.tensor([[-3.0], [-2.0], [-4.0]], dtype=torch.float64)
    grid = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    clouds = Normal(mu, (0.5 * logvar).exp())
    log_q = clouds.log_prob(grid).logsumexp(0) - math.log(3)
    log_p = Normal(0.0, 1.0).log_prob(grid)
    mixture = GaussianMixture(torch.full((3,), 1 / 3), mu, logvar.exp()[..., None])
    log_r = MixturePrior(mixture, (0,), 1).log_prob(grid[:, None])
    torch.testing.assert_close(log_r, log_q)  # the best prior is q(z) itself
    wide = MixturePrior(three(1), (0,), 1).log_prob(grid[:, None])
    gain = expectation(wide - log_p, log_q, grid)
    to_p, to_r = (expectation(log_q - other, log_q, grid) for other in (log_p, wide))
    torch.testing.assert_close(gain, to_p - to_r)


def test_the_split_adds_up_and_agrees_with_quadrature():
    mu = torch.tensor([[-2.0], [0.5], [1.5]], dtype=torch.float64)
    logvar = torch.tensor([[-3.0], [-2.0], [-4.0]], dtype=torch.float64)
    clouds = Normal(mu, (0.5 * logvar).exp())
    with seeded(0):
        z = clouds.sample((2000,))
    parts = [split_kl(mu, logvar, rows) for rows in z]
    says, misses = (torch.stack(part) for part in zip(*parts, strict=True))
    grid = torch.linspace(-9, 9, 20_001, dtype=torch.float64)
    log_q = clouds.log_prob(grid).logsumexp(0) - math.log(3)
    unmet = expectation(log_q - Normal(0.0, 1.0).log_prob(grid), log_q, grid)
    kl = kl_divergence(clouds, Normal(0.0, 1.0)).mean()
    error = misses.mean(1).std() / len(z) ** 0.5
    assert abs(misses.mean() - unmet) < 4 * error
    assert abs((says + misses).mean() - kl) < 0.1
    assert says.max() <= math.log(3) + 1e-9


def test_the_split_is_made_in_pieces(monkeypatch):
    with seeded(0):
        mu, logvar, noise = torch.randn(3, 250, 4).double().unbind(0)
    z = mu + (0.5 * logvar).exp() * noise
    whole = split_kl(mu, logvar, z)
    monkeypatch.setattr(prior, "NUMBERS", 60 * 250)
    for one, other in zip(whole, split_kl(mu, logvar, z), strict=True):
        torch.testing.assert_close(one, other)
    q = Normal(mu, (0.5 * logvar).exp())
    mixed = q.log_prob(z[:, None]).sum(-1).logsumexp(1) - math.log(250)
    own = q.log_prob(z).sum(1)
    torch.testing.assert_close(whole[0], own - mixed)
    standard = Normal(0.0, 1.0).log_prob(z).sum(1)
    torch.testing.assert_close(whole[1], mixed - standard)


def test_it_raises_the_bound_of_a_trained_model():
    from course_utils.training import last
    from course_utils.vae import binarise, train_vae

    model, x = small(), binarise(GREY)
    last(train_vae(model, GREY, epochs=60, batch_size=50, learning_rate=0.01))
    with torch.no_grad(), seeded(0):
        z = model.encode(x).sample()
    learned = learn_prior(z, 2, max_iterations=50)
    noise = torch.randn(300, 2, generator=torch.Generator().manual_seed(0))
    gain = bound_with(model, x, learned, noise) - bound_with(model, x, noise=noise)
    assert gain.mean() > 0.02
