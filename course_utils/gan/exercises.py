"""The checks of notebook 05, in its order.

Each list of mistakes goes hint, wrong answers, hint, wrong answers; on the cases no two
of them give the same numbers.
"""

import math

import torch
from torch.distributions import Normal
from torch.nn.functional import logsigmoid, softplus

from course_utils.checks import Exercise, f64, known_mistakes, noise
from course_utils.gan.steps import WRONG, after, right_step

# logits of both signs: of a negative one, log is NaN; and a square table, where a mean
# over the wrong axis has the right shape
REAL, FAKE = noise(0, 3, 5) + 0.7, noise(1, 3, 5) - 0.4
REAL2, FAKE2 = 2 * noise(2, 2, 2) + 0.5, noise(3, 2, 2) - 0.2
LOGITS = (
    "real and fake are logits, which may be negative: take the sigmoid before "
    "the log (or use logsigmoid)"
)


def _d_terms(real, fake):
    return softplus(-real) + softplus(fake)  # −log σ(l) and −log(1 − σ(l)), (s, m)


check_d_loss = Exercise(
    name="loss of D",
    reference=lambda real, fake: _d_terms(real, fake).mean(dim=1),
    cases=((REAL, FAKE), (REAL2, FAKE2)),
    expected="one number per row, shape (s,), in nats",
    first_hint="−log D on the real, −log(1 − D) on the fake; −log σ(l) is softplus(−l)",
    error_hints={"between 0 and 1": LOGITS},  # what torch's own BCE says to logits
    mistakes=known_mistakes(
        "real and fake have changed places: real examples have the label 1, so "
        "−log D belongs to them",
        lambda real, fake: _d_terms(fake, real).mean(dim=1),
        "the log is missing: the game counts log D, not D",
        lambda real, fake: -(real.sigmoid() + 1 - fake.sigmoid()).mean(dim=1),
        "the log is missing: the loss is −log D and −log(1 − D), not the "
        "probability of the wrong answer",
        lambda real, fake: (1 - real.sigmoid() + fake.sigmoid()).mean(dim=1),
        "you took the mean over the wrong axis: a row is one batch, so take the "
        "mean over dim=1",
        lambda real, fake: _d_terms(real, fake).mean(dim=0),
        "this is one number for all batches together; give one per row",
        lambda real, fake: _d_terms(real, fake).mean(),
        "you added up over the batch; Algorithm 1 has 1/m, a mean",
        lambda real, fake: _d_terms(real, fake).sum(dim=1),
        "this is one term per pair; take the mean over the batch",
        _d_terms,
        "this is V itself; D climbs it, so its loss is −V",
        lambda real, fake: -_d_terms(real, fake).mean(dim=1),
        "this is half of it: the means over the real and over the fake are added, "
        "not averaged",
        lambda real, fake: _d_terms(real, fake).mean(dim=1) / 2,
        "the fakes are missing: −log(1 − D) of the fakes is the second half",
        lambda real, fake: softplus(-real).mean(dim=1),
        "the fakes count as real: for them it is −log(1 − D)",
        lambda real, fake: (softplus(-real) + softplus(-fake)).mean(dim=1),
        "the sigmoid was taken twice: real and fake are logits, and "
        "logsigmoid or …_with_logits takes the sigmoid",
        lambda real, fake: _d_terms(real.sigmoid(), fake.sigmoid()).mean(dim=1),
        LOGITS,
        lambda real, fake: -(real.log() + (1 - fake).log()).mean(dim=1),  # NaN
        "the minus belongs to both logs: −log D and −log(1 − D)",
        lambda real, fake: (softplus(-real) - softplus(fake)).mean(dim=1),
        "the real examples are missing: their half is −log D",
        lambda real, fake: softplus(fake).mean(dim=1),
        "this is a loss of G: D wants log D of the real and log(1 − D) of the fakes",
        lambda real, fake: softplus(-fake).mean(dim=1),
        "the real examples count as fakes: for them it is −log D",
        lambda real, fake: (softplus(real) + softplus(fake)).mean(dim=1),
        "1 − D is the sigmoid of −l, not of 1 − l",
        lambda real, fake: -(logsigmoid(real) + logsigmoid(1 - fake)).mean(dim=1),
        "take the log of each D, then the mean: not the log of the mean",
        lambda real, fake: (
            -(real.sigmoid().mean(dim=1).log() + (-fake).sigmoid().mean(dim=1).log())
        ),
        "log and sigmoid are missing: this is the loss of the Wasserstein critic",
        lambda real, fake: (fake - real).mean(dim=1),
    ),
).check


def _log_normal(mean, sigma, grid):
    return Normal(f64(mean), f64(sigma)).log_prob(grid)


GRID = torch.linspace(-12, 14, 131, dtype=torch.float64)
NEAR = _log_normal(0.0, 1.0, GRID), _log_normal(1.0, 2.0, GRID)
FAR = torch.linspace(-60, 60, 9, dtype=torch.float64)  # exp() of these logs is 0
APART = _log_normal(-2.0, 0.8, FAR), _log_normal(3.0, 1.1, FAR)
SMALL = [10.0**-n for n in range(3, 21)]


def _patched(above=0.0, below=0.0, fill=math.nan):
    """p / (p + q) with small numbers added, or with another number for 0 / 0."""

    def wrong(log_p, log_q):
        p, q = log_p.exp(), log_q.exp()
        return ((p + above) / (p + q + below)).nan_to_num(fill)

    return wrong


def _floored(eps):
    """p / (p + q) with no density below eps."""

    def wrong(log_p, log_q):
        p, q = log_p.exp().clamp_min(eps), log_q.exp().clamp_min(eps)
        return p / (p + q)

    return wrong


check_best_d = Exercise(
    name="best discriminator",
    reference=lambda log_p, log_q: torch.sigmoid(log_p - log_q),
    cases=(NEAR, APART, APART[::-1]),  # far out, p is the larger and the smaller one
    expected="D* at each point of the grid, shape (n,), between 0 and 1",
    first_hint="p / (p + q) is the sigmoid of log p − log q",
    mistakes=known_mistakes(
        "you gave q / (p + q): D is the probability of real, so p stands on top",
        lambda log_p, log_q: torch.sigmoid(log_q - log_p),
        "this is the ratio p / q; D* is p / (p + q)",
        lambda log_p, log_q: (log_p - log_q).exp(),
        "this is the logit of D*; take its sigmoid",
        lambda log_p, log_q: log_p - log_q,
        "this is log D*; take exp() of it",
        lambda log_p, log_q: logsigmoid(log_p - log_q),
        "exp() of these logs is 0 far from the data, and 0 / 0 is NaN: use the "
        "sigmoid of log p − log q",
        lambda log_p, log_q: log_p.exp() / (log_p.exp() + log_q.exp()),
        "you used log p and log q where p and q belong",
        lambda log_p, log_q: log_p / (log_p + log_q),
        "the ratio of p and q must be inside the sigmoid as a log: log p − log q",
        lambda log_p, log_q: torch.sigmoid((log_p - log_q).exp()),
        "the sigmoid needs log p − log q, not p − q",
        lambda log_p, log_q: torch.sigmoid(log_p.exp() - log_q.exp()),
        "the logs are subtracted, not added: it is the sigmoid of log p − log q",
        lambda log_p, log_q: torch.sigmoid(log_p + log_q),
        "the logs are subtracted, not divided: log (p / q) is log p − log q",
        lambda log_p, log_q: torch.sigmoid(log_p / log_q),
        "these are D* and 1 − D* together; return D* only",
        lambda log_p, log_q: torch.stack([log_p, log_q]).softmax(dim=0),
        lambda log_p, log_q: torch.stack([log_p, log_q], dim=1).softmax(dim=1),
        "far from the data, where exp() of both logs is 0, this does not know which "
        "of the two is larger: use the sigmoid of log p − log q",
        # the habits against 0 / 0, each in all sizes that people take
        *(_patched(fill=fill) for fill in (0.0, 0.5, 1.0)),
        *(_patched(below=eps) for eps in SMALL),
        *(_patched(eps, 2 * eps) for eps in SMALL),
        *(_patched(eps, eps) for eps in SMALL),
        *(_floored(eps) for eps in SMALL),
    ),
).check


_integral = torch.trapezoid


def _value(p, q, d, grid):
    """V of the game, the two integrals on one grid."""
    return _integral(p * d.log() + q * (1 - d).log(), grid)


def _case(first, second, grid):
    p, q = first.exp(), second.exp()
    return p, q, p / (p + q), grid  # with D* as d


WIDE = torch.linspace(-9, 11, 401, dtype=torch.float64)  # cuts less than 1e-7
CASES = (
    _case(_log_normal(0.0, 1.0, WIDE), _log_normal(1.0, 1.5, WIDE), WIDE),
    _case(_log_normal(0.5, 1.2, WIDE), _log_normal(2.5, 1.6, WIDE), WIDE),
)
LOG4 = math.log(4)

check_jsd = Exercise(
    name="JSD",
    reference=lambda p, q, d, x: (_value(p, q, d, x) + LOG4) / 2,
    cases=CASES,
    expected="one number, in nats",
    first_hint="first V = ∫ p log d + q log(1 − d) dx, then solve V = 2 JSD − log 4",
    error_hints={"'grid'": "integrate takes two arguments: the values, and the grid"},
    mistakes=known_mistakes(  # bits are known to every exercise, by their factor
        "the ½ is missing (the slide misses it, too): V + log 4 is 2 JSD",
        lambda p, q, d, x: _value(p, q, d, x) + LOG4,
        "log 4 has the wrong sign: V = 2 JSD − log 4, so add it to V",
        lambda p, q, d, x: (_value(p, q, d, x) - LOG4) / 2,
        "this is V; add log 4 and halve",
        _value,
        "the second log has p on top, as on the slide: for the fakes it is "
        "log(1 − d), which is log q / (p + q)",
        lambda p, q, d, x: (_integral((p + q) * d.log(), x) + LOG4) / 2,
        "log 4 belongs to V, not log 2",
        lambda p, q, d, x: (_value(p, q, d, x) + math.log(2)) / 2,
        "this is a sum over the grid without dx: use integrate or torch.trapezoid",
        lambda p, q, d, x: ((p * d.log() + q * (1 - d).log()).sum() + LOG4) / 2,
        "this is a mean over the grid: an integral needs dx (integrate)",
        lambda p, q, d, x: ((p * d.log() + q * (1 - d).log()).mean() + LOG4) / 2,
        "p and q have changed places: log d belongs to p",
        lambda p, q, d, x: (_value(q, p, d, x) + LOG4) / 2,
        "only the first half of V is there: the part with q is missing",
        lambda p, q, d, x: (_integral(p * d.log(), x) + LOG4) / 2,
        "log 4 is missing: add it to V before you halve",
        lambda p, q, d, x: _value(p, q, d, x) / 2,
        "log 4 is halved, too: the JSD is (V + log 4) / 2",
        lambda p, q, d, x: _value(p, q, d, x) / 2 + LOG4,
        "V is halved, too: the JSD is (V + log 4) / 2",
        lambda p, q, d, x: _value(p, q, d, x) + LOG4 / 2,
        "V has the wrong sign: V is negative, and V + log 4 is 2 JSD (or the grid came "
        "first: integrate(values, grid))",
        lambda p, q, d, x: (LOG4 - _value(p, q, d, x)) / 2,
        "4 must be log 4",
        lambda p, q, d, x: (_value(p, q, d, x) + 4) / 2,
        "the second log belongs to q: it is q log(1 − d)",
        lambda p, q, d, x: (_integral(p * (d.log() + (1 - d).log()), x) + LOG4) / 2,
        "the second half is log(1 − d), not 1 − log d",
        lambda p, q, d, x: (_integral(p * d.log() + q * (1 - d.log()), x) + LOG4) / 2,
        "the second half of V is added, not subtracted",
        lambda p, q, d, x: (_integral(p * d.log() - q * (1 - d).log(), x) + LOG4) / 2,
        "the logs are missing: V has log d and log(1 − d)",
        lambda p, q, d, x: (_integral(p * d + q * (1 - d), x) + LOG4) / 2,
        "the weights p and q are missing: V is an average over p, and one over q",
        lambda p, q, d, x: (_value(1, 1, d, x) + LOG4) / 2,
        "this is the root, a distance; the divergence is its square",
        lambda p, q, d, x: ((_value(p, q, d, x) + LOG4) / 2).sqrt(),
    ),
).check


_check_after = Exercise(
    name="generator step",
    reference=after(right_step),
    cases=((noise(4, 6, 2),), (noise(5, 3, 2),)),
    expected="the loss, one number, after G has moved",
    first_hint="loss = −log D(G(z)), a mean; then zero_grad, backward, step",
    mistakes=known_mistakes(*(w if isinstance(w, str) else after(w) for w in WRONG)),
    error_hints={
        "does not require grad": "the loss has no gradient: were the fakes made "
        "inside torch.no_grad()?",
        "moved D": "D has moved, too: a step of G leaves D alone. Use the "
        "optimizer that is given: it holds the parameters of G only",
        "not one number": "return the loss as one number: the mean over the batch",
        "returned None": "G has moved, but the function returned None: add "
        "`return loss`",
    },
).check


def check_generator_step(answer) -> None:
    """Run ``answer`` on the tiny game and print the verdict on where it ends."""
    _check_after(after(answer) if callable(answer) else answer)


def _game(theta, psi):
    """V of the smallest GAN: data at 0, fakes at θ, D(x) = sigmoid(ψx)."""
    return math.log(0.5) + logsigmoid(-psi * theta)


def _climbed(theta, psi, rate, k):
    """ψ after k steps up V, by the formula of its slope: no graph of the steps."""
    for _ in range(k):
        psi = psi - rate * theta * torch.sigmoid(psi * theta)  # dV/dψ = −θ σ(ψθ)
    return psi


def _look_ahead(theta, psi, rate, k, sign=1.0, track=True, game=_game):
    """dV/dθ after k steps of ψ, which depend on θ, too; and what may go wrong."""
    theta, psi = theta.clone().requires_grad_(), psi.clone().requires_grad_()
    for _ in range(k):  # with the graph, each new ψ is a function of θ
        (slope,) = torch.autograd.grad(game(theta, psi), psi, create_graph=track)
        psi = psi + sign * rate * slope
    return torch.autograd.grad(game(theta, psi), theta)[0]


def _summed(theta, psi, rate, k):
    """Every backward() added its gradient to that of θ; the steps have no graph."""
    psis = [_climbed(theta, psi, rate, i) for i in range(k + 1)]
    return sum(_look_ahead(theta, each, rate, 0) for each in psis)


check_unrolled = Exercise(
    name="unrolled gradient",
    reference=_look_ahead,
    cases=((*f64(0.9, 0.4), 0.3, 3), (*f64(-0.6, 1.1), 0.5, 2)),  # θ, ψ, rate, k
    expected="the derivative of V by θ, one number",
    first_hint="let ψ climb k times with create_graph=True, then differentiate V by θ",
    mistakes=known_mistakes(
        "the gradient did not pass through the steps of D: θ also moves each ψ. "
        "Use create_graph=True, and no detach",
        lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k, track=False),
        "this is the gradient without looking ahead: let ψ take k steps first",
        lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, 0),
        "D went downhill: it climbs V, ψ + rate · dV/dψ",
        lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k, sign=-1.0),
        "D took only one step: there are k of them",
        lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, 1),
        "D took one step too many",
        lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k + 1),
        "D took one step too few",
        lambda theta, psi, rate, k: _look_ahead(theta, psi, rate, k - 1),
        "only the last step of D carries a gradient: do not detach ψ in between",
        lambda t, psi, rate, k: _look_ahead(t, _climbed(t, psi, rate, k - 1), rate, 1),
        "D took its steps without the rate",
        lambda theta, psi, rate, k: _look_ahead(theta, psi, 1.0, k),
        "this is V itself, after the steps; the answer is its derivative by θ",
        # with log ½, the part of the real examples, and without it
        lambda *case: _game(case[0], _climbed(*case)),
        lambda *case: _game(case[0], _climbed(*case)) - math.log(0.5),
        "this is ψ after the steps; the answer is the derivative of V by θ",
        _climbed,
        "this is the derivative by ψ; G needs that by θ",
        lambda *case: -case[0] * torch.sigmoid(_climbed(*case) * case[0]),
        "the minus in V is missing: V = log ½ + log σ(−ψθ)",
        lambda *case: _look_ahead(*case, game=lambda theta, psi: _game(theta, -psi)),
        "the gradients of all steps were added up in θ.grad: use autograd.grad, with "
        "create_graph=True in the steps",
        _summed,
    ),
    error_hints={
        "does not require grad": "θ and ψ must require gradients before you use "
        "autograd.grad: theta = theta.clone().requires_grad_(), and the same for psi",
        "NoneType": "after a step ψ is no leaf, and its .grad stays None: use "
        "torch.autograd.grad(v, psi, create_graph=True)",
        "second time": "keep the graph of each step of D: create_graph=True",
    },
).check
