"""A table of several machines side by side: a column for each processor.

python -m benchmarks.compare layers_1 --column 'forward + backward'
"""

import collections

from benchmarks._harness import machine, markdown, page


def read(path):
    """The columns and the rows of the first table of a page."""
    lines = [line for line in path.read_text().splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    columns, rule, *rows = cells
    text = sum(not cell.endswith(":") for cell in rule)  # columns that are no numbers
    return columns, text, [row for row in rows if len(row) == len(columns)]


def side_by_side(name, column):
    """One column of the tables of all machines, the last if None.

    Rows are put together by the cells that stand before the numbers.
    """
    found = collections.defaultdict(dict)
    machines = []
    for path in sorted(machine.RESULTS.glob(f"*/{name}.md")):
        columns, text, rows = read(path)
        column = column or columns[-1]
        if column not in columns:
            raise SystemExit(f"{path} has no column '{column}', but {', '.join(columns)}")
        machines.append(path.parent.name)
        for row in rows:
            found[tuple(row[:text])][machines[-1]] = row[columns.index(column)]
    if not machines:
        raise SystemExit(f"no machine has a table {name}.md in {machine.RESULTS}")
    rows = [(*key, *(cells.get(each, "") for each in machines)) for key, cells in found.items()]
    return markdown.table([*columns[:text], *machines], rows, text)


def main(arguments=None):
    parser = page.documented(__doc__)
    parser.add_argument("table", help="a file's name, without .md")
    parser.add_argument("--column", help="the last one unless given")
    options = parser.parse_args(arguments)
    print(side_by_side(options.table, options.column))


if __name__ == "__main__":
    main()
