#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks README.md, the pages of docs/ and the cards of models: no line is
longer than 120 columns, and every link leads to a file and a heading."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
COLUMNS = 120


def anchors(page):
    """The names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
            for heading in headings}


def faults_of_link(page, link):
    if re.match(r"[a-z]+:", link):
        return
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.exists():
        yield f"there is no {path}"
    elif anchor and anchor not in anchors(target):
        yield f"{target.name} has no heading #{anchor}"


def faults(page):
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if len(line) > COLUMNS:
            yield number, f"{len(line)} columns"
        for link in re.findall(r"\]\(([^)\s]+)\)", line):
            for fault in faults_of_link(page, link):
                yield number, fault


failed = False
for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md")),
             *sorted(ROOT.glob("core/models/*.md"))]:
    for number, fault in faults(page):
        print(f"{page.relative_to(ROOT)}:{number}: {fault}")
        failed = True
sys.exit(failed)
