#!/usr/bin/env python3
"""check_links.py FOLDER: fails where a page of the folder has a link, or a picture, to a file that is not there, or where one of
the pages in Markdown has one to a heading that is not there."""

import re
import sys
from pathlib import Path
from urllib.parse import unquote

folder = Path(sys.argv[1])
pages = {path.name: path.read_text(encoding="utf-8") for path in folder.glob("*.html")}
anchors = {name: set(re.findall(r'\b(?:id|name)="([^"]+)"', text)) for name, text in pages.items()}

broken = []
for name, text in sorted(pages.items()):
    for target in sorted(set(re.findall(r'\b(?:href|src)="([^"]*)"', text))):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = unquote(target).partition("#")
        file = file or name
        written = re.match(r"(index|docs_|examples_|bench_)", name)
        if not (folder / file).is_file() or (written and file in anchors and anchor and anchor not in anchors[file]):
            broken.append(f"{name}: {target}")

if broken:
    sys.exit("Links that lead nowhere:\n" + "\n".join(broken))
