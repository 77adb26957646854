"""A page for readers who have it alone: its links to other files become text."""

import re

from outside_code import outside_code

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[((?:`[^`]*`|[^\]`])*)\]\(([^)#\s]+)[^)\s]*\)")


def without_relative_links(markdown, name_of):
    """The page with "text (name)" for a link, or the name alone where it says the same.

    `name_of` gives the name of what a target leads to, such as `page "Title"`. It gives None for a
    place elsewhere, to which the link stays.
    """

    def plain(link):
        text, name = link[1], name_of(link[2])
        if name is None:
            return link[0]
        return name if f'"{text}"' in name else f"{text} ({name})"

    return outside_code(lambda text: _LINK.sub(plain, text), _FENCED, markdown)
