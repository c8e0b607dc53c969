"""The student copy: no solutions, and no answers to what is to be predicted."""

import re

from nbformat import NotebookNode

from tools import label

ANSWER = re.compile(
    r"<details><summary>Answer</summary>\n.*?</details>", re.MULTILINE | re.DOTALL
)
YOURS = "*Your prediction:*"


def student(notebook: NotebookNode) -> NotebookNode:
    """The student copy of a notebook: all else is as it was, outputs too."""
    copy = NotebookNode(notebook)
    copy.cells = []
    for cell in notebook.cells:
        if label(cell).endswith("-solution"):
            continue
        mine = NotebookNode(cell)
        if cell.cell_type == "markdown":
            mine.source = ANSWER.sub(YOURS, cell.source)
        copy.cells.append(mine)
    return copy


def answers(markdown: str) -> list[str]:
    """The folded answers of a Markdown cell, without their fold."""
    found = ANSWER.findall(markdown)
    return [
        text.split("</summary>")[1].removesuffix("</details>").strip() for text in found
    ]
