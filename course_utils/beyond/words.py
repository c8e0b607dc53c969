"""Words for a digit: every picture describes itself by its moments.

Three numbers are measured on the pixels: how much ink, how far it leans, how wide it is
for its height. Within its class a digit is thin or thick, leaning left, upright or
leaning right, narrow or wide, by thirds: a one is narrow beside other ones, not beside
zeros. So 60 000 digits have descriptions, and nobody had to write them. The words of a
digit are a *bag*: a row of zeros and ones, one for each word.
"""

import re
from dataclasses import dataclass

import torch

from course_utils.arguments import (
    check_data,
    check_finite,
    check_unit,
    floats,
    instances,
    require,
    switches,
)
from course_utils.beyond.latents import decode_digits
from course_utils.scores import load_digit_classifier

CLASSES = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight")
CLASSES += ("nine",)
# for each moment: the words of its lower, middle and upper third ("" is no word)
THIRDS = (
    ("thin", "", "thick"),
    ("leaning left", "upright", "leaning right"),
    ("narrow", "", "wide"),
)
MARGIN = 0.045  # of a class, on both sides of the end of a third: not clear
WORDS = (*CLASSES, *(word for third in THIRDS for word in third if word))
# which word, if any, stands for each third: (3, 3), −1 for none
_NUMBER = torch.tensor([[WORDS.index(w) if w else -1 for w in t] for t in THIRDS])
FILLERS = {"a", "an", "the", "and", "digit", "number", "that", "is", "to", "please"}
ALIASES = {"left": "leaning left", "right": "leaning right", "straight": "upright"}
ALIASES |= {str(number): name for number, name in enumerate(CLASSES)}


def moments(images: torch.Tensor) -> torch.Tensor:
    """Ink, slant and width of each image: ``(n, 784)`` to ``(n, 3)``.

    Images are grey levels, uint8 or floats in [0, 1]. Ink is the sum of all pixels.
    With y downwards, the slant is −cov(x, y) / var(y): by how much x grows for one step
    up. Width is the deviation of x over that of y, when the slant has been taken out.
    Raises ``ValueError`` for another shape or other values.
    """
    images = _images(images)
    ticks = torch.arange(28, dtype=torch.float32) - 13.5
    y, x = torch.meshgrid(ticks, ticks, indexing="ij")
    # one product with the pixels gives all sums: Σ p, Σ p x, Σ p y, Σ p x², …
    powers = torch.stack([torch.ones_like(x), x, y, x * x, x * y, y * y])  # (6, 28, 28)
    parts = [pixels(rows) @ powers.flatten(1).T for rows in images.split(5000)]
    sums = torch.cat(parts)  # (n, 6)
    ink = sums[:, 0].clamp(min=1e-6)  # an empty image has no moments, but no NaN either
    mx, my, xx, xy, yy = (sums[:, 1:] / ink[:, None]).unbind(1)
    var_x, cov, var_y = xx - mx * mx, xy - mx * my, (yy - my * my).clamp(min=1e-6)
    slant = -cov / var_y
    width = ((var_x - cov * cov / var_y).clamp(min=0) / var_y).sqrt()
    return torch.stack([ink, slant, width], dim=1)


def pixels(images: torch.Tensor) -> torch.Tensor:
    """Images ``(n, 784)`` or ``(n, 28, 28)`` as floats in [0, 1], ``(n, 784)``.

    Lists, arrays or tensors; uint8 is grey levels. Raises ``ValueError`` for another
    shape or other values.
    """
    flat = _images(images)
    return flat.float() / 255 if flat.dtype == torch.uint8 else flat.float()


def _images(images) -> torch.Tensor:
    """``(n, 784)``: uint8 as it is, all others as floats in [0, 1]."""
    grey = str(getattr(images, "dtype", "")).removeprefix("torch.") == "uint8"
    images = floats(images, "images", torch.uint8 if grey else torch.float32)
    flat = images.flatten(1) if images.ndim > 1 else images
    shape = f"shape {tuple(images.shape)}"
    fits = images.shape[1:] in ((784,), (28, 28)) and len(images) > 0
    require(images=(shape, fits, "of shape (n, 784) with n >= 1"))
    if not grey:
        check_unit(flat, "images")
    return flat


@dataclass(frozen=True, eq=False)
class Describer:
    """Where the thirds of each class end, from real digits: ``Describer.of(…)``.

    ``limits`` ``(10, 3, 2)`` are the ends for each class and moment; ``least`` and
    ``most`` are ``MARGIN`` of the class below and above them.
    """

    limits: torch.Tensor
    least: torch.Tensor
    most: torch.Tensor

    @classmethod
    def of(cls, images: torch.Tensor, labels: torch.Tensor) -> "Describer":
        """Thirds of the moments within each class of ``images`` ``(n, 784)``."""
        images = _images(images)
        labels = check_labels(labels, len(images))
        counts = torch.bincount(labels, minlength=10)
        few = f"{int(counts.min())} of class {int(counts.argmin())}"
        require(labels=(few, bool((counts >= 3).all()), "three or more of each class"))
        measured = moments(images)
        thirds = torch.tensor([1 / 3, 2 / 3], dtype=measured.dtype)
        classes = [measured[labels == c] for c in range(10)]
        return cls(
            *(
                torch.stack([own.quantile(thirds + by, dim=0).T for own in classes])
                for by in (0.0, -MARGIN, MARGIN)
            )
        )

    def thirds(self, measured: torch.Tensor, labels: torch.Tensor, limits=None):
        """0, 1 or 2 for each moment ``(n, 3)``: its third within the class ``(n,)``."""
        measured = check_data(floats(measured, "measured"), 3, "measured")
        labels = check_labels(labels, len(measured))
        limits = self.limits if limits is None else floats(limits, "limits")
        shape = f"shape {tuple(limits.shape)}"
        require(limits=(shape, limits.shape == (10, 3, 2), "of shape (10, 3, 2)"))
        return (measured[:, :, None] > limits[labels]).sum(dim=2)

    def bags(
        self, images: torch.Tensor, labels: torch.Tensor, clear: bool = False
    ) -> torch.Tensor:
        """The words of each image, ``(n, 17)`` zeros and ones: class, then thirds.

        With ``clear`` a moment near the end of its third has no word: to learn from.
        """
        images = _images(images)
        switches(clear=clear)
        labels = check_labels(labels, len(images))
        measured = moments(images)
        thirds = self.thirds(measured, labels)  # (n, 3)
        words = _NUMBER[torch.arange(3), thirds]  # (n, 3), −1 where there is none
        if clear:
            low = self.thirds(measured, labels, self.least)
            high = self.thirds(measured, labels, self.most)
            words = torch.where(low == high, words, -1)
        bags = torch.zeros(len(labels), len(WORDS) + 1)  # one more column: for the −1
        bags.scatter_(1, words % (len(WORDS) + 1), 1.0)
        bags.scatter_(1, labels[:, None], 1.0)
        return bags[:, :-1]

    @torch.no_grad()
    def right(self, images: torch.Tensor, asked: torch.Tensor) -> torch.Tensor:
        """Which words came out: ``(n, 4)`` booleans for class, ink, slant and width.

        ``asked`` ``(n, 17)`` are the bags, each with one class. The class is what the
        shipped classifier sees, the rest is measured on the image. What nobody asked
        for cannot be wrong.
        """
        images = _images(images)
        asked = _bag(asked, (len(images), len(WORDS)), "asked")
        one = bool((asked[:, :10].sum(dim=1) == 1).all())
        require(asked=("other rows", one, "bags with one class in each row"))
        classes = asked[:, :10].argmax(dim=1)
        model, parts = load_digit_classifier(), images.split(1000)
        seen = torch.cat([model(pixels(rows)).argmax(dim=1) for rows in parts])
        # a bag of what the image shows, described as a member of the class asked for
        shown = self.bags(images, classes)
        columns = [[WORDS.index(w) for w in third if w] for third in THIRDS]
        kept = [(asked[:, c] <= shown[:, c]).all(dim=1) for c in columns]
        return torch.stack([seen == classes, *kept], dim=1)


def words_of_codes(
    describer: Describer, model, z: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """The clear words of what the decoder of ``model`` draws from codes: ``(n, 17)``.

    A network that learns to make codes learns from these words: what counts in the end
    is the picture, and a decoder draws some digits thinner than they were.
    """
    instances(Describer, describer=describer)
    z = floats(z, "z")
    require(z=(f"shape {tuple(z.shape)}", z.ndim == 2, "of shape (n, d)"))
    labels = check_labels(labels, len(z))
    parts = zip(z.split(2000), labels.split(2000), strict=True)  # for memory's sake
    bags = [describer.bags(decode_digits(model, c), y, clear=True) for c, y in parts]
    return torch.cat(bags)


def check_labels(labels: torch.Tensor, n: int) -> torch.Tensor:
    """``labels`` as int64, if they are ``n`` whole numbers from 0 to 9.

    Lists and arrays will do; else ``ValueError`` or ``TypeError``.
    """
    kind = str(getattr(labels, "dtype", "numbers"))
    values = floats(labels, "labels", torch.float64)
    fits = values.shape == (n,) and n > 0 and not ("float" in kind or "bool" in kind)
    known = torch.isin(values, torch.arange(10, dtype=torch.float64))
    got = f"{kind} of shape {tuple(values.shape)}"
    rule = f"whole numbers of shape ({n},), from 0 to 9"
    require(labels=(got, fits and bool(known.all()), rule))
    return values.long()


def _bag(bag, shape: tuple[int, ...], name: str = "bag") -> torch.Tensor:
    """Zeros and ones of this shape, as floats."""
    bag = floats(bag, name)
    got = f"shape {tuple(bag.shape)}"
    require(**{name: (got, bag.shape == shape, f"of shape {shape}")})
    check_finite(bag, name)
    other = bag[(bag != 0) & (bag != 1)]
    require(**{name: (other[:1].tolist(), other.numel() == 0, "zeros and ones")})
    return bag


def parse(text: str) -> tuple[torch.Tensor, list[str]]:
    """A bag ``(17,)`` and the words that nobody knows: ``"a thin seven"``.

    Order and fillers do not count; "left", "right" and "7" are understood, too.
    """
    instances(str, text=text)
    found = re.findall(r"[^\W_]+", text.lower())
    bag, unknown = torch.zeros(len(WORDS)), []
    for word in found:
        name = ALIASES.get(word, word)
        if name in WORDS:
            bag[WORDS.index(name)] = 1.0
        elif word not in FILLERS and word not in ("leaning", "lean", "leans"):
            unknown.append(word)
    return bag, unknown


def spell(bag: torch.Tensor) -> str:
    """The words of a bag ``(17,)`` as a phrase: "a thin seven, leaning right"."""
    bag = _bag(bag, (len(WORDS),))
    own = [word for word, there in zip(WORDS, bag.tolist(), strict=True) if there]
    nouns = [w for w in own if w in CLASSES] or ["digit"]
    leans = [w for w in own if w in THIRDS[1]]
    rest = [w for w in own if w not in CLASSES and w not in leans]
    phrase = [*rest, *nouns]
    article = "an" if phrase[0] == "eight" else "a"
    return ", ".join([" ".join([article, *phrase]), *leans])
