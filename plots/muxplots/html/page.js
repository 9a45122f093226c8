"use strict";
// Sorts, filters and compares what the page already holds. Without JavaScript the page lacks only this.
(() => {
  const tables = [...document.querySelectorAll("table.cells")];
  const headsOf = (table) => [...table.tHead.rows[0].cells];
  const rowsOf = (table) => [...table.tBodies[0].rows];
  const distinct = (rows, key) => [...new Set(rows.map((row) => row.dataset[key]))];

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

  function makeSortable(table) {
    const [heads, rows] = [headsOf(table), rowsOf(table)];
    heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
      const down = head.ariaSort === "ascending" || (head.ariaSort === "none" && head.dataset.better === "more");
      for (const other of heads) other.ariaSort = "none";
      head.ariaSort = down ? "descending" : "ascending";
      // Always from the order of the page, so that equal rows keep it.
      table.tBodies[0].append(...[...rows].sort((a, b) => compare(a, b, column, down ? -1 : 1)));
    }));
  }

  function makeFilters(table, form) {
    const rows = rowsOf(table);
    const keys = ["family", "point", "state"];

    function filter() {
      const wanted = new FormData(form);
      const model = wanted.get("model").trim().toLowerCase();
      let count = 0;
      for (const row of rows) {
        const fits = keys.every((key) => wanted.get(key) === "" || row.dataset[key] === wanted.get(key));
        row.hidden = !(fits && row.dataset.model.toLowerCase().includes(model));
        count += !row.hidden;
      }
      form.querySelector("output").textContent = `${count} of ${rows.length} cells`;
    }

    for (const key of keys) fill(form.elements[key], distinct(rows, key));
    form.addEventListener("input", filter);
    form.addEventListener("reset", () => setTimeout(filter));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.hidden = false;
    filter();
  }

  for (const table of tables) {
    makeSortable(table);
    makeFilters(table, table.closest("details").querySelector("form.filters"));
  }

  // Two models side by side: one metric, at every point that both have.
  const pair = document.getElementById("pair");
  const side = document.getElementById("side");
  const rows = tables.flatMap(rowsOf);
  const metrics = new Map(tables.flatMap(headsOf).filter((head) => head.dataset.better)
    .map((head) => [head.dataset.key, head.textContent]));
  // The driver's verdict on the second model with the first as the base.
  const verdicts = JSON.parse(document.getElementById("verdicts").textContent);

  const placeOf = (row) => `${row.dataset.experiment}: ${row.dataset.point}`;

  function cellOf(row, metric) {
    const column = row ? headsOf(row.closest("table")).findIndex((head) => head.dataset.key === metric) : -1;
    return column >= 0 && row.cells[column].dataset.value !== "" ? row.cells[column] : null;
  }

  function letterOf(metric, place, names) {
    const [list, ...matrix] = verdicts.tables[`${metric} ${place}`] ?? [];
    const [base, now] = names.map((name) => verdicts.models[list]?.indexOf(name) ?? -1);
    return base < 0 || now < 0 ? "" : matrix[base][now];
  }

  function add(row, tag, text, named = {}) {
    const cell = document.createElement(tag);
    cell.textContent = text;
    Object.assign(cell.dataset, named);
    row.append(cell);
    return cell;
  }

  function showCell(line, title, row, cell) {
    const copy = add(line, "td", cell ? "" : "–", { title });
    copy.className = "n";
    if (!cell) return;
    copy.append(...[...cell.childNodes].map((node) => node.cloneNode(true)));
    const { relative } = cell.dataset;
    if (relative) add(copy, "small", `${relative} relative to ${row.dataset.reference}`);
  }

  function showPair() {
    const names = [pair.elements.one.value, pair.elements.other.value];
    const metric = pair.elements.metric.value;
    const mine = names.map((name) => new Map(rows.filter((row) => row.dataset.model === name).map((row) => [placeOf(row), row])));
    side.replaceChildren();
    side.createCaption().textContent = `${metrics.get(metric)}: ${names[0]} and ${names[1]}, medians with the lowest and the ` +
      "highest below; then, where it is known, the ratio to the reference with its 95 % interval.";
    const head = side.createTHead().insertRow();
    for (const title of ["Experiment and point", ...names, "Verdict"]) add(head, "th", title).scope = "col";
    const body = side.createTBody();
    for (const place of mine[0].keys()) {
      const line = body.insertRow();
      add(line, "th", place).scope = "row";
      mine.forEach((found, at) => showCell(line, names[at], found.get(place), cellOf(found.get(place), metric)));
      const letter = letterOf(metric, place, names);
      const words = (verdicts.words[letter] ?? "").replace("{new}", () => names[1]);
      add(line, "td", words, { title: "Verdict" }).classList.toggle("apart", letter !== "" && verdicts.decided.includes(letter));
    }
    side.hidden = false;
  }

  const models = distinct(rows, "model").sort();
  fill(pair.elements.one, models);
  fill(pair.elements.other, models);
  for (const [key, title] of metrics) pair.elements.metric.add(new Option(title, key));
  if (models.length > 1 && metrics.size > 0) {
    pair.elements.other.selectedIndex = 1;
    pair.hidden = false;
    pair.addEventListener("input", showPair);
    showPair();
  }

  // Paper has nothing to click on.
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details.fold:not(#compare)")) fold.open = true;
  });

  // Dark or light: the system's choice until the reader makes one.
  const button = document.getElementById("theme");
  const root = document.documentElement;
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
})();
