"""Write ``types.md``, the page of the types, from the specification.

    python extensions/ndx-mepp/docs/make_types.py [FILE]

The page is never changed by hand: a test fails where it is not what this script writes.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from hdmf.spec import AttributeSpec, DatasetSpec, GroupSpec, LinkSpec
from ndx_mepp import NAMESPACE, __version__
from pynwb import get_type_map

PAGE = Path(__file__).resolve().with_name("types.md")
WIDTH = 105

Part: TypeAlias = AttributeSpec | DatasetSpec | LinkSpec


def page() -> str:
    """Return the page as Markdown."""
    catalog = get_type_map().namespace_catalog
    namespace = catalog.get_namespace(NAMESPACE)
    lines = [
        f"# Types of {NAMESPACE} {__version__}",
        "",
        *wrapped(namespace.doc),
        "",
        "This page is made from the specification by `docs/make_types.py`. What a type inherits from the one",
        "that it extends is not repeated.",
    ]
    for name in catalog.get_types(namespace.get_source_files()[0]):
        lines += ["", *described(catalog.get_spec(NAMESPACE, name))]
    return "\n".join(lines) + "\n"


def described(spec: GroupSpec | DatasetSpec) -> Iterator[str]:
    """Give the lines about a type."""
    yield f"## {spec.data_type_def}"
    yield ""
    yield f"Extends `{spec.data_type_inc}`."
    yield ""
    yield from wrapped(spec.doc)
    own = [part for part in parts(spec) if not spec.is_inherited_spec(part)]
    for title, kind in (("Attributes", AttributeSpec), ("Columns", DatasetSpec), ("Links", LinkSpec)):
        found = [part for part in own if isinstance(part, kind)]
        if found:
            yield from ("", f"{title}:", "")
            for part in found:
                yield from wrapped(f"{' '.join(facts(part))}: {part.doc}", first="- ", later="  ")


def parts(spec: GroupSpec | DatasetSpec) -> Iterable[Part]:
    """Return attributes, columns and links of a type, inherited ones included."""
    return [*spec.attributes, *getattr(spec, "datasets", ()), *getattr(spec, "links", ())]


def facts(part: Part) -> Iterator[str]:
    """Give name, type and whether it may be absent."""
    yield f"`{part.name}`"
    kind = part.target_type if isinstance(part, LinkSpec) else part.dtype
    if isinstance(part, DatasetSpec) and part.data_type_inc != "VectorData":
        kind = f"{part.data_type_inc}, {kind}"
    yield f"({kind})" if part.required else f"({kind}, may be absent)"


def wrapped(text: str, *, first: str = "", later: str = "") -> list[str]:
    """Break a text into lines that are not too long."""
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_long_words=False,
        break_on_hyphens=False,
    )


def main(path: Path = PAGE) -> None:
    """Write the page."""
    path.write_text(page(), "utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
