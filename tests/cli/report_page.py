#!/usr/bin/env python3
"""What `noxmk report --html` writes, in a real browser. Prints `ok NAME` or `not ok NAME: WHY` for
each thing that must hold. With --shots FOLDER it leaves pictures there.

    report_page.py SMALL.html MANY.html AXE.js      of a run of report_page.sh, and of 200 sessions
"""

from __future__ import annotations

import argparse
import json
import sys

from browser import Browser, Failure, Page

HOSTILE = "</script><script>window.hacked = 1</script> ]]> <img src=x onerror=hacked=1> &amp;"
SERIOUS = ("serious", "critical")
GROUNDS = {"light": "rgb(255, 255, 255)", "dark": "rgb(13, 17, 23)"}
TITLE = "document.querySelector('#session-h').textContent"
ROWS = "document.querySelectorAll('#table tbody tr:not([hidden])').length"


def check(name: str, holds: object, why: object = "") -> None:
    print(f"ok {name}" if holds else f"not ok {name}: {str(why)[:2000]!a}", flush=True)


def texts(page: Page, selector: str) -> list[str]:
    return page.value(f"[...document.querySelectorAll({json.dumps(selector)})]"
                      ".map((one) => one.textContent)")


def target_of(page: Page, number: int) -> str:
    """Whose bar that is."""
    return texts(page, f"#s{number} title")[0].split(":")[0]


def fill(page: Page, selector: str, text: str) -> None:
    page.value(f"document.querySelector({json.dumps(selector)}).select()")
    page.value(f"document.querySelector({json.dumps(selector)}).focus()")
    page.call("Input.insertText", text=text)


def empty(page: Page, selector: str) -> None:
    page.value(f"document.querySelector({json.dumps(selector)}).focus()")
    page.press("Escape")


def check_drawing(page: Page) -> None:
    bars = page.value("""[...document.querySelectorAll('svg.nx .s')].map((one) => {
        const box = one.querySelector('.rim').getBoundingClientRect();
        return [one.dataset.i, box.width, box.height, one.getAttribute('aria-label')]; })""")
    ran = page.value("""JSON.parse(document.getElementById('run').textContent).results.sessions
        .filter((one) => one.began !== null).length""")
    check("each session that ran is a bar", len(bars) == ran > 4, bars)
    check("each bar can be seen", all(bar[1] > 0 and bar[2] > 5 for bar in bars), bars)
    check("each bar has a name for those who cannot", all(bar[3] for bar in bars), bars)
    check("the critical path is drawn", page.value(
        "document.querySelector('path.critical').getBBox().width > 50"))
    check("the one that failed is told of first", page.value(TITLE) == "lint", page.value(TITLE))
    check("the last runs are drawn",
          page.value("document.querySelectorAll('.spark path').length > 3"))


def check_log(page: Page) -> None:
    log = page.value("document.querySelector('#details .log').textContent")
    check("a log that is full of markup stays text", HOSTILE in log, log)
    check("and none of it runs", page.value("window.hacked === undefined"))
    check("there is no element that is not the page's", page.value(
        "document.querySelectorAll('script').length === 2 && !document.querySelector('img')"))
    check("the reason stays text", page.value(
        "document.querySelector('#details dd').textContent").endswith("it is <b>broken</b> ]]>"))
    check("colours are those of the log", texts(page, ".log .f1") == ["red"])
    check("bold and green at once", texts(page, ".log .b.f2") == ["bold"])
    check("no escape sequence is left", page.value(
        "!document.querySelector('.log').textContent.includes('\\x1b')"))
    check("of a progress bar the last state is shown", "\nat 100%\n" in log)
    check("what is left out is linked", page.value(
        "document.querySelector('.log .cut a').getAttribute('href')").endswith("lint.log"))
    check("lines that tools complain in are marked", "src/core.py:1:2: F401" in
          "".join(texts(page, ".log .fault")), texts(page, ".log .fault"))
    page.click(".findings li:last-child button")
    check("a finding leads to its line", page.value("""(() => {
        const log = document.querySelector('.log').getBoundingClientRect();
        const faults = [...document.querySelectorAll('.log .fault')];
        const line = faults[faults.length - 1].getBoundingClientRect();
        return line.top >= log.top && line.bottom <= log.bottom; })()"""))


def check_filter(page: Page) -> None:
    total = page.value(ROWS)
    fill(page, "#name", "LIN")
    check("a name filters", page.value(ROWS) == 1 < total, page.value(ROWS))
    check("and dims the others' bars", len(texts(page, ".s.out")) == len(texts(page, ".s")) - 1)
    check("it says how many there are", texts(page, "#found") == [f"1 of {total} sessions"])
    empty(page, "#name")
    check("Escape empties the field", page.value(ROWS) == total)
    page.value("""(() => { const one = document.querySelector('#verdict'); one.value = 'skipped';
        one.dispatchEvent(new Event('input', { bubbles: true })); })()""")
    check("a verdict filters", page.value(ROWS) == 1)
    empty(page, "#verdict")
    fill(page, "#inlogs", "needle")
    check("the logs are searched", page.value(ROWS) == 2, page.value(ROWS))
    check("what is found is marked", len(texts(page, ".log mark")) == 2, texts(page, ".log mark"))
    page.value("document.activeElement.blur()")
    page.press("n", "n")
    check("n leads from one to the next", page.value("""[...document.querySelectorAll('.log mark')]
        .findIndex((one) => one.classList.contains('here'))""") == 1)
    empty(page, "#inlogs")
    page.click("#table thead th:nth-child(3) button")
    check("the table can be sorted", page.value("""(() => { const seconds =
        [...document.querySelectorAll('#table tbody tr')].map((row) => row.cells[2].textContent);
        return parseFloat(seconds[0]) === Math.max(...seconds.map((one) => parseFloat(one) || 0));
        })()""") and page.value("document.querySelector('th[aria-sort=descending]') !== null"))


def check_keys(page: Page) -> None:
    page.press("c")
    first = page.value(TITLE)
    focused = page.value("document.activeElement.classList.contains('s')")
    check("c goes to the critical path", focused and first, first)
    page.press("f")
    check("f goes to one that is not well", page.value(TITLE) == "lint", page.value(TITLE))
    page.click("#s1 .rim")
    here = page.value(TITLE)
    seen = set()
    for key in ("ArrowRight", "ArrowLeft", "ArrowDown", "ArrowUp", "ArrowDown", "ArrowRight"):
        page.press(key)
        seen.add(page.value(TITLE))
    check("a click on a bar tells of its session", here == target_of(page, 1))
    check("arrows go from bar to bar", len(seen) > 1, seen)
    page.press("?")
    check("? lists the keys", page.value("document.querySelector('dialog').open"))
    page.press("Escape")
    check("Escape closes that", not page.value("document.querySelector('dialog').open"))
    page.press("/")
    check("/ goes to the filter", page.value("document.activeElement.id") == "name")
    page.press("x", "Escape")
    page.click("#table tbody tr:nth-child(2) a")
    check("a row tells of its session", page.value(TITLE) ==
          texts(page, "#table tbody tr:nth-child(2) a")[0])


def check_policy(page: Page) -> None:
    check("it asks for nothing", [url for url in page.requests if not url.startswith("data:")] ==
          page.requests[:1], page.requests)
    check("it complains of nothing", page.complaints == [], page.complaints)
    page.value("""(() => { const one = document.createElement('script');
        try { one.textContent = 'window.hacked = 2'; document.body.append(one); } catch (e) {}
        })()""")
    check("its policy lets no other script run", page.value("window.hacked === undefined"))
    check("nor does it let markup be made of text", page.value("""(() => { try {
        document.createElement('p').innerHTML = '<b>'; return false; } catch (e) { return true; }
        })()"""))


def check_accessible(browser: Browser, path: str, axe: str) -> None:
    check("axe is there (scripts/peers fetches it)", axe)
    if not axe:
        return
    with open(axe, encoding="utf-8") as file:
        source = file.read()
    for scheme in ("light", "dark"):
        page = browser.open(path, scheme, trusting=True)
        page.value(source + "; 0")
        found = page.value("""axe.run({ resultTypes: ['violations'] }).then((one) =>
            one.violations.map((v) => [v.impact, v.id,
                                       v.nodes.map((n) => n.html + n.failureSummary)]))""")
        bad = [one for one in found if one[0] in SERIOUS]
        check(f"axe finds nothing serious, {scheme}", not bad, bad)
        ground = page.value("getComputedStyle(document.body).backgroundColor")
        check(f"the page is {scheme}", ground == GROUNDS[scheme], ground)


def check_samples(browser: Browser, path: str) -> None:
    """What each session used over time, as results.h may have it."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    samples = ('"samples":{"every":0.05,"cpu":[1,2.5,0.5],"width":[1,3,1],"mib":[10,20,15]},'
               '"claims":')
    with open(path + ".sampled.html", "w", encoding="utf-8") as file:
        file.write(text.replace('"claims":', samples))
    page = browser.open(path + ".sampled.html")
    check("processors and memory are drawn, of all and of one", page.value(
        "[...document.querySelectorAll('.chart .cpu, .chart .mib')]"
        ".filter((one) => one.getBBox().height > 5).length") == 4)
    check("it complains of nothing with these", page.complaints == [], page.complaints)


def check_others(browser: Browser, small: str, many: str) -> None:
    page = browser.open(small, script=False)
    check("without scripts there are drawing, table and sums", page.value(
        "document.querySelector('svg.nx').getBoundingClientRect().height > 100 && "
        f"{ROWS} > 4 && document.querySelector('.cards pre').getBoundingClientRect().height > 0"))
    check("and nothing that would not work", page.value(
        "[...document.querySelectorAll('.script')].every((one) => one.hidden)"))
    page = browser.open(small, anchor="#s2")
    check("a link leads to a session", page.value(TITLE) == target_of(page, 2))
    page = browser.open(many)
    check("of very many sessions the first are shown", page.value(ROWS) == 500, page.value(ROWS))
    page.click("#more button")
    check("and then all", page.value(ROWS) == 5000, page.value(ROWS))
    check("it complains of nothing with as many", page.complaints == [], page.complaints)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("small")
    parser.add_argument("many")
    parser.add_argument("axe")
    parser.add_argument("--shots")
    options = parser.parse_args()
    with Browser() as browser:
        page = browser.open(options.small)
        check_drawing(page)
        check_log(page)
        check_filter(page)
        check_keys(page)
        check_policy(page)
        check_samples(browser, options.small)
        check_others(browser, options.small, options.many)
        check_accessible(browser, options.small, options.axe)
        for scheme in ("light", "dark") if options.shots else ():
            browser.open(options.small, scheme).shoot(f"{options.shots}/{scheme}.png")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        check("the browser works", False, failure)
