"""Numbers in the text of notebook 04 (see ``tests/notebooks/numbers.py``)."""

CLASSIFIER = "__import__('course_utils.scores').scores.load_digit_classifier()"
RIGHT = f"({CLASSIFIER}(test_grey.flatten(1) / 255).argmax(1) == test_labels)"

LOG_9 = "torch.tensor(9).log()"

COMPUTED = [
    (
        "nine-beta-text",
        "at most −log 9 ≈ −{:.1f} nats",
        "setup",
        LOG_9,
    ),
    ("nine-predict", "log 9 ≈ {:.1f} nats:", "setup", LOG_9),
    ("nine-caption", "log 9 ≈ {:.1f} nats are", "setup", LOG_9),
    (
        "reconstruct-caption",
        "right on about {:.0f} % of the real test digits",
        "data",
        f"100 * {RIGHT}.double().mean()",
    ),
    (
        "diversity-caption",
        "in the data each has about {:.0f} %",
        "data",
        "100 * (labels.bincount() / len(labels)).mean()",
    ),
    (
        "mnist-split-caption",
        "is log m each time: {:.2f}, {:.2f}, {:.2f}.",
        "setup",
        "tuple(torch.tensor([100.0, 1000.0, 10_000.0]).log())",
    ),
    (
        "mnist-split-caption",
        "is at least {:.1f} nats",
        "setup",
        "torch.tensor(10_000.0).log()",
    ),
    (
        "judge-text",
        "real training digits have {:.1f})",
        "data",
        "__import__('course_utils.scores').scores.frechet_floor()",
    ),
    (
        "judge-text",
        "({:.0f} % of real digits)",
        "data",
        "100 * digit_scores(test_grey.flatten(1)).confident",
    ),
]

BURDA = "Burda, Grosse and Salakhutdinov (2016), Table 1"
MINUTE = "python -m benchmarks.vae --seconds 60 --seed 0 (to 4): docs/results.md, 04"
FIVE_MINUTES = "python -m benchmarks.vae --seconds 300 --k 8 --share 0.5"
SEEDS = "python -m benchmarks.vae_notebook --seeds 0-2: docs/results.md, 04"
QUOTED = {
    ("iwae-caption", "86.76"): BURDA,
    ("iwae-caption", "85.54"): BURDA,
    ("iwae-caption", "84.78"): BURDA,
    ("iwae-caption", "87.1"): MINUTE,
    ("iwae-caption", "87.7"): MINUTE,
    (
        "iwae-caption",
        "85.3",
    ): FIVE_MINUTES,
    (
        "iwae-caption",
        "84.9",
    ): FIVE_MINUTES,
}
