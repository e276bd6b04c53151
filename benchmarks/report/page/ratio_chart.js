// The chart of ratios: a row for each workload, a point for each allocator, at its
// value relative to one peer, and a line for the point's interval.
"use strict";

// Marks of a ratio axis between `low` and `high`.
function ratioTicks(low, high) {
  const span = high / low;
  const ticks = [];
  if (span < 3) {
    const step = span < 1.25 ? 0.05 : span < 1.6 ? 0.1 : 0.25;
    for (let tick = Math.ceil(low / step); tick * step <= high; tick++)
      ticks.push(Number((tick * step).toFixed(2)));
    return ticks;
  }
  const marks =
    span < 6
      ? [1, 1.2, 1.5, 2, 3, 4, 5, 7, 8.5]
      : span < 30
        ? [1, 1.5, 2, 3, 5, 7]
        : span < 300
          ? [1, 2, 5]
          : [1];
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
    const {
      ctx,
      chartArea: {left, right},
      scales: {x, y},
    } = chart;
    ctx.save();
    ctx.fillStyle = themeColour("--raised");
    for (let row = 0; row < labels.length; row += 2) {
      const top = y.getPixelForValue(row - 0.5);
      ctx.fillRect(left, top, right - left, y.getPixelForValue(row + 0.5) - top);
    }
    ctx.fillStyle = themeColour("--text");
    ctx.fillRect(
      x.getPixelForValue(1) - 1,
      chart.chartArea.top,
      2,
      chart.chartArea.bottom - chart.chartArea.top,
    );
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
    const {
      ctx,
      scales: {x, y},
    } = chart;
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
      if (summary.low > 0)
        Object.assign(point, {low: summary.low / base, high: summary.high / base});
      points.get(allocator.key).push(point);
      if (allocator.role === "floor") continue;
      low = Math.min(low, point.low || point.x);
      high = Math.max(high, point.high || point.x);
    }
  });
  low *= 0.95;
  high *= 1.05;
  const name = result.allocator(reference).title;
  const side = result.metric(rows[0][which]).better === "higher" ? "right" : "left";
  let note =
    `Relative to ${name} = 1.00 x; ${side} is better. ` + "Lines through the points: intervals.";
  if (left.length) {
    const titles = left.map((workload) => workload.title).join(", ");
    note += ` Not shown, because ${name} did not run it: ${titles}.`;
  }
  const label =
    `Chart: ${title.toLowerCase()} of each workload and allocator relative to ${name}. ` +
    "The table below has the numbers.";
  return chartFigure(title, note, label, (width) => {
    const inside = width < NARROW;
    const spread = inside ? {from: -0.08, to: 0.42} : {from: -0.38, to: 0.38};
    const height = Math.max(34, Math.min(66, 8 + 5 * allocators.length)) + (inside ? 24 : 0);
    const datasets = allocators.map((allocator, index) => {
      const shift = spread.from + (spread.to - spread.from) * ((index + 0.5) / allocators.length);
      const data = points
        .get(allocator.key)
        .filter((point) => point.x >= low && point.x <= high)
        .map((point) => ({...point, y: point.row + shift}));
      return {label: allocator.title, data, ...pointLook(allocator)};
    });
    const lines = (item) => {
      const {workload, x} = item.raw;
      const exact = result.exact(workload.key, allocators[item.datasetIndex].key, workload[which]);
      return [item.dataset.label, `${formatRatio(x)} of ${name}`, ...exact].flatMap((line) =>
        wrapText(line, inside ? 34 : 60),
      );
    };
    const axis = (position) => ({
      type: "logarithmic",
      min: low,
      max: high,
      position,
      afterBuildTicks: (scale) => {
        scale.ticks = ratioTicks(low, high).map((value) => ({value}));
      },
      ticks: {
        callback: (value) => formatRound(value, "ratio"),
        maxRotation: 0,
        autoSkipPadding: 12,
      },
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
              type: "linear",
              reverse: true,
              min: -0.5,
              max: rows.length - 0.5,
              display: !inside,
              grid: {display: false},
              afterBuildTicks: (scale) => {
                scale.ticks = rows.map((_, row) => ({value: row}));
              },
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
