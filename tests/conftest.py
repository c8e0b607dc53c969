"""The notebooks for the tests: each test that asks for one runs for every one."""

import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from course_utils.training import STYLE
from tests.performing import perform
from tools import load, notebook_paths


def pytest_generate_tests(metafunc):
    if "notebook_path" in metafunc.fixturenames:
        paths = notebook_paths()
        metafunc.parametrize("notebook_path", paths, ids=[path.stem for path in paths])


@pytest.fixture
def notebook(notebook_path):
    """A committed notebook, one test per notebook."""
    return load(notebook_path)


@pytest.fixture
def performance(notebook_path):
    """What the code cells of a notebook did when they ran in this process."""
    return perform(notebook_path)


@pytest.fixture
def course_style():
    """The style of the notebooks, whatever other tests have left; no open figures."""
    with plt.style.context(STYLE):
        yield
    assert plt.get_fignums() == []


@pytest.fixture
def ax():
    """The axes of a figure that pyplot does not know."""
    return Figure().subplots()
