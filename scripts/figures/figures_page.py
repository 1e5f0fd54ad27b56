"""Figures in a page of the documentation: between `<!-- name: begin -->` and `<!-- name: end -->` stands what a command measured."""
import sys


def replace(page, name, lines):
    """Writes lines into the page in place of what stands between the marks of that name."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    with open(page) as file:
        document = file.read()
    if begin not in document or end not in document:
        sys.exit(f"{page}: has no lines '{begin}' and '{end}'; the figures have no place there")
    before, rest = document.split(begin, 1)
    with open(page, "w") as file:
        file.write(before + begin + "\n" + "\n".join(lines).rstrip("\n") + "\n" + end + rest.split(end, 1)[1])
