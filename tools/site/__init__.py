"""The course as a website that works from a folder: ``python course.py site``.

``copies`` makes the pages of the notebooks, ``texts`` all others, ``formulas`` sets the
formulas, ``links`` leads from code to the pages of the package, ``build`` puts it all
together. Nothing is executed: the pages show what the notebooks hold.
"""
