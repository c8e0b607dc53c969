"""Exercise 5 of notebook 04: the bound with any prior, from one draw of z."""

import math

from torch.distributions import Normal

from course_utils.checks import Exercise, Extreme, known_mistakes, noise

LOG_2_PI = math.log(2 * math.pi)


def prior_bound(log_p_x, log_p_z, z, mu, logvar):
    """Mean of log p(x | z) + log p(z) − log q(z | x), and q is N(μ, σ²)."""
    log_q = -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 / logvar.exp())
    return (log_p_x + log_p_z - log_q.sum(dim=1)).mean()


def _by_torch(log_p_x, log_p_z, z, mu, logvar):
    log_q = Normal(mu, (0.5 * logvar).exp()).log_prob(z).sum(dim=1)
    return log_p_x.mean() + log_p_z.mean() - log_q.mean()


def _by_noise(log_p_x, log_p_z, z, mu, logvar):
    drawn = (z - mu) * (-0.5 * logvar).exp()
    log_q = Normal(0.0, 1.0).log_prob(drawn) - 0.5 * logvar
    return (log_p_x + log_p_z).mean() - log_q.sum() / len(z)


def _log_q(z, mu, logvar):
    return -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 / logvar.exp())


def _with(log_q):
    """The right bound, but for this log q of each latent."""
    return lambda log_p_x, log_p_z, z, mu, logvar: (
        log_p_x + log_p_z - log_q(z, mu, logvar).sum(dim=1)
    ).mean()


def _each(combine):
    """A mean over the examples of something made of the three logs, ``(n,)`` each."""
    return lambda log_p_x, log_p_z, z, mu, logvar: combine(
        log_p_x, log_p_z, _log_q(z, mu, logvar).sum(dim=1)
    ).mean()


def _draw(seed, n=6, d=3):
    mu, logvar = noise(seed, n, d), noise(seed + 20, n, d) - 0.5
    logvar[0] = logvar[0].abs() + 0.1  # its log is a number there
    z = mu + (0.5 * logvar).exp() * noise(seed + 40, n, d)
    return noise(seed + 60, n) - 4, noise(seed + 80, n) - 2, z, mu, logvar


def _narrow(seed=50, n=4, d=2):
    mu, logvar = noise(seed, n, d), noise(seed + 1, n, d) - 20
    z = mu + (0.5 * logvar).exp() * noise(seed + 2, n, d)
    return noise(seed + 3, n), noise(seed + 4, n), z, mu, logvar


check_prior_bound = Exercise(
    name="bound with any prior",
    solution=prior_bound,
    also=(_by_torch, _by_noise),
    draw=_draw,
    expected="one number: the mean over the examples, in nats",
    hints=(
        "two of the three logs are given; the third is log q(z | x), at the same z",
        "q(z | x) is Normal(mu, σ) in each latent, with σ = (0.5 * logvar).exp(); its "
        "logs add up over the latents, dim=1",
        "Normal(mu, σ).log_prob(z), summed over dim=1, is subtracted from log_p_x + "
        "log_p_z; then the mean",
    ),
    extremes=(
        Extreme(
            "it is right, except for a very small σ: leave out the clamp, or the small "
            "number beside the variance",
            _narrow(),
        ),
    ),
    error_hints={
        "GreaterThan": "Normal takes σ, not log σ²: (0.5 * logvar).exp()",
        "must match the size": "log q(z | x) has one number for each latent: add up "
        "over dim=1 before you subtract it",
        "range of [-1, 0]": "log_p_x and log_p_z have shape (n,) already: no sum over "
        "dim=1 is left",
    },
    mistakes=known_mistakes(
        # a term that is missing, or has another sign
        "log p(z) is missing: the new prior stands there",
        _each(lambda x, p, q: x - q),
        "log q(z | x) is missing: it is subtracted",
        _each(lambda x, p, q: x + p),
        "log p(x | z) is missing: the decoder's part",
        _each(lambda x, p, q: p - q),
        "log q(z | x) is added; subtract it (sign)",
        _each(lambda x, p, q: x + p + q),
        "log p(z) is subtracted; add it (sign)",
        _each(lambda x, p, q: x - p - q),
        "log p(z) and log q(z | x) have changed places: log p(z) is added",
        _each(lambda x, p, q: x - p + q),
        "the sign is turned round: this is the loss, minus the bound",
        _each(lambda x, p, q: q - x - p),
        "the sign of log p(x | z) is turned round: add it",
        _each(lambda x, p, q: p - q - x),
        "this is log q(z | x) alone: the bound is log p(x | z) + log p(z) minus it",
        _each(lambda x, p, q: q),
        # sums and means
        "this is one number for each example; take the mean over the examples",
        lambda log_p_x, log_p_z, z, mu, logvar: (
            log_p_x + log_p_z - _log_q(z, mu, logvar).sum(dim=1)
        ),
        "this is the sum over the examples; take the mean",
        lambda log_p_x, log_p_z, z, mu, logvar: (
            len(z) * prior_bound(log_p_x, log_p_z, z, mu, logvar)
        ),
        "log q(z | x) is a mean over the latents; the logs of independent latents add "
        "up: a sum",
        lambda log_p_x, log_p_z, z, mu, logvar: (
            log_p_x + log_p_z - _log_q(z, mu, logvar).mean(dim=1)
        ).mean(),
        "log q(z | x) is added up over the examples, too: the latents are dim=1",
        lambda log_p_x, log_p_z, z, mu, logvar: (
            log_p_x + log_p_z - _log_q(z, mu, logvar).sum()
        ).mean(),
        "log p(x | z) and log p(z) are given for each example, and only log q(z | x) "
        "is averaged here: take the mean of all three",
        lambda log_p_x, log_p_z, z, mu, logvar: (
            (log_p_x + log_p_z).sum() - _log_q(z, mu, logvar).sum(dim=1).mean()
        ),
        "the bound is a mean of logs: take no exp() before the mean",
        _each(lambda x, p, q: (x + p - q).exp()),
        lambda log_p_x, log_p_z, z, mu, logvar: (
            (log_p_x + log_p_z - _log_q(z, mu, logvar).sum(dim=1)).exp().mean().log()
        ),
        "z is drawn from q(z | x) already: the mean needs no weight exp(log q)",
        _each(lambda x, p, q: x + q.exp() * (p - q)),
        _each(lambda x, p, q: q.exp() * (x + p - q)),
        # another log q
        "log q has −½ log 2π for each latent, and it is missing: the other two logs "
        "have theirs, so it counts",
        _with(lambda z, mu, logvar: _log_q(z, mu, logvar) + 0.5 * LOG_2_PI),
        "−½ log 2π belongs to each latent in log q(z | x): d times, not once",
        lambda log_p_x, log_p_z, z, mu, logvar: (
            prior_bound(log_p_x, log_p_z, z, mu, logvar)
            - (z.shape[1] - 1) * 0.5 * LOG_2_PI
        ),
        "−½ log σ² is missing in log q(z | x)",
        _with(lambda z, mu, logvar: _log_q(z, mu, logvar) + 0.5 * logvar),
        "the sign of log σ² is turned round in log q(z | x): it is −½ log σ²",
        _with(lambda z, mu, logvar: _log_q(z, mu, logvar) + logvar),
        "log σ² counts whole in log q(z | x); it is −½ log σ², which is −log σ",
        _with(lambda z, mu, logvar: _log_q(z, mu, logvar) - 0.5 * logvar),
        "Normal takes σ, and you gave it the variance: σ is (0.5 * logvar).exp()",
        _with(lambda z, mu, logvar: Normal(mu, logvar.exp()).log_prob(z)),
        "Normal takes σ, and you gave it logvar, or 0.5 * logvar: take exp() of half "
        "of it",
        _with(lambda z, mu, logvar: Normal(mu, logvar, False).log_prob(z)),
        _with(lambda z, mu, logvar: Normal(mu, 0.5 * logvar, False).log_prob(z)),
        "the squared distance is divided by σ; divide it by the variance σ²",
        _with(
            lambda z, mu, logvar: (
                -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 / (0.5 * logvar).exp())
            )
        ),
        "the squared distance is not divided by the variance σ²",
        _with(lambda z, mu, logvar: -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2)),
        "the distance z − μ is not squared",
        _with(
            lambda z, mu, logvar: -0.5 * (LOG_2_PI + logvar + (z - mu) / logvar.exp())
        ),
        "the ½ before the squared distance is missing",
        _with(
            lambda z, mu, logvar: (
                _log_q(z, mu, logvar) - 0.5 * (z - mu) ** 2 / logvar.exp()
            )
        ),
        "the sign of the squared distance is turned round: a z far from μ is unlikely",
        _with(
            lambda z, mu, logvar: _log_q(z, mu, logvar) + (z - mu) ** 2 / logvar.exp()
        ),
        "log q is taken at μ, not at the draw z; all three logs belong to one z",
        _with(lambda z, mu, logvar: _log_q(mu, mu, logvar)),
        "this is log N(z | 0, I), the old prior: q(z | x) has mean μ and variance σ²",
        _with(lambda z, mu, logvar: _log_q(z, 0 * mu, 0 * logvar)),
        "the mean μ is missing in log q(z | x)",
        _with(lambda z, mu, logvar: _log_q(z, 0 * mu, logvar)),
        "q(z | x) has variance σ², not 1: logvar is missing",
        _with(lambda z, mu, logvar: _log_q(z, mu, 0 * logvar)),
        "this is the density q(z | x) itself, without its log",
        _with(lambda z, mu, logvar: _log_q(z, mu, logvar).exp()),
        "this is minus the entropy of q, the mean of log q over all z; log q at this "
        "z is asked",
        _with(lambda z, mu, logvar: -0.5 * (LOG_2_PI + 1 + logvar)),
        # the KL of N(0, I)
        "this subtracts KL(q ‖ N(0, I)), which has the old prior in it, and counts the "
        "new one besides: only log q(z | x) is subtracted",
        _with(lambda z, mu, logvar: 0.5 * (mu**2 + logvar.exp() - 1 - logvar)),
        "this is the ELBO with the old prior N(0, I): log_p_z, that of the new one, is "
        "missing",
        lambda log_p_x, log_p_z, z, mu, logvar: (
            log_p_x - 0.5 * (mu**2 + logvar.exp() - 1 - logvar).sum(dim=1)
        ).mean(),
        "z and μ, or μ and log σ², have changed places",
        _with(lambda z, mu, logvar: _log_q(z, logvar, mu)),
        _with(lambda z, mu, logvar: _log_q(mu, logvar, z)),
        "it is right, except for a very small σ: leave out the clamp, or the small "
        "number beside the variance",
        _with(
            lambda z, mu, logvar: (
                -0.5 * (LOG_2_PI + logvar + (z - mu) ** 2 / (logvar.exp() + 1e-6))
            )
        ),
        _with(lambda z, mu, logvar: _log_q(z, mu, logvar.clamp(-10, 10))),
    ),
).check
