// Puts the report together from the result in the page.
"use strict";

// The result in the page, or the reason why there is none.
function readResult() {
  const text = document.getElementById("result").textContent.trim();
  if (!text || text.startsWith("/*"))
    return {reason: "This page holds no result: it is the empty form that the benchmarks fill."};
  let data;
  try {
    data = JSON.parse(text);
  } catch (error) {
    return {reason: `The result in this page cannot be read: ${error.message}.`};
  }
  if (data.format !== 1)
    return {reason: `This page reads results of format 1; this one says ${data.format}.`};
  return {result: new Result(data)};
}

// --- Contents and theme ----------------------------------------------------------------

function contentsItem(part) {
  return h("li", {}, h("a", {href: `#${part.id}`}, part.querySelector("h2").textContent));
}

function fillContents(parts) {
  const contents = document.getElementById("contents");
  document.getElementById("contents-list").append(...parts.map(contentsItem));
  const wide = matchMedia("(min-width: 1024px)");
  const follow = () => {
    contents.open = wide.matches;
  };
  wide.addEventListener("change", follow);
  follow();
  contents.addEventListener("click", (event) => {
    if (event.target.closest("a") && !wide.matches) contents.open = false;
  });
  markCurrent(parts);
}

// Marks in the contents the section that is being read.
function markCurrent(parts) {
  const links = new Map(
    [...document.querySelectorAll("#contents-list a")].map((link) => [link.hash.slice(1), link]),
  );
  const update = () => {
    let current = parts[0];
    for (const part of parts)
      if (part.getBoundingClientRect().top < innerHeight / 3) current = part;
    const link = links.get(current.id);
    if (link.hasAttribute("aria-current")) return;
    for (const other of links.values()) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    const side = link.closest(".side");
    if (
      matchMedia("(min-width: 1024px)").matches &&
      link.offsetTop + link.offsetHeight > side.scrollTop + side.clientHeight
    ) {
      side.scrollTop = link.offsetTop;
    }
  };
  let waiting = false;
  addEventListener(
    "scroll",
    () => {
      if (waiting) return;
      waiting = true;
      requestAnimationFrame(() => {
        waiting = false;
        update();
      });
    },
    {passive: true},
  );
  update();
}

// The browser may refuse storage to a page from the disk.
function stored(action) {
  try {
    return action(localStorage);
  } catch {
    return undefined;
  }
}

function setTheme(choice) {
  if (choice === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choice;
}

function themeSwitch() {
  const select = document.getElementById("theme");
  const before = stored((storage) => storage.getItem("hakmem-report-theme"));
  if (before === "light" || before === "dark") select.value = before;
  setTheme(select.value);
  select.addEventListener("change", () => {
    setTheme(select.value);
    stored((storage) => storage.setItem("hakmem-report-theme", select.value));
    drawCharts();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawCharts);
}

// Paper is light. What is folded stays so: the reader chooses what to print.
function preparePrinting() {
  addEventListener("beforeprint", () => {
    setTheme("light");
    drawCharts();
  });
  addEventListener("afterprint", () => {
    setTheme(document.getElementById("theme").value);
    drawCharts();
  });
}

function footer(result) {
  const save = h(
    "button",
    {
      type: "button",
      click: () => {
        const blob = new Blob([JSON.stringify(result.data, null, 1)], {type: "application/json"});
        const link = h("a", {href: URL.createObjectURL(blob), download: "result.json"});
        link.click();
        URL.revokeObjectURL(link.href);
      },
    },
    "Save result.json",
  );
  const tool = result.data.tool;
  return h(
    "footer",
    {class: "muted small"},
    h("hr", {}),
    h(
      "p",
      {},
      tool && `Made by ${tool.name} ${tool.version}. `,
      "Charts: Chart.js 3.9.1, MIT License (notice in the source of this page).",
    ),
    h("p", {}, save),
  );
}

function showReport() {
  themeSwitch();
  const main = document.getElementById("report");
  const {result, reason} = readResult();
  if (reason) {
    main.append(h("h1", {}, "Allocator benchmarks"), h("p", {class: "notice"}, reason));
    return;
  }
  const kinds = (result.data.kinds || []).filter((kind) => result.workloadsOf(kind.key).length);
  const parts = [
    summary(result, kinds),
    howToRead(),
    ...kinds.map((kind) => kindSection(result, kind)),
    behindSection(result),
    againstSection(result),
    failureSection(result),
    goalSection(result, kinds),
  ].filter(Boolean);
  main.append(header(result), ...parts, footer(result));
  const suite = result.data.suite;
  if (suite && suite.title) document.title = `Allocator benchmarks: ${suite.title}`;
  fillContents(parts);
  drawCharts();
  let waiting;
  addEventListener("resize", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      redrawWhereNarrow();
      updateBoxes();
    }, 150);
  });
  main.addEventListener("toggle", updateBoxes, true);
  updateBoxes();
  preparePrinting();
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

showReport();
