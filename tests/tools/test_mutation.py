"""The mutants of the package: which tests are asked, and what counts as a change."""

import ast
import csv

import pytest

from tools import ROOT, mutation


@pytest.mark.parametrize("module", mutation.MODULES)
def test_every_module_is_there_and_has_tests(module):
    module = f"course_utils/{module}"
    assert (ROOT / module).is_file()
    tests = mutation.tests_of(module)
    assert tests and all((ROOT / test).exists() for test in tests)


@pytest.mark.parametrize(
    ("module", "test", "other"),
    [
        ("verification", "floor/test_verification.py", "floor/test_data.py"),
        ("mixture/em", "mixture/test_em.py", "mixture/test_exercises.py"),
        ("divergences/measures", "divergences/test_measures_gate.py", ""),
        ("checks/calls", "checks", "checks/test_slips.py"),
        ("variational/families", "variational/test_families.py", ""),
        ("vae/prior", "vae/test_prior.py", "vae/test_prior_pictures.py"),
    ],
)
def test_a_module_has_the_tests_of_its_name(module, test, other):
    found = mutation.tests_of(f"course_utils/{module}.py")
    assert f"tests/{test}" in found
    assert f"tests/{other}" not in found


def test_a_decorated_function_becomes_a_plain_one_that_does_the_same():
    source = (
        "import functools\n"
        "def twice(f):\n"
        "    return lambda *a: 2 * f(*a)\n"
        "@twice\n"
        "@functools.cache\n"
        "def half(x):\n"
        "    return x / 2\n"
        "class Box:\n"
        "    @property\n"
        "    def size(self):\n"
        "        return 3\n"
        "    @staticmethod\n"
        "    def name():\n"
        "        return 'box'\n"
    )
    text, names = mutation.plain(source), {}
    decorated = [
        n for n in ast.walk(ast.parse(text)) if getattr(n, "decorator_list", 0)
    ]
    assert [function.name for function in decorated] == ["name"]
    exec(text, names)
    assert names["half"](5) == 5
    assert names["Box"]().size == 3 and names["Box"].name() == "box"


MUTATED = '''
def x_f__mutmut_orig(a, b):
    """Words."""
    return a + b, "text"
def x_f__mutmut_1(a, b):
    """Words."""
    return a - b, "text"
def x_f__mutmut_2(a, b):
    """Words."""
    return a + b, "XXtextXX"
def x_f__mutmut_3(a, b):
    """Words."""
    return a + b, None
def x_f__mutmut_4(a, b):
    """Words."""
    return None + b, "text"
class Box:
    @staticmethod
    def xǁBoxǁsize__mutmut_orig(self):
        if self.open:
            return 3
    @staticmethod
    def xǁBoxǁsize__mutmut_1(self):
        if self.open:
            return 4
'''


def test_what_changes_a_text_alone_is_not_counted():
    assert mutation.changed_lines(MUTATED) == {
        "x_f__mutmut_1": "return (a - b, 'text')",
        "x_f__mutmut_4": "return (None + b, 'text')",
        "xǁBoxǁsize__mutmut_1": "return 4",
    }


def test_functions_have_their_own_names():
    names = {"m.x_f__mutmut_1": "f", "m.xǁBoxǁsize__mutmut_12": "Box.size"}
    names["m.x__private__mutmut_3"] = "_private"
    for mutant, name in names.items():
        assert mutation.function_of(mutant) == name


def test_the_list_of_harmless_mutants_is_about_code_that_is_there():
    with mutation.KNOWN.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            name = row["function"].rpartition(".")[2]
            assert f"def {name}(" in (ROOT / row["module"]).read_text("utf-8"), row
            assert row["line"] and row["reason"]


def test_another_mutmut_is_refused(monkeypatch, capsys):
    monkeypatch.setattr(mutation.metadata, "version", lambda name: "2.0.0")
    assert mutation.main(["course_utils/gan/losses.py"]) == 1
    assert f"pip install mutmut=={mutation.MUTMUT}" in capsys.readouterr().out
