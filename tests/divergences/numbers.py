"""Numbers in the text of notebook 06 (see ``tests/notebooks/numbers.py``)."""

# milliseconds of the diffusion model over those of each GAN, seed by seed
RATIOS = (
    "[float(slow['ms']) / float(quick['ms']) for kind in ('plain GAN', 'cured GAN')"
    " for slow, quick in zip(built_in_07['diffusion'], published[kind])]"
)
COMPUTED = [
    ("js-text", "\\approx {:.3f}$ nats", "kl-verify", "log_2"),
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
        "caveat-caption",
        "the choice costs up to {:.2f} nats",
        "want-verify",
        "js(theis, fits['forward_kl'].distribution, grid=(ticks, ticks))"
        " - fits['js'].value",
    ),
    (
        "exercise-renyi-solution",
        "Total variation gives σ = {:.3f}",
        "theis",
        "fit_isotropic_gaussian(theis, lambda a, b, c:"
        " 0.5 * (a.exp() - b.exp()).abs().sum() * c).sigma",
    ),
    (
        "score-text",
        "a perfect sampler has {:.1f} %",
        "scores-verify",
        "100 * near_mode",
    ),
    ("scores-caption", "covers {:.0f} %", "scores-verify", "100 * arcs"),
    (
        "file-caption",
        "is, seed by seed, {:.0f} to {:.0f} times slower",
        "file",
        f"(min({RATIOS}), max({RATIOS}))",
    ),
]
QUOTED = {("close", "1511.01844"): "the number of the paper on arXiv"}
