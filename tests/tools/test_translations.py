"""The table of messages: complete, with the same values, compiled from its text."""

from tools import translations


def test_the_table_is_complete_and_new():
    """Otherwise run ``python -m tools.translations``, and translate what it names."""
    catalog = translations.renewed()
    assert translations.faults(catalog) == []
    po = (translations.FOLDER / "checks.po").read_bytes()
    assert translations.as_po(catalog) == po
    assert (translations.FOLDER / "checks.mo").read_bytes() == translations.as_mo(po)


def test_values():
    assert translations.values("{a} and {b!r} and {c:.3g}") == {"a", "b", "c"}


def test_a_fault_is_named():
    from babel.messages.catalog import Catalog

    catalog = Catalog(locale="vi")
    catalog.add("one {x}", "một {y}")
    catalog.add("two", "")
    assert translations.faults(catalog) == [
        "other values: one {x} -> một {y}",
        "not translated: two",
    ]
