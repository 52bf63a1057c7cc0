// Line charts on a log or linear x axis, redrawn at every width. A series is told by color, marker and dash.

const MARKERS = [
  (r) => `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`, // circle
  (r) => `M${-r} ${-r}h${2 * r}v${2 * r}h${-2 * r}z`, // square
  (r) => `M0 ${-1.25 * r}L${1.2 * r} ${r}H${-1.2 * r}z`, // triangle
  (r) => `M0 ${-1.35 * r}L${1.35 * r} 0 0 ${1.35 * r} ${-1.35 * r} 0z`, // diamond
  (r) => `M0 ${1.25 * r}L${1.2 * r} ${-r}H${-1.2 * r}z`, // triangle, point down
  (r) => `M${-r / 2.4} ${-1.2 * r}h${r / 1.2}v${0.8 * r}h${0.8 * r}v${r / 1.2}h${-0.8 * r}v${0.8 * r}h${-r / 1.2}v${-0.8 * r}h${-0.8 * r}v${-r / 1.2}h${0.8 * r}z`, // cross
];
const DASHES = ["none", "7 4", "2 4", "10 3 2 3", "1 3 8 3"];
const COLORS = 8;

/** A series' look: {color, marker, dash} are counters; the CSS classes cw-c0 to cw-c7 carry the colors. */
const marker = ({ color, marker: shape }, r, x = 0, y = 0) =>
  svg("path", { class: `cw-dot cw-c${color % COLORS}`, d: MARKERS[shape % MARKERS.length](r), transform: `translate(${x} ${y})` });

/** A short piece of a series' line with its marker, to stand beside its name. */
function swatch(series) {
  return svg("svg", { class: "cw-swatch", viewBox: "0 0 34 16", width: 34, height: 16, "aria-hidden": "true" },
    svg("line", { class: `cw-line cw-c${series.color % COLORS}`, x1: 1, y1: 8, x2: 33, y2: 8, "stroke-dasharray": DASHES[series.dash % DASHES.length] }),
    marker(series, 4, 17, 8));
}

/** Round steps that span [low, high]: at most about `count` of them. */
function ticks(low, high, count) {
  const rough = (high - low) / count || 1, power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((m) => m * power >= rough) * power;
  const first = Math.floor(low / step), last = Math.ceil(high / step - 1e-9);
  return Array.from({ length: last - first + 1 }, (_, i) => +((first + i) * step).toPrecision(12));
}

/** Push labels apart to at least `gap`, keeping their order and staying in [top, bottom] where that can be. */
function spread(places, gap, top, bottom) {
  const order = places.map((y, i) => i).sort((a, b) => places[a] - places[b]);
  const out = [...places];
  order.forEach((i, n) => { out[i] = Math.max(out[i], n ? out[order[n - 1]] + gap : top); });
  for (let n = order.length - 1; n >= 0; n--) {
    const i = order[n];
    out[i] = Math.min(out[i], n + 1 < order.length ? out[order[n + 1]] - gap : bottom);
  }
  return out;
}

/**
 * Keep a chart in `host`. series: [{name, color, marker, dash, points: [{x, y, low, high}]}]; low and high
 * draw a band. options: {label, xLabel, yLabel, xLog, zero, cursor, xTicks, format, onPick}; label is the text alternative,
 * zero starts the y axis at 0, cursor is the x to mark, onPick(x) is called with the tick that was clicked.
 * Returns update(series, options).
 */
function lineChart(host) {
  let series = [], options = {};
  const redraw = () => { if (host.clientWidth) host.replaceChildren(drawChart(host.clientWidth, series, options)); };
  new ResizeObserver(redraw).observe(host);
  return (newSeries, newOptions) => { [series, options] = [newSeries, newOptions]; redraw(); };
}

function drawChart(width, series, options) {
  const frame = layOut(width, series, options);
  const chart = svg("svg", { class: "cw-chart", role: "img", "aria-label": options.label, viewBox: `0 0 ${width} ${frame.height}`, width, height: frame.height });
  chart.append(...drawAxes(frame, options));
  if (options.cursor !== undefined) chart.append(svg("line", { class: "cw-cursor", x1: frame.x(options.cursor), x2: frame.x(options.cursor), y1: frame.top, y2: frame.bottom }));
  for (const one of series) chart.append(...drawSeries(frame, one, options.cursor));
  if (frame.direct) chart.append(...drawNames(frame, series));
  if (options.onPick) chart.addEventListener("click", (event) => options.onPick(nearest(event.clientX - chart.getBoundingClientRect().left, frame, options)));
  return chart;
}

const nearest = (px, frame, { xTicks }) => xTicks.reduce((best, x) => Math.abs(frame.x(x) - px) < Math.abs(frame.x(best) - px) ? x : best);

/** Margins and scales: the names stand right of the lines where there is room for them. */
function layOut(width, series, { xLog, zero, xTicks }) {
  const longest = Math.max(0, ...series.map(({ name }) => [...name].length));
  const names = Math.min(190, 7.2 * longest + 24);
  const direct = width >= 520 && series.length <= 14;
  const height = Math.max(260, Math.min(380, width * 0.6)), top = 12, bottom = height - 48;
  const left = 46, right = width - (direct ? names : 14);
  const points = series.flatMap((one) => one.points);
  const values = points.flatMap(({ y, low, high }) => [y, low ?? y, high ?? y]);
  const [least, most] = values.length ? [Math.min(...values), Math.max(...values)] : [0, 1];
  const yTicks = ticks(zero ? 0 : least, most > (zero ? 0 : least) ? most : least + 1, 5);
  const [first, last] = [yTicks[0], yTicks[yTicks.length - 1]];
  const scale = xLog ? Math.log : (v) => v;
  const [from, to] = [scale(xTicks[0]), scale(xTicks[xTicks.length - 1])];
  const x = (v) => left + 8 + (right - left - 16) * (to > from ? (scale(v) - from) / (to - from) : 0.5);
  const y = (v) => bottom - (bottom - top) * (v - first) / (last - first);
  return { width, height, left, right, top, bottom, direct, yTicks, x, y };
}

function drawAxes(frame, { xTicks, xLabel, yLabel, format }) {
  const { left, right, top, bottom, height, yTicks, x, y } = frame;
  const shown = xTicks.reduce((kept, v) => !kept.length || x(v) - x(kept[kept.length - 1]) > 44 ? [...kept, v] : kept, []);
  return [
    ...yTicks.map((v) => svg("line", { class: "cw-grid", x1: left, x2: right, y1: y(v), y2: y(v) })),
    ...yTicks.map((v) => svg("text", { x: left - 8, y: y(v) + 4, "text-anchor": "end", text: format(v, true) })),
    ...xTicks.map((v) => svg("line", { class: "cw-tick", x1: x(v), x2: x(v), y1: bottom, y2: bottom + 5 })),
    ...shown.map((v) => svg("text", { x: x(v), y: bottom + 19, "text-anchor": "middle", text: compact(v) })),
    svg("line", { class: "cw-axis", x1: left, x2: right, y1: bottom, y2: bottom }),
    svg("text", { class: "cw-name", x: (left + right) / 2, y: height - 8, "text-anchor": "middle", text: xLabel }),
    svg("text", { class: "cw-name", transform: `translate(12 ${(top + bottom) / 2}) rotate(-90)`, "text-anchor": "middle", text: yLabel }),
  ];
}

const compact = (v) => v >= 1000 ? `${+(v / 1000).toPrecision(3)}k` : String(v);

function drawSeries({ x, y }, one, cursor) {
  const { points } = one, color = `cw-c${one.color % COLORS}`, parts = [];
  const path = (list) => list.map(([px, py], i) => `${i ? "L" : "M"}${px.toFixed(1)} ${py.toFixed(1)}`).join("");
  const banded = points.filter(({ low, high }) => low !== undefined && high !== undefined);
  if (banded.length > 1) {
    const edge = [...banded.map((p) => [x(p.x), y(p.high)]), ...banded.reverse().map((p) => [x(p.x), y(p.low)])];
    parts.push(svg("path", { class: `cw-band ${color}`, d: `${path(edge)}Z` }));
  }
  parts.push(svg("path", { class: `cw-line ${color}`, d: path(points.map((p) => [x(p.x), y(p.y)])), "stroke-dasharray": DASHES[one.dash % DASHES.length] }));
  return [...parts, ...points.map((p) => marker(one, p.x === cursor ? 5.5 : 3.5, x(p.x), y(p.y)))];
}

function drawNames({ right, top, bottom, x, y }, series) {
  const ends = series.map(({ points }) => points[points.length - 1]);
  const places = spread(ends.map((p) => y(p.y)), 16, top + 6, bottom);
  return series.flatMap(({ name }, i) => [
    svg("path", { class: "cw-leader", d: `M${x(ends[i].x) + 5} ${y(ends[i].y)}L${right + 2} ${places[i]}` }),
    svg("text", { class: "cw-direct", x: right + 6, y: places[i] + 4, text: name }),
  ]);
}
