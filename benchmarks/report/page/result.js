// The result (result.json, format 1) with the look-ups that the views need, and
// the colour and shape of each allocator.
"use strict";

// Ours: two related strong hues, then shades of them. Peers: quieter, chosen so
// that they, the first two of ours and the floor stay apart in protanopia,
// deuteranopia and tritanopia; shapes help too. All have a contrast of 3:1
// against the light and the dark page, so that both themes share them.
const OUR_COLOURS = ["#1f6feb", "#0b93b8", "#4b57d6", "#0f8a80", "#6a78f0", "#2d7fa8"];
const PEER_COLOURS = [
  "#ac6b59",
  "#7a6622",
  "#af4162",
  "#99943a",
  "#91528a",
  "#675dad",
  "#d4757d",
  "#b2895b",
  "#15783d",
];
const FLOOR_COLOUR = "#808790";
const OUR_SHAPES = ["circle", "rectRot"];
const PEER_SHAPES = ["triangle", "rect", "crossRot", "star", "cross"];

// Shapes on a field of 16 by 16: filled ones, then those made of lines.
const FILLED = {
  circle: "M8 2a6 6 0 1 0 .01 0z",
  rectRot: "M8 1l7 7-7 7-7-7z",
  triangle: "M8 2l6.5 11.5h-13z",
  rect: "M3 3h10v10h-10z",
};
const DRAWN = {
  crossRot: "M3 3l10 10M13 3l-10 10",
  cross: "M8 2v12M2 8h12",
  star: "M8 2v12M2 8h12M4 4l8 8M12 4l-8 8",
  line: "M1 8h14",
};

class Result {
  constructor(data) {
    this.data = data;
    this.analysis = data.analysis || {};
    this.metrics = new Map((data.metrics || []).map((metric) => [metric.key, metric]));
    this.workloads = new Map((data.workloads || []).map((workload) => [workload.key, workload]));
    this.allocators = new Map();
    const counts = {ours: 0, peer: 0, floor: 0};
    for (const allocator of data.allocators || []) {
      const nth = counts[allocator.role]++;
      this.allocators.set(allocator.key, {...allocator, ...Result.look(allocator.role, nth)});
    }
    this.cells = new Map(
      (this.analysis.cells || []).map((cell) => [`${cell.workload}\n${cell.allocator}`, cell]),
    );
    this.samples = new Map();
    for (const sample of data.samples || []) {
      const key = `${sample.workload}\n${sample.allocator}`;
      if (!this.samples.has(key)) this.samples.set(key, []);
      this.samples.get(key).push(sample);
    }
  }

  static look(role, nth) {
    const pick = (list) => list[nth % list.length];
    if (role === "ours") return {colour: pick(OUR_COLOURS), shape: pick(OUR_SHAPES)};
    if (role === "floor") return {colour: FLOOR_COLOUR, shape: "line"};
    return {colour: pick(PEER_COLOURS), shape: pick(PEER_SHAPES)};
  }

  allocator(key) {
    return (
      this.allocators.get(key) || {
        key,
        title: key,
        role: "peer",
        colour: FLOOR_COLOUR,
        shape: "rect",
      }
    );
  }

  metric(key) {
    return this.metrics.get(key) || {key, title: key, unit: "count"};
  }

  workload(key) {
    return this.workloads.get(key) || {key, title: key};
  }

  cell(workload, allocator) {
    return this.cells.get(`${workload}\n${allocator}`);
  }

  // The summary of one metric in one cell: {value, low, high, samples}, or
  // undefined.
  measured(workload, allocator, metric) {
    const cell = metric && this.cell(workload, allocator);
    return cell && cell.metrics[metric];
  }

  samplesOf(workload, allocator) {
    return this.samples.get(`${workload}\n${allocator}`) || [];
  }

  // Exact values for a tooltip, as lines.
  exact(workload, allocator, metricKey) {
    const summary = this.measured(workload, allocator, metricKey);
    if (!summary) return [];
    const metric = this.metric(metricKey);
    const lines = [
      `${metric.title}: ${formatValue(summary.value, metric.unit)} ` +
        `(${metric.aggregation || "value"} ${summary.value})`,
    ];
    if (summary.low !== undefined)
      lines.push(`interval: ${formatRange(summary.low, summary.high, metric.unit)}`);
    const values = this.samplesOf(workload, allocator)
      .map((sample) => sample.values && sample.values[metricKey])
      .filter((value) => value !== undefined);
    if (values.length)
      lines.push(`samples: ${values.map((value) => formatValue(value, metric.unit)).join(", ")}`);
    return lines;
  }

  workloadsOf(kind) {
    return [...this.workloads.values()].filter(
      (workload) => workload.kind === kind && !workload.absent,
    );
  }

  // The allocators with a cell in one of these workloads, in the file's order.
  allocatorsOf(workloads) {
    return [...this.allocators.values()].filter((allocator) =>
      workloads.some((workload) => this.cell(workload.key, allocator.key)),
    );
  }

  mean(scope) {
    return (this.analysis.means || []).find((mean) => mean.scope === scope);
  }

  // The peer that ratios of a kind refer to.
  reference(kind) {
    const mean = this.mean(kind);
    const headline = this.analysis.headline;
    return (mean && mean.best_peer) || (headline && headline.versus);
  }
}

// The mark of an allocator: its colour and shape.
function mark(allocator) {
  const {colour, shape} = allocator;
  const path = FILLED[shape]
    ? svg("path", {d: FILLED[shape], fill: colour})
    : svg("path", {d: DRAWN[shape], fill: "none", stroke: colour, "stroke-width": 2.6});
  return svg("svg", {class: "mark", viewBox: "0 0 16 16", "aria-hidden": "true"}, path);
}

// Mark and name of an allocator.
function allocatorName(allocator) {
  return h(
    "span",
    {class: allocator.role === "ours" ? "name ours" : "name"},
    mark(allocator),
    h("span", {}, allocator.title),
  );
}
