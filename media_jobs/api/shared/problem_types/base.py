"""What a page about an error says."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ProblemType:
    """title: fixed, of its problem documents and its page. means, do: a few sentences of plain text.

    uri: where the type is a registered one, its own; else the page's address is the type.
    """

    title: str
    means: str
    do: str
    uri: str = ""
