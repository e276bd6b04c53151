// One section for each kind of workload: charts and tables of time and memory,
// curves, and the course of memory over a run.
"use strict";

const kindId = (kind) => `kind-${kind.key}`;

function kindSection(result, kind) {
  const workloads = result.workloadsOf(kind.key);
  const allocators = result.allocatorsOf(workloads);
  const reference = result.reference(kind.key);
  const who = reference && result.allocator(reference);
  const intro = who
    ? `${plural(workloads.length, "workload")}. The best single peer of this kind is ` +
      `${who.title}: ratios refer to it.`
    : `${plural(workloads.length, "workload")}.`;
  const part = section(kindId(kind), kind.title, h("p", {}, intro));
  if (!workloads.length) return part;
  part.append(chartKey(allocators));
  if (reference) {
    const charts = [
      ["time", "Time"],
      ["memory", "Memory"],
    ]
      .map(([which, title]) =>
        ratioChart(result, titleOf(result, workloads, which, title), workloads, which, reference),
      )
      .filter(Boolean);
    part.append(h("div", {class: "charts"}, charts));
  }
  const mean = result.mean(kind.key);
  if (mean) part.append(h("h3", {}, "On average"), meanTable(result, mean, kind));
  part.append(h("h3", {}, "Each workload"), ...workloadTable(result, workloads, kind, reference));
  const curves = curveFigures(result, kind);
  if (curves.length) part.append(h("h3", {}, "Scaling"), h("div", {class: "charts"}, curves));
  const runs = workloads.map((workload) => seriesFigure(result, workload)).filter(Boolean);
  if (runs.length)
    part.append(h("h3", {}, "Memory over the run"), h("div", {class: "charts"}, runs));
  const others = otherTable(result, workloads);
  if (others) part.append(others);
  return part;
}

// The title of the metric that stands for time or memory, if it is one.
function titleOf(result, workloads, which, fallback) {
  const keys = new Set(workloads.map((workload) => workload[which]).filter(Boolean));
  if (keys.size !== 1) return fallback;
  const {title} = result.metric([...keys][0]);
  return title[0].toUpperCase() + title.slice(1);
}

const none = () => h("span", {class: "muted"}, "\u2013");
const ratioCell = (value) => (value === undefined ? none() : formatRatio(value));
const oursMark = (allocator) => allocator.role === "ours" && "ours";

function meanTable(result, mean, kind) {
  const peer = result.allocator(mean.best_peer).title;
  const who = (row) => result.allocator(row.allocator);
  const ratio = (title, key, help) => ({
    title,
    help,
    number: true,
    sort: (row) => row[key],
    cell: (row) => ratioCell(row[key]),
    tip: (row) => (row[key] === undefined ? undefined : `${row[key]} x`),
  });
  return dataTable({
    caption:
      `${kind.title}: geometric means over ${plural(mean.workloads, "workload")}, ` +
      `relative to ${peer}`,
    columns: [
      {
        title: "Allocator",
        cell: (row) => allocatorName(who(row)),
        sort: (row) => who(row).title,
        mark: (row) => oursMark(who(row)),
      },
      ratio("Time", "time"),
      ratio("Memory", "memory"),
      ratio(
        "Memory over the leanest",
        "memory_over_leanest",
        "Relative to the allocator with the least memory in each workload",
      ),
    ],
    rows: mean.rows,
  });
}

// --- Each workload -------------------------------------------------------------------

// The allocator with the best value, of ours and the peers.
function firstOf(result, workload, metric) {
  const higher = result.metric(metric).better === "higher";
  const better = (a, b) => (higher ? a > b : a < b);
  let first;
  for (const {key, role} of result.allocators.values()) {
    const summary = role !== "floor" && result.measured(workload.key, key, metric);
    if (summary && (!first || better(summary.value, first.value))) {
      first = {key, value: summary.value};
    }
  }
  return first && first.key;
}

function workloadGroup(result, workload, reference) {
  const firsts = {
    time: firstOf(result, workload, workload.time),
    memory: firstOf(result, workload, workload.memory),
  };
  const rows = [];
  for (const allocator of result.allocatorsOf([workload])) {
    const cell = result.cell(workload.key, allocator.key);
    const row = {workload, allocator, above: cell.above_floor_ns};
    for (const which of ["time", "memory"]) {
      const summary = result.measured(workload.key, allocator.key, workload[which]);
      const base = reference && result.measured(workload.key, reference, workload[which]);
      row[which] = summary;
      if (summary && base && base.value > 0) row[`${which}Ratio`] = summary.value / base.value;
      if (firsts[which] === allocator.key) row[`${which}First`] = true;
    }
    row.main =
      allocator.role !== "peer" || allocator.key === reference || row.timeFirst || row.memoryFirst;
    rows.push(row);
  }
  rows.sort((a, b) => order((a.time || a.memory || {}).value, (b.time || b.memory || {}).value, 1));
  const threads = workload.threads > 1 ? `${plural(workload.threads, "thread")}. ` : "";
  const failed = [...result.allocators.values()].filter((allocator) =>
    result.samplesOf(workload.key, allocator.key).some((sample) => sample.failure),
  );
  const title = [
    h("b", {}, workload.title),
    h("span", {class: "muted"}, threads + (workload.description || "")),
    failed.length > 0 &&
      h(
        "a",
        {href: "#failures"},
        ` Failed here: ${failed.map((allocator) => allocator.title).join(", ")}.`,
      ),
  ];
  return {title, rows};
}

// A column of values with their intervals below.
function valueColumn(result, which, title) {
  return {
    title,
    number: true,
    sort: (row) => row[which] && row[which].value,
    tip: (row) =>
      result.exact(row.workload.key, row.allocator.key, row.workload[which]).join("\n") ||
      undefined,
    mark: (row) => row[`${which}First`] && "first-cell",
    cell: (row) => {
      const summary = row[which];
      if (!summary) return none();
      const {unit} = result.metric(row.workload[which]);
      const text = formatValue(summary.value, unit);
      return h(
        "span",
        {},
        row[`${which}First`] ? h("span", {class: "first"}, text) : text,
        summary.low !== undefined &&
          h("span", {class: "range"}, formatRange(summary.low, summary.high, unit)),
      );
    },
  };
}

function workloadTable(result, workloads, kind, reference) {
  const groups = workloads.map((workload) => workloadGroup(result, workload, reference));
  const rows = groups.flatMap((group) => group.rows);
  const versus = reference && `Over ${result.allocator(reference).title}`;
  const ratio = (which) => ({
    title: versus,
    number: true,
    sort: (row) => row[`${which}Ratio`],
    cell: (row) => ratioCell(row[`${which}Ratio`]),
    tip: (row) => row[`${which}Ratio`] && `${row[`${which}Ratio`]} x`,
  });
  const columns = [
    {
      title: "Allocator",
      cell: (row) => allocatorName(row.allocator),
      sort: (row) => row.allocator.title,
      mark: (row) => oursMark(row.allocator),
    },
  ];
  for (const [which, title] of [
    ["time", "Time"],
    ["memory", "Memory"],
  ]) {
    if (!rows.some((row) => row[which])) continue;
    columns.push(valueColumn(result, which, titleOf(result, workloads, which, title)));
    if (versus) columns.push(ratio(which));
    if (which === "time" && rows.some((row) => row.above !== undefined)) {
      columns.push({
        title: "Above the floor",
        number: true,
        sort: (row) => row.above,
        cell: (row) => (row.above === undefined ? none() : formatNs(row.above)),
        tip: (row) => (row.above === undefined ? undefined : `${row.above} ns`),
      });
    }
  }
  const box = dataTable({
    caption:
      `${kind.title}: medians, with intervals below them. ` +
      "A star marks the first of the allocators.",
    columns,
    groups,
    rowClass: (row) => (row.main ? undefined : "extra"),
    full: true,
  });
  if (rows.every((row) => row.main)) return [box];
  const table = box.querySelector("table");
  table.classList.add("brief");
  return [
    briefSwitch(
      table,
      "Show all allocators",
      "Show HAKMEM, the best single peer and the first only",
    ),
    box,
  ];
}

// --- Curves --------------------------------------------------------------------------

function curveFigures(result, kind) {
  const kindOf = (key) => {
    const member = [...result.workloads.values()].find(
      (workload) => workload.curve && workload.curve.key === key,
    );
    return member && member.kind;
  };
  return (result.analysis.curves || [])
    .filter((curve) => kindOf(curve.key) === kind.key)
    .map((curve) => {
      const metric = result.metric(curve.metric);
      const member = (x) =>
        [...result.workloads.values()].find(
          (workload) =>
            workload.curve && workload.curve.key === curve.key && workload.curve.x === x,
        );
      const figure = lineChart({
        title: `${curve.title}: ${metric.title}`,
        note: metric.better === "higher" ? "Higher is better." : "Lower is better.",
        label: `Chart: ${metric.title} by ${curve.x_title}. The fold-out below has the numbers.`,
        lines: curve.lines.map((line) => ({
          allocator: result.allocator(line.allocator),
          points: line.points,
        })),
        unit: metric.unit,
        xTitle: curve.x_title,
        yTitle: metric.title,
        ticks: true,
        tips: (allocator, x) => {
          const workload = member(x);
          return workload ? result.exact(workload.key, allocator.key, curve.metric).slice(1) : [];
        },
      });
      if (figure) figure.append(fold("The numbers", curveTable(result, curve, metric)));
      return figure;
    })
    .filter(Boolean);
}

function curveTable(result, curve, metric) {
  const xs = [...new Set(curve.lines.flatMap((line) => line.points.map(([x]) => x)))].sort(
    (a, b) => a - b,
  );
  const at = (line, x) => (line.points.find((point) => point[0] === x) || [])[1];
  return dataTable({
    caption: `${curve.title}: ${metric.title} by ${curve.x_title}`,
    columns: [
      {
        title: "Allocator",
        cell: (line) => allocatorName(result.allocator(line.allocator)),
        mark: (line) => oursMark(result.allocator(line.allocator)),
      },
      ...xs.map((x) => ({
        title: `${formatTick(x)}`,
        number: true,
        sort: (line) => at(line, x),
        cell: (line) =>
          at(line, x) === undefined ? none() : formatValue(at(line, x), metric.unit),
        tip: (line) => at(line, x),
      })),
    ],
    rows: curve.lines,
  });
}

// --- Memory over a run ------------------------------------------------------------------

// Resident memory of each allocator over the run of one workload, and the live
// bytes of the program (dashed); undefined without series.
function seriesFigure(result, workload) {
  const lines = [];
  let live;
  for (const allocator of result.allocatorsOf([workload])) {
    const sample = result
      .samplesOf(workload.key, allocator.key)
      .find((each) => each.series && each.series.length > 1);
    if (!sample) continue;
    const place = (step) => step / (sample.series.length - 1);
    lines.push({
      allocator,
      points: sample.series.map(([, resident], step) => [place(step), resident]),
    });
    if (!live) live = sample.series.map(([bytes], step) => [place(step), bytes]);
  }
  if (!lines.length) return undefined;
  const program = {
    key: "",
    title: "live bytes of the program",
    role: "floor",
    colour: "--muted",
    shape: "line",
  };
  lines.push({allocator: program, points: live, dashed: true});
  return lineChart({
    title: workload.title,
    note: "Resident memory; dashed: the bytes that the program holds. First repeat.",
    label: `Chart: resident memory of each allocator over the run of ${workload.title}.`,
    lines,
    unit: "bytes",
    xTitle: "course of the run",
    yTitle: "memory",
    ticks: false,
  });
}

// --- The other metrics -----------------------------------------------------------------

function otherTable(result, workloads) {
  const keys = [...result.metrics.keys()].filter((key) =>
    workloads.some(
      (workload) =>
        workload.time !== key &&
        workload.memory !== key &&
        result
          .allocatorsOf([workload])
          .some((allocator) => result.measured(workload.key, allocator.key, key)),
    ),
  );
  if (!keys.length) return undefined;
  const groups = workloads
    .map((workload) => ({
      title: h("b", {}, workload.title),
      rows: result
        .allocatorsOf([workload])
        .map((allocator) => ({workload, allocator}))
        .filter((row) => keys.some((key) => result.measured(workload.key, row.allocator.key, key))),
    }))
    .filter((group) => group.rows.length);
  const columns = [
    {
      title: "Allocator",
      cell: (row) => allocatorName(row.allocator),
      sort: (row) => row.allocator.title,
      mark: (row) => oursMark(row.allocator),
    },
  ];
  for (const key of keys) {
    const metric = result.metric(key);
    const of = (row) => result.measured(row.workload.key, row.allocator.key, key);
    columns.push({
      title: metric.title[0].toUpperCase() + metric.title.slice(1),
      number: true,
      sort: (row) => of(row) && of(row).value,
      cell: (row) => (of(row) ? formatValue(of(row).value, metric.unit) : none()),
      tip: (row) => result.exact(row.workload.key, row.allocator.key, key).join("\n") || undefined,
    });
  }
  return fold("Other measurements", dataTable({caption: "Other measurements", columns, groups}));
}
