"""Notebook 06, the last comparison: a flow, a diffusion model, and three wishes.

Read ``flow`` (an exact density), then ``diffusion`` (noise, taken away step by step).
"""

from course_utils.trilemma.diffusion import Denoiser, DiffusionState, train_diffusion
from course_utils.trilemma.flow import Flow, FlowState, train_flow
