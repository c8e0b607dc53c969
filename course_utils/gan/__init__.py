"""Notebook 05: generative adversarial networks.

Read ``theory`` (the game and its optimum; section 4), ``networks`` (the two players;
section 1), ``losses`` (sections 2, 5 and 7) and ``training`` (Algorithm 1; sections 2,
3 and 6), then ``match`` (what a run keeps), ``recipes`` (settings that work, and a G
that they made; sections 7 and 8) and, for the curious, ``fast`` (a round by
hand-written matrix products).
``pictures``, ``gallery`` (sections 6 to 8; both draw on a ``canvas``) and ``exercises``
are those of the notebook; ``steps`` holds the steps of a generator, right and wrong,
that exercise 4 compares.
"""

from course_utils.gan.losses import LOSSES, gradient_penalty
from course_utils.gan.networks import Discriminator, Generator
from course_utils.gan.recipes import (
    DIGIT_DISCRIMINATOR,
    DIGIT_GENERATOR,
    DIGIT_RECIPE,
    SIGHTED,
    SIGHTED_DISCRIMINATOR,
    GANRecipe,
    full_run,
)
from course_utils.gan.theory import optimal_discriminator, value
from course_utils.gan.training import GANState, train_gan
