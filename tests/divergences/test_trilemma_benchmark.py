"""The benchmark behind the pictures: what it counts on two shapes, and its file."""

import hashlib
import json
import math
import sys

import pytest
import torch

from benchmarks import trilemma as benchmark
from benchmarks.trilemma_shapes import SHAPES, score
from course_utils.data import read_csv
from course_utils.divergences.trilemma import PERFECT
from course_utils.training import seeded


@pytest.mark.parametrize("name", SHAPES)
def test_the_truth_has_the_best_scores(name):
    with seeded(0):
        x = SHAPES[name].sample(20_000)
    found = score(SHAPES[name], x)
    assert found["quality"] == pytest.approx(
        PERFECT if name == "ring" else 1.0, abs=0.004
    )
    assert found["strict"] == 8
    assert found["quality"] - 0.015 < found["covered"] <= found["quality"]
    assert 0 <= found["reverse_kl"] < 0.002
    assert 0 <= found["forward_kl"] < 0.002
    assert found["spread_least"] == pytest.approx(1, abs=0.04)
    assert found["spread_mean"] == pytest.approx(1, abs=0.02)


def test_a_lost_mode_and_even_noise_are_seen():
    board = SHAPES["board"]
    with seeded(0):
        x = board.sample(8000)
        noise = 4 * torch.rand(20_000, 2) - 2
    left = x[torch.cdist(x, board.centres, p=math.inf).argmin(1) != 3]
    found = score(board, left)
    assert found["strict"] == 7
    assert found["forward_kl"] == math.inf
    assert found["reverse_kl"] == pytest.approx(math.log(8 / 7), abs=0.002)
    assert score(board, noise)["quality"] == pytest.approx(0.5, abs=0.015)
    away = score(board, torch.full((10, 2), 9.0))
    assert away["quality"] == 0 and math.isnan(away["spread_mean"])


@pytest.mark.parametrize(("name", "share"), [("ring", 0.382), ("board", 0.5)])
def test_an_even_sampler_has_all_modes_and_covers_little(name, share):
    with seeded(0):
        found = score(SHAPES[name], SHAPES[name].even(20_000))
    assert found["strict"] == 8
    assert found["reverse_kl"] < 0.002
    assert found["covered"] == pytest.approx(share, abs=0.015)


def test_the_board_is_a_density():
    board = SHAPES["board"]
    ticks = (torch.arange(600) + 0.5) / 100 - 3
    density = board.log_prob(torch.cartesian_prod(ticks, ticks)).exp()
    assert density.sum().item() / 100**2 == pytest.approx(1, abs=1e-5)
    with seeded(0):
        x = board.sample(1000)
    assert bool((board.log_prob(x) == -math.log(8)).all())
    assert x.mean(0).abs().max() < 0.2


def test_the_benchmark_writes_merges_and_reports(tmp_path, monkeypatch, capsys):
    out = tmp_path / "rows.csv"
    small = ["--effort", "0.0005", "--shapes", "ring", "--out", str(out)]
    monkeypatch.setattr(benchmark, "N_TRAIN", 400)
    monkeypatch.setattr(benchmark, "N_TEST", 20)
    monkeypatch.setattr(benchmark, "N_DRAWN", 200)
    names = [*benchmark.CONTROLS, *benchmark.MODELS]
    for seed, models in (("0", names), ("1", names), ("1", names[:2])):
        argv = ["trilemma", *small, "--seeds", seed, "--models", *models]
        monkeypatch.setattr(sys, "argv", argv)
        benchmark.main()
    rows = benchmark.read(out)
    assert [r["model"] for r in rows] == [n for n in names for _ in "01"]
    assert {r["seed"] for r in rows} == {"0", "1"}
    last = capsys.readouterr().out.splitlines()[-1]
    ranges = {entry["model"]: entry for entry in json.loads(last)}
    assert list(ranges) == names
    assert ranges["plain GAN"]["log_likelihood"] is None
    assert ranges["even"]["missing_nats"] is None
    assert ranges["even"]["covered"][1] < 0.6
    assert ranges["data"]["missing_nats"] == [0, 0]
    low, high = ranges["one Gaussian"]["missing_nats"]
    assert 1 < low <= high
    assert all(float(r["ms"]) > 0 for r in rows)


def test_a_run_leaves_the_published_file_alone(tmp_path, monkeypatch, capsys):
    """Its SHA-256 is pinned: without --out a run writes into build/, a report reads."""
    published = benchmark.PUBLISHED.read_bytes()
    assert benchmark.OUT.parent == benchmark.DATA_DIR.parent / "build"
    monkeypatch.setattr(benchmark, "OUT", tmp_path / "build" / "trilemma.csv")
    monkeypatch.setattr(benchmark, "N_TRAIN", 100)
    monkeypatch.setattr(benchmark, "N_DRAWN", 100)
    small = ["--effort", "0.05", "--shapes", "ring", "--seeds", "0"]
    monkeypatch.setattr(sys, "argv", ["trilemma", *small, "--models", "data"])
    benchmark.main()
    assert benchmark.PUBLISHED.read_bytes() == published
    digest = hashlib.sha256(benchmark.OUT.read_bytes()).hexdigest()
    assert f"SHA-256 {digest}" in capsys.readouterr().out
    assert len(benchmark.read(benchmark.OUT)) == 1
    monkeypatch.setattr(sys, "argv", ["trilemma", "--report"])
    benchmark.main()
    ranges = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sum(entry["seeds"] for entry in ranges) == len(read_csv("trilemma.csv"))
    assert ranges[0]["covered"] is None  # the published file is older than this column
    argv = ["trilemma", "--report", "--out", str(benchmark.OUT)]
    monkeypatch.setattr(sys, "argv", argv)
    benchmark.main()
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])) == 1
