// Numbers as text: one function for each unit of the metric table, and what is
// built on them. Values are in base units: ns, bytes, plain counts.
"use strict";

const TIME_STEPS = [
  [1e9, "s"],
  [1e6, "ms"],
  [1e3, "\u00b5s"],
  [1, "ns"],
];
const BYTE_STEPS = [
  [2 ** 40, "TiB"],
  [2 ** 30, "GiB"],
  [2 ** 20, "MiB"],
  [2 ** 10, "KiB"],
  [1, "B"],
];
const COUNT_STEPS = [
  [1e9, "G"],
  [1e6, "M"],
  [1, ""],
];
const RATE_STEPS = [
  [1e9, "G/s"],
  [1e6, "M/s"],
  [1e3, "k/s"],
  [1, "/s"],
];

// By decimals. They are kept because making one is slow.
const NUMBERS = [0, 1, 2, 3].map(
  (decimals) =>
    new Intl.NumberFormat("en-US", {
      minimumFractionDigits: decimals,
      maximumFractionDigits: decimals,
    }),
);

// Three significant digits below 1000, whole numbers with separators above.
function digits(value) {
  const size = Math.abs(value);
  if (size === 0) return "0";
  const decimals = size >= 99.95 ? 0 : size >= 9.995 ? 1 : size >= 0.1 ? 2 : 3;
  return NUMBERS[decimals].format(value);
}

// The largest step that `value` fills.
function stepOf(value, steps) {
  return steps.find(([size]) => Math.abs(value) >= size) || steps[steps.length - 1];
}

function withStep(value, [size, unit]) {
  const whole = size === 1 && Number.isInteger(value);
  const text = whole ? NUMBERS[0].format(value) : digits(value / size);
  return unit ? `${text} ${unit}` : text;
}

const formatNs = (value) => withStep(value, stepOf(value, TIME_STEPS));
const formatBytes = (value) => withStep(value, stepOf(value, BYTE_STEPS));
// A plain number: whole ones whole.
const formatCount = (value) =>
  Number.isInteger(value) && Math.abs(value) < 1e7
    ? NUMBERS[0].format(value)
    : withStep(value, stepOf(value, COUNT_STEPS));
const formatRatio = (value) => `${digits(value)} x`;
const formatPerSecond = (value) => withStep(value, stepOf(value, RATE_STEPS));
const formatPercent = (value) => `${digits(value)} %`;

const FORMATS = {
  ns: formatNs,
  bytes: formatBytes,
  count: formatCount,
  ratio: formatRatio,
  per_second: formatPerSecond,
  percent: formatPercent,
};
const STEPS = {ns: TIME_STEPS, bytes: BYTE_STEPS, per_second: RATE_STEPS};

// A value in a unit of the metric table.
function formatValue(value, unit) {
  return (FORMATS[unit] || formatCount)(value);
}

// "6.89 to 7.17 ns": both ends in the step of the larger one.
function formatRange(low, high, unit) {
  const steps = STEPS[unit];
  if (!steps) return `${formatValue(low, unit)} to ${formatValue(high, unit)}`;
  const [size, name] = stepOf(high, steps);
  return `${digits(low / size)} to ${digits(high / size)} ${name}`;
}

// The same without zeros after the point, for axes: "64 MiB", not "64.0 MiB".
function formatRound(value, unit) {
  return formatValue(value, unit).replace(/(\.\d*?)0+(?= |$)/, (_, kept) =>
    kept === "." ? "" : kept,
  );
}

// A plain number on an axis, where room is scarce: 65536 is "64 Ki".
function formatTick(value) {
  for (const [size, name] of [
    [2 ** 30, "Gi"],
    [2 ** 20, "Mi"],
    [2 ** 10, "Ki"],
  ]) {
    if (value >= size && value % size === 0) return `${value / size} ${name}`;
  }
  return formatCount(value);
}

// A length of time in seconds, for people: "23 min 53 s".
function formatDuration(seconds) {
  if (seconds < 60) return `${digits(seconds)} s`;
  const whole = Math.round(seconds);
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours ? `${hours} h ${minutes} min` : `${minutes} min ${whole % 60} s`;
}

// "25 November 2026, 12:46 UTC" of an ISO date.
function formatDate(iso) {
  const date = new Date(iso);
  if (isNaN(date)) return iso;
  const day = date.toLocaleDateString("en-GB", {
    day: "numeric",
    month: "long",
    year: "numeric",
    timeZone: "UTC",
  });
  return `${day}, ${date.toISOString().slice(11, 16)} UTC`;
}

// "1 workload", "3 workloads".
function plural(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}
