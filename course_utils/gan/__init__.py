"""Notebook 05: generative adversarial networks.

Read ``theory`` (the game and its optimum), ``networks``, ``losses``, ``training``, then
``fast`` (one round by hand-written matrix products).
"""

from course_utils.gan.losses import LOSSES, gradient_penalty
from course_utils.gan.networks import Discriminator, Generator
from course_utils.gan.run import GANState
from course_utils.gan.theory import (
    DIGIT_DISCRIMINATOR,
    DIGIT_GENERATOR,
    DIGIT_RECIPE,
    SIGHTED,
    SIGHTED_DISCRIMINATOR,
    optimal_discriminator,
    value,
)
from course_utils.gan.training import train_gan
