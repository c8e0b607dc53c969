"""Seeds, minibatches, the style, the progress bar."""

import math
import os
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from course_utils.training import (
    last,
    minibatches,
    progress,
    seeded,
    setup,
)
from tests.hostile import refuses


def test_seeded_repeats_and_leaves_the_outer_stream_alone():
    torch.manual_seed(0)
    expected = torch.randn(3)
    torch.manual_seed(0)
    with seeded(5):
        first = torch.randn(3)
    with seeded(5):
        second = torch.randn(3)
    assert torch.equal(first, second)
    assert torch.equal(torch.randn(3), expected)


def test_setup_says_nothing_and_sets_the_style(capsys):
    threads = torch.get_num_threads()
    setup(3)
    first = torch.randn(2)
    setup(3)
    assert torch.equal(torch.randn(2), first)
    assert torch.get_num_threads() == 1
    assert torch.ones(1).dtype == torch.float32
    setup(dtype=torch.float64)
    assert torch.ones(1).dtype == torch.float64
    assert matplotlib.rcParams["figure.facecolor"] == "white"
    assert matplotlib.rcParams["font.size"] >= 11
    assert capsys.readouterr() == ("", "")
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    with pytest.raises(ValueError, match="threads"):
        setup(threads=0)


@given(st.integers(1, 50), st.integers(1, 60))
def test_minibatches_visit_every_row_once(n, size):
    x = torch.arange(n)
    batches = list(minibatches(x, size, torch.Generator().manual_seed(0)))
    assert sorted(torch.cat(batches).tolist()) == x.tolist()
    assert all(len(batch) == size for batch in batches[:-1])


def test_minibatches_check_their_arguments():
    with pytest.raises(ValueError, match="empty"):
        next(minibatches(torch.ones(0), 2))
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        next(minibatches(torch.ones(3), 0))


def test_progress_passes_the_states_on(capsys):
    seen = list(
        progress(iter([1, 2, 3]), total=3, describe=lambda state: f"at {state}")
    )
    assert seen == [1, 2, 3]
    assert capsys.readouterr().out == ""


def test_last():
    assert last(iter([1, 2, 3])) == 3
    with pytest.raises(ValueError, match="the run has yielded none"):
        last([])


def test_minibatches_take_arrays_and_refuse_at_the_call():
    sizes = [tuple(b.shape) for b in minibatches(np.zeros((5, 3)), 2)]
    assert sizes == [(2, 3), (2, 3), (1, 3)]
    with pytest.raises(ValueError, match="batch_size must be a whole number"):
        minibatches(torch.zeros(5), 2.5)  # no next() is needed


def test_letters_are_larger_for_a_projector_and_then_as_before():
    setup()
    before = {name: plt.rcParams[name] for name in ("font.size", "legend.fontsize")}
    setup(projector=True)
    after = {name: plt.rcParams[name] for name in before}
    assert after == {name: pytest.approx(1.2 * size) for name, size in before.items()}
    setup()
    assert {name: plt.rcParams[name] for name in before} == before


def test_the_style_of_the_reader_does_not_shine_through():
    with plt.style.context("dark_background"):
        setup()
        assert plt.rcParams["text.color"] == "black"
        assert plt.rcParams["figure.facecolor"] == "white"


FIRST_STEP = """
import sys
import threading
import torch
from IPython.core.interactiveshell import InteractiveShell
from course_utils.training import setup

InteractiveShell.instance()
setup()
for thread in threading.enumerate():
    if thread is not threading.main_thread() and not thread.daemon:
        thread.join()
known = set(sys.modules)
weights = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(weights.parameters(), fused=True)
weights(torch.ones(1, 2)).sum().backward()
optimizer.step()
print(len(set(sys.modules) - known))
"""


def test_a_first_step_that_is_stopped_leaves_nothing_half_imported():
    """It imports next to nothing: in a kernel, another thread has done so before."""
    command = [sys.executable, "-c", FIRST_STEP]
    done = subprocess.run(command, capture_output=True, text=True)
    assert int(done.stdout.split()[-1]) < 20, done.stderr


@pytest.mark.parametrize("bad", [None, "3", b"3", 1.5, True, -1, 2**63, math.nan])
def test_seeds_are_whole_numbers(bad):
    def draws():
        with seeded(bad):
            torch.rand(1)

    refuses(draws, "seed must be")
    refuses(lambda: setup(seed=bad), "seed must be")


def test_settings_that_are_none_are_named():
    for bad in (None, "float64", torch.int64, torch.Tensor):
        refuses(lambda bad=bad: setup(dtype=bad), "dtype must be a type of floats")
    refuses(lambda: setup(projector=1), "projector must be True or False")


def test_whole_numbers_of_numpy_cut_batches():
    parts = [len(rows) for rows in minibatches(torch.zeros(5, 2), np.int8(2))]
    assert parts == [2, 2, 1]
    sparse = torch.eye(3).to_sparse()
    refuses(lambda: minibatches(sparse, 2), "x must be an ordinary dense tensor")


def test_in_a_kernel_setup_says_why_the_one_before_has_ended(tmp_path):
    code = (
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "InteractiveShell.instance().kernel = object()\n"
        "from course_utils import memory\n"
        "memory.what_happened = lambda note: f'{note.name} says why'\n"
        "from course_utils.training import setup\n"
        "setup()\n"
    )
    own = os.environ | {"IPYTHONDIR": str(tmp_path), "MPLBACKEND": "inline"}
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, capture_output=True, text=True, env=own)
    assert (done.stdout, done.stderr) == ("course_ended says why\n", "")
