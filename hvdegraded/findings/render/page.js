// Each section is a table grouped by problem; its rows are in the page as data, the first of them as HTML too.
// A click on a heading sorts all rows of the table, a third one gives the problems back.
const STEP = 200;
const NAMES = ["#", "VM", "host", "what happened", "events", "first, UTC", "last, UTC"];
const [NUMBER, VM, HOST, WHAT, EVENTS, FIRST, LAST, PROBLEM] = NAMES.concat("problem").keys();
const collator = new Intl.Collator(undefined, {numeric: true, sensitivity: "base"});

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

function headRow(problem) {
  const cell = element("th", undefined, {class: "head", colspan: NAMES.length, scope: "rowgroup"});
  cell.append(element("b", problem.title), " ");
  if (problem.level) cell.append(element("span", problem.level, {class: "tag"}), " ");
  cell.append(element("small", problem.count));
  if (problem.remedy) cell.append(element("p", problem.remedy));
  const why = element("p", problem.why, {class: "why"});
  problem.sources.forEach(([title, link], place) => {
    why.append(place ? ", " : " Sources: ", link ? element("a", title, {href: link, rel: "noreferrer"}) : title);
  });
  if (problem.sources.length) why.append(".");
  cell.append(why);
  const row = element("tr");
  row.append(cell);
  return row;
}

function what(row, problem, flat) {
  const cell = element("td", undefined, {"data-name": NAMES[WHAT], class: "what"});
  if (flat) cell.append(element("b", problem.title), " ");
  const groups = row[WHAT].map(([detail, event]) => {
    const line = element(row[WHAT].length > 1 ? "li" : "span", detail ? `${detail} ` : "");
    line.append(element("small", event));
    return line;
  });
  const list = groups.length > 1 ? element("ul") : cell;
  list.append(...groups);
  if (list !== cell) cell.append(list);
  if (flat && problem.remedy) cell.append(element("p", problem.remedy, {class: "muted"}));
  return cell;
}

function bodyRow(row, problem, flat) {
  const made = element("tr");
  NAMES.forEach((name, at) => {
    if (at === WHAT) return made.append(what(row, problem, flat));
    const kind = name === "#" ? "number" : name.toLowerCase().replace(", utc", "");
    const cell = element("td", at === HOST ? undefined : row[at], {"data-name": name, class: kind});
    if (at === HOST) cell.append(...row[at].split(".").flatMap((part, place) => place ? [".", element("wbr"), part] : [part]));
    made.append(cell);
  });
  return made;
}

class Part {
  constructor(element, data) {
    this.table = element.querySelector("table");
    this.note = element.querySelector(".note");
    this.details = element.closest("details");
    this.problems = data.problems;
    this.rows = data.rows;
    this.found = data.rows;
    this.column = null;
    this.down = false;
    this.limit = this.table.querySelectorAll("td.number").length;
    this.heads = [...this.table.querySelectorAll("thead th")];
    this.heads.forEach((head, at) => head.firstChild.addEventListener("click", () => this.sort(at)));
    this.tell();
  }

  textOf(row) {
    row.text ??= [row[VM], row[HOST], row[FIRST], row[LAST], this.problems[row[PROBLEM]].title,
      this.problems[row[PROBLEM]].remedy, this.problems[row[PROBLEM]].sources.join(" "), ...row[WHAT].flat()].join(" ").toLowerCase();
    return row.text;
  }

  search(wanted) {
    this.found = wanted ? this.rows.filter(row => this.textOf(row).includes(wanted)) : this.rows;
    this.limit = STEP;
    if (this.details) this.details.open = Boolean(wanted) && this.found.length > 0;
    this.show();
    return this.found.length;
  }

  sort(column) {
    const again = this.column === column;
    if (again && this.down) this.column = null;
    else this.column = column;
    this.down = again && this.column !== null;
    this.heads.forEach(head => head.removeAttribute("aria-sort"));
    if (this.column !== null) this.heads[column].ariaSort = this.down ? "descending" : "ascending";
    this.limit = STEP;
    this.show();
  }

  ordered() {
    const at = this.column;
    if (at === null) return this.found;
    const key = at === WHAT ? row => this.problems[row[PROBLEM]].title + row[WHAT].flat().join(" ") : row => row[at];
    const compare = at === NUMBER || at === EVENTS ? (a, b) => a - b
      : at === FIRST || at === LAST ? (a, b) => (a < b ? -1 : a > b ? 1 : 0)
      : collator.compare;
    const sorted = this.found.map(row => [key(row), row]);
    sorted.sort((a, b) => (this.down ? compare(b[0], a[0]) : compare(a[0], b[0])));
    return sorted.map(pair => pair[1]);
  }

  show() {
    const flat = this.column !== null;
    const bodies = [];
    let body = null, current = null;
    for (const row of this.ordered().slice(0, this.limit)) {
      const problem = row[PROBLEM];
      if (body === null || (!flat && problem !== current)) {
        bodies.push(body = element("tbody"));
        if (!flat) body.append(headRow(this.problems[problem]));
        current = problem;
      }
      body.append(bodyRow(row, this.problems[problem], flat));
    }
    for (const old of [...this.table.tBodies]) old.remove();
    this.table.append(...bodies);
    this.tell();
  }

  tell() {
    const shown = Math.min(this.limit, this.found.length);
    this.note.textContent = "";
    if (shown === this.found.length) return;
    this.note.append(`The first ${shown} of ${this.found.length} rows. `);
    const more = element("button", `Show ${Math.min(STEP, this.found.length - shown)} more`, {class: "more", type: "button"});
    more.addEventListener("click", () => { this.limit += STEP; this.show(); });
    this.note.append(more);
  }
}

const data = JSON.parse(document.getElementById("rows").textContent);
const parts = Object.entries(data).map(([name, one]) => new Part(document.getElementById(name), one));
const total = parts.reduce((sum, part) => sum + part.rows.length, 0);
const field = document.querySelector("input");
let waiting = 0;
function search() {
  const wanted = field.value.trim().toLowerCase();
  const found = parts.reduce((sum, part) => sum + part.search(wanted), 0);
  document.querySelector("output").value = wanted ? `${found} of ${total} rows` : "";
}
field?.addEventListener("input", () => {
  clearTimeout(waiting);
  if (total > 5000) waiting = setTimeout(search, 120);
  else search();
});
