"""The pictures of notebook 04: what they show."""

import pytest
import torch
from matplotlib.figure import Figure

from course_utils.gaussian.plates import draw_plates
from course_utils.vae import VAE, binarise, pictures, train_vae
from tests.hostile import refuses
from tests.performing import title

pytestmark = pytest.mark.usefixtures("course_style")


def digits(n):
    generator = torch.Generator().manual_seed(0)
    return torch.rand(n, 784, generator=generator)


def test_a_mosaic_holds_every_image_in_order():
    images = digits(5)
    sheet = pictures.mosaic(images, 3)
    assert sheet.shape == (58, 88)
    assert torch.equal(sheet[30:58, 30:58], images[4].view(28, 28))
    assert sheet[28:30].abs().sum() == 0


def test_what_is_no_picture_is_named(ax):
    for bad in (None, "x", digits(2)[0], digits(2)[:, :9], digits(2) * torch.nan):
        refuses(lambda bad=bad: pictures.mosaic(bad, 2), "images must")
        refuses(lambda bad=bad: pictures.plot_digits(ax, bad, 2), "images must")
    refuses(lambda: pictures.mosaic(digits(2).byte(), 2), "use images / 255")
    for bad in (None, 0, 2.5, "2"):
        refuses(lambda bad=bad: pictures.mosaic(digits(2), bad), "columns must")
        refuses(lambda bad=bad: pictures.standard_normal_ticks(bad), "n must")
    refuses(
        lambda: pictures.plot_rows(ax, [digits(2)], ["a", "b"]),
        "names must be 1 in number",
    )


def test_rows_have_their_names(ax):
    pictures.plot_rows(ax, [digits(4), digits(4)], ["data", "rebuilt"])
    assert [text.get_text() for text in ax.texts] == ["data", "rebuilt"]
    assert ax.images[0].get_array().shape == (58, 118)


def test_nine_clouds_follow_beta():
    x = binarise((255 * digits(9)).byte())
    fits = {0.0: VAE(784, 2, hidden=(5,)), 1.0: VAE(784, 2, hidden=(5,), seed=1)}
    axes = Figure().subplots(1, 2)
    update = pictures.draw_nine(axes, 1.0, fits, x)
    with torch.no_grad():
        q = fits[1.0].encode(x)
    clouds = axes[0].patches[:9]
    assert clouds[4].get_center() == pytest.approx(q.mean[4].tolist())
    assert clouds[4].width == pytest.approx(4 * q.stddev[4, 0].item())
    assert title(axes[0]).startswith("β = 1: KL")
    assert "outside" not in title(axes[0])
    before = axes[1].images[0].get_array().copy()
    with torch.no_grad():
        fits[0.0].encoder.network[-1].bias[0] += 50.0  # all clouds leave the frame
    update(0.0)
    assert title(axes[0]).endswith("nats, 9 of 9 outside the frame")
    assert title(axes[0]).startswith("β = 0")
    assert not (before == axes[1].images[0].get_array()).all()


def test_each_split_has_a_frame_for_its_clouds():
    x = binarise((255 * digits(9)).byte())
    fits = {0.0: VAE(784, 2, hidden=(5,)), 1.0: VAE(784, 2, hidden=(5,), seed=1)}
    with torch.no_grad():
        fits[0.0].encoder.network[-1].bias[0] = 50.0
    axes = Figure().subplots(1, 2)
    splits = {0.0: (9.0, 2.0, 7.0), 1.0: (4.6, 2.2, 2.4)}
    pictures.plot_nine_splits(axes, fits, x, splits)
    assert title(axes[1]) == "β = 1\n4.6 = 2.2 + 2.4 nats"
    assert axes[1].get_xlim() == (-4, 4)
    assert axes[0].get_xlim() == (-60, 60)
    assert axes[0].patches[0].get_center()[0] == pytest.approx(50, abs=2)


def test_the_explorer_decodes_the_chosen_point():
    model, z = VAE(784, 2, hidden=(5,)), torch.randn(40, 2)
    labels = torch.arange(40) % 10
    axes = Figure().subplots(1, 2)
    update = pictures.draw_latent(axes, 0.0, 0.0, model, z, labels)
    update(1.0, -2.0)
    with torch.no_grad():
        expected = model.decode(torch.tensor([[1.0, -2.0]])).mean.view(28, 28)
    torch.testing.assert_close(torch.as_tensor(axes[1].images[0].get_array()), expected)
    assert axes[0].lines[0].get_xydata().tolist() == [[1.0, -2.0]]
    assert {text.get_text() for text in axes[0].texts} == set("0123456789")


def test_the_manifold_goes_right_with_the_first_and_up_with_the_second(ax):
    model = VAE(784, 2, hidden=())
    with torch.no_grad():
        model.decoder.network[0].weight.zero_()
        model.decoder.network[0].weight[:392, 0] = 5.0  # upper half of each picture
        model.decoder.network[0].weight[392:, 1] = 5.0
        model.decoder.network[0].bias.zero_()
    pictures.plot_manifold(ax, model, n=3)
    sheet = torch.as_tensor(ax.images[0].get_array())
    assert sheet[0, 0] < 0.1 and sheet[0, 60] > 0.9  # upper half: from left to right
    assert sheet[27, 0] > 0.9 and sheet[87, 0] < 0.1  # lower half: from top to bottom


def test_labels_that_would_cover_each_other_move_apart():
    places = torch.tensor([[0.0, 0.0], [0.1, 0.0], [3.0, 3.0]])
    moved = pictures.apart(places, least=0.5)
    assert (moved[0] - moved[1]).norm() >= 0.49
    assert torch.equal(moved[2], places[2])
    assert torch.allclose(moved.mean(0), places.mean(0))


def test_curves(ax):
    x = (255 * digits(60)).byte()
    model = VAE(784, 2, hidden=(4,))
    options = {"n_states": 3, "held_out": binarise(x)}
    states = list(train_vae(model, x, epochs=2, batch_size=20, **options))
    pictures.plot_training(ax, states)
    assert ax.lines[0].get_xdata().tolist() == [s.epoch for s in states]
    assert ax.lines[1].get_ydata().tolist() == [s.held_out_elbo for s in states]
    film = [(state, binarise(x[:3], seed=k)) for k, state in enumerate(states)]
    axes = Figure().subplots(1, 2)
    update = pictures.draw_training(axes, film[0], film, binarise(x[:3]))
    update(film[-1])
    assert axes[0].lines[2].get_xdata() == [states[-1].epoch] * 2
    sheet = torch.as_tensor(axes[1].images[0].get_array())
    expected = pictures.mosaic(torch.cat([binarise(x[:3]), film[-1][1]]), 3)
    assert torch.equal(sheet, expected)


def test_collapsed_dimensions_are_crosses(ax):
    pictures.plot_kl_per_dimension(ax, torch.tensor([0.01, 2.0, 0.0, 1.0]))
    assert [bar.get_height() for bar in ax.patches] == [2.0, 1.0]
    assert ax.lines[0].get_xdata().tolist() == [2, 3]


def test_the_other_pictures_draw_their_data():
    axes = Figure().subplots(2, 3).flat
    draw_plates(axes[0], *pictures.PLATE)
    before = len(axes[0].patches)
    pictures.add_inference(axes[0])
    assert len(axes[0].patches) == before + 2
    pictures.draw_data_path(axes[1])
    assert {"encoder\n$\\varphi$", "decoder\n$\\theta$"} <= {
        text.get_text() for text in axes[1].texts
    }
    grid = torch.linspace(-1, 1, 11)
    pictures.plot_marginal(axes[2:4], grid, grid, 0.1, grid, grid**2)
    torch.testing.assert_close(torch.as_tensor(axes[3].lines[0].get_ydata()), grid**2)
    values = [1.0, 2.0, 3.0, 4.0]
    pictures.plot_sharpness(axes[4:6], list("abcd"), values, values[::-1])
    assert [bar.get_width() for bar in axes[5].patches] == values[::-1]


def test_holes_are_hatched(ax):
    ticks = torch.linspace(-3, 3, 31)
    prior = torch.exp(-(ticks**2 + ticks[:, None] ** 2) / 2)
    hole = (ticks > 1).expand(31, 31)
    pictures.plot_aggregated(ax, ticks, prior * ~hole, prior, hole)
    hatches = [h for c in ax.collections for h in (getattr(c, "hatches", None) or [])]
    assert "///" in hatches


def test_the_square_of_the_manifold_is_marked():
    ax = Figure().subplots()
    pictures.mark_manifold(ax, n=3)
    (square,) = ax.patches
    edge = pictures.standard_normal_ticks(3)[-1].item()
    corners = square.get_x(), square.get_y(), square.get_width(), square.get_height()
    assert corners == pytest.approx((-edge, -edge, 2 * edge, 2 * edge))
