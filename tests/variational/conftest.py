"""What the pictures of notebook 03 are tested with."""

import pytest
import torch
from matplotlib.figure import Figure


@pytest.fixture
def notebook_defaults(course_style):
    """What ``setup`` brings in the notebook, whatever other tests have left."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(before)


@pytest.fixture
def pair():
    """Two axes of a figure that pyplot does not know."""
    return Figure().subplots(1, 2)
