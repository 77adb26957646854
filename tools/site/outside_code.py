"""Changes to the prose of a page that leave its code as it is."""


def outside_code(function, code, markdown):
    """Applies `function` to all of a page but what the pattern `code` finds."""
    pieces, end = [], 0
    for block in code.finditer(markdown):
        pieces += [function(markdown[end : block.start()]), block[0]]
        end = block.end()
    return "".join([*pieces, function(markdown[end:])])
