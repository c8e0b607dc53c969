"""What every training run needs: seeds, minibatches, one progress bar."""

import functools
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import torch

from course_utils import memory, messages
from course_utils.arguments import (
    check_dense,
    counts,
    floats,
    require,
    seed_of,
    switches,
)

STYLE = Path(__file__).with_name("course.mplstyle")
LETTERS = ["font.size", "axes.labelsize", "legend.fontsize"]  # titles fill their panels
LETTERS += ["xtick.labelsize", "ytick.labelsize"]
TO_FILES = ["agg", "cairo", "pdf", "pgf", "ps", "svg", "template"]  # they show nothing


def setup(
    seed: int = 0,
    threads: int = 1,
    dtype: torch.dtype = torch.float32,
    language: str = "en",
    projector: bool = False,
) -> None:
    """Seed torch, set the figure style and the print options.

    Prints nothing, unless the system has ended an earlier kernel for want of memory.

    In a notebook, figures are drawn at twice the density of the page: screens and
    projectors are finer than 100 dots per inch.

    ``dtype`` is what new tensors hold: ``torch.float64`` where a notebook computes
    statistics and compares digits, ``torch.float32`` where it trains networks.

    One thread is the default on purpose: the small networks of this course gain little
    from two, the numbers repeat exactly, and two programs that share two cores do not
    slow each other down tenfold.

    ``language`` is what the checks of the exercises speak: "en" or "vi" (Vietnamese).
    With ``projector`` the letters in pictures are larger, for the back row of a room.
    """
    import matplotlib.pyplot as plt  # here, so that importing this module stays quick
    from IPython import get_ipython

    counts(threads=threads)
    switches(projector=projector)
    fits = isinstance(dtype, torch.dtype) and dtype.is_floating_point
    require(dtype=(f"{dtype!r:.60}", fits, "a type of floats, such as torch.float32"))
    seed = seed_of(seed)
    messages.use(language)
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    torch.set_default_dtype(dtype)
    torch.set_printoptions(precision=4, sci_mode=False)
    plt.style.use(["default", STYLE])  # whatever style the reader has set
    if projector:
        plt.rcParams.update({name: 1.2 * plt.rcParams[name] for name in LETTERS})
    if shell := get_ipython():
        from matplotlib_inline.config import InlineBackend

        if plt.get_backend().lower() in TO_FILES and hasattr(shell, "kernel"):
            shell.enable_matplotlib("inline")  # MPLBACKEND has hidden all figures
        InlineBackend.instance(parent=shell).figure_formats = {"retina"}
        if hasattr(shell, "kernel"):
            from jupyter_core.paths import jupyter_runtime_dir

            note = Path(jupyter_runtime_dir()) / "course_ended"
            if sentence := memory.what_happened(note):
                print(sentence)
        # The first step of an optimizer imports 800 modules. Stopped in the midst of
        # that, no training works any more in this kernel; an interrupt reaches only the
        # main thread, so another one imports them.
        threading.Thread(target=import_module, args=["torch._dynamo"]).start()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Inside this block torch draws from ``seed``; afterwards it goes on as before.

    ``torch.distributions`` take no generator, so a picture that samples wraps its
    draws in ``with seeded(0):`` and always shows the same points.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed_of(seed))
        yield


def checked(steps: Callable[..., Iterator]) -> Callable[..., Iterator]:
    """A generator function that refuses nonsense at the call, not at the first step.

    Python runs nothing of a generator before its first ``next()``. So the function
    under this decorator checks its arguments, says ``yield`` alone (here: "the run may
    begin"), and goes on when the first state is wanted.
    """

    @functools.wraps(steps)
    def at_the_call(*arguments, **options):
        states = steps(*arguments, **options)
        next(states)
        return states

    return at_the_call


@checked
def minibatches(
    x: torch.Tensor, batch_size: int, generator: torch.Generator | None = None
) -> Iterator[torch.Tensor]:
    """One pass over the rows of ``x`` in random order, ``batch_size`` rows at a time.

    The data sit in memory, so that indexing is all it takes; the last batch may be
    smaller. No worker processes: those are what fails in notebooks on Windows.
    ``ValueError`` for no rows, and for a ``batch_size`` that is no whole number >= 1.
    """
    counts(batch_size=batch_size)
    if not isinstance(x, torch.Tensor):
        x = floats(x)
    check_dense(x)
    if x.ndim == 0 or len(x) == 0:
        raise ValueError("x is empty: there is nothing to make minibatches from")
    yield
    for index in torch.randperm(len(x), generator=generator).split(int(batch_size)):
        yield x[index]


def progress(steps: Iterable, total: int | None = None, describe=None) -> Iterator:
    """Go through ``steps`` behind a bar that disappears when the work is done.

    ``describe(state)`` returns the text shown at the bar, such as
    ``"ELBO -98.4 nats"``.
    """
    from tqdm.auto import tqdm

    with tqdm(steps, total=total, leave=False) as bar:
        for state in bar:
            if describe is not None:
                bar.set_postfix_str(describe(state), refresh=False)
            yield state


def last(states: Iterable):
    """The last state of a run: ``vae = last(progress(train_vae(…)))``.

    Raises ``ValueError`` if there is none.
    """
    found = deque(states, maxlen=1)
    if not found:
        raise ValueError("there is no last state: the run has yielded none")
    return found[0]
