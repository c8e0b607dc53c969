"""The figures of notebook 03: coordinate ascent, black-box inference, amortization.

    python -m benchmarks.vi           about a minute
    python -m benchmarks.vi --quick   fewer repetitions
    python -m benchmarks.vi --seeds   the encoders of section 9 over three seeds, only

Times are processor time on one thread, medians over the repetitions. The Bayesian
mixture has unit-variance components at −6, −3, 0, 3, 6 and starts at five of the
points; black-box inference sums the assignments out, so its bound is another, tighter
one: this is a race to a good answer, not to an equal ELBO. The last line is JSON.
"""

import argparse
import json
import math
import statistics
import time
from functools import partial

import torch
from torch.distributions import Normal

from course_utils.quadrature import Estimate
from course_utils.training import last, seeded
from course_utils.variational import (
    AmortizedEncoder,
    BayesianMixture,
    DiagonalNormal,
    cavi_mixture,
    circle_model,
    elbo_by_quadrature,
    fit_each_point,
    fit_variational,
    gradient_draws,
    score_function_variance,
    standard_error_of_variance,
    train_encoder,
)

CENTRES = torch.tensor([-6.0, -3.0, 0.0, 3.0, 6.0], dtype=torch.float64)


def milliseconds(work, repeats: int) -> float:
    """Median processor time of ``work()``."""
    times = []
    for _ in range(repeats):
        start = time.process_time()
        work()
        times.append(1000 * (time.process_time() - start))
    return statistics.median(times)


def label_switching() -> dict:
    """Ten points, two components: the exact evidence against mean field."""
    model = BayesianMixture(2)
    x = torch.tensor([-3.2, -2.6, -2.1, -1.7, -0.9, 1.2, 1.6, 2.3, 2.8, 3.4]).double()
    start = torch.tensor([-0.1, 0.1], dtype=torch.float64)
    gap = model.log_prob(x).item() - last(cavi_mixture(x, model, start)).elbo
    print(f"n = 10, K = 2: gap {gap:.4f} = log 2! + {gap - math.log(2):.4f} nats")
    return {"label_gap": gap}


def large_mixture(repeats: int) -> dict:
    """n = 10⁴, K = 5: coordinate ascent from several starts, then black box."""
    model, times, worst, sweeps, elbos = BayesianMixture(5), [], math.inf, [], []
    for seed in range(5):
        with seeded(seed):
            x = CENTRES[torch.randint(5, (10_000,))] + torch.randn(10_000).double()
            start = x[torch.randperm(10_000)[:5]]
        states = list(cavi_mixture(x, model, start))
        climb = torch.tensor([s.elbo for s in states], dtype=torch.float64).diff()
        worst = min(worst, (climb / abs(states[-1].elbo)).min().item())
        sweeps.append(len(states))
        elbos.append(states[-1].elbo)
        run = partial(cavi_mixture, x, model, start)
        times.append(milliseconds(lambda run=run: last(run()), repeats))
        print(f"CAVI, seed {seed}: {times[-1]:6.1f} ms, {len(states)} sweeps")
    result = {"cavi_ms": statistics.median(times), "cavi_worst_ms": max(times)}
    result |= {"sweeps": sweeps, "least_relative_step": worst}
    for name, gradient in [
        ("reparameterized", "reparameterized"),
        ("score_function", "score_function_baseline"),
    ]:
        begin = time.process_time()
        steps = fit_variational(
            partial(model.log_joint, x),
            DiagonalNormal(start, 0.1),
            n_steps=400,
            n_samples=2 if name == "reparameterized" else 16,
            gradient=gradient,
        )
        means = last(steps).q.mean
        taken = 1000 * (time.process_time() - begin)
        error = (means.sort().values - CENTRES).abs().mean().item()
        print(f"black box, {name}: {taken:.0f} ms, mean error of the means {error:.3f}")
        result |= {f"{name}_ms": taken}
    return result


def gradient_variances(n: int) -> dict:
    """All columns of the table: Monte Carlo against the closed form."""
    worst, ratios = 0.0, {}
    for d in (1, 2, 10, 100):
        mu = torch.zeros(d, dtype=torch.float64)
        m = mu.clone()
        m[0] = 1.0
        mean_r = -d / 2 * math.log(2 * math.pi) - d / 2 - 0.5
        rows = [("reparameterized", 0.0, 1.0)]
        for name, b in (("none", 0.0), ("mean", mean_r), ("best", mean_r - 1)):
            rows.append(("score_function", b, score_function_variance(d, name)))
        for kind, b, expected in rows:
            generator = torch.Generator().manual_seed(d)
            draws = gradient_draws(
                lambda z, m=m: Normal(m, 1.0).log_prob(z).sum(-1),
                mu,
                1.0,
                n,
                kind,
                b,
                generator,
            )[:, :1]
            error = standard_error_of_variance(draws)
            worst = max(worst, ((draws.var(0) - expected).abs() / error).item())
        ratios[d] = [row[2] for row in rows[1:]]
        print(f"d = {d:3}: ratios {', '.join(f'{r:.1f}' for r in ratios[d])}")
    print(f"largest distance from the closed form: {worst:.2f} standard errors")
    return {"variance_ratios": ratios, "variance_worst_se": worst}


def amortization(repeats: int) -> dict:
    """The circle of the notebook: gaps, and time per point for both ways."""
    model = circle_model()
    with seeded(7):
        z = torch.randn(1000, dtype=torch.float64)
        noise = torch.randn(1000, 2, dtype=torch.float64)
    x = torch.stack([(2 * z).cos(), (2 * z).sin()], dim=1) + 0.4 * noise
    train, test = x[:500], x[500:]
    encoder = AmortizedEncoder(2, hidden=(32, 32))
    last(train_encoder(encoder, model.log_joint, train, 1500, 50, 1, 0.02))

    def elbo_of(q):
        return elbo_by_quadrature(partial(model.log_joint, test), q, n_nodes=32)

    guess = Normal(torch.atan2(test[:, 1], test[:, 0]) / 2, 0.2)
    a = last(fit_each_point(elbo_of, guess, n_steps=150))
    b = last(fit_each_point(elbo_of, encoder(test), n_steps=150))
    own, shared = torch.maximum(a.elbo, b.elbo), elbo_of(encoder(test)).detach()
    result = {}
    for name, gap in [
        ("approximation", model.log_prob(test) - own),
        ("amortization", own - shared),
    ]:
        gap = Estimate.of(gap)
        value, error = gap.value.item(), gap.standard_error.item()
        result |= {f"{name}_gap": [value, error]}
        print(f"{name} gap: {value:.3f} ± {error:.3f} nats per example")
    # from the prior, as one would without knowing the answer: 200 steps bring the
    # median point to within 1e-4 nats of where it ends
    prior = Normal(torch.zeros_like(own), 1.0)
    slow = milliseconds(lambda: last(fit_each_point(elbo_of, prior, 200)), repeats)
    fast = milliseconds(lambda: [encoder(test) for _ in range(100)], repeats) / 100
    print(f"per point: {2 * slow:.1f} µs to optimize, {2 * fast:.3f} µs to encode")
    print(f"the network is {slow / fast:.0f} times faster")
    return result | {"speed_ratio": slow / fast}


def encoders_over_seeds(seeds=(0, 1, 2)) -> dict:
    """Amortization gaps of the notebook's encoders, and of one trained on 20 points."""
    model, result = circle_model(), {}
    with seeded(7):
        angle = 2 * torch.randn(1000, dtype=torch.float64)
        noise = torch.randn(1000, 2, dtype=torch.float64)
    x = torch.stack([angle.cos(), angle.sin()], dim=1) + 0.4 * noise
    train, test = x.split(500)

    def elbo_of(q, x=test):
        return elbo_by_quadrature(partial(model.log_joint, x), q, n_nodes=32)

    for seed in seeds:
        encoders = {}
        for name, hidden, rows in [
            ("linear", (), train),
            ("4 units", (4,), train),
            ("32 + 32 units", (32, 32), train),
            ("32 + 32 units, 20 points", (32, 32), train[:20]),
        ]:
            encoders[name] = AmortizedEncoder(2, hidden=hidden, seed=seed)
            options = (model.log_joint, rows, 1500, 50, 1, 0.02, seed)
            last(train_encoder(encoders[name], *options))
        guess = Normal(torch.atan2(test[:, 1], test[:, 0]) / 2, 0.2)
        begins = [guess, *(encoder(test) for encoder in encoders.values())]
        ends = [last(fit_each_point(elbo_of, q, n_steps=150)) for q in begins]
        own, which = torch.stack([state.elbo for state in ends]).max(dim=0)
        means = torch.stack([state.q.mean for state in ends]).gather(0, which[None])[0]
        for name, encoder in encoders.items():
            gap = (own - elbo_of(encoder(test))).detach()
            bad = gap > 1
            other = bad & (encoder(test).mean * means < 0)
            share = 100 * (gap.max() / gap.sum()).item()
            result[f"{name}, seed {seed}"] = gap.mean().item()
            lost = f"gap {gap.mean():.3f} nats; {bad.sum()} points lose more than 1"
            worst = f"the worst loses {gap.max():.1f}, {share:.0f} % of all"
            print(
                f"seed {seed}, {name}: {lost}, {other.sum()} on the other peak; {worst}"
            )
    return result


def main() -> None:
    """Measure, print, and end with one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seeds", action="store_true")
    options = parser.parse_args()
    quick = options.quick
    torch.set_num_threads(1)
    if options.seeds:
        print(json.dumps(encoders_over_seeds()))
        return
    repeats = 3 if quick else 9
    result = label_switching() | large_mixture(repeats)
    result |= gradient_variances(20_000 if quick else 100_000)
    result |= amortization(repeats)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
