"""What a game is played by (``GANRecipe``), and settings that work.

The settings were found by the benchmarks; they are arguments of networks and of games.
``SIGHTED`` and ``SIGHTED_DISCRIMINATOR`` cover every mode of the ring and of the grid,
with the right spread in each; ``DIGIT_…`` draw all ten digits. What they reach, and in
which time, is in ``docs/results.md``.

``full_run`` reads the G of a longer run on digits than fits into a lesson.
"""

import math
from dataclasses import dataclass

from course_utils.arguments import counts, finite, numbers, one_of, require, switches
from course_utils.data import read_verified
from course_utils.files import read_model
from course_utils.gan.losses import LOSSES
from course_utils.gan.networks import Generator


@dataclass(frozen=True)
class GANRecipe:
    """What decides a game beside its players, its data and its length.

    ``loss`` is a name in ``LOSSES``. Each round has ``k`` steps of D and one of G, on
    ``batch_size`` samples. ``learning_rate`` is one number or (of G, of D), for Adam
    with ``betas``; a rate of 0 freezes a player. ``penalty`` weighs the gradient
    penalty of the loss (None: its usual weight), or (start, end): falling geometrically
    over the ``anneal`` part of the run. ``average`` is the decay of a running mean of
    G's weights, which then is what the generator holds. ``decay`` lets the rates fall:
    True for both to 3 %, or (of G, of D) as the last share, G's by a squared half
    cosine. ``simultaneous`` moves both players from the same batch (``at_once``), which
    is quicker where R1 + R2 is used. Raises ``ValueError`` for settings without sense.
    """

    loss: str = "non_saturating"
    k: int = 1
    batch_size: int = 256
    learning_rate: float | tuple[float, float] = 1e-3
    betas: tuple[float, float] = (0.5, 0.9)
    penalty: float | tuple[float, float] | None = None
    anneal: tuple[float, float] = (0.35, 0.85)
    average: float = 0.0
    decay: bool | tuple[float, float] = False
    simultaneous: bool = False

    def __post_init__(self):
        one_of(tuple(LOSSES), loss=self.loss)
        counts(-math.inf, k=self.k, batch_size=self.batch_size)  # how many is below
        finite(average=self.average)
        switches(simultaneous=self.simultaneous)
        _pair("anneal", self.anneal, "a pair")
        window, ends, weights = self.anneal, self.ends, self.weights
        ordered = isinstance(window, tuple | list) and 0 <= window[0] < window[1] <= 1
        # a fall by a constant ratio has two positive ends
        falls = _finite(weights) and (min(weights) > 0 or max(weights) == 0)
        slow = _finite(self.momenta) and max(self.momenta) < 1
        gentle = min(ends) > 0 and max(ends) <= 1
        require(
            k=(self.k, self.k >= 1, ">= 1"),
            batch_size=(self.batch_size, self.batch_size >= 1, ">= 1"),
            learning_rate=(self.learning_rate, _finite(self.rates), ">= 0 and finite"),
            betas=(self.betas, slow, "two numbers >= 0 and < 1"),
            penalty=(self.penalty, falls, "> 0 and finite, or 0 throughout"),
            anneal=(self.anneal, ordered, "(a, b), 0 <= a < b <= 1"),
            average=(self.average, 0 <= self.average < 1, ">= 0 and < 1"),
            decay=(self.decay, gentle, "two numbers > 0 and <= 1"),
        )

    @property
    def rates(self) -> tuple[float, float]:
        """The learning rates of G and of D."""
        return _pair("learning_rate", self.learning_rate)

    @property
    def momenta(self) -> tuple[float, float]:
        """β₁ and β₂ of Adam."""
        return _pair("betas", self.betas)

    @property
    def weights(self) -> tuple[float, float]:
        """The weights of the penalty at the start and at the end."""
        usual = LOSSES[self.loss].penalty
        return _pair("penalty", usual if self.penalty is None else self.penalty)

    @property
    def ends(self) -> tuple[float, float]:
        """The last shares of the rates of G and of D."""
        return _ends(self.decay)


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


def _pair(name: str, value, rule="a number or a pair") -> tuple[float, float]:
    try:
        first, second = value if isinstance(value, tuple | list) else (value, value)
        numbers(first=first, second=second)
        return float(first), float(second)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be {rule}, got {value!r}") from None


def _ends(decay) -> tuple[float, float]:
    if isinstance(decay, bool):
        return (0.03, 0.03) if decay else (1.0, 1.0)
    rule = "True, False or a pair"
    require(decay=(decay, isinstance(decay, tuple | list), rule))
    return _pair("decay", decay, rule)


def _finite(numbers: tuple[float, float]) -> bool:
    return all(0 <= number < math.inf for number in numbers)
