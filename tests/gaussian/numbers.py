"""The numbers in the text of notebook 01 that no cell prints."""

COMPUTED = [
    (
        "surface-text",
        "Half of the best σ costs {:.1f} nats, double costs only {:.1f}.",
        "closed-form",
        "tuple(log_likelihood(heights, mu_star, variance_star.sqrt())"
        " - log_likelihood(heights, mu_star, k * variance_star.sqrt())"
        " for k in (0.5, 2.0))",
    ),
    (
        "family-figure-text",
        "A hill that is about {:.0f} cm wide must be about {:.0f} per metre high",
        "density-above-one",
        "(100 / best.log_prob(best.mean).exp(), best.log_prob(best.mean).exp())",
    ),
    (
        "empirical-text",
        "typically wrong by {:.1f} cm",
        "setup",
        "100 * 0.07 / 10**0.5",
    ),
    (
        "empirical-text",
        "do we need for {:.1f} cm? For {:.1f} mm?",
        "setup",
        "(100 * 0.07 / 40**0.5, 1000 * 0.07 / 1000**0.5)",
    ),
    (
        "spread-caption",
        "For the mean of our ten heights, {:.3f} m,",
        "closed-form",
        "mu_star",
    ),
    ("spread-caption", "= {:.2f}$ cm", "curvature", "100 * width"),
    ("bias-caption", "with ten it is {:.0f} %", "bias", "100 * expected[3]"),
    (
        "galton-compare-caption",
        "it is {:.1f} nats for all of them, a factor $e^{{{:.1f}}}$",
        "galton-compare",
        "2 * ((two.log_prob(height) - one.log_prob(height)).sum(),)",
    ),
    (
        "spread-text",
        "which is {:.1f} %",
        "setup",
        "100 / (2 * 2000) ** 0.5",
    ),
    (
        "posterior-text",
        "$\\mathcal N({:.2f}, {:.2f}^2)$",
        "posterior",
        "(mu_grid[prior.argmax()], 1 / prior.max() / (2 * torch.pi) ** 0.5)",
    ),
]
SLIDE = "the value on the slide *MLE: Gaussian example (2)*, docs/errata.md"
QUOTED = {
    ("erratum-variance-text", "0.0015"): SLIDE,
    ("close", "0.0015"): SLIDE,
}
