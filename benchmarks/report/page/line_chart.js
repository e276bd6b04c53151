// Line charts: scaling curves, and the course of memory over a run.
"use strict";

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
    axis.afterBuildTicks = (scale) => {
      scale.ticks = logTicks(scale.min, scale.max, unit).map((value) => ({value}));
    };
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
    for (let power = Math.ceil(Math.log2(low)); 2 ** power <= high; power += step)
      ticks.push(2 ** power);
    return ticks;
  }
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    for (const each of [1, 2, 5])
      if (each * 10 ** power >= low && each * 10 ** power <= high) ticks.push(each * 10 ** power);
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
  const xs = [...new Set(lines.flatMap((line) => line.points.map(([x]) => x)))].sort(
    (a, b) => a - b,
  );
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
        clip: 8,
      };
    });
    const lookup = (item) => {
      const text = `${item.dataset.label}: ${formatValue(item.parsed.y, unit)}`;
      const more = tips ? tips(lines[item.datasetIndex].allocator, item.parsed.x) : [];
      return [text, ...more].flatMap((line) => wrapText(line, width < NARROW ? 34 : 60));
    };
    const x = {
      type: ticks && isWide(xs, 8) ? "logarithmic" : "linear",
      min: xs[0],
      max: xs[xs.length - 1],
      title: {display: true, text: xTitle},
      grid: {display: ticks},
      ticks: {
        display: ticks,
        callback: (value) => formatTick(value),
        maxRotation: 0,
        autoSkipPadding: 14,
      },
      afterBuildTicks: ticks
        ? (axis) => {
            axis.ticks = xs.map((value) => ({value}));
          }
        : undefined,
    };
    return {
      height: width < NARROW ? 300 : 360,
      allocators: lines.map((line) => line.allocator.key),
      config: {
        type: "line",
        data: {datasets},
        options: {
          maintainAspectRatio: false,
          layout: {padding: {right: 10}},
          interaction: {mode: "nearest", intersect: false, axis: "xy"},
          scales: {x, y: valueAxis(values, unit, yTitle, 12)},
          plugins: {
            legend: {display: false},
            tooltip: tooltip(
              (item) => (ticks ? `${xTitle}: ${formatTick(item.parsed.x)}` : title),
              lookup,
            ),
          },
        },
      },
    };
  });
}
