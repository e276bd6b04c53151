// Building the document: elements, fold-outs and sortable tables.
"use strict";

// An element with attributes (a function becomes a listener, `false` and
// undefined leave the attribute out) and children (nodes or text).
function h(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value !== undefined) element.setAttribute(name, value);
  }
  element.append(
    ...children.flat().filter((child) => child !== undefined && child !== null && child !== false),
  );
  return element;
}

function svg(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function fold(title, ...children) {
  return h("details", {class: "fold"}, h("summary", {}, title), ...children);
}

// A section with its heading; `id` is its address in the contents.
function section(id, title, ...children) {
  return h(
    "section",
    {id, "aria-labelledby": `${id}-title`},
    h("h2", {id: `${id}-title`}, title),
    ...children,
  );
}

// Orders two sort keys, undefined last whatever the direction.
function order(a, b, direction) {
  if (a === undefined || b === undefined) return (a === undefined) - (b === undefined);
  const difference = typeof a === "string" ? a.localeCompare(b, "en", {numeric: true}) : a - b;
  return difference * direction;
}

function sortBy(table, column, header) {
  const direction = header.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  for (const other of table.querySelectorAll("[aria-sort]")) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", direction === 1 ? "ascending" : "descending");
  for (const body of table.tBodies) {
    const rows = [...body.rows].filter((row) => row.data);
    rows.sort((a, b) => order(column.sort(a.data), column.sort(b.data), direction));
    body.append(...rows);
  }
}

function headerCell(table, column) {
  const header = h("th", {scope: "col", class: column.number && "number", title: column.help});
  if (column.sort)
    header.append(
      h("button", {type: "button", click: () => sortBy(table, column, header)}, column.title),
    );
  else header.append(column.title);
  return header;
}

function bodyRow(columns, row, rowClass) {
  const cells = columns.map((column, index) => {
    const content = column.cell(row);
    const classes = [column.number && "number", column.mark && column.mark(row)]
      .filter(Boolean)
      .join(" ");
    const attributes = {
      class: classes || undefined,
      title: column.tip && column.tip(row),
      "data-label": column.title,
    };
    if (index === 0) attributes.scope = "row";
    return h(index === 0 ? "th" : "td", attributes, content === undefined ? "" : content);
  });
  const element = h("tr", {class: rowClass && rowClass(row)}, cells);
  element.data = row;
  return element;
}

// A table in a box of its own that scrolls sideways where it must.
//   caption   what the table shows;
//   columns   {title, cell(row), sort(row)?, number?, tip(row)?, mark(row)?, help?};
//   rows      or groups: [{title, rows}], each sorted on its own;
//   heads     a row of heads above those of the columns: [{title, span}], optional;
//   rowClass  class of a row, optional;
//   limit     how many rows to show before a button shows the rest, optional;
//   className of the table, optional.
function dataTable({caption, heads, columns, rows, groups, rowClass, limit, className, full}) {
  const table = h("table", {class: className}, h("caption", {}, h("span", {}, caption)));
  const over =
    heads &&
    h(
      "tr",
      {},
      heads.map(({title, span}) =>
        h(title ? "th" : "td", {scope: title && "colgroup", colspan: span}, title),
      ),
    );
  table.append(
    h(
      "thead",
      {},
      over,
      h(
        "tr",
        {},
        columns.map((column) => headerCell(table, column)),
      ),
    ),
  );
  for (const group of groups || [{rows}]) {
    const body = h("tbody", {});
    if (group.title) {
      body.append(
        h(
          "tr",
          {class: "group"},
          h("th", {scope: "rowgroup", colspan: columns.length}, h("span", {}, group.title)),
        ),
      );
    }
    body.append(...group.rows.map((row) => bodyRow(columns, row, rowClass)));
    table.append(body);
  }
  const box = h(
    "div",
    {
      class: full ? "box full" : "box",
      role: "region",
      "aria-label": typeof caption === "string" ? caption : caption.textContent,
    },
    table,
  );
  if (!limit || rows.length <= limit) return box;
  const hidden = [...table.tBodies[0].rows].slice(limit);
  for (const row of hidden) row.classList.add("extra");
  table.classList.add("brief");
  return h(
    "div",
    {},
    box,
    briefSwitch(table, `Show all ${rows.length} rows`, `Show the first ${limit} rows`),
  );
}

// The button that shows or hides the rows of class "extra" of a table.
function briefSwitch(table, more, less) {
  const button = h("button", {type: "button", class: "more", "aria-expanded": "false"}, more);
  button.addEventListener("click", () => {
    const brief = table.classList.toggle("brief");
    button.textContent = brief ? more : less;
    button.setAttribute("aria-expanded", String(!brief));
    updateBoxes();
  });
  return button;
}

// Lets the keyboard scroll the boxes of tables that are wider than their box, and
// passes over the others.
function updateBoxes() {
  for (const box of document.querySelectorAll(".box")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
}
