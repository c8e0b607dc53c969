"""Numbers in the text of a notebook: each one is printed, computed again, or quoted.

A decimal number or a percentage in a Markdown cell is *held* where a code cell of the
notebook has it in its source or prints it (nbval compares what is printed). All others
stand in ``tests/<room>/numbers.py``:

- ``COMPUTED``: (text cell, words of it with fields, code cell, expression); the fields
  are filled with the values of the expression after that code cell, and the words must
  then stand in the text;
- ``QUOTED``: (text cell, number) → where it comes from: a paper, or the command that
  measures it over seeds (its figures are in ``docs/results.md``).
"""

import importlib
import re

from tools import code_cells, label, markdown_cells

ROOMS = {"01": "gaussian", "02": "mixture", "03": "variational", "04": "vae"}
ROOMS |= {"05": "gan", "06": "divergences", "07": "beyond"}
NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?!\w|\.\d)|(?<![\w.])\d+(?= ?%)")
ANY = re.compile(r"\d+\.\d+|\d+")


def numbers_of(text):
    """Decimal numbers and percentages of a text, without code blocks and addresses."""
    text = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    return set(NUMBER.findall(re.sub(r"\]\(https?:[^)\s]*\)", "]", text)))


def printed(notebook):
    """Every number in the source or in the printed output of a code cell."""
    found = set()
    for cell in code_cells(notebook):
        texts = [cell.source]
        for output in cell.outputs:
            texts += [
                output.get("text", ""),
                output.get("data", {}).get("text/plain", ""),
            ]
        found |= set(ANY.findall("\n".join(texts)))
    return found


def faults(notebook, number, performance):
    """What is wrong with the numbers in the text of notebook ``number``."""
    rows = importlib.import_module(f"tests.{ROOMS[number]}.numbers")
    texts = {label(cell): cell.source for cell in markdown_cells(notebook)}
    computed = set()
    for cell, words, after, expression in rows.COMPUTED:
        values = eval(expression, dict(performance.after[after]))
        values = values if isinstance(values, tuple) else (values,)
        filled = words.format(*map(float, values))
        computed |= {(cell, number) for number in numbers_of(filled)}
        if filled not in re.sub(r"\s+", " ", texts.get(cell, "")):
            yield f"{cell}: computed is {filled!r}, which does not stand there"
    held = printed(notebook)
    for cell, text in texts.items():
        is_prompt = cell.startswith("exercise-")  # test_prompts computes those
        for found in sorted(numbers_of(text) - held) if not is_prompt else []:
            if (cell, found) not in computed | set(rows.QUOTED):
                yield f"{cell}: nothing computes {found}"
    for cell, found in rows.QUOTED:
        if found not in numbers_of(texts.get(cell, "")):
            yield f"{cell}: {found} is quoted in the test, and stands no longer there"
