"""A notebook that runs when it comes alone: to Colab, to Kaggle, to a hub, by e-mail.

Its first cell adds the package of the course, at the version of this notebook, and what
else is missing. What the host has stays as it is.
"""

import re

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from tools.forms.wheel import project, wheel_name

TEXT = """\
**This notebook came alone.** The next cell adds what it needs: the package of the
course (12 MB), and whatever else is missing here. Nothing that is there is replaced. It
needs the network once. Without one, put the file `{wheel}`
beside this notebook first."""
CODE = """\
# Add the course's package, and what is missing beside it. Nothing here is replaced.
import site
import subprocess
import sys
import tempfile
from importlib import invalidate_caches, metadata, util
from pathlib import Path

WHEEL, FROM = "{wheel}", "{address}"
NEEDED = "{needed}".split()
missing = [n for n in NEEDED if not util.find_spec({{"pillow": "PIL"}}.get(n, n))]
here = {{d.name: d.version for d in reversed([*metadata.distributions()]) if d.name}}
kept = Path(tempfile.mkdtemp(), "kept.txt")
kept.write_text("\\n".join(map("===".join, here.items())), encoding="utf-8")
pip = [sys.executable, "-m", "pip", "install", "-q", "--retries=1", "--find-links=."]
course = WHEEL if Path(WHEEL).exists() else FROM + WHEEL
for what in [[course, "--no-deps"], *([name, f"-c{{kept}}"] for name in missing)]:
    done = subprocess.run([*pip, *what], capture_output=True, text=True)
    if done.returncode:
        remedy = "Without a network, put its wheel beside this notebook first."
        raise RuntimeError(f"{{done.stderr}}\\nNot added: {{what[0]}}. {{remedy}}")
site.addusersitepackages(None)  # where pip puts it if the other place is locked
invalidate_caches()
from course_utils.__main__ import older
print("ready:", WHEEL, *older(), sep="\\n")"""
LINK = re.compile(r"\[([^\]]+)\]\([^)]*\.ipynb[^)]*\)")  # to another notebook


def alone(notebook: NotebookNode, address: str) -> NotebookNode:
    """The copy of a notebook that installs; ``address`` is where its wheel lies.

    Links to other notebooks lead nowhere in a folder of its own, so their text stays.
    """
    copy = NotebookNode(notebook)
    copy.cells = [NotebookNode(cell) for cell in notebook.cells]
    for cell in copy.cells:
        if cell.cell_type == "markdown":
            cell.source = LINK.sub(r"\1", cell.source)
    needed = [re.split(r"[><=]", text)[0] for text in project()["dependencies"]]
    words = {"wheel": wheel_name(), "needed": " ".join(needed)}
    words["address"] = address and address.rstrip("/") + "/"
    text = _cell(new_markdown_cell, "came-alone-text", TEXT.format(**words))
    code = _cell(new_code_cell, "came-alone", CODE.format(**words))
    at = next(i for i, cell in enumerate(copy.cells) if cell.cell_type == "code")
    copy.cells[at - 1 : at - 1] = [text, code]  # before the words of the set-up cell
    return copy


def _cell(make, name: str, source: str) -> NotebookNode:
    return make(source, id=name, metadata={"name": name, "tags": ["alone"]})
