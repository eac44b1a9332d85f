"""The documentation site: ``nox -s docs``, or ``sphinx-build -W -n -b html docs docs/_build/html``."""

import sys
from pathlib import Path

import numact

sys.path.insert(0, str(Path(__file__).parent / "extensions"))

project = "numact"
copyright = "the numact authors"
release = numact.__version__

extensions = ["myst_parser", "sphinx_design", "gallery", "reference", "mathml", "included", "study_results"]
exclude_patterns = ["_build", "extensions", "study"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nitpicky = True

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "numact"
html_favicon = "_static/favicon.svg"
html_context = {"default_mode": "auto"}
html_static_path = ["_static"]
html_css_files = ["numact.css"]
html_copy_source = False
html_show_sourcelink = False
DASHBOARD = Path(__file__).parent / "_build" / "extra"  # of `nox -s docs`
html_extra_path = [str(DASHBOARD)] if DASHBOARD.exists() else []
html_sidebars = {page: [] for page in ("start", "migration", "changelog")}  # without pages below them
html_theme_options = {
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
