"""What a reader writes in section 1 of notebook 07 is what its next cells run."""

import pytest
import torch

from course_utils.beyond import exercises
from tests.reader import Reader, nothing_accepted

READER = Reader("07")
SHORT = {  # a short text and a small effort: one epoch of twenty steps
    "setup": READER.cells["setup"].replace("EFFORT = 1.0", "EFFORT = 0.01"),
    "chapters": READER.cells["chapters"] + "\ntrain_text = train_text[:, :512]",
}
SOLUTION = {"exercise-text": READER.solutions["exercise-text"]}
CELLS = [
    *["setup", "prose", "chapters", "writer", "before-each", "order"],
    *["exercise-text", "exercise-text-check", "log-prob", "sum-verify"],
    *["twin-verify", "batches", "train", "write", "train-and-read", "train-run"],
    *["counted", "bits", "bits-figure"],
]
BREAKS = """
calls = []


def my_text_log_prob(scores, x):
    calls.extend([1] * (len(scores) == 256))  # a batch of the training
    if len(calls) > 9:
        raise ValueError("too late")
    log_p = scores.log_softmax(dim=2)
    return log_p.gather(2, x[:, :, None])[:, :, 0].sum(dim=1)
"""


@pytest.fixture(autouse=True)
def _nothing_is_accepted(monkeypatch):
    yield from nothing_accepted(monkeypatch, exercises)


def weights(scope):
    return torch.cat([part.flatten() for part in scope["writer"].parameters()])


@pytest.fixture(scope="module")
def ours():
    scope = {}
    scope["printed"] = READER.run(CELLS[:16], scope, SHORT)
    return scope


def test_an_untouched_stub_leaves_ours(ours):
    assert "text_log_prob: ours: the exercise is open" in ours["printed"]
    assert not ours["log_prob"].theirs


def test_the_solution_trains_the_writer_and_counts_its_bits(ours):
    scope = {}
    printed = READER.run(CELLS, scope, SHORT | SOLUTION)
    assert "text_log_prob: yours, checked" in printed
    assert "Ours goes on" not in printed and "✗" not in printed
    assert scope["log_prob"].theirs
    assert scope["log_prob"].calls > 20
    torch.testing.assert_close(weights(scope), weights(ours))


def test_an_answer_that_stops_later_begins_the_training_again(ours):
    scope = {}
    printed = READER.run(CELLS[:16], scope, SHORT | {"exercise-text": BREAKS})
    assert "text_log_prob: yours, checked" in printed
    assert "ValueError: too late" in printed
    assert "This training starts again." in printed
    torch.testing.assert_close(weights(scope), weights(ours))
