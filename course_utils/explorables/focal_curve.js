const BANDS = [[0, 0.5, "wrong"], [0.5, 0.8, "right, not sure"], [0.8, 1, "easy"]];
const PLACES = Array.from({ length: 20 }, (_, i) => +((i + 1) / 20).toFixed(2));
const MEASURES = [{ name: "Loss", unit: " nats" }, { name: "Gradient", unit: "" }];

/** Loss of one example, and the size of its gradient by the logit of the right class. */
function lossAndGradient(p, gamma, weight = 1) {
  const fade = weight * (1 - p) ** gamma;
  return [-fade * Math.log(p), fade * (1 - p - gamma * p * Math.log(p))];
}

/** For each band its share of the examples and of the summed loss; every bin counts at its middle. */
function shares(counts, gamma) {
  const sum = (list) => list.reduce((a, b) => a + b, 0);
  const losses = counts.map((n, i) => n * lossAndGradient((i + 0.5) / counts.length, gamma)[0]);
  return BANDS.map(([low, high]) => {
    const inside = [Math.round(low * counts.length), Math.round(high * counts.length)];
    return { share: sum(counts.slice(...inside)) / sum(counts), loss: sum(losses.slice(...inside)) / sum(losses) };
  });
}

function start(root, data) {
  const control = (name) => part(root, name);
  const chart = lineChart(control("plot"));
  const redraw = () => draw(root, data.counts, chart, (x) => { control("p").value = Math.max(x, PLACES[0]); redraw(); });
  [control("gamma").value, control("alpha").value, control("p").value] = [data.gamma, data.alpha, 0.8];
  for (const name of ["gamma", "alpha", "p"]) control(name).addEventListener("input", redraw);
  control("measure").addEventListener("change", redraw);
  redraw();
}

function draw(root, counts, chart, onPick) {
  const [gamma, alpha, p] = ["gamma", "alpha", "p"].map((name) => +part(root, name).value);
  const at = +part(root, "measure").value, { name, unit } = MEASURES[at];
  const curve = (label, look, g, weight) => ({ name: label, color: look, marker: look, dash: look, points: PLACES.map((x) => ({ x, y: lossAndGradient(x, g, weight)[at] })) });
  const series = [curve("cross-entropy", 0, 0, 1), curve("focal, class 1", 1, gamma, alpha), curve("focal, class 0", 2, gamma, 1 - alpha)];
  chart(series, {
    label: `${name} against the probability of the right class, three curves; the sentence below reads them at the chosen place.`,
    xLabel: "Probability of the right class", yLabel: name, zero: true, cursor: p, onPick,
    xTicks: Array.from({ length: 11 }, (_, i) => i / 10), format: (v) => v.toFixed(1),
  });
  part(root, "legend").replaceChildren(...series.map((one) => el("li", {}, swatch(one), el("span", { text: one.name }))));
  for (const [key, value] of [["gamma", gamma], ["alpha", alpha], ["p", p]]) {
    part(root, `${key}Text`).textContent = value.toFixed(2);
    part(root, key).setAttribute("aria-valuetext", value.toFixed(2));
  }
  const story = tell(series, p, gamma, name, unit);
  part(root, "story").textContent = story;
  part(root, "column").textContent = `Focal loss, gamma ${gamma}`;
  const focal = drawRows(part(root, "rows"), counts, gamma);
  announce(root, `${story} Easy examples make ${percent(focal[2].loss)} of the focal loss.`);
}

/** Three decimals; two digits where that would be 0. */
const short = (v) => (v && v < 0.001 ? v.toPrecision(2) : v.toFixed(3));
const manifold = (v) => (v < 10 ? v.toFixed(1) : Math.round(v).toLocaleString("en"));
const percent = (share) => `${(100 * share).toFixed(1)}%`;

function drawRows(body, counts, gamma) {
  const plain = shares(counts, 0), focal = shares(counts, gamma);
  body.replaceChildren(...BANDS.map(([low, high, name], i) => el("tr", {},
    el("th", { scope: "row", text: `${name}, ${low} to ${high}` }),
    ...[plain[i].share, plain[i].loss, focal[i].loss].map((share) => el("td", { class: "cw-number", text: percent(share) })))));
  return focal;
}

/** The three curves at one place, and how many times weaker the focal loss is on the first class. */
function tell(series, p, gamma, name, unit) {
  const [plain, first, second] = series.map(({ points }) => points.find(({ x }) => x === p).y);
  const read = `At ${p.toFixed(2)}: cross-entropy ${short(plain)}${unit}, focal ${short(first)} for class 1 and ${short(second)} for class 0.`;
  if (!plain) return `${read} Nothing is left to learn here.`;
  const times = plain / first;
  const than = times >= 1 ? `${manifold(times)} times smaller than` : `${manifold(1 / times)} times`;
  return `${read} For class 1 the ${name.toLowerCase()} is ${than} that of cross-entropy.`;
}
