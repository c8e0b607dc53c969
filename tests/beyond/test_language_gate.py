"""The writer meets hostile input: what is no text, no number, and NaN in the run."""

import math

import numpy as np
import pytest
import torch

from course_utils.beyond.language import (
    Writer,
    chapters,
    numbers,
    text_of,
    train_writer,
)
from course_utils.training import last
from tests.hostile import Door, cases, nonsense, refuses

ROWS, BEFORE = [[0, 1, 2, 1], [2, 2, 0, 1]], [[0, 1], [2, 3], [3, 3]]
LINE = [0, 1, 2, 1, 0, 2, 2, 1]


def tiny():
    return Writer(3, 2, 4, 8, seed=1).double()


WRITER = tiny()


def trained(x):
    return last(train_writer(tiny(), x, 2, batch_size=3)).loss


DOORS = {
    "text_of": Door("x", lambda x: [ord(c) for c in text_of(x, "abc")], LINE),
    "chapters": Door("x", lambda x: chapters(x, 2, 0.25), LINE),
    "before_each": Door("x", WRITER.before_each, ROWS),
    "log_prob": Door("x", WRITER.log_prob, ROWS),
    "train": Door("x", trained, ROWS),
    "call": Door("before", WRITER, BEFORE),
    "write": Door("begin", lambda b: last(WRITER.write(2, 1, begin=b)), [0, 2], ()),
}
TAKES = {"text_of": ("empty",), "write": ("empty", "none"), "call": ("empty", "column")}


@pytest.mark.parametrize(("door", "kind"), cases(DOORS))
def test_nonsense_is_refused_by_name(request, door, kind):
    if kind not in TAKES.get(request.node.callspec.id.rpartition("-")[0], ()):
        refuses(lambda: door.call(nonsense(kind, door.good)), door.name)


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
def test_whole_numbers_of_all_kinds_agree(door):
    array = np.array(door.good)
    expected = door.call(torch.tensor(door.good))
    flipped = np.ascontiguousarray(array[::-1])[::-1]
    for same in (door.good, array, flipped, array.astype(np.uint8)):
        again = door.call(same)
        for a, b in zip(parts(again), parts(expected), strict=True):
            assert torch.equal(a, b)
    for floating in (array / 1.0, torch.tensor(door.good).float(), array > 0):
        refuses(lambda f=floating: door.call(f), door.name)


def parts(result):
    many = result if isinstance(result, tuple | list) else [result]
    return [torch.as_tensor(part) for part in many]


def test_no_number_stands_for_another_character():
    for wrong in ([-1], [3], [10**9]):
        refuses(
            lambda w=wrong: text_of(w, "abc"), "x must be whole numbers from 0 to 2"
        )
        refuses(lambda w=wrong: WRITER.log_prob([w]), "x must be whole numbers from 0")
        refuses(lambda w=wrong: last(WRITER.write(1, 1, begin=w)), "begin must be")
    refuses(lambda: WRITER([[0, 4]]), "before must be whole numbers from 0 to 3")
    refuses(lambda: WRITER([[0, 1, 2]]), "before must be of shape (…, 2)")


@pytest.mark.parametrize("text", [None, 3, ["a", "b"], b"ab"])
def test_a_text_is_a_text(text):
    refuses(lambda: numbers(text), "text must be a str")
    refuses(lambda: numbers("ab", text), "alphabet must be")
    refuses(lambda: text_of([0], text), "alphabet must be")
    refuses(lambda: numbers("ab", "aba"), "alphabet must be characters, each")
    refuses(lambda: WRITER.log_prob("ab"), "x must be numbers")


@pytest.mark.parametrize("temperature", [1e-300, 1e-45, 1e-30, 1e-3])
def test_the_coldest_writer_takes_the_likeliest(temperature):
    writer = Writer(3, 2, 4, 8, seed=1)
    coldest = writer.sample(5, 6, 1e-6)
    assert torch.equal(writer.sample(5, 6, temperature), coldest)


def test_the_hottest_writer_takes_all_alike():
    *_, (_, log_p) = WRITER.write(2, 3, 1e300)
    torch.testing.assert_close(log_p, torch.full((2, 3), -math.log(3)).double())


def test_scores_that_are_no_numbers_are_told():
    sick = tiny()
    with torch.no_grad():
        sick.embed.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="no number"):
        sick.sample(2, 3)
    refuses(lambda: train_writer(sick, ROWS, 2), "writer must be a network of finite")
    wild = Writer(3, 2, 4, 8)
    with torch.no_grad():
        wild.network[2].weight.fill_(1e30)
    with pytest.raises(FloatingPointError, match="model is back"):
        last(train_writer(wild, ROWS, 5, learning_rate=1e30))
    assert all(bool(w.isfinite().all()) for w in wild.parameters())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("steps", {"steps": 1.5}),
        ("batch_size", {"batch_size": "8"}),
        ("forget", {"forget": None}),
        ("forget", {"forget": math.nan}),
        ("seconds", {"seconds": 0}),
        ("seed", {"seed": -1}),
        ("writer", {"writer": None}),
        ("writer", {"writer": torch.nn.Linear(2, 2)}),
    ],
)
def test_training_without_sense_is_refused_at_the_call(name, options):
    options = {"writer": tiny(), "x": ROWS} | options
    refuses(lambda: train_writer(**options), name)


@pytest.mark.parametrize("bad", [0, 2.5, None, "3", True])
def test_counts_are_whole_numbers(bad):
    for name in ("context", "features", "width", "n_characters"):
        refuses(lambda n=name: Writer(**{n: bad}), name)
    refuses(lambda: chapters(LINE, bad), "n must be")
    refuses(lambda: WRITER.write(bad, 1), "n must be")
    refuses(lambda: WRITER.write(1, bad), "length must be")
    refuses(lambda: Writer(seed=bad or -1), "seed") if bad != 0 else None


def test_training_in_inference_mode_leaves_nothing_behind():
    writer = tiny()
    with torch.inference_mode():
        last(train_writer(writer, ROWS, 2))
    writer.log_prob(ROWS).sum().backward()


def test_settings_of_numpy_go_to_a_file(tmp_path):
    writer = Writer(np.int64(3), np.int32(2), 4, np.uint8(8), seed=np.int64(1))
    writer.save(tmp_path / "writer")
    assert Writer.load(tmp_path / "writer").settings == writer.settings


def test_a_share_may_be_a_tensor_and_a_switch_is_one():
    x = torch.arange(20) % 4
    for held_out in (torch.tensor(0.25), np.float32(0.25)):
        assert torch.equal(chapters(x, 2, held_out)[0], chapters(x, 2, 0.25)[0])
    writer, texts = Writer(4, 3, 2, 4), x.view(2, 10)
    for bad in (None, 1, "yes"):
        start = lambda bad=bad: train_writer(writer, texts, 2, snapshots=bad)  # noqa: E731
        refuses(start, "snapshots must be True or False")
