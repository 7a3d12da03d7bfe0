"use strict";
// Makes the page alive. All that a session could have written reaches it as text: by textContent
// and by attributes that are no code, never as markup.
(() => {
  const find = (id) => document.getElementById(id);
  const run = JSON.parse(find("run").textContent);
  const sessions = run.results.sessions;
  const svg = document.querySelector("svg.nx");
  const bars = new Map();
  const wholeOf = (session) => session.whole || session.target;
  const wholes = new Set(sessions.map(wholeOf));
  const rows = [...document.querySelectorAll("#table tbody tr")];
  const rowOf = new Map(rows.map((row) => [Number(row.dataset.i), row]));
  const ROWS_FIRST = 500;
  let here = -1;
  let showsAll = rows.length <= ROWS_FIRST;

  // el("p", "soft", "text", node …): an element of that class.
  function el(tag, name, ...inner) {
    const node = document.createElement(tag);
    if (name) node.className = name;
    node.append(...inner.filter((one) => one !== null && one !== undefined));
    return node;
  }

  function draw(tag, attributes, text) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  function time(seconds) {
    if (!(seconds >= 0)) return "?";
    const whole = Math.round(seconds);
    const two = (n) => String(n).padStart(2, "0");
    if (seconds < 99.95) return `${seconds.toFixed(1)}s`;
    if (whole < 3600) return `${Math.floor(whole / 60)}m${two(whole % 60)}s`;
    return `${Math.floor(whole / 3600)}h${two(Math.floor((whole % 3600) / 60))}m`;
  }

  const WAITS = { edge: "other sessions to end", slot: "a job slot", resource: "a resource",
    memory: "memory", build: "a build by another session", processors: "processors" };

  // Logs

  const STYLES = { 1: "b", 2: "d", 3: "i", 4: "u" };
  const ENDS = { 22: ["b", "d"], 23: ["i"], 24: ["u"] };

  // What "1;31" makes of these classes; a colour is f0 to f7.
  function styled(styles, codes) {
    const list = (codes || "0").split(";").map(Number);
    let next = new Set(styles);
    const colour = (n) => {
      next = new Set([...next].filter((one) => !one.startsWith("f")));
      if (n >= 0) next.add(`f${n % 8}`);
    };
    for (let k = 0; k < list.length; k++) {
      const code = list[k];
      if (code === 0) next = new Set();
      else if (STYLES[code]) next.add(STYLES[code]);
      else if (ENDS[code]) ENDS[code].forEach((one) => next.delete(one));
      else if (code >= 30 && code <= 37) colour(code - 30);
      else if (code >= 90 && code <= 97) colour(code - 90);
      else if (code === 39) colour(-1);
      else if (code === 38 || code === 48) {
        if (code === 38 && list[k + 1] === 5 && list[k + 2] < 16) colour(list[k + 2]);
        k += list[k + 1] === 5 ? 2 : 4;
      }
    }
    return next;
  }

  // Control characters have pictures of their own.
  const visible = (text) => text.replace(/[\x00-\x08\x0b-\x1f\x7f]/g,
    (c) => String.fromCharCode(c === "\x7f" ? 0x2421 : 0x2400 + c.charCodeAt(0)));

  const marked = (node, text, query) => {
    const low = query ? text.toLowerCase() : "";
    let from = 0;
    for (let at = query ? low.indexOf(query) : -1; at >= 0; at = low.indexOf(query, from)) {
      node.append(text.slice(from, at), el("mark", "", text.slice(at, at + query.length)));
      from = at + query.length;
    }
    node.append(text.slice(from));
  };

  const ESCAPE = /\x1b(?:\[([0-?]*)[ -/]*([@-~])|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~])?/g;

  // A line in a span; the styles that the next one begins with.
  function addLine(log, line, styles, query, isFault) {
    const span = el("span", isFault ? "line fault" : "line");
    const pieces = line.replace(/\r+$/, "");
    const text = pieces.slice(pieces.lastIndexOf("\r") + 1);
    let from = 0;
    const add = (piece) => {
      if (!piece) return;
      const part = styles.size ? el("span", [...styles].join(" ")) : span;
      marked(part, visible(piece), query);
      if (part !== span) span.append(part);
    };
    for (const found of text.matchAll(ESCAPE)) {
      add(text.slice(from, found.index));
      if (found[2] === "m") styles = styled(styles, found[1]);
      from = found.index + found[0].length;
    }
    add(text.slice(from));
    log.append(span, "\n");
    return styles;
  }

  const link = (href, text) => {
    const a = el("a", "", text);
    if (/^[^:]*$/.test(href)) a.href = href;
    return a;
  };

  function logOf(entry, query) {
    const log = el("pre", "log");
    const faults = new Set(entry.findings.map((one) => `${one.part}:${one.line}`));
    log.tabIndex = 0;
    log.setAttribute("role", "region");
    log.setAttribute("aria-label", "log");
    entry.parts.forEach((part, p) => {
      let styles = new Set();
      if (part.left_out) {
        log.append(el("span", "cut", `… ${part.left_out.toLocaleString("en")} bytes are left out: `,
          entry.href ? link(entry.href, "the whole log") : "see the whole log", " …"), "\n");
      }
      part.text.replace(/\n$/, "").split("\n").forEach((line, n) => {
        styles = addLine(log, line, styles, query, faults.has(`${p}:${n}`));
        log.lastElementChild.dataset.at = `${p}:${n}`;
      });
    });
    return log;
  }

  // Scrolls a log, and only that, so that the node is in its middle.
  function show(node) {
    const log = node.closest(".log");
    log.querySelectorAll("mark.here").forEach((one) => one.classList.remove("here"));
    if (node.tagName === "MARK") node.classList.add("here");
    log.scrollTop += node.getBoundingClientRect().top - log.getBoundingClientRect().top -
      log.clientHeight / 2;
  }

  let place = -1;
  function nextPlace(step) {
    let places = [...document.querySelectorAll("#details mark")];
    if (!places.length) places = [...document.querySelectorAll("#details .fault")];
    if (!places.length) return;
    place = (place + step + places.length) % places.length;
    show(places[place]);
  }

  // A session's details

  function findingsOf(entry) {
    const list = el("ul", "findings");
    for (const one of entry.findings) {
      const button = el("button", "", `${one.where}: ${one.message}`);
      button.type = "button";
      button.addEventListener("click", () => {
        const line = document.querySelector(`#details [data-at="${one.part}:${one.line}"]`);
        if (line) show(line);
      });
      list.append(el("li", "", button));
    }
    return list;
  }

  function stepsOf(session) {
    const body = el("tbody", "");
    for (const step of session.steps) {
      body.append(el("tr", "", el("td", "", step.kind), el("td", "r", step.command),
        el("td", "n", time(step.began)), el("td", "n", time(step.seconds)),
        el("td", "n", step.waited >= 0.05 ? time(step.waited) : ""),
        el("td", "n", step.exit === null ? "" : String(step.exit))));
    }
    const heads = ["step", "command", "began at", "time", "waited", "exit code"].map((word, n) => {
      const th = el("th", n > 1 ? "n" : "", word);
      th.scope = "col";
      return th;
    });
    const more = session.more_steps;
    if (more) {
      const words = `and ${more.steps} more, ${time(more.install + more.run)}`;
      const cell = el("td", "", words);
      cell.colSpan = heads.length;
      body.append(el("tr", "", cell));
    }
    return el("table", "", el("thead", "", el("tr", "", ...heads)), body);
  }

  function waitedOf(session) {
    const words = Object.entries(session.waited).filter(([, seconds]) => seconds >= 0.05)
      .map(([kind, seconds]) => `${time(seconds)} for ${WAITS[kind] || kind}`);
    const before = session.before;
    if (before) {
      words.push(`at last ${before.for === "edge" ? `${before.what} (${before.by})` :
        `for ${WAITS[before.for] || before.for}, which ${before.target} had`}`);
    }
    return words.join("; ");
  }

  function factsOf(session, entry) {
    const list = el("dl", "facts");
    const add = (word, ...values) => {
      if (values[0] !== "" && values[0] !== null && values[0] !== undefined)
        list.append(el("dt", "", word), el("dd", "", ...values));
    };
    const usual = session.usual === null ? "" : `, usually ${time(session.usual)}`;
    add("verdict", el("span", `v ${session.verdict}`, session.verdict),
      session.reason ? `: ${session.reason}` : "");
    if (session.began !== null) add("ran", `${time(session.duration)}${usual}, from ` +
        `${time(session.began)} to ${time(session.ended)}`);
    add("machine", session.machine);
    add("waited", waitedOf(session));
    add("processors", [session.told && `told of ${session.told}`,
      session.width && `used up to ${session.width} at once`,
      session.cpu >= 0.05 && `${time(session.cpu)} of processor time`].filter(Boolean).join("; "));
    if (session.memory) add("memory", `up to ${Math.ceil(session.memory / 1048576)} MiB`);
    add("requires", session.requires.join(", "));
    add("shares", session.claims.map((claim) => claim.resource).join(", "));
    add("left running", session.left);
    add("earlier attempts", session.attempts.map((one) =>
      `${one.verdict} after ${time(one.duration)}`).join(", "));
    if (session.recheck) add("run again, alone", session.recheck.verdict || "did not end");
    if (entry && entry.href) add("log", link(entry.href, session.log));
    return list;
  }

  function chartOf(series, from, to, most, left, right) {
    const height = 64;
    const x = (seconds) => left + ((seconds - from) / (to - from)) * (right - left);
    const chart = draw("svg", { class: "chart", viewBox: "0 0 1000 86", role: "img",
      "aria-label": `processors in use, at most ${series.peak.toFixed(1)}, and memory, at most ` +
        `${Math.ceil(series.mib)} MiB` });
    const y = (value, top) => (72 - (value / top) * height).toFixed(1);
    let cpu = `M${x(from).toFixed(1)} 72`;
    let mib = "";
    series.points.forEach(([at, end, used, memory]) => {
      cpu += `V${y(used, most)}H${x(end).toFixed(1)}`;
      mib += `${mib ? "L" : "M"}${x(at).toFixed(1)} ${y(memory, series.mib || 1)}` +
        `H${x(end).toFixed(1)}`;
    });
    chart.append(draw("path", { class: "all", d: `M${left} 8H${right}M${left} 72H${right}` }),
      draw("path", { class: "cpu", d: `${cpu}V72Z` }));
    if (series.mib > 0) chart.append(draw("path", { class: "mib", d: mib }));
    chart.append(draw("text", { x: left, y: 84 },
      `${most} processors, in use at most ${series.peak.toFixed(1)}` +
      (series.mib > 0 ? `; the line: memory, at most ${Math.ceil(series.mib)} MiB` : "")));
    return chart;
  }

  // Points at equal distances, from the samples of these sessions.
  function seriesOf(list, from, to, n) {
    const points = Array.from({ length: n }, (_, k) => [from + ((to - from) * k) / n,
      from + ((to - from) * (k + 1)) / n, 0, 0]);
    for (const { began, ended, samples } of list) {
      for (const point of points) {
        const middle = (point[0] + point[1]) / 2;
        if (middle < began || middle > ended) continue;
        // The last sample is of what is left, which may be more.
        const k = Math.min(Math.floor((middle - began) / samples.every), samples.cpu.length - 1);
        point[2] += samples.cpu[k] || 0;
        point[3] += (samples.mib && samples.mib[k]) || 0;
      }
    }
    return { points, peak: Math.max(...points.map((one) => one[2])),
      mib: Math.max(...points.map((one) => one[3])) };
  }

  const sampled = sessions.filter((one) => one.samples && one.samples.every > 0 &&
    Array.isArray(one.samples.cpu) && one.samples.cpu.length > 0 && one.began !== null);
  const processors = (series) => Math.max(run.results.run.processors || 1, Math.ceil(series.peak));

  function renderDetails(i) {
    const session = sessions[i];
    const entry = run.logs[i];
    const query = find("inlogs").value.toLowerCase();
    const inner = [factsOf(session, entry)];
    place = -1;
    if (session.steps.length) inner.push(el("h3", "", "Steps"), stepsOf(session));
    if (sampled.includes(session) && session.ended > session.began) {
      const series = seriesOf([session], session.began, session.ended,
        4 * session.samples.cpu.length);
      inner.push(el("h3", "", "Processors and memory"), chartOf(series, session.began,
        session.ended, processors(series), 10, 990));
    }
    if (entry && entry.findings.length)
      inner.push(el("h3", "", "What tools have found"), findingsOf(entry));
    if (entry && entry.parts.length)
      inner.push(el("h3", "", "Log"), logOf(entry, query));
    find("session-h").textContent = session.target;
    find("details").replaceChildren(...inner);
    const log = document.querySelector("#details .log");
    const first = log && (log.querySelector("mark") || log.querySelector(".fault"));
    if (first) show(first);
    else if (log && !session.well) log.scrollTop = log.scrollHeight;
  }

  function select(i, focus) {
    if (!sessions[i]) return;
    for (const [node, ours] of [[bars.get(here), false], [rowOf.get(here), false],
      [bars.get(i), true], [rowOf.get(i), true]]) if (node) node.classList.toggle("here", ours);
    const bar = bars.get(i);
    if (bar) {
      for (const other of bars.values()) other.setAttribute("tabindex", -1);
      bar.setAttribute("tabindex", 0);
      if (focus) bar.focus();
    }
    here = i;
    find("session").hidden = false;
    renderDetails(i);
  }

  // The timeline

  svg.setAttribute("role", "group");
  svg.classList.add("alive");
  const lanes = [];
  for (const bar of svg.querySelectorAll(".s")) {
    const i = Number(bar.dataset.i);
    bars.set(i, bar);
    bar.setAttribute("role", "button");
    bar.setAttribute("tabindex", bars.size === 1 ? 0 : -1);
    bar.setAttribute("aria-label", bar.querySelector("title").textContent.replace(/\n/g, "; "));
    (lanes[sessions[i].lane] ||= []).push(i);
  }
  const barAt = (event) => event.target.closest && event.target.closest(".s");
  svg.addEventListener("click", (event) => {
    if (barAt(event)) select(Number(barAt(event).dataset.i), true);
  });
  svg.addEventListener("focusin", (event) => {
    const i = barAt(event) ? Number(barAt(event).dataset.i) : -1;
    if (i >= 0 && i !== here) select(i, false);
  });

  function beside(step) {
    const lane = lanes[sessions[here].lane];
    const next = lane && lane[lane.indexOf(here) + step];
    if (next !== undefined) select(next, true);
  }

  function laneBeside(step) {
    const lane = lanes[sessions[here].lane + step];
    if (!lane) return;
    const away = (i) => Math.abs(sessions[i].began - sessions[here].began);
    select(lane.reduce((best, i) => (away(i) < away(best) ? i : best)), true);
  }

  function along(list, step) {
    if (!list.length) return;
    const at = list.indexOf(here);
    const next = at < 0 && step < 0 ? list.length - 1 : (at + step + list.length) % list.length;
    select(list[next], true);
  }

  const index = new Map(sessions.map((one, i) => [one.target, i]));
  const critical = run.results.critical_path.map((target) => index.get(target));
  const bad = sessions.map((one, i) => i).filter((i) => !sessions[i].well);

  // The table

  function filter() {
    const name = find("name").value.toLowerCase();
    const verdict = find("verdict").value;
    const words = find("inlogs").value.toLowerCase();
    let n = 0;
    const found = new Set();
    for (const row of rows) {
      const i = Number(row.dataset.i);
      const session = sessions[i];
      const entry = run.logs[i];
      const told = `${session.target} ${session.reason || ""}`.toLowerCase();
      const fits = (!name || told.includes(name))
        && (!verdict || session.verdict === verdict || (verdict === "flaky" && session.flaky))
        && (!words || (entry && entry.parts.some((one) => one.text.toLowerCase().includes(words))));
      n += fits;
      if (fits) found.add(wholeOf(session));
      row.hidden = !fits || (!showsAll && n > ROWS_FIRST);
      if (bars.has(i)) bars.get(i).classList.toggle("out", !fits);
    }
    find("found").textContent = name || verdict || words ?
      `${found.size} of ${wholes.size} sessions` : "";
    find("more").hidden = showsAll || n <= ROWS_FIRST;
  }

  const KEYS = [(one) => one.target, (one) => one.verdict, (one) => one.duration,
    (one) => one.usual, null, (one) => Object.entries(one.waited).reduce((sum, [kind, seconds]) =>
      sum + (kind === "edge" ? 0 : seconds), 0),
    (one) => one.cpu, (one) => one.width, (one) => one.memory, (one) => one.reason || ""];
  let sortedBy = -1;
  let down = false;

  function sortBy(column) {
    down = sortedBy === column ? !down : column > 1 && column < 9;
    sortedBy = column;
    const keyed = rows.map((row) => [KEYS[column](sessions[row.dataset.i]), row]);
    keyed.sort(([a], [b]) => {
      const order = typeof a === "string" ? a.localeCompare(b, "en", { numeric: true }) :
        (a ?? -1) - (b ?? -1);
      return down ? -order : order;
    });
    keyed.forEach(([, row], n) => { rows[n] = row; });
    document.querySelector("#table tbody").append(...rows);
    document.querySelectorAll("#table thead th").forEach((th, n) => {
      if (n === column) th.setAttribute("aria-sort", down ? "descending" : "ascending");
      else th.removeAttribute("aria-sort");
    });
    filter();
  }

  document.querySelectorAll("#table thead th").forEach((th, column) => {
    if (!KEYS[column]) return;
    const button = el("button", "", th.textContent);
    button.type = "button";
    button.addEventListener("click", () => sortBy(column));
    th.replaceChildren(button);
  });
  document.querySelector("#table tbody").addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (!row) return;
    event.preventDefault();
    select(Number(row.dataset.i), false);
    find("session-h").focus({ preventScroll: true });
    find("session").scrollIntoView({ block: "start" });
  });
  for (const one of [...new Set(sessions.map((session) => session.verdict)),
    ...(sessions.some((session) => session.flaky) ? ["flaky"] : [])]) {
    find("verdict").append(new Option(one, one));
  }
  find("filter").addEventListener("submit", (event) => event.preventDefault());
  find("filter").addEventListener("input", (event) => {
    filter();
    if (event.target.id === "inlogs" && here >= 0) renderDetails(here);
  });
  find("more").addEventListener("click", () => { showsAll = true; filter(); });

  // Keys

  const help = find("help");
  const ACTIONS = {
    "?": () => help.showModal(), "/": () => find("name").focus(), s: () => find("inlogs").focus(),
    c: () => along(critical, 1), C: () => along(critical, -1), f: () => along(bad, 1),
    F: () => along(bad, -1), n: () => nextPlace(1), N: () => nextPlace(-1) };
  const ARROWS = { ArrowLeft: () => beside(-1), ArrowRight: () => beside(1),
    ArrowUp: () => laneBeside(-1), ArrowDown: () => laneBeside(1) };

  document.addEventListener("keydown", (event) => {
    const field = event.target.closest && event.target.closest("input, select");
    const onBars = event.target === document.body || find("timeline").contains(event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (field) {
      if (event.key !== "Escape") return;
      field.value = "";
      field.blur();
      filter();
      if (here >= 0) renderDetails(here);
      return;
    }
    const action = ACTIONS[event.key] || (onBars && here >= 0 && ARROWS[event.key]);
    if (!action && !((event.key === "Enter" || event.key === " ") && barAt(event))) return;
    event.preventDefault();
    if (action) action();
    else select(Number(barAt(event).dataset.i), true);
  });
  find("keys").addEventListener("click", () => help.showModal());

  // The start

  document.querySelectorAll(".script").forEach((one) => { one.hidden = one.id === "more"; });
  find("session").hidden = true;
  if (sampled.length && run.results.run.wall > 0) {
    const series = seriesOf(sampled, 0, run.results.run.wall, 400);
    find("load").append(chartOf(series, 0, run.results.run.wall, processors(series), 62, 990));
    find("load").hidden = false;
  }
  filter();
  const asked = /^#s(\d+)$/.exec(location.hash);
  if (asked) select(Number(asked[1]), true);
  else if (bad.length) select(bad[0], false);
  else if (critical.length) select(critical[0], false);
})();
