// What all charts share (Chart.js draws them): drawing, the key that says which
// allocators are shown, tooltips, the look of points.
"use strict";

const NARROW = 620; // px: below it, labels of rows stand above the points
const allCharts = []; // {holder, build, chart, allocators: [key of each dataset]}
const hiddenAllocators = new Set();

// The value of a colour of report.css in the theme that holds now.
function themeColour(name) {
  const probe = h("span", {style: `color: var(${name}); display: none`});
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}

// A figure whose chart is built by `build(width)`: {config, height, allocators}.
function chartFigure(title, note, label, build) {
  const holder = h("div", {class: "canvas"});
  allCharts.push({holder, build, label});
  return h(
    "figure",
    {},
    h("figcaption", {}, h("b", {}, title), note && h("span", {class: "muted small"}, note)),
    holder,
  );
}

// Draws one chart, or all of them again: after a change of theme or width.
function drawChart(entry) {
  if (entry.chart) entry.chart.destroy();
  const width = entry.holder.clientWidth || 600;
  const {config, height, allocators} = entry.build(width);
  const canvas = h("canvas", {role: "img", "aria-label": entry.label});
  entry.holder.style.height = `${height}px`;
  entry.holder.replaceChildren(canvas);
  entry.narrow = width < NARROW;
  entry.allocators = allocators;
  config.data.datasets.forEach((dataset, index) => {
    dataset.hidden = hiddenAllocators.has(allocators[index]);
  });
  entry.chart = new Chart(canvas, config);
}

function drawCharts() {
  Chart.defaults.font.size = 14;
  Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
  Chart.defaults.color = themeColour("--text");
  Chart.defaults.borderColor = themeColour("--line");
  Chart.defaults.animation = false;
  allCharts.forEach(drawChart);
}

// Draws again the charts whose labels must move after a change of width.
function redrawWhereNarrow() {
  for (const entry of allCharts) {
    const narrow = entry.holder.clientWidth < NARROW;
    if (entry.chart && narrow !== entry.narrow) drawChart(entry);
  }
}

// The key: one button an allocator, which hides and shows it in all charts.
function chartKey(allocators) {
  const items = allocators.map((allocator) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          "aria-pressed": "true",
          "data-allocator": allocator.key,
          title: "Hide or show in all charts",
          click: () => toggleAllocator(allocator.key),
        },
        mark(allocator),
        h("span", {}, allocator.title),
      ),
    ),
  );
  return h("ul", {class: "key", "aria-label": "Key: allocators shown in the charts"}, items);
}

function toggleAllocator(key) {
  if (!hiddenAllocators.delete(key)) hiddenAllocators.add(key);
  const shown = !hiddenAllocators.has(key);
  for (const button of document.querySelectorAll("[data-allocator]")) {
    if (button.dataset.allocator === key) button.setAttribute("aria-pressed", String(shown));
  }
  for (const {chart, allocators} of allCharts) {
    if (!chart || !allocators.includes(key)) continue;
    allocators.forEach((other, index) => other === key && chart.setDatasetVisibility(index, shown));
    chart.update();
  }
}

// What all charts' tooltips share; `lines(point)` gives the text.
function tooltip(title, lines) {
  return {
    backgroundColor: "#0d1014",
    titleColor: "#ffffff",
    bodyColor: "#ffffff",
    borderColor: "#7a828c",
    borderWidth: 1,
    padding: 10,
    displayColors: false,
    titleFont: {size: 14},
    bodyFont: {size: 14},
    callbacks: {title: (items) => (items.length ? title(items[0]) : ""), label: lines},
  };
}

// Long lists of samples, cut into lines that fit a tooltip.
function wrapText(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last && last.length + word.length + 1 > width) lines.push(word);
    else lines[lines.length - 1] = last ? `${last} ${word}` : word;
  }
  return lines;
}

// How lines and points of an allocator look. A colour that is the name of one of
// report.css follows the theme.
function pointLook(allocator) {
  const ours = allocator.role === "ours";
  const {colour} = allocator;
  const drawn = colour.startsWith("--") ? themeColour(colour) : colour;
  return {
    borderColor: drawn,
    backgroundColor: drawn,
    pointStyle: allocator.shape,
    pointRadius: ours ? 6 : 5,
    pointHoverRadius: ours ? 8 : 7,
    borderWidth: FILLED[allocator.shape] ? 1 : 2.5,
    order: ours ? 0 : 1,
  };
}
