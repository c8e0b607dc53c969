"""Notebook 07: a model that writes, a flow, a diffusion model; pictures from words.

Read ``language`` first (a density of texts, by the chain rule), then ``flow`` (an exact
density, because the map can be undone) and ``diffusion`` (noise, taken away step by
step). Then digits: ``latents`` makes 32 numbers of a digit and a digit of them,
``priors`` are the models of the course as densities of these numbers, ``words`` lets
each digit describe itself, and ``guidance`` walks from words to digits. ``pictures``,
``language_pictures`` and ``digit_pictures`` draw; ``exercises`` checks.
"""

from course_utils.beyond.diffusion import Denoiser, DiffusionState, train_diffusion
from course_utils.beyond.flow import Flow, FlowState, train_flow
