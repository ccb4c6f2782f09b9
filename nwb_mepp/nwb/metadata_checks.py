"""Checks of the values of the metadata file; each returns what is wrong, or None."""

from __future__ import annotations

import re
from datetime import date, timedelta

from nwb_mepp.core.safe_text import storable

__all__ = [
    "check_age",
    "check_date",
    "check_identifier",
    "check_name",
    "check_sex",
    "check_species",
    "check_text",
    "check_weight",
]

_DURATION = re.compile(
    r"P(?=.)(\d+(\.\d+)?Y)?(\d+(\.\d+)?M)?(\d+(\.\d+)?W)?(\d+(\.\d+)?D)?"
    r"(T(?=.)(\d+(\.\d+)?H)?(\d+(\.\d+)?M)?(\d+(\.\d+)?S)?)?"
)
_AGE_IN_WORDS = re.compile(
    r"(\d+(?:\.\d+)?)\s*-?\s*(d|w|m|y)(?:ays?|eeks?|ks?|onths?|o|ears?|rs?)?", re.IGNORECASE
)
_SPECIES = re.compile(r"[A-Z][a-z]* [a-z]+|http://purl\.obolibrary\.org/obo/NCBITaxon_\d+")
_WEIGHT = re.compile(r"\d+(\.\d+)? (kg|g|mg|ug|μg|ng|pg)")
_SEXES = ("M", "F", "U", "O", "XX", "XO")


def check_age(value: str) -> str | None:
    """Check for an ISO 8601 duration or a range of two.

    Examples
    --------
    >>> check_age("P90D"), check_age("P8W/P10W"), check_age("P2Y/")
    (None, None, None)
    >>> print(check_age("3 months"))
    expected an ISO 8601 duration such as P90D (90 days), P12W, P3M or P2Y, found '3 months'; write P3M
    """
    lower, slash, upper = value.partition("/")
    if _DURATION.fullmatch(lower) and (not (slash and upper) or _DURATION.fullmatch(upper)):
        return None
    words = _AGE_IN_WORDS.fullmatch(value.strip())
    advice = f"P{words[1]}{words[2].upper()}" if words else "P, a number and D, W, M or Y"
    return (
        "expected an ISO 8601 duration such as P90D (90 days), P12W, P3M or P2Y, "
        f"found {value!r}; write {advice}"
    )


def check_date(value: str) -> str | None:
    """Check for a date like ``2020-01-31`` that is not in the future."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return f"expected a date like 2020-01-31, found {value!r}; write year-month-day"
    # In another time zone it may already be tomorrow.
    if day > date.today() + timedelta(days=1):
        return f"expected a date in the past, found {value}, which is in the future; correct it"
    return None


def check_text(value: str) -> str | None:
    r"""Check that HDF5 can store a text.

    Examples
    --------
    >>> print(check_text("fiber\0"))
    expected text that can be stored, found 'fiber\x00'; leave out the character NUL and halves of characters
    """
    if value == storable(value):
        return None
    return (
        f"expected text that can be stored, found {value!r}; leave out the character NUL and halves of "
        "characters"
    )


def check_identifier(value: str) -> str | None:
    """Check that an identifier can be part of a file name in an archive."""
    if any(character in value for character in "/\\"):
        return f"expected an identifier without slashes, found {value!r}; write '-' or '_' instead"
    return None


def check_name(value: str) -> str | None:
    """Check that a name can be that of an object in an NWB file."""
    if any(character in value for character in "/\\:=") or not value.strip("."):
        return f"expected a name without '/', '\\', ':' and '=', found {value!r}; write '-' or '_' instead"
    return None


def check_sex(value: str) -> str | None:
    """Check for one of the letters of NWB (two letters for nematodes)."""
    if value not in _SEXES:
        return (
            f"expected M (male), F (female), O (other) or U (unknown), found {value!r}; "
            "write one of these letters (XX or XO for Caenorhabditis elegans)"
        )
    return None


def check_species(value: str) -> str | None:
    """Check for a Latin binomial or a term of the NCBI taxonomy."""
    if not _SPECIES.fullmatch(value):
        return (
            f"expected a Latin binomial such as 'Mus musculus' or 'Rana temporaria', or a link such as "
            f"http://purl.obolibrary.org/obo/NCBITaxon_10090, found {value!r}; write the species' Latin name"
        )
    return None


def check_weight(value: str) -> str | None:
    """Check for a number and a unit of mass."""
    if not _WEIGHT.fullmatch(value):
        return f"expected a number and a unit such as '0.025 kg' or '25 g', found {value!r}; write both"
    return None
