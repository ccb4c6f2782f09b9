"""The review of a recording by a person: decisions, their journal, saving, and the page in the browser.

The package is not called ``review``, as :func:`nwb_mepp.review` is a function of that name.
"""
