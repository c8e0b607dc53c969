"""Numbers in the text of notebook 02 (see ``tests/notebooks/numbers.py``)."""

PRML = "Bishop (2006), Pattern Recognition and Machine Learning, section 9.4"

COMPUTED = [
    (
        "inference-text",
        "= {:.2f}$",
        "responsibilities",
        "torch.tensor([-1000.0, -1001.0]).logsumexp(0)",
    ),
    # a factor of 10 in width, for one person of ten
    ("spike-caption", "= {:.2f}$ nats", "setup", "torch.tensor(10.0).log() / 10"),
    ("known-z-caption", "(weights {:.1f}, {:.1f}, {:.1f})", "story", "tuple(weights)"),
    ("galton-caption", "is right for {:.0f} %", "galton", "100 * right_share"),
    ("approximation-predict", "the KL is {:.2f} nats", "approximation-verify", "kl[1]"),
    (
        "spiral-caption",
        "has {:.0f} numbers",
        "spiral-fit",
        "spiral_fits[32].n_parameters",
    ),
]

QUOTED = {
    ("touch-caption", "9.14"): PRML,
    ("terms", "9.14"): PRML,
    ("terms", "9.4"): PRML,
}
