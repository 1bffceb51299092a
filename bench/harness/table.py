"""Tables in Markdown, and numbers as people read them."""

from statistics import median


def table(columns, rows):
    """The first column is text, the others are numbers."""
    lines = ["| " + " | ".join(columns) + " |", "|---|" + "--:|" * (len(columns) - 1)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def number(value):
    """Three digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def middle(samples, get):
    return median(get(sample) for sample in samples)


def size(count):
    for unit, bytes_in in (("MB", 1e6), ("KB", 1e3)):
        if count >= bytes_in:
            return f"{count / bytes_in:.{0 if count >= 100 * bytes_in else 1}f} {unit}"
    return f"{count} B"
