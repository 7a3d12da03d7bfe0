"""Makes the README's pictures of a real run, for scripts/pictures.

    pictures.py STAGE FOLDER -- COMMAND...

Runs the command, a make, in the current folder on an emulated terminal (pyte). FOLDER/board.svg is
what that has shown when most sessions ran, FOLDER/timeline.svg what `noxmk report --svg` draws.
"""

from __future__ import annotations

import re
import subprocess
import sys
import xml.sax.saxutils

import pyte
from terminal import Terminal

COLUMNS, LINES = 100, 24
# Of a cell, in units of the picture; and what is around all of them.
WIDTH, HEIGHT, EDGE = 7.8, 17, 14
COLOURS = {"default": "#d6dde6", "red": "#ff7b72", "green": "#56d364", "brown": "#e3b341",
           "blue": "#79b0ff", "magenta": "#d2a8ff", "cyan": "#4fd1c5", "white": "#ffffff",
           "black": "#8b949e"}
# The board's first line: how many are done, and run.
HEAD = re.compile(r"noxmk: (\d+) of \d+ done, (\d+) run")


class Show(Terminal):
    """A terminal that remembers its best moment: most sessions run, and some are done."""

    def __init__(self, command: list[str]) -> None:
        self.screen = pyte.Screen(COLUMNS, LINES)
        self.stream = pyte.ByteStream(self.screen)
        self.fed, self.best, self.score = 0, [], (0, 0)
        super().__init__(COLUMNS, command)

    def read(self) -> None:
        super().read()
        if self.fed == len(self.shown):
            return
        self.stream.feed(self.shown[self.fed:])
        self.fed = len(self.shown)
        for line in self.screen.display:
            found = HEAD.match(line)
            if found and int(found[1]) > 0 and (int(found[2]), int(found[1])) >= self.score:
                self.score = int(found[2]), int(found[1])
                self.best = [[self.screen.buffer[y][x] for x in range(COLUMNS)]
                             for y in range(LINES)]

    def run(self) -> int:
        while self.status is None:
            self.read()
        return self.status


def pieces(line: list[pyte.screens.Char]):
    """The line cut where its looks change: place, text, colour, is it bold?"""
    start = 0
    for x in range(1, len(line) + 1):
        if x < len(line) and (line[x].fg, line[x].bold) == (line[start].fg, line[start].bold):
            continue
        text = "".join(cell.data for cell in line[start:x])
        if text.strip():
            yield start, text.rstrip(), line[start].fg, line[start].bold
        start = x


def drawn(lines: list[list[pyte.screens.Char]], command: str) -> str:
    while lines and not "".join(cell.data for cell in lines[-1]).strip():
        lines = lines[:-1]
    width, height = COLUMNS * WIDTH + 2 * EDGE, (len(lines) + 1) * HEIGHT + 2 * EDGE
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
           f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="board-title">',
           f'<title id="board-title">A terminal while {command} runs</title>',
           '<style>text { font: 13px ui-monospace, "DejaVu Sans Mono", Menlo, monospace; '
           'white-space: pre; }</style>',
           '<rect width="100%" height="100%" rx="8" fill="#0d1117"/>']
    rows = [[(0, f"$ {command}", "white", True)], *map(lambda line: list(pieces(line)), lines)]
    for y, row in enumerate(rows):
        for x, text, colour, bold in row:
            out.append(
                f'<text x="{EDGE + x * WIDTH:.1f}" y="{EDGE + (y + 0.75) * HEIGHT:.1f}" '
                f'fill="{COLOURS.get(colour, COLOURS["default"])}" '
                f'font-weight="{700 if bold else 400}" textLength="{len(text) * WIDTH:.1f}">'
                f'{xml.sax.saxutils.escape(text)}</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> int:
    stage, folder, _, *command = sys.argv[1:]
    show = Show(command)
    status = show.run()
    if status != 0 or not show.best:
        print(f"pictures: exit {status}, {'a' if show.best else 'no'} board\n"
              f"{show.shown.decode(errors='replace')}", file=sys.stderr)
        return 1
    with open(f"{folder}/board.svg", "w", encoding="utf-8") as file:
        file.write(drawn(show.best, " ".join(["make", *command[3:]])))
    return subprocess.run([f"{stage}/bin/noxmk", "report", "--svg", "--out",
                           f"{folder}/timeline.svg"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
