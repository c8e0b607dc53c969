"""Settings that work, found by the benchmarks: arguments of networks and of training.

``SIGHTED`` and ``SIGHTED_DISCRIMINATOR`` cover every mode of the ring and of the grid,
with the right spread in each; ``DIGIT_…`` draw all ten digits. What they reach, and in
which time, is in ``docs/results.md``.

``full_run`` reads the G of a longer run on digits than fits into a lesson.
"""

from course_utils.data import read_verified
from course_utils.files import read_model
from course_utils.gan.networks import Generator

SIGHTED = {
    "loss": "relativistic",
    "simultaneous": True,
    "penalty": (0.03, 1e-5),  # coarse to fine: at first only a smooth D
    "anneal": (0.55, 0.8),  # late, when G has found every mode and moves slowly
    "learning_rate": 3e-3,
    "betas": (0.0, 0.99),  # momentum lets the two players swing around each other
    "decay": (2e-3, 0.5),  # G slows down, D stays quick
    "average": 0.995,
}
SIGHTED_DISCRIMINATOR = {
    "activation": "relu",
    "frequencies": 16,
    "frequency_scale": (2.0, 14.0),  # from the size of the data to that of a mode
}

DIGIT_RECIPE = {
    "loss": "relativistic",
    "simultaneous": True,
    "batch_size": 256,
    "penalty": (5.0, 1.0),  # coarse to fine here, too
    "anneal": (0.0, 0.5),
    "learning_rate": 5e-3,
    "betas": (0.0, 0.99),
    "decay": True,
    "average": 0.998,
}
DIGIT_GENERATOR = {
    "noise_dim": 64,
    "data_dim": 784,
    "hidden": (128, 256),
    "activation": "leaky_relu",
    "output": "sigmoid",
}
DIGIT_DISCRIMINATOR = {"data_dim": 784, "hidden": (256, 128)}

FULL_RUN = "gan_digits.safetensors"


def full_run() -> tuple[Generator, dict]:
    """The G of ``python -m benchmarks.gan --data mnist --steps 5000 --keep``, kept.

    Returns it with its notes: recipe, steps, seed, seconds of training and scores. Its
    weights were rounded to 16 bits. Raises ``DataError`` if the file is missing or
    damaged.
    """
    settings, weights = read_model(FULL_RUN, read_verified(FULL_RUN))
    painter = Generator(**settings["generator"])
    painter.load_state_dict({name: value.float() for name, value in weights.items()})
    return painter, settings["notes"]
