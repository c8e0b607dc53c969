"""Notebook 06, sections 7 and 8: a flow, a diffusion model, and three wishes.

Good samples, all modes, and speed: no model of the course has all three. Two models
are new here. Read ``flow`` (an exact density, because the map can be undone), then
``diffusion`` (noise, taken away step by step). Both train by ``course_utils.descent``.
The other models come from the earlier rooms; ``pictures`` puts all of them side by
side.
"""

from course_utils.beyond.diffusion import Denoiser, DiffusionState, train_diffusion
from course_utils.beyond.flow import Flow, FlowState, train_flow
