"""Two exercises of notebook 05, with an integral and with a derivative.

The JSD from the value of the game (section 4), and the look ahead (section 8).
"""

import math

import torch
from torch.nn.functional import logsigmoid

from course_utils.checks import Exercise, f64, known_mistakes, noise
from course_utils.quadrature import integrate

# ------------------------------------------------------------ section 4: the JSD


def jsd(p, q, d, grid):
    """V = 2 JSD − log 4, solved for the JSD."""
    v = integrate(p * d.log() + q * (1 - d).log(), grid)
    return (v + math.log(4)) / 2


def _by_two_integrals(p, q, d, grid):
    first, second = integrate(p * d.log(), grid), integrate(q * (1 - d).log(), grid)
    return 0.5 * first + 0.5 * second + math.log(2)


def _by_the_mean_density(p, q, d, grid):
    m = (p + q) / 2
    kl_p, kl_q = integrate(p * (p / m).log(), grid), integrate(q * (q / m).log(), grid)
    return (kl_p + kl_q) / 2


def _densities(seed):
    """Two normal densities, both 0 at the ends; d is never exactly 0 or 1."""
    a, b, c, e = noise(seed, 4).tanh().tolist()
    grid = torch.linspace(-10, 11, 106, dtype=torch.float64)
    p = torch.distributions.Normal(f64(0.4 * a), 1 + 0.1 * b).log_prob(grid).exp()
    q = torch.distributions.Normal(1.3 + 0.5 * c, f64(1.5 + 0.1 * e))
    q = q.log_prob(grid).exp()
    return p, q, p / (p + q), grid


LOG4 = math.log(4)

check_jsd = Exercise(
    name="JSD",
    solution=jsd,
    also=(_by_two_integrals, _by_the_mean_density),
    draw=_densities,
    expected="one number, in nats",
    hints=(
        "first V, one integral over the grid; then solve V = 2 JSD − log 4",
        "V = ∫ [p log d + q log(1 − d)] dx",
        "v = integrate(p * d.log() + q * (1 - d).log(), grid), and JSD is (V + log 4) "
        "/ 2",
    ),
    error_hints={"'grid'": "integrate takes two arguments: the values, and the grid"},
    mistakes=known_mistakes(
        "the ½ is missing (the slide misses it, too): V + log 4 is 2 JSD, so halve it",
        lambda p, q, d, x: 2 * jsd(p, q, d, x),
        "log 4 has the wrong sign: V = 2 JSD − log 4, so add it to V",
        lambda p, q, d, x: jsd(p, q, d, x) - LOG4,
        lambda p, q, d, x: 2 * jsd(p, q, d, x) - 2 * LOG4,
        "this is V itself; add log 4 and halve",
        lambda p, q, d, x: 2 * jsd(p, q, d, x) - LOG4,
        "this is −V; V = 2 JSD − log 4, so add log 4 to V and halve",
        lambda p, q, d, x: LOG4 - 2 * jsd(p, q, d, x),
        "the second log has p on top, as on the slide: for the fakes it is "
        "log(1 − d), which is log q / (p + q)",
        lambda p, q, d, x: (integrate((p + q) * d.log(), x) + LOG4) / 2,
        "log 4 belongs to V, not log 2: it is (V + log 4) / 2, or V / 2 + log 2",
        lambda p, q, d, x: jsd(p, q, d, x) - math.log(2) / 2,
        "this is a sum over the grid without dx: use integrate or torch.trapezoid",
        lambda p, q, d, x: ((p * d.log() + q * (1 - d).log()).sum() + LOG4) / 2,
        "this is a mean over the grid: an integral needs dx (integrate)",
        lambda p, q, d, x: ((p * d.log() + q * (1 - d).log()).mean() + LOG4) / 2,
        "the integral is missing: these are the values on the grid. Use "
        "integrate(values, grid)",
        lambda p, q, d, x: (p * d.log() + q * (1 - d).log() + LOG4) / 2,
        lambda p, q, d, x: p * d.log() + q * (1 - d).log(),
        "p and q have changed places: log d belongs to p",
        lambda p, q, d, x: jsd(q, p, d, x),
        "only the first half of V is there, KL(p‖m): the part with q is missing",
        lambda p, q, d, x: (integrate(p * d.log(), x) + LOG4) / 2,
        lambda p, q, d, x: integrate(p * d.log(), x) + math.log(2),
        lambda p, q, d, x: (integrate(p * d.log(), x) + math.log(2)) / 2,
        lambda p, q, d, x: integrate(p * d.log(), x),
        "only the second half of V is there, KL(q‖m): the part with p is missing",
        lambda p, q, d, x: (integrate(q * (1 - d).log(), x) + LOG4) / 2,
        lambda p, q, d, x: integrate(q * (1 - d).log(), x) + math.log(2),
        lambda p, q, d, x: (integrate(q * (1 - d).log(), x) + math.log(2)) / 2,
        "log 4 is missing: add it to V before you halve",
        lambda p, q, d, x: jsd(p, q, d, x) - LOG4 / 2,
        "only V is halved: log 4 must be halved, too. The JSD is (V + log 4) / 2",
        lambda p, q, d, x: jsd(p, q, d, x) + LOG4 / 2,
        "only log 4 is halved: V must be halved, too. The JSD is (V + log 4) / 2",
        lambda p, q, d, x: 2 * jsd(p, q, d, x) - LOG4 / 2,
        "V has the wrong sign: V is negative, and V + log 4 is 2 JSD (or the grid came "
        "first: integrate(values, grid))",
        lambda p, q, d, x: LOG4 - jsd(p, q, d, x),
        "4 must be log 4",
        lambda p, q, d, x: jsd(p, q, d, x) - LOG4 / 2 + 2,
        "log 4 must be the natural logarithm (math.log), as in V: 1.386, in nats",
        lambda p, q, d, x: jsd(p, q, d, x) - LOG4 / 2 + 1,
        lambda p, q, d, x: jsd(p, q, d, x) - LOG4 / 2 + math.log10(4) / 2,
        "V is in other units (log2 or log10), and log 4 in nats: use the natural "
        "logarithm in both",
        lambda p, q, d, x: (jsd(p, q, d, x) - LOG4 / 2) / math.log(2) + LOG4 / 2,
        lambda p, q, d, x: (jsd(p, q, d, x) - LOG4 / 2) / math.log(10) + LOG4 / 2,
        "log 4 stands inside the integral, or the sum: add it to V, once",
        lambda p, q, d, x: integrate(p * d.log() + q * (1 - d).log() + LOG4, x) / 2,
        lambda p, q, d, x: integrate(p * d.log() + q * (1 - d).log() + LOG4 / 2, x) / 2,
        lambda p, q, d, x: integrate(p * d.log() + q * (1 - d).log() + LOG4 / 2, x),
        lambda p, q, d, x: (
            (p * d.log() + q * (1 - d).log() + LOG4).sum() * (x[1] - x[0]) / 2
        ),
        "the step of the grid is (last − first) / (n − 1), not / n: use integrate",
        lambda p, q, d, x: (
            (p * d.log() + q * (1 - d).log()).sum() * (x[-1] - x[0]) / len(x) + LOG4
        )
        / 2,
        "the logs stand inside the integral: this is the log of an integral",
        lambda p, q, d, x: (
            integrate(p * d, x).log() + integrate(q * (1 - d), x).log() + LOG4
        )
        / 2,
        "both KLs are turned round: the JSD is the mean of KL(p‖m) and KL(q‖m)",
        lambda p, q, d, x: -integrate((p + q) * (4 * d * (1 - d)).log(), x) / 4,
        "log d is weighted with p, and log(1 − d) with q: not with their mean",
        lambda p, q, d, x: (
            integrate((p + q) / 2 * (d.log() + (1 - d).log()), x) + LOG4
        )
        / 2,
        "for the fakes it is log(1 − d), not log d with another sign",
        lambda p, q, d, x: (integrate((p - q) * d.log(), x) + LOG4) / 2,
        "the second log belongs to q: it is q log(1 − d)",
        lambda p, q, d, x: jsd(p, p, d, x),
        "the second half is log(1 − d), not 1 − log d",
        lambda p, q, d, x: (integrate(p * d.log() + q * (1 - d.log()), x) + LOG4) / 2,
        "the second half of V is added (plus), not subtracted",
        lambda p, q, d, x: jsd(p, -q, d, x),
        "the logs are missing: V has log d and log(1 − d)",
        lambda p, q, d, x: (integrate(p * d + q * (1 - d), x) + LOG4) / 2,
        "the weights p and q are missing: V is an average over p, and one over q",
        lambda p, q, d, x: jsd(p * 0 + 1, p * 0 + 1, d, x),
        "this is the root, a distance; the divergence is its square",
        lambda p, q, d, x: jsd(p, q, d, x).sqrt(),
        "this is a KL of p and q, without the mean density: compute V from d first",
        lambda p, q, d, x: integrate(p * (p / q).log(), x),
        lambda p, q, d, x: integrate(q * (q / p).log(), x),
        "this is the mean of KL(p‖q) and KL(q‖p); the JSD compares each with their "
        "mean density",
        lambda p, q, d, x: integrate((p - q) * (p / q).log(), x) / 2,
        "this is their sum, KL(p‖q) + KL(q‖p); the JSD compares each with their mean "
        "density",
        lambda p, q, d, x: integrate((p - q) * (p / q).log(), x),
    ),
).check  # fmt: skip


# --------------------------------------------------------- the last: look ahead


def unrolled(theta, psi, rate, k):
    """dV/dθ after k steps of ψ up V = log ½ + log σ(−ψθ), through these steps."""
    theta, psi = theta.clone().requires_grad_(), psi.clone().requires_grad_()
    for _ in range(k):
        v = logsigmoid(-psi * theta)
        (dv_dpsi,) = torch.autograd.grad(v, psi, create_graph=True)
        psi = psi + rate * dv_dpsi
    return torch.autograd.grad(logsigmoid(-psi * theta), theta)[0]


def _by_the_chain_rule(theta, psi, rate, k):
    slope = 0 * psi  # dψ/dθ
    for _ in range(k):
        s = torch.sigmoid(psi * theta)
        slope = slope - rate * (s + theta * s * (1 - s) * (psi + theta * slope))
        psi = psi - rate * theta * s
    return -torch.sigmoid(psi * theta) * (psi + theta * slope)


def _game(theta, psi):
    """V without the constant."""
    return logsigmoid(-psi * theta)


def _look(theta, psi, rate, k, game=_game, goal=None, track=True, sign=1):
    """dV/dθ by autograd, and what may go wrong: another V, no graph, downhill."""
    theta, psi = theta.clone().requires_grad_(), psi.clone().requires_grad_()
    for _ in range(k):  # with the graph, each new ψ is a function of θ
        (up,) = torch.autograd.grad(game(theta, psi), psi, create_graph=track)
        psi = psi + sign * rate * up
    return torch.autograd.grad((goal or game)(theta, psi), theta)[0]


def _climbed(theta, psi, rate, k, added=False, by=None):
    """ψ after k steps up V by the formula of its slope: no graph of the steps."""
    old, by = 0, by or (lambda t, p: -t * torch.sigmoid(p * t))
    for _ in range(k):
        up = by(theta, psi) + added * old
        psi, old = psi + rate * up, up
    return psi


def _by_psi(theta, psi, rate, k):
    start = psi.clone().requires_grad_()
    return torch.autograd.grad(_game(theta, _climbed(theta, start, rate, k)), start)[0]


def _summed(theta, psi, rate, k, added=False):
    """Every backward() added its gradient to that of θ; the steps have no graph."""
    psis = [_climbed(theta, psi, rate, i, added) for i in range(k + 1)]
    return sum(_slope(theta, each) for each in psis)


def _slope(theta, psi):
    """dV/dθ for a ψ that does not depend on θ."""
    return -psi * torch.sigmoid(psi * theta)


def _with_steps_of_theta(theta, psi, rate, k, sign=1):
    for _ in range(k):
        s = torch.sigmoid(psi * theta)
        theta, psi = theta + sign * rate * psi * s, psi - rate * theta * s
    return _slope(theta, psi)


def _tracked(steps):
    """The derivative of V by the θ at the start, through ``steps(θ, ψ)`` of both."""

    def answer(theta, psi, rate, k):
        start = theta.clone().requires_grad_()
        moved = start, psi
        for _ in range(k):
            moved = steps(*moved, rate)
        return torch.autograd.grad(_game(*moved), start)[0]

    return answer


def _of_both(theta, psi, rate, sign=1):
    s = rate * torch.sigmoid(psi * theta)
    return theta + sign * psi * s, psi - theta * s


check_unrolled = Exercise(
    name="unrolled gradient",
    solution=unrolled,
    also=(_by_the_chain_rule,),
    draw=lambda seed: (*(noise(seed, 2).tanh() * 1.5), 0.3 + 0.1 * (seed % 3),
                       2 + seed % 3),
    expected="the derivative of V by θ, one number",
    hints=(
        "let ψ climb V k times, and keep the graph of these steps; then differentiate "
        "V by θ",
        "a step up is (up,) = torch.autograd.grad(v, psi, create_graph=True), then "
        "psi = psi + rate * up",
        "after the k steps: torch.autograd.grad(logsigmoid(-psi * theta), theta)[0]",
    ),
    mistakes=known_mistakes(
        "the gradient did not pass through the steps of D: θ also moves each ψ, which "
        "is no constant. Use create_graph=True, and no detach",
        lambda *case: _look(*case, track=False),
        "this is the gradient without looking ahead: let ψ take k steps first",
        lambda theta, psi, rate, k: _look(theta, psi, rate, 0),
        "D went downhill: it climbs V, ψ + rate · dV/dψ (plus)",
        lambda *case: _look(*case, sign=-1),
        "D went downhill (it climbs V), and the gradient did not pass through its "
        "steps",
        lambda *case: _look(*case, sign=-1, track=False),
        "only the last step of D carries a gradient: do not detach ψ in between",
        lambda t, psi, rate, k: _look(t, _climbed(t, psi, rate, k - 1), rate, 1),
        "this is V itself, after the steps; the answer is its derivative by θ",
        # with log ½, the part of the real examples, and without it
        lambda *case: _game(case[0], _climbed(*case)),
        lambda *case: _game(case[0], _climbed(*case)) + math.log(0.5),
        "this is ψ after the steps; the answer is the derivative of V by θ",
        _climbed,
        "this is the derivative by ψ; G needs that by θ",
        lambda *case: -case[0] * torch.sigmoid(_climbed(*case) * case[0]),
        _by_psi,
        "this is −V, the loss of D: D climbs V, and the answer is the derivative of V",
        lambda *case: _look(*case, game=lambda theta, psi: -_game(theta, psi)),
        "for the fake, V has log(1 − D), that is log σ(−ψθ): not −log D",
        lambda *case: _look(*case, game=lambda theta, psi: -_game(theta, -psi)),
        "all k steps took the slope of the start: compute it anew after each step",
        lambda theta, psi, rate, k: _look(theta, psi, k * rate, 1),
        "each step of D has the rate itself: not rate / k or k · rate",
        lambda theta, psi, rate, k: _look(theta, psi, rate / k, k),
        lambda theta, psi, rate, k: _look(theta, psi, rate * k, k),
        "V is log ½ + log σ(−ψθ), with the natural log and without another factor",
        *(
            lambda *case, c=c: _look(*case, game=lambda t, psi: c * _game(t, psi))
            for c in (0.5, 2, 1 / math.log(2))
        ),
        "only the gradient after the last step counts, no mean over the steps",
        lambda theta, psi, rate, k: sum(
            _look(theta, psi, rate, i) for i in range(1, k + 1)
        )
        / k,
        "the slope of V by ψ is −θ σ(ψθ), not −ψ σ(ψθ): that one is the slope by θ",
        lambda theta, psi, rate, k: _slope(
            theta, _climbed(theta, psi, rate, k, by=_slope)
        ),
        "the minus in V is missing: V = log ½ + log σ(−ψθ), since the fake has 1 − D",
        lambda *case: _look(*case, game=lambda theta, psi: _game(theta, -psi)),
        "log and sigmoid are missing: V = log ½ + log σ(−ψθ)",
        lambda *case: _look(*case, game=lambda theta, psi: -psi * theta),
        "the log is missing: V = log ½ + log σ(−ψθ)",
        lambda *case: _look(*case, game=lambda theta, psi: torch.sigmoid(-psi * theta)),
        "D climbs V, but then another loss was differentiated, the non-saturating one: "
        "here it is V itself, log σ(−ψθ)",
        lambda *case: _look(*case, goal=lambda theta, psi: -_game(theta, -psi)),
        lambda *case: _look(*case, goal=lambda theta, psi: _game(theta, -psi)),
        "the direct part is missing: θ stands in the last V itself, too, not only in "
        "ψ, so do not detach it there",
        lambda *case: _look(*case) - _slope(case[0], _climbed(*case)),
        "the gradients of all steps were added up in θ.grad: use autograd.grad, with "
        "create_graph=True in the steps (backward() adds to what is there)",
        _summed,
        lambda *case: _summed(*case, added=True),
        lambda theta, psi, rate, k: sum(
            _look(theta, psi, rate, i) for i in range(k + 1)
        ),
        "the gradient of ψ was added up from step to step, and the graph of the steps "
        "is missing: use autograd.grad with create_graph=True, not backward()",
        lambda *case: _slope(case[0], _climbed(*case, added=True)),
        "the rate belongs to the steps of D only: do not multiply the answer by it",
        lambda theta, psi, rate, k: rate * _look(theta, psi, rate, k),
        "this is θ after a step of G; the answer is the derivative of V by θ",
        lambda theta, psi, rate, k: theta - rate * _look(theta, psi, rate, k),
        "θ has moved, too: it stays where it is, and only ψ takes steps",
        _with_steps_of_theta,
        _tracked(_of_both),
        _tracked(lambda t, p, rate: _of_both(t, p, rate, -1)),
        "the slope of V by ψ is −θ σ(ψθ): the factor θ is missing (chain rule)",
        _tracked(lambda t, p, rate: (t, p - rate * torch.sigmoid(p * t))),
    ),
    error_hints={
        "does not require grad": "θ and ψ must require gradients before you use "
        "autograd.grad: theta = theta.clone().requires_grad_(), and the same for psi",
        "NoneType": "after a step ψ is no leaf, and its .grad stays None: use "
        "torch.autograd.grad(v, psi, create_graph=True)",
        "second time": "keep the graph of each step of D: create_graph=True",
        "have been used in the graph": "θ or ψ does not stand in this graph: build v "
        "from the tensors that you differentiate by",
    },
).check  # fmt: skip
