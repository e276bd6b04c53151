// What follows the kinds: where HAKMEM is behind, failures, the comparison with
// an earlier result, goals.
"use strict";

function behindSection(result) {
  const rows = result.analysis.behind;
  if (!rows) return undefined;
  const part = section("behind", "Where HAKMEM is not first");
  if (!rows.length) {
    part.append(h("p", {}, "Nowhere in this run."));
    return part;
  }
  const beyond = rows.filter((row) => row.beyond_noise).length;
  part.append(
    h(
      "p",
      {},
      `${plural(rows.length, "result")}, worst first; ${formatCount(beyond)} of them beyond noise.`,
    ),
    dataTable({
      caption: "Results of HAKMEM behind the first allocator of the workload",
      limit: 20,
      columns: [
        {
          title: "Allocator",
          cell: (row) => allocatorName(result.allocator(row.allocator)),
          sort: (row) => row.allocator,
          mark: () => "ours",
        },
        {
          title: "Over the first",
          number: true,
          sort: (row) => row.ratio,
          cell: (row) => formatRatio(row.ratio),
          tip: (row) =>
            [row.allocator, row.first]
              .flatMap((key) => [
                result.allocator(key).title,
                ...result.exact(row.workload, key, row.metric),
              ])
              .join("\n"),
        },
        {
          title: "Workload",
          cell: (row) => workloadLink(result, row.workload),
          sort: (row) => result.workload(row.workload).title,
        },
        {
          title: "Metric",
          cell: (row) => result.metric(row.metric).title,
          sort: (row) => row.metric,
        },
        {
          title: "First",
          cell: (row) => allocatorName(result.allocator(row.first)),
          sort: (row) => row.first,
        },
        {
          title: "Beyond noise",
          cell: (row) => (row.beyond_noise ? h("b", {}, "yes") : "no"),
          sort: (row) => (row.beyond_noise ? 0 : 1),
        },
      ],
      rows,
    }),
  );
  return part;
}

function workloadLink(result, key) {
  const workload = result.workload(key);
  return workload.kind ? h("a", {href: `#kind-${workload.kind}`}, workload.title) : workload.title;
}

// --- Failures ------------------------------------------------------------------------

function failureSection(result) {
  const failures = (result.data.samples || []).filter((sample) => sample.failure);
  const rows = [
    ...failures.map((sample) => ({
      what: result.workload(sample.workload).title,
      allocator: result.allocator(sample.allocator),
      repeat: sample.repeat,
      line: sample.failure,
    })),
    ...[...result.workloads.values()]
      .filter((workload) => workload.absent)
      .map((workload) => ({what: workload.title, line: `did not run: ${workload.absent}`})),
    ...[...result.allocators.values()]
      .filter((allocator) => allocator.absent)
      .map((allocator) => ({
        what: "all workloads",
        allocator,
        line: `took no part: ${allocator.absent}`,
      })),
  ];
  if (!rows.length) return undefined;
  return section(
    "failures",
    "What failed or did not run",
    h("p", {}, "Means and ratios leave these out."),
    dataTable({
      caption: "Failures, workloads that could not run, and allocators that took no part",
      columns: [
        {title: "Workload", cell: (row) => row.what, sort: (row) => row.what},
        {
          title: "Allocator",
          cell: (row) => (row.allocator ? allocatorName(row.allocator) : "all"),
          sort: (row) => (row.allocator ? row.allocator.title : ""),
        },
        {
          title: "Repeat",
          number: true,
          cell: (row) => (row.repeat === undefined ? none() : row.repeat + 1),
          sort: (row) => row.repeat,
        },
        {title: "What happened", cell: (row) => row.line},
      ],
      rows,
    }),
  );
}

// --- An earlier result ------------------------------------------------------------------

const VERDICTS = {
  better: () => h("b", {class: "good"}, "better"),
  worse: () => h("b", {class: "bad"}, "worse"),
  same: () => h("span", {}, "same"),
};

function againstSection(result) {
  const against = result.analysis.against;
  if (!against) return undefined;
  const names = (against.normalised_by || []).map((key) => result.allocator(key).title);
  const list =
    names.length > 1 ? `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}` : names[0];
  const rows = against.rows || [];
  const count = (verdict) => rows.filter((row) => row.verdict === verdict).length;
  const part = section("against", `Compared with ${against.file}`);
  if (list && against.drift !== undefined) {
    part.append(
      h(
        "p",
        {},
        `What did not change between the two runs (${list}) took ` +
          `${formatRatio(against.drift)} of its earlier time, so the machine itself differed by ` +
          "that much; it is taken out of the times before they are compared.",
      ),
    );
  }
  part.append(
    h(
      "p",
      {},
      `${plural(rows.length, "result")}: ${count("better")} better, ${count("worse")} worse, ` +
        `${count("same")} the same within noise.`,
    ),
  );
  const unit = (row) => result.metric(row.metric).unit;
  const rank = {worse: 0, better: 1, same: 2};
  part.append(
    dataTable({
      caption:
        `Each result before (${against.file}) and after (this run); ` +
        "the ratio is without the machine\u2019s own change",
      limit: 20,
      columns: [
        {
          title: "Allocator",
          cell: (row) => allocatorName(result.allocator(row.allocator)),
          sort: (row) => row.allocator,
          mark: (row) => oursMark(result.allocator(row.allocator)),
        },
        {
          title: "Verdict",
          cell: (row) => (VERDICTS[row.verdict] || VERDICTS.same)(),
          sort: (row) => rank[row.verdict],
        },
        {
          title: "Ratio",
          number: true,
          cell: (row) => formatRatio(row.ratio),
          sort: (row) => row.ratio,
          tip: (row) => `${row.ratio} x`,
        },
        {
          title: "Workload",
          cell: (row) => workloadLink(result, row.workload),
          sort: (row) => result.workload(row.workload).title,
        },
        {
          title: "Metric",
          cell: (row) => result.metric(row.metric).title,
          sort: (row) => row.metric,
        },
        {
          title: "Before",
          number: true,
          cell: (row) => formatValue(row.before, unit(row)),
          sort: (row) => row.before,
          tip: (row) => row.before,
        },
        {
          title: "After",
          number: true,
          cell: (row) => formatValue(row.after, unit(row)),
          sort: (row) => row.after,
          tip: (row) => row.after,
        },
      ],
      rows: [...rows].sort((a, b) => rank[a.verdict] - rank[b.verdict]),
    }),
  );
  return part;
}

// --- Goals -------------------------------------------------------------------------------

const BOUNDS = {at_most: "at most", at_least: "at least", below: "below"};

function goalSection(result, kinds) {
  const criteria = result.analysis.criteria || [];
  if (!criteria.length) return undefined;
  const scope = ({scope: key}) => {
    if (!key || key === "all") return "all workloads";
    const kind = kinds.find((each) => each.key === key);
    return kind ? kind.title : result.workload(key).title;
  };
  const number = ({criterion}, value) => formatValue(value, criterion.unit || "count");
  const groups = criteria.map((criterion) => ({
    title: [h("b", {}, criterion.title), h("span", {class: "muted"}, scope(criterion))],
    rows: criterion.values.map((value) => ({
      criterion,
      ...value,
      who: result.allocator(value.allocator),
    })),
  }));
  const rows = groups.flatMap((group) => group.rows);
  const met = rows.filter((row) => row.met).length;
  return section(
    "goals",
    "Goals of the project",
    h(
      "p",
      {},
      "What HAKMEM\u2019s developers aim at; these are no promises. " +
        `${met} of ${rows.length} were met in this run.`,
    ),
    dataTable({
      caption: "Goals, and what was measured",
      columns: [
        {title: "Allocator", cell: (row) => allocatorName(row.who), mark: () => "ours"},
        {
          title: "Limit",
          number: true,
          mark: () => "loose",
          cell: (row) => `${BOUNDS[row.criterion.bound]} ${number(row, row.criterion.limit)}`,
        },
        {
          title: "Measured",
          number: true,
          cell: (row) => (row.value === undefined ? none() : number(row, row.value)),
          tip: (row) => row.value,
        },
        {
          title: "Met",
          cell: (row) => (row.met ? h("b", {class: "good"}, "yes") : h("b", {class: "bad"}, "no")),
        },
      ],
      groups,
    }),
  );
}
