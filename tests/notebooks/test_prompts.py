"""What the prompt of an exercise says of an example, its solution says, too."""

import ast
import math
import re

import pytest
import torch
from torch import nn
from torch.distributions import Normal

from course_utils.data import load_heights
from tests.performing import run_source
from tools import code_cells, fenced_python, label, load, notebook_paths, tags

WORDS = {"½": 0.5, "log 2": math.log(2), "−log 2": -math.log(2), "infinity": math.inf}
VALUE = re.compile(
    r"(?:≈|\bmust be|\bis(?: about| already| never larger than)?|: ) ?"
    r"[−-]?(?:\d[\d.]*\d|\d|½|log \d|infinit)"
)
NOT_A_RESULT = (  # what a prompt says of the input, or of torch
    "`exp(-104)` is already 0",
    "each pixel is 0 or 1",
    "x is 0 or 1",
    "p is 0 at some places",
    "probability $p_{ki}$ that it is 1",
    "1 is KL(p‖q), 2 is KL(q‖p), 3 is JSD, 4 is MMD.",
)


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def row(*values):
    return f64(*values)[None]


def normal_draws(mean, sigma, n=200_000):
    """Quantiles instead of draws: their mean has no noise."""
    return Normal(f64(mean), f64(sigma)).icdf((torch.arange(n).double() + 0.5) / n)


def kl_of_draws(my):
    p, q = Normal(f64(0.0)[0], 1.0), Normal(f64(1.0)[0], 2.0)
    return my(p, q, normal_draws(0.0, 1.0))[0]


def jsd_of_neighbours(my, shift):
    """Two triangles: the second one begins ``shift`` later; d is never 0 or 1."""
    x = torch.linspace(-1, 4, 50_001, dtype=torch.float64)
    p, q = ((1 - (x - start).abs()).clamp_min(0) for start in (0.0, shift))
    d = (p / (p + q).clamp_min(1e-300)).clamp(1e-12, 1 - 1e-12)
    return my(p, q, d, x)


def loss_of_step(my):
    class Undecided(nn.Module):
        def forward(self, x):
            return 0 * x.sum(dim=1)

    generator = nn.Linear(2, 2)
    optimizer = torch.optim.SGD(generator.parameters(), lr=0.1)
    return my(generator, Undecided(), optimizer, torch.ones(5, 2)).detach()


def kl_with_a_gap(my):
    forward, reverse = my(f64(0.0, 2.0), f64(1.0, 1.0), 0.5)
    assert math.isfinite(forward)
    return reverse


# notebook and exercise, what the prompt says, its numbers, what the solution says
ROWS = [
    (
        "01-loglik",
        "For our heights with μ = 1.7 and σ = 0.1 it is about 12.23.",
        "12.23",
        lambda my: my(load_heights(), *f64(1.7, 0.1)),
    ),
    (
        "01-kl",
        "For means 0 and 1 and sigmas 1 and 2 it is about 0.443.",
        "0.443",
        lambda my: my(*f64(0, 1, 1, 2)),
    ),
    (
        "01-laplace",
        "For the first nine heights the answer is about 1.70 and 0.043.",
        "1.70 and 0.043",
        lambda my: my(load_heights()[:9]),
    ),
    (
        "03-kl",
        "For p = N(0, 1) and q = N(1, 2²) the exact value is about 0.443.",
        "0.443",
        kl_of_draws,
    ),
    ("04-kl", "For μ = 0 and logvar = 0 it is 0;", "0", lambda my: my(row(0), row(0))),
    (
        "04-kl",
        "for d = 1, μ = 2 and logvar = 0 it is 2.",
        "2",
        lambda my: my(row(2), row(0)),
    ),
    (
        "04-sample",
        "For μ = 1, logvar = 0 and ε = 2 it is 3;",
        "3",
        lambda my: my(*f64(1, 0, 2)),
    ),
    (
        "04-sample",
        "for logvar = log 4 it is 5.",
        "5",
        lambda my: my(*f64(1, math.log(4), 2)),
    ),
    (
        "04-elbo",
        "If all logits and all KLs are 0, it is −log 2",
        "−log 2",
        lambda my: my(row(1), row(0), f64(0)),
    ),
    (
        "04-elbo",
        "times the number of pixels: −543.4 for 784.",
        "−543.4",
        lambda my: my(torch.ones(3, 784), torch.zeros(3, 784), torch.zeros(3)),
    ),
    (
        "04-prior",
        "the result is log 2π ≈ 1.838.",
        "1.838",
        lambda my: my(f64(0.0), f64(0.0), row(0, 0), row(0, 0), row(0, 0)),
    ),
    (
        "04-walk",
        "For start 0, end 1 and 3 steps: 0, ½, 1.",
        "0, ½, 1",
        lambda my: my(f64(0), f64(1), 3),
    ),
    (
        "05-d",
        "If all logits are 0, it is log 4 ≈ 1.386 for each batch.",
        "1.386",
        lambda my: my(torch.zeros(1, 3), torch.zeros(1, 3)),
    ),
    (
        "05-best",
        "Where both logs are equal it is ½",
        "½",
        lambda my: my(f64(-1), f64(-1)),
    ),
    (
        "05-jsd",
        "For equal densities the JSD is 0;",
        "0",
        lambda my: jsd_of_neighbours(my, 0.0),
    ),
    (
        "05-jsd",
        "it is never larger than log 2 ≈ 0.693.",
        "0.693",
        lambda my: jsd_of_neighbours(my, 2.0),
    ),
    ("05-step", "whose logit is always 0 the loss is log 2.", "log 2", loss_of_step),
    (
        "05-unrolled",
        "For θ = 1, ψ = 0, rate 1 and k = 1 it is 0.378.",
        "0.378",
        lambda my: my(*f64(1, 0), 1.0, 1),
    ),
    (
        "07-text",
        "If T is 3, V is 4 and all scores are 0, the answer is −4.159 for every text.",
        "−4.159",
        lambda my: my(torch.zeros(1, 3, 4), torch.tensor([[0, 3, 1]])),
    ),
    (
        "06-kl",
        "KL(q‖p) must be infinity, not NaN, and KL(p‖q) is an ordinary number.",
        "infinity",
        kl_with_a_gap,
    ),
    (
        "06-js",
        "For densities that never overlap it is log 2.",
        "log 2",
        lambda my: my(f64(2.0, 0.0), f64(0.0, 2.0), 0.5),
    ),
    (
        "07-coupling",
        "If m is 3 and all of `log_scale` is 0.5, the second is 1.5 for every example.",
        "1.5",
        lambda my: my(row(1, 2, 3), row(0.5, 0.5, 0.5), row(0, 1, 2))[1][0],
    ),
    (
        "07-denoising",
        "If d is 3, all guesses are wrong by 1, "
        "σ is 0.5 and `sigma_data` is 1, it is 15.",
        "15",
        lambda my: my(row(1, 1, 1), row(0, 0, 0), row(0.5), 1.0),
    ),
    (
        "07-guidance",
        "If all of `with_words` is 3, all of `without` is 1 and "
        "w is 0.5, all of it is 4.",
        "4",
        lambda my: my(row(3, 3), row(1, 1), 0.5)[0, 0],
    ),
]


def prompts(notebook):
    """Cell name and prompt of each exercise, on one line."""
    for text, stub in zip(notebook.cells, notebook.cells[1:], strict=False):
        if "exercise" in tags(stub):
            _, title, prompt = text.source.rpartition("### Exercise")
            assert title, f"{label(stub)} has no prompt before it"
            yield label(stub), " ".join(prompt.split())


def solution(notebook, name):
    """The function of a folded solution, with the imports of its notebook only."""
    cells = {label(each): each for each in notebook.cells}
    written = "\n".join(fenced_python(cells[f"exercise-{name}-solution"].source))
    imports = code_cells(notebook)[0].source
    kinds = ast.Import | ast.ImportFrom | ast.FunctionDef
    body = [n for n in ast.parse(f"{imports}\n{written}").body if isinstance(n, kinds)]
    names = {}
    source = "\n".join(map(ast.unparse, body))
    run_source(source, names, f"<exercise-{name}-solution>")
    return names[body[-1].name]


def exercise_of(key):
    """Prompt and solution of the exercise that a row calls, e.g., ``"04-kl"``."""
    number, _, name = key.partition("-")
    (path,) = notebook_paths([number])
    notebook = load(path)
    return dict(prompts(notebook))[f"exercise-{name}"], solution(notebook, name)


def number_and_precision(printed):
    if printed in WORDS:
        return WORDS[printed], 1e-6
    decimals = len(printed.partition(".")[2])
    precision = 0.5 * 10.0**-decimals if decimals else 1e-6
    return float(printed.replace("−", "-")), precision


@pytest.mark.parametrize(
    ("key", "says", "printed", "call"), ROWS, ids=[f"{r[0]}: {r[2]}" for r in ROWS]
)
def test_the_solution_gives_what_the_prompt_says(key, says, printed, call):
    prompt, my = exercise_of(key)
    assert says in prompt
    assert printed in says
    results = torch.as_tensor(call(my)).flatten().tolist()
    for each, result in zip(re.split(", | and ", printed), results, strict=True):
        number, precision = number_and_precision(each)
        assert result == pytest.approx(number, rel=0, abs=precision)


def test_the_example_of_a_control_variate():
    """Its variance should fall "to less than half"; exactly it is 1 − 1/(e − 1)."""
    prompt, my = exercise_of("03-control")
    assert "The variance should fall to less than half." in prompt
    noise = normal_draws(0.0, 1.0)
    share = my(noise.exp(), noise, 0.0).var() / noise.exp().var()
    assert share.item() == pytest.approx(1 - 1 / (math.e - 1), abs=2e-3)
    assert share < 0.5


def test_every_value_in_a_prompt_has_its_row(notebook_path, notebook):
    for cell, prompt in prompts(notebook):
        own = f"{notebook_path.stem[:2]}-{cell.removeprefix('exercise-')}"
        known = [says for key, says, *_ in ROWS if key == own] + [*NOT_A_RESULT]
        for says in known:
            prompt = prompt.replace(says, "")
        left = VALUE.findall(prompt.partition("When the check agrees")[0])
        assert not left, f"{notebook_path.stem}, {cell}: no row for {left}"
