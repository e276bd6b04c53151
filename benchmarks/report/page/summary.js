// The first screen: what ran where, whether to switch, and how to read the rest.
"use strict";

function header(result) {
  const {data} = result;
  const machine = data.machine || {};
  const suite = data.suite || {};
  const line = [
    machine.cpu,
    machine.cores !== undefined && plural(machine.cores, "core"),
    machine.memory_bytes !== undefined && formatBytes(machine.memory_bytes),
    machine.system,
    data.started && formatDate(data.started),
    data.seconds !== undefined && `took ${formatDuration(data.seconds)}`,
    data.repeats !== undefined && plural(data.repeats, "repeat"),
  ].filter(Boolean);
  const facts = [
    ["Command", data.command && h("code", {}, data.command)],
    ["Suite", [suite.title, suite.description].filter(Boolean).join(": ")],
    ["Processor", machine.cpu],
    ["Cores", machine.cores],
    ["Caches", machine.caches],
    ["Memory", machine.memory_bytes !== undefined && formatBytes(machine.memory_bytes)],
    ["System", [machine.system, machine.kernel].filter(Boolean).join(", ")],
    ["Huge pages", machine.huge_pages],
    ["Load at the start", machine.load_at_start !== undefined && digits(machine.load_at_start)],
    ["Program", data.tool && `${data.tool.name} ${data.tool.version}`],
  ].filter(([, value]) => value !== undefined && value !== false && value !== "");
  return h(
    "header",
    {},
    h("h1", {}, `Allocator benchmarks: ${suite.title || "results"}`),
    h(
      "p",
      {class: "muted list", id: "machine"},
      line.map((item) => h("span", {}, item)),
    ),
    data.command && h("p", {class: "command", title: data.command}, h("code", {}, data.command)),
    fold(
      "Machine, command and allocators",
      h(
        "dl",
        {class: "facts"},
        facts.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]),
      ),
      allocatorTable(result),
    ),
    data.interrupted &&
      h("p", {class: "notice"}, "The run was interrupted: results are incomplete."),
  );
}

function allocatorTable(result) {
  const roles = {ours: "HAKMEM", peer: "peer", floor: "floor"};
  return dataTable({
    caption: "Allocators of this run",
    columns: [
      {title: "Allocator", cell: allocatorName, mark: (row) => row.role === "ours" && "ours"},
      {title: "Role", cell: (row) => roles[row.role] || row.role},
      {title: "Version", cell: (row) => row.version},
      {title: "Library", cell: (row) => row.library && h("code", {}, row.library)},
      {title: "Took part", cell: (row) => (row.absent ? `no: ${row.absent}` : "yes")},
    ],
    rows: [...result.allocators.values()],
  });
}

// --- Should I switch, and what does it cost -----------------------------------------

// One bar: `ratio` on a scale that ends at `end`, with a line at 1.
function bar(ratio, end, allocator, what) {
  if (ratio === undefined) return h("span", {class: "muted"}, "not measured");
  const width = (100 * Math.min(ratio, end)) / end;
  const fill = h("div", {
    class: ratio > end ? "fill over" : "fill",
    style: `width: ${width.toFixed(1)}%; background: ${allocator.colour}`,
  });
  return h(
    "div",
    {class: "bar", title: `${allocator.title}: ${what} ${ratio} x`},
    h(
      "div",
      {class: "track", "aria-hidden": "true"},
      fill,
      h("div", {class: "one", style: `left: calc(${(100 / end).toFixed(1)}% - 1px)`}),
    ),
    h("div", {class: "value"}, formatRatio(ratio)),
  );
}

// How many workloads both allocators ran.
function sharedWorkloads(result, one, other) {
  return [...result.workloads.keys()].filter(
    (key) => result.cell(key, one) && result.cell(key, other),
  ).length;
}

function bars(result, headline) {
  const rows = headline.bars.map((row) => ({
    ...row,
    who: result.allocator(row.allocator),
    shared: sharedWorkloads(result, row.allocator, headline.versus),
  }));
  // Means over few workloads are no match for means over all: they come last.
  const most = Math.max(...rows.map((row) => row.shared));
  for (const row of rows) row.partial = row.shared < 0.9 * most;
  rows.sort((a, b) => a.partial - b.partial || order(a.time, b.time, 1));
  const ratios = rows
    .flatMap((row) => [row.time, row.memory])
    .filter((ratio) => ratio !== undefined);
  const end = Math.max(1.2, Math.min(2.5, Math.max(...ratios)));
  const versus = result.allocator(headline.versus).title;
  const column = (key, title) => ({
    title,
    sort: (row) => row[key],
    cell: (row) => bar(row[key], end, row.who, title.toLowerCase()),
  });
  return dataTable({
    caption:
      `Time and memory relative to ${versus}, the best single peer (the line at 1.00 x). ` +
      "Shorter is better. Geometric means over the workloads that both ran.",
    className: "bars",
    full: true,
    columns: [
      {
        title: "Allocator",
        sort: (row) => row.who.title,
        mark: (row) => row.who.role === "ours" && "ours",
        cell: (row) =>
          h(
            "span",
            {},
            allocatorName(row.who),
            row.partial &&
              h(
                "span",
                {class: "part"},
                `only ${formatCount(row.shared)} of ${plural(most, "workload")}`,
              ),
          ),
      },
      column("time", "Time"),
      column("memory", "Memory"),
    ],
    rows,
  });
}

// The ratios of our allocators kind by kind.
function kindTable(result, kinds) {
  const rows = kinds.map((kind) => ({kind, mean: result.mean(kind.key)})).filter((row) => row.mean);
  if (!rows.length) return undefined;
  const of = (row, allocator) =>
    row.mean.rows.find((mean) => mean.allocator === allocator.key) || {};
  // Variants that ran in a few kinds only are in the sections of those.
  const ours = [...result.allocators.values()].filter(
    (allocator) =>
      allocator.role === "ours" &&
      rows.filter((row) => of(row, allocator).memory !== undefined).length > rows.length / 2,
  );
  const cell = (value) =>
    value === undefined ? h("span", {class: "muted"}, "\u2013") : formatRatio(value);
  const heads = [{title: "", span: 2}];
  const columns = [
    {
      title: "Kind",
      sort: (row) => row.kind.title,
      cell: (row) => h("a", {href: `#${kindId(row.kind)}`}, row.kind.title),
    },
    {
      title: "Best single peer",
      sort: (row) => row.mean.best_peer,
      cell: (row) => allocatorName(result.allocator(row.mean.best_peer)),
    },
  ];
  for (const allocator of ours) {
    heads.push({title: allocatorName(allocator), span: 2});
    columns.push(
      {
        title: "Time",
        number: true,
        sort: (row) => of(row, allocator).time,
        cell: (row) => cell(of(row, allocator).time),
      },
      {
        title: "Memory",
        number: true,
        sort: (row) => of(row, allocator).memory,
        cell: (row) => cell(of(row, allocator).memory),
      },
    );
  }
  return dataTable({
    caption: "HAKMEM by kind of workload, relative to the best single peer of that kind",
    heads,
    columns,
    rows,
  });
}

function summary(result, kinds) {
  const headline = result.analysis.headline;
  const part = h(
    "section",
    {id: "short", class: "short", "aria-labelledby": "short-title"},
    h("h2", {id: "short-title"}, "Should I switch, and what does it cost?"),
  );
  if (headline) {
    part.append(h("p", {class: "lead"}, headline.sentence));
    if (headline.bars && headline.bars.length) part.append(bars(result, headline));
  } else {
    part.append(
      h(
        "p",
        {class: "lead"},
        "This run compared HAKMEM with no other allocator, so it gives no answer.",
      ),
    );
  }
  const table = kindTable(result, kinds);
  if (table) part.append(h("h3", {}, "By kind of workload"), table);
  return part;
}

// --- How to read --------------------------------------------------------------------

// The text is in report.html.
function howToRead() {
  const text = document.getElementById("reading-text").content.cloneNode(true);
  return section("reading", "How to read this", text);
}
