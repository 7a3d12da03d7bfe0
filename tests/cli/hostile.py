"""Writes a project of random sessions with names, tags and texts made of what make and shells read.

    hostile.py SEED SESSIONS

Into the current folder: noxfile.py; a file with such a name, which the noxfile reads; settings,
one such text; and expected, with a line for each session, which the session itself appends to the
file ran. A payload that anything takes for code makes a file CANARY with a number.
"""

import pathlib
import random
import sys

MARKS = list("$()`\\\"'#%:=;|&<>~*?[]{}!^@+,.-_/ \n\r\t\0\x1b\x7f")
MARKS += ["é", "漢", "\u2028", "\u202e", "\udc80"]
WORDS = ["lint", "tests", "3.12", "clean", "ci", "all", "nox-list", "Makefile", "-j", "--", "a=b"]
PAYLOADS = [
    "$(shell touch CANARY1)", ";touch CANARY2;", "`touch CANARY3`", "\ntouch CANARY4\n",
    "$(eval x:=$(shell touch CANARY5))",
    "\n\ttouch CANARY6\n", "$$(touch CANARY7)", "|touch CANARY8", "&&touch CANARY9",
    "\nCANARY10: ;touch CANARY10\n",
    "'\ntouch CANARY11\n'", "\\\ntouch CANARY12", "\nexport PATH=/\n", "\ninclude CANARY13\n",
    "\nendef\n", "\nendif\n",
    "\n.SHELLFLAGS=-c 'touch CANARY14' \n", "$(file >CANARY15,x)", "{python}", "%s%n", "\\#",
    "\\\\#", "\\:", " at 0x7f12",
]  # fmt: skip


class Source:
    def __init__(self, seed: str) -> None:
        self.random = random.Random(seed)
        self.taken: set[str] = set()

    def text(self, pieces: int = 8) -> str:
        one = self.random
        kinds = one.choices([MARKS, WORDS, PAYLOADS], [5, 2, 3], k=one.randint(1, pieces))
        return "".join(one.choice(kind) for kind in kinds) * (400 if one.random() < 0.02 else 1)

    def name(self) -> str:
        while True:
            name = self.text()
            if name.strip() and name not in self.taken:
                self.taken.add(name)
                return name

    def file(self) -> str:
        """No two folders, and no longer than a file name may be."""
        text = "".join(c for c in self.text() if c not in "/\0")
        cut = text.encode("utf-8", "surrogateescape")[:150]
        return cut.decode("utf-8", "surrogateescape").strip(".") or "a"


def session(source: Source, number: int, others: list[str]) -> str:
    one = source.random
    name = source.name()
    tags = [source.text() for _ in range(one.randint(0, 2))]
    parameter = one.random() < 0.3
    lines = [f"@nox.session(name={name!r}, tags={tags!r}, venv_backend='none')"]
    if parameter:
        lines.append(f"@nox.parametrize('x', [nox.param(1, id={source.text()!r})])")
    lines += [f"def session{number}(session{', x' * parameter}):", f"    {source.text()!r}"]
    if others and one.random() < 0.3:
        lines.append(f"    session.notify({one.choice(others)!r})")
    others.append(name)
    return "\n".join([*lines, f"    ran({number})", "", "", ""])


def main() -> None:
    seed, count = sys.argv[1], int(sys.argv[2])
    source = Source(seed)
    file = source.file()
    pathlib.Path(file).write_text("")
    others: list[str] = []
    head = f"""import nox

open({file!r}).close()


def ran(number):
    with open("ran", "a") as file:
        file.write(f"{{number}}\\n")


"""
    body = "".join(session(source, number, others) for number in range(count))
    pathlib.Path("noxfile.py").write_text(head + body, "ascii", "backslashreplace")
    pathlib.Path("expected").write_text("".join(f"{i}\n" for i in range(count)))
    settings = source.text().replace("\0", "")
    pathlib.Path("settings").write_bytes(settings.encode("utf-8", "surrogateescape"))


main()
