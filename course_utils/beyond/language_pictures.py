"""Pictures of a model that writes: its guesses, its surprise, its temperature."""

import math

from matplotlib import colormaps
from matplotlib.patches import Rectangle

from course_utils.arguments import require
from course_utils.drawing import (
    function,
    letters,
    listing,
    mapping,
    panel,
    parts,
    takes,
)
from course_utils.rules import (
    ROUNDING,
    array,
    between,
    positive,
    shares,
    truths,
    whole,
    word,
)
from course_utils.style import COLOUR

SIGNS = {" ": "space", "\n": "line"}  # what would not be seen
SHOWN = 12  # characters with a bar: the others share the last one
ROW = 60  # characters of a text in one row
FIXED = {"family": "DejaVu Sans Mono", "fontsize": 13}


def _rows(text: str, width: int = ROW) -> list[str]:
    """The text in rows of one width; the end of a line is drawn as ¶."""
    text = text.replace("\n", "¶")
    return [text[k : k + width] for k in range(0, len(text), width)] or [""]


def _ranked(log_p, alphabet: str):
    """Labels and probabilities of the likeliest characters, and of all the others."""
    p, place = log_p.exp().sort(descending=True)
    total = p.sum().item()
    fits = abs(total - 1) < ROUNDING
    require(log_p=(f"{total:g}", fits, "log-probabilities, whose exp has sum 1"))
    labels = [SIGNS.get(alphabet[k], alphabet[k]) for k in place[:SHOWN].tolist()]
    heights = p[:SHOWN].tolist()
    return [*labels, "others"], [*heights, max(0.0, 1 - sum(heights))]


@takes(ax=panel, sees=truths("n", "n"))
def plot_reach(ax, sees):
    """Which characters the scores of each place depend on: ``(s, t)`` truth values."""
    n = len(sees)
    ax.imshow(sees, cmap="Blues", vmin=0, vmax=1.4, origin="lower")
    ends = [-0.5, n - 0.5]
    ax.plot(ends, ends, color=COLOUR["quiet"], linestyle="--", label="s = t")
    ax.legend(loc="upper left")
    ax.set(xlabel="place t of the scores", ylabel="character s of the text")
    ax.set_title("dark: the scores of place t change with s")


@takes(ax=panel, alphabet=letters("v"), moment=parts(word, array("v")), rows=whole())
def draw_writing(ax, moment, alphabet: str, rows: int = 3):
    """One moment of writing: the text so far, and the chances of what comes next.

    ``moment`` is (text, log p ``(V,)`` of the next character). The text shows its last
    ``rows`` rows.
    """
    n, places = len(alphabet), range(SHOWN + 1)
    require(alphabet=(f"{n} of them", n >= SHOWN, f"{SHOWN} characters or more"))
    bars = ax.bar(places, [0] * len(places), color=COLOUR["model"], width=0.75)
    bars[-1].set(color=COLOUR["quiet"], hatch="//")
    names = [ax.text(k, 0, "", ha="center", va="bottom", fontsize=11) for k in places]
    page = ax.text(0.01, 0.98, "", transform=ax.transAxes, va="top", **FIXED)
    ax.set(xlim=(-0.7, SHOWN + 0.7), ylim=(0, 1.5), xticks=[])
    ax.set(yticks=[0, 0.5, 1], ylabel="p(next | before)")
    ax.yaxis.set_label_coords(-0.07, 0.33)

    def update(moment):
        text, log_p = moment
        labels, heights = _ranked(log_p, alphabet)
        for bar, name, label, height in zip(bars, names, labels, heights, strict=True):
            bar.set_height(height)
            name.set(text=label, y=height + 0.02)
        page.set_text("\n".join(_rows(text + "_")[-rows:]))
        bits = -(log_p.exp() * log_p).sum().item() / math.log(2)
        many = f"{len(text)} characters" if len(text) != 1 else "1 character"
        ax.set_title(f"after {many}: the next one holds {bits:.2f} bits on average")

    update(moment)
    return update


@takes(ax=panel, scores=mapping(between(0)))
def plot_bits(ax, scores: dict[str, float]):
    """One bar for each model, with its number: bits per held-out character."""
    for place, bits in enumerate(scores.values()):
        colour = COLOUR["model" if place == len(scores) - 1 else "quiet"]
        ax.barh(place, bits, color=colour, height=0.6)
        ax.text(bits + 0.06, place, f"{bits:.2f}", va="center")
    ax.set_yticks(range(len(scores)), scores)
    ax.set(xlim=(0, 6.5), ylim=(len(scores) - 0.4, -0.6), xlabel="bits per character")


@takes(
    ax=panel, text=letters("t"), bits=array("t", low=0, slack=ROUNDING), most=positive
)
def plot_surprise(ax, text: str, bits, most: float = 8.0):
    """A text, each character on a ground that is the darker, the less it was expected.

    ``bits`` ``(T,)`` is −log₂ p of each character, given those before it.
    """
    shades, rows = colormaps["Oranges"], _rows(text)
    for place, amount in enumerate(bits.tolist()):
        row, column = divmod(place, ROW)
        share = min(1.0, amount / most)
        box = {"xy": (column, -row - 1), "width": 1, "height": 1, "linewidth": 0}
        ax.add_patch(Rectangle(facecolor=shades(0.85 * share), **box))
        sign = rows[row][column]
        style = {"ha": "center", "va": "center", "family": "DejaVu Sans Mono"}
        ax.text(column + 0.5, -row - 0.5, sign, fontsize=13, **style)
    ax.set(xlim=(0, ROW), ylim=(-len(rows), 0), xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(False)
    ax.set_title(f"white: expected; darkest: {most:.0f} bits of surprise or more")


@takes(
    ax=panel,
    temperature=positive,
    texts=listing(word, "k"),
    one_by_one=function(shares("k")),
    as_a_whole=function(shares("k")),
)
def draw_temperature(ax, temperature, texts, one_by_one, as_a_whole):
    """Two bars for each text of a tiny language: cooled step by step, and as a whole.

    ``texts`` are its names. ``one_by_one(temperature)`` and ``as_a_whole(temperature)``
    return their probabilities ``(len(texts),)``.
    """
    places = range(len(texts))
    ways = [(one_by_one, "model", "", -0.2), (as_a_whole, "latent", "//", 0.2)]
    names = ("each character cooled", "the whole text cooled")
    drawn = []
    for (way, role, hatch, shift), label in zip(ways, names, strict=True):
        at = [place + shift for place in places]
        style = {"color": COLOUR[role], "hatch": hatch, "edgecolor": "white"}
        bars = ax.bar(at, [0] * len(at), width=0.38, label=label, **style)
        tops = [ax.text(x, 0, "", ha="center", va="bottom") for x in at]
        drawn.append((way, bars, tops))
    ax.set_xticks(places, texts, fontsize=13)
    ax.set(ylim=(0, 1.15), ylabel="probability of the text")
    ax.legend(loc="upper right")

    def update(temperature):
        for way, bars, tops in drawn:
            for bar, top, p in zip(bars, tops, way(temperature).tolist(), strict=True):
                bar.set_height(p)
                top.set(text=f"{p:.2f}", y=p + 0.01)
        ax.set_title(f"temperature {temperature:.2f}")

    update(temperature)
    return update
