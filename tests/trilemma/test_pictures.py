"""The trilemma: what is counted on the two shapes, and the pictures of it."""

import hashlib
import json
import math
import sys

import pytest
import torch
from matplotlib.figure import Figure

from benchmarks import trilemma as benchmark
from benchmarks.trilemma_shapes import SHAPES, score
from course_utils.data import read_csv, ring_of_gaussians
from course_utils.style import COLOUR
from course_utils.training import seeded
from course_utils.trilemma import pictures

pytestmark = pytest.mark.usefixtures("course_style")


def row(**changes):
    good = {"quality": pictures.PERFECT, "strict": 8, "spread_mean": 1.0}
    return good | {"reverse_kl": 0.0, "ms": 1.0} | changes


@pytest.mark.parametrize("name", SHAPES)
def test_the_truth_has_the_best_scores(name):
    with seeded(0):
        x = SHAPES[name].sample(20_000)
    found = score(SHAPES[name], x)
    assert found["quality"] == pytest.approx(
        pictures.PERFECT if name == "ring" else 1.0, abs=0.004
    )
    assert found["strict"] == 8
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
    names = ["data", *benchmark.MODELS]
    for seeds in (["0"], ["1"], ["1"]):
        argv = ["trilemma", *small, "--seeds", *seeds, "--models", *names]
        monkeypatch.setattr(sys, "argv", argv)
        benchmark.main()
    rows = benchmark.read(out)
    assert [r["model"] for r in rows] == [n for n in names for _ in "01"]
    assert {r["seed"] for r in rows} == {"0", "1"}
    last = capsys.readouterr().out.splitlines()[-1]
    ranges = {entry["model"]: entry for entry in json.loads(last)}
    assert list(ranges) == names
    assert ranges["plain GAN"]["log_likelihood"] is None
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
    argv = ["trilemma", "--report", "--out", str(benchmark.OUT)]
    monkeypatch.setattr(sys, "argv", argv)
    benchmark.main()
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])) == 1


def test_samples_have_a_panel_each():
    ring = ring_of_gaussians()
    axes = Figure().subplots(1, 3)
    drawn = {name: torch.zeros(5, 2) for name in ("data", "VAE", "plain GAN")}
    pictures.plot_samples(axes, ring, drawn)
    assert [ax.get_title(loc="left") for ax in axes] == [*drawn]
    assert all(len(ax.patches) == 8 for ax in axes)
    colours = [pictures.colour_of(name) for name in drawn]
    assert colours == [COLOUR["data"], COLOUR["model"], COLOUR["fake"]]


def test_the_film_is_zoomed_and_says_so():
    ax = Figure().subplots()
    mode = torch.arange(6)
    begin = (1, 10.0, 30 * torch.ones(6, 2), mode)
    update = pictures.draw_walk(ax, begin, 32)
    assert ax.collections[0].get_offsets().max() < pictures.HALF_WIDTH * 1.5
    assert "σ = 10.00, shown 6.7 times smaller" in ax.get_title(loc="left")
    update((32, 0.005, torch.ones(6, 2), mode))
    assert ax.get_title(loc="left") == "step 32 of 32: σ = 0.005"


def test_steps_choose_their_samples():
    ring = ring_of_gaussians()
    drawn = {1: torch.zeros(3, 2), 2: torch.ones(3, 2)}
    found = {n: type("Found", (), {"high_quality": n / 10})() for n in drawn}
    ax = Figure().subplots()
    update = pictures.draw_steps(ax, 1, ring, drawn, found)
    assert ax.get_title(loc="left") == "1 step: 10 % near a mode"
    update(2)
    assert ax.get_title(loc="left") == "2 steps: 20 % near a mode"
    assert ax.collections[0].get_offsets().min() == 1


@pytest.mark.parametrize(
    ("changes", "corners"),
    [
        ({}, (1, 1, 1)),
        ({"quality": 0.0, "ms": 1000.0}, (0, 1, 0)),
        ({"reverse_kl": math.log(2), "ms": 10**1.5}, (1, 0.5, 0.5)),
        ({"ms": 0.1, "quality": 1.0}, (1, 1, 1)),
        ({"ms": 9999.0, "reverse_kl": math.nan}, (1, 0, 0)),
        ({"strict": 0}, (1, 0, 1)),
        ({"strict": 6, "reverse_kl": 0.1}, (1, 0.75, 1)),
    ],
)
def test_corners(changes, corners):
    found = pictures.corners_of(row(**changes))
    assert [found[key] for key in ("quality", "coverage", "speed")] == pytest.approx(
        corners
    )


def test_scores_and_triangles_show_every_model():
    rows = {"flow": [row(), row(ms=100.0)], "plain GAN": [row(strict=5)]}
    axes = Figure(figsize=(9.6, 4)).subplots(1, 4)
    pictures.plot_scores(axes, rows | {"data": [row(quality=0.5), row(quality=0.7)]})
    assert [t.get_text() for t in axes[0].get_yticklabels()] == [*rows, "data"]
    dashed = [line for line in axes[0].lines if line.get_linestyle() == "--"]
    assert dashed[0].get_xdata()[0] == pytest.approx(60)
    assert axes[3].get_xscale() == "log"
    dots = [line for line in axes[3].lines if line.get_marker() == "o"]
    assert list(dots[0].get_xdata()) == [1.0, 100.0]
    axes = Figure().subplots(1, 3)
    pictures.plot_triangles(axes, rows)
    assert [ax.get_title() for ax in axes] == ["flow", "plain GAN", ""]
    assert len(axes[2].patches) == 1
    assert sorted(t.get_text() for t in axes[2].texts) == sorted(pictures.CORNERS)
