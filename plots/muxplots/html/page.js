"use strict";
// Sorts, filters and compares what the page already holds. Without JavaScript the page lacks only this.
(() => {
  const table = document.getElementById("cells");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const heads = [...table.tHead.rows[0].cells];
  const filters = document.getElementById("filters");
  const shown = document.getElementById("shown");

  function distinct(key) {
    return [...new Set(rows.map((row) => row.dataset[key]))];
  }

  function fill(select, values) {
    for (const value of values) select.add(new Option(value, value));
  }

  // Numbers by value, words by letters; what is absent comes last either way.
  function compare(a, b, column, sign) {
    const [one, other] = [a.cells[column], b.cells[column]];
    if ("value" in one.dataset) {
      const [x, y] = [one.dataset.value, other.dataset.value];
      if (x === "" || y === "") return (x === "") - (y === "");
      return sign * (x - y);
    }
    return sign * one.textContent.localeCompare(other.textContent, undefined, { numeric: true });
  }

  function sort(column) {
    const head = heads[column];
    const down = head.ariaSort === "ascending" || (head.ariaSort === "none" && head.dataset.better === "more");
    for (const other of heads) other.ariaSort = "none";
    head.ariaSort = down ? "descending" : "ascending";
    // Always from the order of the report, so that equal rows keep it.
    body.append(...[...rows].sort((a, b) => compare(a, b, column, down ? -1 : 1)));
  }

  function filter() {
    const wanted = new FormData(filters);
    const model = wanted.get("model").trim().toLowerCase();
    let count = 0;
    for (const row of rows) {
      const fits = ["experiment", "family", "state"].every(
        (key) => wanted.get(key) === "" || row.dataset[key] === wanted.get(key));
      row.hidden = !(fits && row.dataset.model.toLowerCase().includes(model));
      count += !row.hidden;
    }
    shown.textContent = `${count} of ${rows.length} cells`;
  }

  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => sort(column)));
  for (const key of ["experiment", "family", "state"]) fill(filters.elements[key], distinct(key));
  filters.addEventListener("input", filter);
  filters.addEventListener("reset", () => setTimeout(filter));
  filters.addEventListener("submit", (event) => event.preventDefault());
  filters.hidden = false;
  filter();

  // Two models side by side: one metric, at every point that both have.
  const pair = document.getElementById("pair");
  const side = document.getElementById("side");
  const metrics = heads.map((head, column) => ({ column, ...head.dataset, title: head.textContent }))
    .filter((metric) => metric.better);

  function cellOf(row, column) {
    const cell = row && row.cells[column];
    return cell && cell.dataset.value !== "" ? cell : null;
  }

  // The driver's verdict on the second model with the first as the base.
  const verdicts = JSON.parse(document.getElementById("verdicts").textContent);

  function letterOf(metric, key, names) {
    const [place, ...matrix] = verdicts.tables[`${metric} ${key}`] ?? [];
    const [base, now] = names.map((name) => verdicts.models[place]?.indexOf(name) ?? -1);
    return base < 0 || now < 0 ? "" : matrix[base][now];
  }

  function inWords(letter, [, now]) {
    return (verdicts.words[letter] ?? "").replace("{new}", () => now);
  }

  function add(row, tag, text, scope) {
    const cell = document.createElement(tag);
    cell.textContent = text;
    if (scope) cell.scope = scope;
    if (tag === "td") cell.className = "n";
    row.append(cell);
    return cell;
  }

  function showPair() {
    const names = [pair.elements.one.value, pair.elements.other.value];
    const { column, key: metric, title } = metrics[pair.elements.metric.selectedIndex];
    const [mine, theirs] = names.map((name) => new Map(rows.filter((row) => row.dataset.model === name)
      .map((row) => [`${row.dataset.experiment}: ${row.dataset.point}`, row])));
    side.replaceChildren();
    side.createCaption().textContent =
      `${title}: ${names[0]} and ${names[1]}, medians with the lowest and the highest ${table.dataset.sample}, and their ratio.`;
    const head = side.createTHead().insertRow();
    for (const name of ["Experiment and point", ...names, "Ratio", ""]) add(head, "th", name, "col");
    const into = side.createTBody();
    for (const [key, row] of mine) {
      const cells = [cellOf(row, column), cellOf(theirs.get(key), column)];
      const line = into.insertRow();
      add(line, "th", key, "row");
      for (const cell of cells) {
        const copy = add(line, "td", cell ? "" : "–");
        if (cell) copy.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
      }
      const whole = cells[0] && cells[1];
      const ratio = whole ? cells[0].dataset.value / cells[1].dataset.value : NaN;
      add(line, "td", Number.isFinite(ratio) ? ratio.toFixed(2) : "–");
      const letter = letterOf(metric, key, names);
      const last = add(line, "td", inWords(letter, names));
      last.classList.toggle("apart", letter !== "" && verdicts.decided.includes(letter));
      last.classList.remove("n");
    }
    side.hidden = false;
  }

  const models = distinct("model");
  fill(pair.elements.one, models);
  fill(pair.elements.other, models);
  for (const metric of metrics) pair.elements.metric.add(new Option(metric.title));
  if (models.length > 1 && metrics.length > 0) {
    pair.elements.other.selectedIndex = 1;
    pair.hidden = false;
    pair.addEventListener("input", () => {
      document.getElementById("compare").classList.add("chosen");
      showPair();
    });
    showPair();
  }

  // Dark or light: the system's choice until the reader makes one.
  const button = document.getElementById("theme");
  const root = document.documentElement;
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
