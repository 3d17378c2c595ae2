"""Filter rules as lines of an option file, which both servers read by the same rules of quoting."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence


def value(text: str) -> str:
    r"""A value so that the server reads this very text: a backslash is doubled, what could be a comment is quoted.

    >>> value("st.event"), value("st.tmp\\_%"), value("st.a#b\"")
    ('st.event', 'st.tmp\\\\_%', '"st.a#b\\""')
    """
    written = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    if re.fullmatch(r"[\w.:$%\\>-]+", written):
        return written
    return '"' + written.replace('"', '\\"') + '"'


def lines(heading: Sequence[str], rules: Mapping[str, Sequence[str]], line: Callable[[str, str], str]) -> Iterator[str]:
    """A heading, then one line for each rule; ``line`` writes one of an option (``replicate-do-db``) and its value."""
    yield from (f"# {words}" for words in heading)
    yield "[mysqld]"
    for kind, texts in rules.items():
        for text in texts:
            yield line(kind.replace("_", "-"), text)
