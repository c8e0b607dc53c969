"""Numbers in the text of notebook 06 (see ``tests/notebooks/numbers.py``)."""

RENYI = (
    "tuple(fit_isotropic_gaussian(theis, lambda a, b, c, t=t:"
    " ((t * a + (1 - t) * b).exp().sum() * c).log() / (t - 1)).sigma for t in {})"
)
# numbers of the published runs, as the table of section 7 has them
MEAN = "sum(float(run['quality']) for run in results['board'][{!r}]) / 0.03"
# milliseconds of the diffusion model over those of each GAN, seed by seed
RATIOS = (
    "[float(slow['ms']) / float(quick['ms']) for kind in ('plain GAN', 'cured GAN')"
    " for slow, quick in zip(results['ring']['diffusion'], results['ring'][kind])]"
)
COMPUTED = [
    ("js-text", "\\approx {:.3f}$ nats", "kl-verify", "log_2"),
    (
        "js-separation-predict",
        "about {:.3f} nats",
        "setup",
        "0.75 * torch.tensor(4 / 3).log()",
    ),
    ("theis-caption", "a bump that holds {:.1f} %", "theis", "100 * theis.weights[4]"),
    ("caveat-caption", "bump holds {:.1f} % of p", "theis", "100 * theis.weights[4]"),
    (
        "fits-caption",
        "σ is {:.2f} for KL(p‖q) and {:.2f} for MMD",
        "theis",
        "tuple(fit_isotropic_gaussian(pictures.theis_like(3.5, 0.4, 0.6), name).sigma"
        " for name in ('forward_kl', 'mmd'))",
    ),
    (
        "caveat-meeting-caption",
        "the choice costs up to {:.2f} nats",
        "want-verify",
        "js(theis, fits['forward_kl'].distribution, grid=(ticks, ticks))"
        " - fits['js'].value",
    ),
    (
        "exercise-renyi-solution",
        "σ = {:.3f}: between MMD ({:.3f}) and JSD ({:.3f})",
        "theis",
        f"(*{RENYI.format('(0.5,)')}, fits['mmd'].sigma, fits['js'].sigma)",
    ),
    (
        "exercise-renyi-solution",
        "σ = {:.3f} at α = 0.99; at α = 0.1 it is {:.3f}",
        "theis",
        RENYI.format("(0.99, 0.1)"),
    ),
    (
        "exercise-renyi-solution",
        "Total variation gives {:.3f}",
        "theis",
        "fit_isotropic_gaussian(theis, lambda a, b, c:"
        " 0.5 * (a.exp() - b.exp()).abs().sum() * c).sigma",
    ),
    (
        "score-text",
        "a perfect sampler has {:.1f} %",
        "covered-verify",
        "100 * near_mode",
    ),
    ("covered-caption", "covers {:.0f} %", "covered-verify", "100 * arcs"),
    (
        "scores-caption",
        "is, seed by seed, {:.0f} to {:.0f} times slower",
        "seeds",
        f"(min({RATIOS}), max({RATIOS}))",
    ),
    (
        "board-caption",
        "with about {:.0f} %; the diffusion model and the cured GAN have about {:.0f}"
        " and {:.0f} %",
        "seeds",
        f"({MEAN.format('flow')}, {MEAN.format('diffusion')},"
        f" {MEAN.format('cured GAN')})",
    ),
]
QUOTED = {("close", "1511.01844"): "the number of the paper on arXiv"}
