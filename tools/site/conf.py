"""Sphinx for the website: committed outputs, formulas set now, nothing from outside."""

project = "Introduction to Deep Generative Models"
author = "the authors of the course"
html_title = "Deep Generative Models"
language = "en"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "tools.site.formulas",
    "tools.site.api",
]

nb_execution_mode = "off"
nb_merge_streams = True
nb_code_prompt_show = "Show the set-up code"
nb_code_prompt_hide = "Hide the set-up code"
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
suppress_warnings = ["myst.header"]  # a page may begin its headings at any level

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_preserve_defaults = True
add_module_names = False
toc_object_entries = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 72

html_theme = "furo"
html_theme_options = {"navigation_with_keys": False}
templates_path = ["."]
html_sidebars = {  # sixty listings need no copy of the menu, but a way back
    "_modules/**": ["sidebar/brand.html", "sidebar/search.html", "listing.html"]
}
html_math_renderer = "katex"
html_static_path = ["_static"]
html_css_files = ["katex/katex.min.css", "player.css", "course.css"]
html_js_files = [(f"{name}.js", {"defer": "defer"}) for name in ("player", "course")]
html_favicon = "favicon.svg"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
html_show_search_summary = False  # it would fetch pages, which file:// forbids
html_use_index = False
pygments_style = "default"
pygments_dark_style = "github-dark"
