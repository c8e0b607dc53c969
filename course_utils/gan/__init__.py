"""Notebook 05: generative adversarial networks.

Read ``theory`` (the game and its optimum; section 4), ``networks`` (the two players;
section 1), ``losses`` (sections 2, 5 and 7) and ``training`` (Algorithm 1; sections 2,
3 and 6; settings that work, sections 7 and 8), then ``match`` (what a run keeps) and,
for the curious, ``fast`` (a round by hand-written matrix products). ``pictures``,
``gallery`` (sections 6 to 8) and ``exercises`` are those of the notebook, with
``calculus_exercises``; ``steps`` writes down a step of G, which exercise 4 judges.
"""

from course_utils.gan.losses import LOSSES, gradient_penalty
from course_utils.gan.networks import Discriminator, Generator
from course_utils.gan.theory import optimal_discriminator, value
from course_utils.gan.training import (
    DIGIT_DISCRIMINATOR,
    DIGIT_GENERATOR,
    DIGIT_RECIPE,
    SIGHTED,
    SIGHTED_DISCRIMINATOR,
    GANState,
    train_gan,
)
