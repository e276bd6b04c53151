// Charts, drawn by Chart.js: values of many workloads relative to one peer, and
// lines. All charts share the allocators' colours and the choice of those shown.
"use strict";

const NARROW = 620;  // px: below it, labels of rows stand above the points
const allCharts = [];  // {holder, build, chart, allocators: [key of each dataset]}
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
  return h("figure", {}, h("figcaption", {}, h("b", {}, title), note && h("span", {class: "muted small"}, note)), holder);
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
  const items = allocators.map((allocator) => h("li", {}, h("button", {
    type: "button", "aria-pressed": "true", "data-allocator": allocator.key,
    title: "Hide or show in all charts",
    click: () => toggleAllocator(allocator.key),
  }, mark(allocator), h("span", {}, allocator.title))));
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
    backgroundColor: "#0d1014", titleColor: "#ffffff", bodyColor: "#ffffff", borderColor: "#7a828c",
    borderWidth: 1, padding: 10, displayColors: false, titleFont: {size: 14}, bodyFont: {size: 14},
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

// --- Ratios: a row a workload, a point an allocator ------------------------------

// Marks of a ratio axis between `low` and `high`.
function ratioTicks(low, high) {
  const span = high / low;
  const ticks = [];
  if (span < 3) {
    const step = span < 1.25 ? 0.05 : span < 1.6 ? 0.1 : 0.25;
    for (let tick = Math.ceil(low / step); tick * step <= high; tick++) ticks.push(Number((tick * step).toFixed(2)));
    return ticks;
  }
  const marks = span < 6 ? [1, 1.2, 1.5, 2, 3, 4, 5, 7, 8.5] : span < 30 ? [1, 1.5, 2, 3, 5, 7] : span < 300 ? [1, 2, 5] : [1];
  for (let power = -4; power <= 5; power++) {
    for (const each of marks) {
      const tick = Number((each * 10 ** power).toPrecision(3));
      if (tick >= low && tick <= high) ticks.push(tick);
    }
  }
  return ticks;
}

// Bands behind the rows, the line at 1.00 x and, on narrow screens, the labels.
const rowBands = {
  id: "rowBands",
  beforeDatasetsDraw(chart, _, {labels, inside}) {
    const {ctx, chartArea: {left, right}, scales: {x, y}} = chart;
    ctx.save();
    ctx.fillStyle = themeColour("--raised");
    for (let row = 0; row < labels.length; row += 2) {
      const top = y.getPixelForValue(row - 0.5);
      ctx.fillRect(left, top, right - left, y.getPixelForValue(row + 0.5) - top);
    }
    ctx.fillStyle = themeColour("--text");
    ctx.fillRect(x.getPixelForValue(1) - 1, chart.chartArea.top, 2, chart.chartArea.bottom - chart.chartArea.top);
    if (inside) {
      ctx.font = `14px ${Chart.defaults.font.family}`;
      ctx.textBaseline = "top";
      labels.forEach((label, row) => {
        ctx.fillStyle = themeColour(row % 2 ? "--page" : "--raised");
        const top = y.getPixelForValue(row - 0.5) + 3;
        ctx.fillRect(left, top, ctx.measureText(label).width + 10, 17);
        ctx.fillStyle = themeColour("--text");
        ctx.fillText(label, left + 4, top + 1, right - left - 8);
      });
    }
    ctx.restore();
  },
};

// The interval of each point: a line from its low to its high end.
const intervals = {
  id: "intervals",
  beforeDatasetDraw(chart, {index, meta}) {
    if (meta.hidden || !chart.isDatasetVisible(index)) return;
    const {ctx, scales: {x, y}} = chart;
    ctx.save();
    ctx.strokeStyle = chart.data.datasets[index].borderColor;
    ctx.lineWidth = 2;
    ctx.beginPath();
    for (const point of chart.data.datasets[index].data) {
      if (point.low === undefined) continue;
      const height = y.getPixelForValue(point.y);
      ctx.moveTo(x.getPixelForValue(Math.max(point.low, x.min)), height);
      ctx.lineTo(x.getPixelForValue(Math.min(point.high, x.max)), height);
    }
    ctx.stroke();
    ctx.restore();
  },
};

function pointLook(allocator) {
  const ours = allocator.role === "ours";
  return {
    borderColor: allocator.colour, backgroundColor: allocator.colour, pointStyle: allocator.shape,
    pointRadius: ours ? 6 : 5, pointHoverRadius: ours ? 8 : 7, borderWidth: FILLED[allocator.shape] ? 1 : 2.5,
    order: ours ? 0 : 1,
  };
}

// A chart of `which` ("time" or "memory") of each workload, relative to the
// allocator `reference`; undefined where it ran none of them.
function ratioChart(result, title, workloads, which, reference) {
  const rows = workloads.filter((workload) => {
    const base = result.measured(workload.key, reference, workload[which]);
    return base && base.value > 0;
  });
  if (!rows.length) return undefined;
  const left = workloads.filter((workload) => workload[which] && !rows.includes(workload));
  const allocators = result.allocatorsOf(rows);
  const points = new Map(allocators.map((allocator) => [allocator.key, []]));
  let low = 0.9;
  let high = 1.1;
  rows.forEach((workload, row) => {
    const base = result.measured(workload.key, reference, workload[which]).value;
    for (const allocator of allocators) {
      const summary = result.measured(workload.key, allocator.key, workload[which]);
      if (!summary || !(summary.value > 0)) continue;
      const point = {row, x: summary.value / base, workload};
      if (summary.low > 0) Object.assign(point, {low: summary.low / base, high: summary.high / base});
      points.get(allocator.key).push(point);
      if (allocator.role === "floor") continue;
      low = Math.min(low, point.low || point.x);
      high = Math.max(high, point.high || point.x);
    }
  });
  low *= 0.95;
  high *= 1.05;
  const name = result.allocator(reference).title;
  let note = `Relative to ${name} = 1.00 x; left is better. Lines through the points: intervals.`;
  if (left.length) note += ` Not shown, because ${name} did not run it: ${left.map((workload) => workload.title).join(", ")}.`;
  const label = `Chart: ${title.toLowerCase()} of each workload and allocator relative to ${name}. The table below has the numbers.`;
  return chartFigure(title, note, label, (width) => {
    const inside = width < NARROW;
    const spread = inside ? {from: -0.08, to: 0.42} : {from: -0.38, to: 0.38};
    const height = Math.max(34, Math.min(66, 8 + 5 * allocators.length)) + (inside ? 24 : 0);
    const datasets = allocators.map((allocator, index) => {
      const shift = spread.from + (spread.to - spread.from) * ((index + 0.5) / allocators.length);
      const data = points.get(allocator.key)
        .filter((point) => point.x >= low && point.x <= high)
        .map((point) => ({...point, y: point.row + shift}));
      return {label: allocator.title, data, ...pointLook(allocator)};
    });
    const lines = (item) => {
      const {workload, x} = item.raw;
      const exact = result.exact(workload.key, allocators[item.datasetIndex].key, workload[which]);
      return [item.dataset.label, `${formatRatio(x)} of ${name}`, ...exact].flatMap((line) => wrapText(line, inside ? 34 : 60));
    };
    const axis = (position) => ({
      type: "logarithmic", min: low, max: high, position,
      afterBuildTicks: (scale) => { scale.ticks = ratioTicks(low, high).map((value) => ({value})); },
      ticks: {callback: (value) => formatRound(value, "ratio"), maxRotation: 0, autoSkipPadding: 12},
    });
    return {
      height: rows.length * height + 76,
      allocators: allocators.map((allocator) => allocator.key),
      config: {
        type: "scatter",
        data: {datasets},
        plugins: [rowBands, intervals],
        options: {
          maintainAspectRatio: false,
          interaction: {mode: "nearest", intersect: false, axis: "xy"},
          scales: {
            x: axis("top"),
            bottom: {...axis("bottom"), grid: {display: false}},
            y: {
              type: "linear", reverse: true, min: -0.5, max: rows.length - 0.5, display: !inside,
              grid: {display: false},
              afterBuildTicks: (scale) => { scale.ticks = rows.map((_, row) => ({value: row})); },
              ticks: {autoSkip: false, callback: (value) => wrapText(rows[value].title, 24)},
            },
          },
          plugins: {
            legend: {display: false},
            rowBands: {labels: rows.map((workload) => workload.title), inside},
            tooltip: tooltip((item) => item.raw.workload.title, lines),
          },
        },
      },
    };
  });
}

// --- Lines --------------------------------------------------------------------

// Whether an axis of these values is better logarithmic.
function isWide(values, factor) {
  const low = Math.min(...values);
  return low > 0 && Math.max(...values) / low > factor;
}

function valueAxis(values, unit, title, factor) {
  const logarithmic = isWide(values, factor);
  const axis = {
    type: logarithmic ? "logarithmic" : "linear",
    title: {display: true, text: title},
    ticks: {callback: (value) => formatRound(value, unit), autoSkipPadding: 10, maxTicksLimit: 8},
  };
  if (!logarithmic) axis.beginAtZero = true;
  if (logarithmic) {
    axis.min = Math.min(...values) / 1.15;
    axis.max = Math.max(...values) * 1.15;
    axis.afterBuildTicks = (scale) => { scale.ticks = logTicks(scale.min, scale.max, unit).map((value) => ({value})); };
  } else if (unit === "bytes") {
    axis.ticks.stepSize = byteStep(Math.max(...values) / 5);
  }
  return axis;
}

// A round number of bytes of at least `least`.
function byteStep(least) {
  return 2 ** Math.ceil(Math.log2(Math.max(least, 1)));
}

// Round values for a logarithmic axis: powers of two of bytes, else 1, 2 and 5.
function logTicks(low, high, unit) {
  const ticks = [];
  if (unit === "bytes") {
    const step = high / low > 64 ? 2 : 1;
    for (let power = Math.ceil(Math.log2(low)); 2 ** power <= high; power += step) ticks.push(2 ** power);
    return ticks;
  }
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    for (const each of [1, 2, 5]) if (each * 10 ** power >= low && each * 10 ** power <= high) ticks.push(each * 10 ** power);
  }
  return ticks;
}

// A line chart.
//   lines    [{allocator, points: [[x, y], ...], dashed?, title?}];
//   unit     of y; xTitle, yTitle of the axes;
//   ticks    whether x has a mark at each point (threads) or none (a run's course);
//   tips     (allocator, x) -> further lines of the tooltip, optional.
function lineChart({title, note, label, lines, unit, xTitle, yTitle, ticks, tips}) {
  const values = lines.flatMap((line) => line.points.map(([, y]) => y));
  const xs = [...new Set(lines.flatMap((line) => line.points.map(([x]) => x)))].sort((a, b) => a - b);
  if (!xs.length) return undefined;
  return chartFigure(title, note, label, (width) => {
    const datasets = lines.map((line) => {
      const ours = line.allocator.role === "ours";
      const floor = line.allocator.role === "floor";
      return {
        label: line.title || line.allocator.title,
        data: line.points.map(([x, y]) => ({x, y})),
        ...pointLook(line.allocator),
        ...(ticks ? {} : {pointRadius: 0}),
        borderWidth: ours ? 3 : 1.75,
        borderDash: floor || line.dashed ? [7, 5] : [],
        tension: 0,
      };
    });
    const lookup = (item) => {
      const text = `${item.dataset.label}: ${formatValue(item.parsed.y, unit)}`;
      const more = tips ? tips(lines[item.datasetIndex].allocator, item.parsed.x) : [];
      return [text, ...more].flatMap((line) => wrapText(line, width < NARROW ? 34 : 60));
    };
    const x = {
      type: ticks && isWide(xs, 8) ? "logarithmic" : "linear",
      min: xs[0], max: xs[xs.length - 1],
      title: {display: true, text: xTitle},
      grid: {display: ticks},
      ticks: {display: ticks, callback: (value) => formatTick(value), maxRotation: 0, autoSkipPadding: 14},
      afterBuildTicks: ticks ? (axis) => { axis.ticks = xs.map((value) => ({value})); } : undefined,
    };
    return {
      height: width < NARROW ? 300 : 360,
      allocators: lines.map((line) => line.allocator.key),
      config: {
        type: "line",
        data: {datasets},
        options: {
          maintainAspectRatio: false,
          interaction: {mode: "nearest", intersect: false, axis: "xy"},
          scales: {x, y: valueAxis(values, unit, yTitle, 12)},
          plugins: {
            legend: {display: false},
            tooltip: tooltip((item) => (ticks ? `${xTitle}: ${formatTick(item.parsed.x)}` : title), lookup),
          },
        },
      },
    };
  });
}
