"""The model that writes: against sums over all texts, autograd, and counting."""

import itertools
import math

import pytest
import torch
from torch.nn import functional as F

from course_utils.beyond.exercises import text_log_prob
from course_utils.beyond.language import (
    Writer,
    WriterState,
    chapters,
    numbers,
    text_of,
    train_writer,
)
from course_utils.data import PROSE_ALPHABET, load_prose
from course_utils.training import last, seeded

TINY = {"n_characters": 3, "context": 2, "features": 4, "width": 8}


def tiny(seed=0):
    """Three characters; large weights, so that the chances are far from equal."""
    writer = Writer(**TINY, seed=seed).double()
    with torch.no_grad():
        for weights in writer.parameters():
            weights *= 3
    return writer


def every_text(length, n_characters=3):
    return torch.tensor(list(itertools.product(range(n_characters), repeat=length)))


def test_numbers_and_text_are_inverse():
    text = load_prose()[:500]
    x = numbers(text)
    assert x.shape == (500,)
    assert x.max() < len(PROSE_ALPHABET)
    assert text_of(x) == text
    assert numbers("ba", "ab").tolist() == [1, 0]
    assert numbers("").shape == (0,)


def test_strange_characters_are_named():
    with pytest.raises(ValueError, match=r"\['É', 'é'\]"):
        numbers("écrit É")


@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_probabilities_of_all_texts_of_one_length_sum_to_one(length):
    p = tiny().log_prob(every_text(length)).exp()
    assert p.sum().item() == pytest.approx(1, abs=1e-12)
    assert p.max() > 2 / 3**length


def test_log_prob_is_the_chain_rule():
    writer = tiny()
    x = every_text(4)[[5, 40, 77]]
    for row, log_p in zip(x, writer.log_prob(x), strict=True):
        total, seen = 0.0, [3, 3]
        for character in row.tolist():
            scores = writer(torch.tensor([seen[-2:]]))[0]
            total = total + (scores - scores.logsumexp(0))[character]
            seen.append(character)
        assert log_p.item() == pytest.approx(total.item(), abs=1e-12)
    scores = writer(writer.before_each(x))
    torch.testing.assert_close(text_log_prob(scores, x), writer.log_prob(x))


def test_no_place_sees_itself_or_what_follows():
    writer = tiny()
    x = every_text(5)[100:101]
    scores = writer(writer.before_each(x))
    for t in range(5):
        other = x.clone()
        other[:, t:] = (other[:, t:] + 1) % 3
        again = writer(writer.before_each(other))
        assert torch.equal(scores[:, : t + 1], again[:, : t + 1])
        if t < 4:
            assert not torch.allclose(scores[:, t + 1], again[:, t + 1])


def test_the_sample_follows_the_probabilities():
    writer, texts = tiny(), every_text(3)
    for temperature in (1.0, 0.5):
        generator = torch.Generator().manual_seed(0)
        x = writer.sample(20_000, 3, temperature, generator=generator)
        codes = x @ torch.tensor([9, 3, 1])
        share = torch.bincount(codes, minlength=27) / len(x)
        before = writer(writer.before_each(texts)).detach() / temperature
        p = text_log_prob(before, texts).exp()
        assert (share - p).abs().max() < 4 * (p * (1 - p) / len(x)).sqrt().max()


def test_the_film_shows_what_stands_before_each_character():
    writer, begin = tiny(), torch.tensor([2, 0])
    film = list(writer.write(4, 3, begin=begin))
    assert [tuple(x.shape) for x, _ in film] == [(4, 2), (4, 3), (4, 4)]
    for x, log_p in film:
        assert torch.equal(x[:, :2], begin.expand(4, 2))
        log_next = writer.log_prob(F.pad(x, (0, 1), value=1)) - writer.log_prob(x)
        torch.testing.assert_close(log_p[:, 1], log_next.detach())
    cold = writer.sample(4, 6, 1e-4)
    assert (cold == cold[0]).all()


def test_chapters_are_contiguous_and_apart():
    train, held = chapters(torch.arange(1003), n=10, held_out=0.1)
    assert train.shape == (10, 90)
    assert held.shape == (10, 10)
    assert torch.equal(torch.cat([train, held], 1).flatten(), torch.arange(1000))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n": 0}, "n must be at least 1"),
        ({"n": 600}, "at most half"),
        ({"held_out": 1.0}, "between 0 and 1"),
    ],
)
def test_chapters_without_sense_are_refused(options, words):
    with pytest.raises(ValueError, match=words):
        chapters(torch.arange(1003), **options)


def test_training_finds_the_rule_of_a_text():
    """After "ab" comes c or a with equal chance: one bit for two or three letters."""
    with seeded(0):
        text = "".join("abc" if coin else "ab" for coin in torch.rand(2000) < 0.5)
    x = numbers(text, "abc")[None, :4500]
    writer = Writer(**TINY)
    states = list(train_writer(writer, x, 400, n_states=4))
    assert [type(state) for state in states] == [WriterState] * 4
    assert "nats per character" in str(states[-1])
    entropy = math.log(2) / 2.5  # each coin gives 2.5 letters on average
    assert -writer.log_prob(x).item() / 4500 == pytest.approx(entropy, abs=0.01)


def test_a_run_repeats_and_snapshots_are_copies():
    x = numbers(load_prose()[:3000]).view(3, -1)
    runs = []
    for _ in range(2):
        writer = Writer(context=6, width=16, seed=3)
        states = list(train_writer(writer, x, 30, n_states=3, snapshots=True, seed=4))
        runs.append(writer.log_prob(x))
    assert torch.equal(*runs)
    first = writer.at(states[0].parameters)
    assert not torch.equal(first.log_prob(x), runs[0])
    assert torch.equal(writer.at(states[-1].parameters).log_prob(x), runs[0])
    other = Writer(context=6, width=16, seed=3)
    last(train_writer(other, x, 30, forget=0.0, seed=4))
    assert not torch.equal(other.log_prob(x), runs[0])


def test_the_course_is_learned_better_than_by_counting_pairs():
    train, held = chapters(numbers(load_prose()))
    n = len(PROSE_ALPHABET)
    codes = n * train[:, :-1] + train[:, 1:]
    pairs = torch.bincount(codes.flatten(), minlength=n * n).view(n, n) + 0.1
    pairs = pairs.log().log_softmax(1)[held[:, :-1], held[:, 1:]].mean()
    writer = Writer()
    last(train_writer(writer, train, 400))
    with torch.no_grad():
        mean = writer.log_prob(held).sum() / held.numel()
    assert mean > pairs + 0.05
    assert mean < -1.5


def test_it_goes_to_disk(tmp_path):
    writer, x = Writer(**TINY, seed=5), every_text(3)
    writer.save(tmp_path / "writer.safetensors")
    again = Writer.load(tmp_path / "writer.safetensors")
    torch.testing.assert_close(again.log_prob(x), writer.log_prob(x))


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (torch.zeros(2, 3), "whole"),
        (torch.zeros(3, dtype=torch.int64), "whole"),
        (torch.tensor([[0, 3]]), "from 0 to 2"),
        (torch.tensor([[-1, 0]]), "from 0 to 2"),
    ],
)
def test_texts_that_are_none_are_refused(x, words):
    with pytest.raises(ValueError, match=words):
        tiny().log_prob(x)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"steps": 0}, "steps must be at least 1"),
        ({"forget": 1.0}, "less than 1"),
        ({"x": torch.zeros(1, 0, dtype=torch.int64)}, "one character or more"),
        ({"learning_rate": -1.0}, "learning_rate"),
    ],
)
def test_training_without_sense_is_refused_at_the_call(options, words):
    options = {"x": every_text(4)} | options
    with pytest.raises(ValueError, match=words):
        train_writer(tiny(), **options)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"n_characters": 1}, "at least 2"),
        ({"context": 0}, "context must be at least 1"),
        ({"width": 0}, "width must be at least 1"),
    ],
)
def test_a_writer_without_sense_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        Writer(**options)


def test_writing_without_sense_is_refused():
    for options in ({"n": 0}, {"length": 0}, {"temperature": 0.0}):
        with pytest.raises(ValueError, match=r"must be (at least 1|positive)"):
            next(tiny().write(**{"n": 1, "length": 2} | options))
