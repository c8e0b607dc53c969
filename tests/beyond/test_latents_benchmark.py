"""The two benchmarks on digits, made small: their keys, their files, their clock."""

import json
import math
import sys

import pytest
import torch

from benchmarks import digits, trilemma, trilemma_digits
from course_utils.data import load_mnist, read_csv
from course_utils.descent import Clock
from course_utils.scores import digit_scores

KEYS = ["d2_normal", "bound_normal", "d2_mixture", "bound_mixture", "d2_best"]
KEYS += ["confident_best", "d2_best_unlabelled", "d2_words", "words_right", "mib"]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    """Few digits, and everything as it was afterwards."""
    threads = torch.get_num_threads()

    def few(split):
        images, labels = load_mnist(split)
        return images[:3000], labels[:3000]

    for module in (digits, trilemma_digits):
        monkeypatch.setattr(module, "load_mnist", few)
        monkeypatch.setattr(module, "N", 300)
    monkeypatch.setattr(Clock, "now", Clock.now)
    monkeypatch.setattr(digits, "PER_CLASS", 2)
    yield
    torch.set_num_threads(threads)


def test_the_last_line_has_all_that_was_promised(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["digits", "--seconds", "0.4", "--seed", "1"])
    digits.main()
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (result["seconds"], result["seed"]) == (0.4, 1)
    assert set(KEYS) <= set(result)
    assert all(math.isfinite(result[key]) for key in KEYS)
    assert 0 <= result["words_right"] <= 1
    assert 0 <= result["confident_best"] <= 1


def test_seconds_must_make_sense(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["digits", "--seconds", "0"])
    with pytest.raises(SystemExit):
        digits.main()
    assert "must be positive" in capsys.readouterr().err


def test_rows_are_measured_merged_and_reported(tmp_path, monkeypatch, capsys):
    out = tmp_path / "rows.csv"
    monkeypatch.setattr(trilemma_digits, "NEAREST", 5)
    argv = ["trilemma", "--shapes", "digits", "--effort", "0.002", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", [*argv, "--seeds", "0"])
    trilemma.main()
    trilemma.main()
    rows = trilemma_digits.read(out)
    assert [row["model"] for row in rows] == [*trilemma_digits.MODELS]
    ranges = json.loads(capsys.readouterr().out.splitlines()[-1])
    by_name = {entry["model"]: entry for entry in ranges}
    assert by_name["GAN"]["log_prob"] is None
    assert by_name["flow"]["log_prob"] is not None
    assert by_name["test digits"]["nearest"][0] > 0
    real, worst = by_name["test digits"], by_name["N(0, I)"]
    assert real["covered"][0] > 0.85 > worst["covered"][0]
    monkeypatch.setattr(sys, "argv", ["trilemma", "--shapes", "digits", "ring"])
    with pytest.raises(SystemExit):
        trilemma.main()


def test_coverage_counts_sure_digits_of_each_class_once():
    images, labels = load_mnist("test")
    images = images[:2000].flatten(1).float() / 255
    labels = labels[:2000]
    all_of_them = trilemma_digits.covered(images, labels)
    assert all_of_them == pytest.approx(digit_scores(images).confident, abs=0.02)
    ones = images[labels == 1]
    share = (labels == 1).double().mean().item()
    assert trilemma_digits.covered(ones, labels) == pytest.approx(share, abs=0.01)


def test_a_digit_that_was_seen_is_its_own_neighbour():
    grey = load_mnist("test")[0].flatten(1)[:500]
    images = grey[:20].float() / 255
    assert trilemma_digits.nearest(images, grey) == pytest.approx(0, abs=0.01)
    assert trilemma_digits.nearest(images, grey[20:]) > 1


def test_the_published_table_says_what_the_notebook_says():
    rows = read_csv("trilemma_digits.csv")
    assert [row["model"] for row in rows[::3]] == [*trilemma_digits.MODELS]
    by_name = {}
    for row in rows:
        numbers = float(row["d2"]), float(row["log_prob"])
        by_name.setdefault(row["model"], []).append(numbers)
    seeds = zip(*(by_name[m] for m in ("mixture", "flow", "ten flows")), strict=True)
    for mixture, flow, ten in seeds:
        assert flow[1] > mixture[1]  # more nats,
        assert flow[0] > 4 * mixture[0]  # and worse digits
        assert ten[1] < flow[1] - 5
        assert ten[0] < flow[0] / 2
