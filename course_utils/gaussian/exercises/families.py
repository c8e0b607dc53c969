"""The later exercises of notebook 01: KL between Gaussians, the Laplace density."""

import math

import torch

from course_utils.checks import Exercise, known_mistakes, noise


def data(seed, n=7):
    """An odd number of examples, so that the median is unique; not sorted."""
    return 2 * noise(seed, n) + 1.5


def positive(seed):
    """One number above ½."""
    return 0.5 + noise(seed, 1)[0].exp()


# ------------------------------------------- section 5: KL between two Gaussians


def kl_gaussians(mu_p, sigma_p, mu_q, sigma_q):
    """The closed form of KL(P‖Q), as in the text."""
    squares = sigma_p**2 + (mu_p - mu_q) ** 2  # E_p[(x − μ_q)²]
    return torch.log(sigma_q / sigma_p) + squares / (2 * sigma_q**2) - 0.5


def _on_one_line(mu_p, sigma_p, mu_q, sigma_q):
    log_ratio = torch.log(sigma_q) - torch.log(sigma_p)
    return log_ratio + (sigma_p**2 + (mu_p - mu_q) ** 2) / (2 * sigma_q**2) - 0.5


def _by_variances(mu_p, sigma_p, mu_q, sigma_q):
    log_ratio = torch.log(sigma_q**2 / sigma_p**2)
    shares = (sigma_p**2 + (mu_p - mu_q) ** 2) / sigma_q**2
    return 0.5 * (log_ratio + shares - 1)


def _by_ratios(mu_p, sigma_p, mu_q, sigma_q):
    log_ratio = 0.5 * torch.log(sigma_q**2 / sigma_p**2)
    ratio = sigma_p**2 / (2 * sigma_q**2)
    return log_ratio + ratio + (mu_p - mu_q) ** 2 / (2 * sigma_q**2) - 0.5


def _cross_entropy(a, s, b, t):
    """−E[log N(x | b, t²)] under N(a, s²)."""
    squares = s**2 + (a - b) ** 2
    return t.log() + 0.5 * math.log(2 * math.pi) + squares / (2 * t**2)


def _far(a, b, t):
    """What the distance of the means adds to the KL."""
    return (a - b) ** 2 / (2 * t**2)


def _two_gaussians(seed):
    """All positive, so that no order of the arguments gives NaN."""
    return tuple(positive(8 * seed + 3 + i) * (1 + i / 4) for i in range(4))


check_kl_gaussians = Exercise(
    name="KL between two Gaussians",
    solution=kl_gaussians,
    also=(_on_one_line, _by_variances, _by_ratios),
    draw=_two_gaussians,
    expected="one number, in nats",
    hints=(
        "E_p[log p] − E_p[log q], and E_p[(x − μ_q)²] = σ_p² + (μ_p − μ_q)²",
        "three terms: log(σ_q/σ_p), a fraction with 2σ_q² below the line, and − ½",
        "log(σ_q/σ_p) + (σ_p² + (μ_p − μ_q)²) / (2σ_q²) − ½, with brackets",
    ),
    mistakes=known_mistakes(  # a, s are mean and sigma of P; b, t those of Q
        "this is KL(Q‖P): P and Q are the wrong way round (their order matters)",
        lambda a, s, b, t: kl_gaussians(b, t, a, s),
        "this is the mean of KL(P‖Q) and KL(Q‖P), both directions (symmetric); only "
        "KL(P‖Q) is asked",
        lambda a, s, b, t: (kl_gaussians(a, s, b, t) + kl_gaussians(b, t, a, s)) / 2,
        "this is the sum of KL(P‖Q) and KL(Q‖P), both directions (symmetric); only "
        "KL(P‖Q) is asked",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) + kl_gaussians(b, t, a, s),
        "this is the difference of KL(P‖Q) and KL(Q‖P); only KL(P‖Q) is asked",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) - kl_gaussians(b, t, a, s),
        "the − ½ at the end is missing, so the KL of P with itself is not 0",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) + 0.5,
        "the − ½ at the end has the wrong sign: subtract ½, do not add it",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) + 1,
        "− ½ belongs at the end, and not − 1",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) - 0.5,
        "the ½ in front of the fraction is missing: divide by 2σ_q²",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) + (s**2 + (a - b) ** 2) / 2 / t**2,
        "the log has σ_p and σ_q the wrong way round: it is log(σ_q/σ_p)",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) - 2 * (t / s).log(),
        "divide by σ_q², the variance of Q, not by σ_p²",
        lambda a, s, b, t: (t / s).log() + (s**2 + (a - b) ** 2) / (2 * s**2) - 0.5,
        "log(σ_q²/σ_p²) is twice log(σ_q/σ_p): put a ½ before it",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) + (t / s).log(),
        "the distance of the means must be squared",
        lambda a, s, b, t: (t / s).log() + (s**2 + (a - b)) / (2 * t**2) - 0.5,
        lambda a, s, b, t: (t / s).log() + (s**2 + (b - a)) / (2 * t**2) - 0.5,
        lambda a, s, b, t: (t / s).log() + (s**2 + (a - b).abs()) / (2 * t**2) - 0.5,
        "square the difference of the means; you took the difference of their squares",
        lambda a, s, b, t: (t / s).log() + (s**2 + a**2 - b**2) / (2 * t**2) - 0.5,
        "subtract the means, μ_p − μ_q, before you square; you added them",
        lambda a, s, b, t: kl_gaussians(a, s, -b, t),
        "E_p[(x − μ_q)²] is the variance σ_p² plus the squared distance of the means; "
        "you squared their sum: mind the brackets",
        lambda a, s, b, t: (t / s).log() + (s + a - b) ** 2 / (2 * t**2) - 0.5,
        "σ_p² and (μ_p − μ_q)² are added above the line, not subtracted or multiplied",
        lambda a, s, b, t: (t / s).log() + (s**2 - (a - b) ** 2) / (2 * t**2) - 0.5,
        lambda a, s, b, t: (t / s).log() + s**2 * (a - b) ** 2 / (2 * t**2) - 0.5,
        "σ_p² + (μ_p − μ_q)² is divided by 2σ_q²; σ_p and σ_q are the wrong way round "
        "there: those of P stand above, those of Q below",
        lambda a, s, b, t: (t / s).log() + (t**2 + (a - b) ** 2) / (2 * s**2) - 0.5,
        lambda a, s, b, t: (t / s).log() + (t / s) ** 2 / 2 + _far(a, b, t) - 0.5,
        "divide by 2σ_q², the variance of Q only, not by the sum of both variances",
        lambda a, s, b, t: (
            (t / s).log() + (s**2 + (a - b) ** 2) / (2 * (s**2 + t**2)) - 0.5
        ),
        "above the line stands σ_p², not the squared difference of the sigmas",
        lambda a, s, b, t: (
            (t / s).log() + (s - t) ** 2 / (2 * t**2) + _far(a, b, t) - 0.5
        ),
        "2σ_q² means 2 · σ_q²: square σ_q only, without the 2",
        lambda a, s, b, t: (t / s).log() + (s**2 + (a - b) ** 2) / (2 * t) ** 2 - 0.5,
        "log(σ_q/σ_p) has no ½ before it; only log(σ_q²/σ_p²) has",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) - 0.5 * (t / s).log(),
        "sigma is σ, the standard deviation, and not the variance: square it",
        lambda a, s, b, t: kl_gaussians(a, s.sqrt(), b, t.sqrt()),
        "you squared sigma twice: σ is the standard deviation, and σ² the variance",
        lambda a, s, b, t: kl_gaussians(a, s**2, b, t**2),
        "this is the log-ratio at the one point x = μ_p; KL is its expectation, the "
        "mean over P, and there E_p[(x − μ_p)²] = σ_p²",
        lambda a, s, b, t: (t / s).log() + (a - b) ** 2 / (2 * t**2),
        "this is the log-ratio at the one point x = μ_q; KL is its expectation, the "
        "mean over P",
        lambda a, s, b, t: (t / s).log() - (a - b) ** 2 / (2 * s**2),
        "this is the cross entropy −E_p[log q]; the entropy of P is still missing: "
        "subtract ½ log(2πe σ_p²)",
        _cross_entropy,
        "this is the cross entropy and the entropy of P, added; subtract the entropy",
        lambda a, s, b, t: _cross_entropy(a, s, b, t) + _cross_entropy(a, s, a, s),
        "this is the entropy of P only; it depends on Q, too: E_p[log p] − E_p[log q]",
        lambda a, s, b, t: _cross_entropy(a, s, a, s),
        "this is the difference of the two entropies; the expectation of log q is "
        "over P, not over Q",
        lambda a, s, b, t: (t / s).log(),
        lambda a, s, b, t: (s / t).log(),
        "this is the fraction only: log(σ_q/σ_p) and − ½ are missing",
        lambda a, s, b, t: s**2 / (2 * t**2) + _far(a, b, t),
        "this is the KL with Q = N(0, 1); use the arguments μ_q and σ_q",
        lambda a, s, b, t: kl_gaussians(a, s, 0 * b, 0 * t + 1),
        "this is the squared Wasserstein distance; KL has a logarithm",
        lambda a, s, b, t: (a - b) ** 2 + (s - t) ** 2,
        "this is a KL with the mean of both, (P + Q)/2, as in the Jensen–Shannon "
        "divergence; the KL from P to Q is asked",
        lambda a, s, b, t: kl_gaussians(a, s, (a + b) / 2, (s + t) / 2),
        "this is in bits; use the natural log and stay in nats",
        lambda a, s, b, t: kl_gaussians(a, s, b, t) / math.log(2),
    ),
).check


# ----------------------------------------------------- section 7: another family


def laplace_mle(x):
    """The median, and the mean absolute distance from it."""
    mu = x.median()
    return mu, (x - mu).abs().mean()


def _middle_two(x, first):
    """The mean of two neighbours in the sorted data."""
    return x.sort().values[first : first + 2].mean(), 0 * x[0]


def _from_sorted(x):
    m = len(x)
    mu = x.sort().values[m // 2]
    return mu, torch.abs(x - mu).sum() / m


def _with_scale(scale):
    """μ is right, b another measure of width: a function of the distances."""
    return lambda x: (x.median(), scale(x - x.median()))


check_laplace_mle = Exercise(
    name="MLE of a Laplace distribution",
    solution=laplace_mle,
    also=(_from_sorted,),
    draw=lambda seed: (data(seed),),
    expected="two numbers: the location μ and the scale b",
    entries=("μ", "b"),
    hints=(
        "log p(x) = −|x − μ|/b − log 2b: which μ makes Σ|x − μ| smallest?",
        "μ is the median; for b, set the derivative of −Σ|x − μ|/b − m log 2b to 0",
        "μ = x.median(), and b is the mean of |x − μ|",
    ),
    mistakes=known_mistakes(
        "the mean makes the sum of squares smallest; which number makes the sum of "
        "absolute distances smallest? The median",
        lambda x: (x.mean(), (x - x.mean()).abs().mean()),
        lambda x: (x.mean(), (x - x.median()).abs().mean()),
        lambda x: (x.mean(), (x - x.mean()).abs().sum()),
        lambda x: (x.mean(), (x - x.mean()).abs().median()),
        "these are the mean and σ (or σ²) of the Gaussian; the Laplace density has "
        "the absolute distance |x − μ|: its μ is the median",
        lambda x: (x.mean(), x.std(correction=0)),
        lambda x: (x.mean(), x.std()),
        lambda x: (x.mean(), x.var(correction=0)),
        lambda x: (x.mean(), x.var()),
        "this is the midrange, halfway from the smallest to the largest; take the "
        "median, the middle one of all",
        lambda x: ((x.min() + x.max()) / 2, 0 * x[0]),
        "sort x first: the entry in the middle of an unsorted tensor is not the median",
        lambda x: (x[len(x) // 2], 0 * x[0]),
        "this is the neighbour of the median in the sorted data (index off by one): "
        "counted from 0, the middle one of m is number m // 2",
        lambda x: (x.sort().values[len(x) // 2 - 1], 0 * x[0]),
        lambda x: (x.sort().values[len(x) // 2 + 1], 0 * x[0]),
        "the number of examples is odd, so one of them is the middle: no mean of two",
        lambda x: _middle_two(x, len(x) // 2 - 1),
        lambda x: _middle_two(x, len(x) // 2),
        "this is the index of the median in x; its value is asked",
        lambda x: (x.median(dim=0).indices.double(), 0 * x[0]),
        lambda x: (torch.tensor(float(len(x) // 2)), 0 * x[0]),
        "this is one of the ends, the smallest or largest; take the median",
        lambda x: (x.min(), 0 * x[0]),
        lambda x: (x.max(), 0 * x[0]),
        "the entry that is nearest to 0 is not the middle one: take the median of x, "
        "without abs()",
        lambda x: (x.abs().min(), 0 * x[0]),
        lambda x: (x[x.abs().argmin()], 0 * x[0]),
        lambda x: (x.abs().median(), 0 * x[0]),
        "this is a mean without the ends (trimmed); the median is the middle one alone",
        lambda x: (x.sort().values[1:-1].mean(), 0 * x[0]),
        "this is a quartile: the median is the quantile ½",
        lambda x: (x.quantile(0.25), 0 * x[0]),
        lambda x: (x.quantile(0.75), 0 * x[0]),
        "μ is right; b is the mean distance from μ, not that between two examples",
        lambda x: (x.median(), (x[:, None] - x).abs().mean()),
        lambda x: (x.median(), torch.pdist(x[:, None]).mean()),
        lambda x: (x.median(), x.diff().abs().mean()),
        "μ is right; b is the mean absolute distance from μ, not one between quartiles",
        lambda x: (x.median(), x.quantile(0.75) - x.quantile(0.25)),
        lambda x: (x.median(), (x.quantile(0.75) - x.quantile(0.25)) / 2),
        "μ is right; b is the mean absolute distance from μ, not from 0",
        lambda x: (x.median(), x.abs().mean()),
        "μ is right; b is the mean absolute distance from μ, not from the mean",
        lambda x: (x.median(), (x - x.mean()).abs().mean()),
        "μ is right; b is the mean absolute distance, not a standard deviation: "
        "no squares and no root",
        _with_scale(lambda y: y.square().mean().sqrt()),
        lambda x: (x.median(), x.std(correction=0)),
        lambda x: (x.median(), x.std()),
        "μ is right; b is the mean absolute distance, not a variance: no squares",
        _with_scale(lambda y: y.square().mean()),
        lambda x: (x.median(), x.var(correction=0)),
        lambda x: (x.median(), x.var()),
        "μ is right; the Laplace distribution has the variance 2b², but maximum "
        "likelihood gives b as the mean absolute distance from μ",
        lambda x: (x.median(), x.std(correction=0) / 2**0.5),
        lambda x: (x.median(), x.std() / 2**0.5),
        lambda x: (x.median(), (x.var(correction=0) / 2)),
        "μ is right; b is the mean of the distances, not their sum: divide by m",
        _with_scale(lambda y: y.abs().sum()),
        "μ is right; b is the mean of the distances, not their median",
        _with_scale(lambda y: y.abs().median()),
        "μ is right; for b, divide by m, not by m − 1 (no unbiased estimate)",
        _with_scale(lambda y: y.abs().sum() / (len(y) - 1)),
        "μ is right; b is half as large as it should be: the 2 of 1/(2b) is gone "
        "after the derivative",
        _with_scale(lambda y: y.abs().mean() / 2),
        "μ is right; b is twice as large as it should be: the 2 of 1/(2b) is gone "
        "after the derivative",
        _with_scale(lambda y: y.abs().mean() * 2),
        "μ is right; for b, take the absolute value |x − μ| of each distance before "
        "the mean: positive and negative ones cancel out",
        _with_scale(lambda y: y.mean()),
        _with_scale(lambda y: y.mean().abs()),
        _with_scale(lambda y: y.sum()),
        _with_scale(lambda y: y.sum().abs()),
        "μ is right; b is the mean of the distances |x − μ|, not the largest of them",
        _with_scale(lambda y: y.abs().max()),
        "μ is right; b is the mean absolute distance from μ, not half the range",
        lambda x: (x.median(), (x.max() - x.min()) / 2),
        "μ is right; b is one number: take the mean of the distances |x − μ|",
        _with_scale(lambda y: y.abs()),
    ),
).check
