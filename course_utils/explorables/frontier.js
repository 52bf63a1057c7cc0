/** What a budget allows; the same as `within` in frontier.py. A limit of null is no limit. */
function within(models, setting, family, megabytes, milliseconds) {
  const timed = models.filter((m) => setting in m.milliseconds && (family === "all families" || m.family === family));
  const fits = timed.filter((m) => (megabytes === null || m.megabytes <= megabytes) && (milliseconds === null || m.milliseconds[setting] <= milliseconds));
  fits.sort((a, b) => b.kept - a.kept || a.megabytes - b.megabytes);
  const front = [];
  for (const m of [...fits].sort((a, b) => a.megabytes - b.megabytes || b.kept - a.kept)) {
    if (!front.length || m.kept > front[front.length - 1].kept) front.push(m);
  }
  const best = fits[0] ?? null, sure = best !== null && best.low !== null;
  return {
    timed: timed.length,
    fitting: fits.map((m) => m.name),
    best: best && best.name,
    lost: best && 1 - best.kept,
    lost_low: sure ? 1 - best.high : null,
    lost_high: sure ? 1 - best.low : null,
    front: front.map((m) => m.name),
  };
}

const short = (v) => v.toFixed(v < 10 ? 2 : v < 100 ? 1 : 0);
const hundredfold = (v) => (100 * v).toFixed(1);
const keptText = (m) => m.low === null ? hundredfold(m.kept) : `${hundredfold(m.kept)} [${hundredfold(m.low)}, ${hundredfold(m.high)}]`;

function start(root, data) {
  const names = ["megabytes", "milliseconds"];
  const redraw = () => draw(root, data, state);
  const state = { view: null, plot: part(root, "plot") };
  names.forEach((name, i) => {
    part(root, name).value = data.start[i];
    part(root, name).addEventListener("input", redraw);
  });
  for (const name of ["setting", "family"]) part(root, name).addEventListener("change", redraw);
  new ResizeObserver(() => paint(state, data)).observe(state.plot);
  drawLegend(root, data);
  redraw();
}

const lookOf = (data, family) => { const i = data.families.indexOf(family) - 1; return { color: i, marker: i }; };

function drawLegend(root, data) {
  part(root, "legend").replaceChildren(...data.families.slice(1).map((family) => el("li", {},
    svg("svg", { class: "cw-swatch", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, marker(lookOf(data, family), 4.5, 8, 8)),
    el("span", { text: family }))));
}

function draw(root, data, state) {
  const limits = ["megabytes", "milliseconds"].map((name) => data.limits[name][+part(root, name).value]);
  const setting = data.settings[+part(root, "setting").value], family = data.families[+part(root, "family").value];
  ["megabytes", "milliseconds"].forEach((name, i) => {
    const words = limits[i] === null ? "no limit" : String(limits[i]);
    part(root, `${name}Text`).textContent = words;
    part(root, name).setAttribute("aria-valuetext", words);
  });
  const found = within(data.models, setting, family, ...limits);
  const byName = new Map(data.models.map((m) => [m.name, m]));
  const under = limits.map((v, i) => v === null ? "" : `${v} ${["MB", "ms"][i]}`).filter(Boolean).join(" and ");
  part(root, "caption").textContent = `${found.fitting.length} of ${found.timed} models (${setting}), ${under ? `under ${under}` : "without a limit"}; the best first`;
  part(root, "rows").replaceChildren(...found.fitting.map((name) => row(byName.get(name), setting)));
  const story = tell(found, byName.get(found.best), setting, under);
  part(root, "story").textContent = story;
  state.view = { found, byName, setting, limit: limits[0], story };
  paint(state, data);
  announce(root, story);
}

const row = (m, setting) => el("tr", {}, el("th", { scope: "row", text: m.name }), el("td", { text: m.family }),
  ...[short(m.megabytes), short(m.milliseconds[setting]), keptText(m)].map((text) => el("td", { class: "cw-number", text })));

/** The answer to the question in the title. */
function tell(found, best, setting, under) {
  const budget = under ? `Under ${under}` : "Without a limit";
  if (!best) return `${budget}: none of ${plural(found.timed, "model")} fits. Raise a limit, or change engine or family.`;
  const interval = found.lost_low === null ? "" : ` [${hundredfold(found.lost_low)}, ${hundredfold(found.lost_high)}]`;
  const change = found.lost > 0 ? `loses ${hundredfold(found.lost)}%${interval} of the teacher's accuracy` : `loses nothing: it keeps ${keptText(best)}%`;
  return `${budget}: ${found.fitting.length} of ${plural(found.timed, "model")}. The best, ${best.name} (${best.family}), has ${short(best.megabytes)} MB, `
    + `takes ${short(best.milliseconds[setting])} ms and ${change}.`;
}

/** The chart of all models that were timed, those within the budget in full color. */
function paint(state, data) {
  const width = state.plot.clientWidth;
  if (!width || !state.view) return;
  const { found, byName, setting, limit, story } = state.view, fitting = new Set(found.fitting);
  const shown = data.models.filter((m) => setting in m.milliseconds);
  const points = shown.map((m) => ({ x: m.megabytes, y: 100 * m.kept, low: m.low === null ? undefined : 100 * m.low, high: m.high === null ? undefined : 100 * m.high }));
  const stops = data.limits.megabytes.filter((v) => v !== null), least = Math.min(...points.map((p) => p.x)), most = Math.max(...points.map((p) => p.x));
  const from = stops.filter((v) => v <= least).pop() ?? stops[0], to = stops.find((v) => v >= most) ?? most;
  const options = { xLog: true, xTicks: [...stops.filter((v) => v >= from && v < to), to], xLabel: "Size on disk, MB", yLabel: "% of the teacher's accuracy", format: (v) => String(v) };
  const frame = layOut(width, [{ name: "", points }], options);
  const inside = limit !== null && limit >= from && limit <= to;
  const chart = svg("svg", { class: "cw-chart", role: "img", "aria-label": `Models by size and accuracy kept. ${story}`, viewBox: `0 0 ${width} ${frame.height}`, width, height: frame.height });
  chart.append(...drawAxes(frame, options));
  if (inside) chart.append(svg("line", { class: "cw-cursor", x1: frame.x(limit), x2: frame.x(limit), y1: frame.top, y2: frame.bottom }));
  const path = found.front.map((name, i) => { const m = byName.get(name); return `${i ? "L" : "M"}${frame.x(m.megabytes).toFixed(1)} ${frame.y(100 * m.kept).toFixed(1)}`; }).join("");
  if (found.front.length > 1) chart.append(svg("path", { class: "cw-front", d: path }));
  const order = shown.map((m, i) => [m, points[i]]).sort(([a], [b]) => fitting.has(a.name) - fitting.has(b.name));
  for (const [m, p] of order) chart.append(dot(frame, data, m, p, fitting.has(m.name)));
  state.plot.replaceChildren(chart);
}

function dot(frame, data, m, p, fits) {
  const look = lookOf(data, m.family), x = frame.x(p.x);
  const group = svg("g", { class: fits ? "cw-model" : "cw-model cw-out" }, svg("title", { text: `${m.name}: ${short(m.megabytes)} MB, ${keptText(m)}% kept` }));
  if (p.low !== undefined && fits) group.append(svg("line", { class: `cw-whisker cw-c${look.color % COLORS}`, x1: x, x2: x, y1: frame.y(p.low), y2: frame.y(p.high) }));
  group.append(marker(look, fits ? 5 : 3.5, x, frame.y(p.y)));
  return group;
}
