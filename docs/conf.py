"""How Sphinx builds these pages: ``make docs`` writes them into ``build/docs``."""

from nwb_mepp.core.version import __version__

project = "nwb-mepp"
author = "The nwb-mepp developers"
project_copyright = "2026, The nwb-mepp developers"
version = release = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["build"]

napoleon_google_docstring = False
napoleon_use_rtype = False

html_theme = "alabaster"
html_show_sourcelink = False

# Links to pages beside this folder (README, CONTRIBUTING) are right in the repository, where most people read
# these pages; a test checks that every one leads somewhere. Sphinx knows its own folder only.
suppress_warnings = ["myst.xref_missing"]
myst_heading_anchors = 3
