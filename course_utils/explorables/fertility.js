const MEASURES = {
  fertility: { axis: "Tokens per word", format: (v, tick) => v.toFixed(tick ? 1 : 2) },
  unknown_rate: { axis: "Unknown tokens", format: (v, tick) => `${(100 * v).toFixed(tick && v >= 0.05 ? 0 : 1)}%` },
};

function start(root, data) {
  const { rows } = data;
  const unique = (key) => [...new Set(rows.map((row) => row[key]))];
  const domains = unique("domain"), tokenizers = unique("tokenizer");
  const sizes = unique("vocab_size").sort((a, b) => a - b);
  const slider = part(root, "size"), measure = part(root, "measure");
  const redraw = () => draw(root, { rows, domains, tokenizers, sizes, at: +slider.value, measure: measure.value, chart, pick });
  const pick = (x) => { slider.value = sizes.indexOf(x); redraw(); };
  const chart = lineChart(part(root, "plot"));

  fillChoices(part(root, "domains"), domains, data.domains, (name, i) => ({ color: i, marker: i, dash: 0 }), redraw);
  fillChoices(part(root, "tokenizers"), tokenizers, data.tokenizers, (name, i) => ({ color: 5, marker: 0, dash: i }), redraw);
  part(root, "tokenizers").hidden = tokenizers.length < 2;
  part(root, "measures").hidden = !rows.some((row) => row.unknown_rate !== undefined);
  slider.max = sizes.length - 1;
  slider.value = sizes.indexOf(data.size);
  slider.addEventListener("input", redraw);
  measure.addEventListener("change", redraw);
  root.addEventListener("click", (event) => {
    const all = event.target.closest("[data-all]");
    if (!all) return;
    for (const box of all.closest("fieldset").querySelectorAll("input")) box.checked = all.dataset.all === "all";
    redraw();
  });
  redraw();
}

/** One checkbox for each name, with the part of the line's look that it decides. */
function fillChoices(fieldset, names, chosen, look, redraw) {
  part(fieldset, "choices").replaceChildren(...names.map((name, i) => el("label", { class: "cw-choice" },
    el("input", { type: "checkbox", value: name, checked: chosen.includes(name), onchange: redraw }), swatch(look(name, i)), el("span", { text: name }))));
}

const chosenIn = (fieldset) => [...fieldset.querySelectorAll("input:checked")].map((box) => box.value);

function draw(root, { rows, domains, tokenizers, sizes, at, measure, chart, pick }) {
  const kept = { domain: chosenIn(part(root, "domains")), tokenizer: chosenIn(part(root, "tokenizers")) };
  const several = kept.tokenizer.length > 1;
  const series = domains.flatMap((domain, d) => tokenizers.map((tokenizer, t) => ({
    domain, tokenizer, color: d, marker: d, dash: t,
    name: several ? `${domain}, ${tokenizer}` : domain,
    points: pointsOf(rows, domain, tokenizer, measure),
  }))).filter((one) => kept.domain.includes(one.domain) && kept.tokenizer.includes(one.tokenizer) && one.points.length);
  const size = sizes[at], { axis, format } = MEASURES[measure];
  const label = `${axis} against vocabulary size, ${plural(series.length, "line")}; the table below holds the values.`;
  chart(series, { label, xLabel: "Vocabulary size (log scale)", yLabel: axis, xLog: true, zero: measure !== "fertility", cursor: size, xTicks: sizes, format, onPick: pick });
  const words = size.toLocaleString("en");
  part(root, "sizeText").textContent = words;
  part(root, "size").setAttribute("aria-valuetext", `${words} tokens`);
  part(root, "caption").textContent = `${axis} with a vocabulary of ${words}, highest first`;
  part(root, "column").textContent = axis;
  drawTable(part(root, "rows"), series, size, format);
  announce(root, spoken(series, size, format, axis));
}

/** The points of one line, smallest vocabulary first; only fertility carries an interval. */
function pointsOf(rows, domain, tokenizer, measure) {
  const own = rows.filter((row) => row.domain === domain && row.tokenizer === tokenizer && row[measure] !== undefined);
  return own.sort((a, b) => a.vocab_size - b.vocab_size).map((row) => {
    const [low, high] = (measure === "fertility" && row.interval) || [];
    return { x: row.vocab_size, y: row[measure], low, high };
  });
}

const readOut = (series, size) => series
  .map((one) => ({ one, point: one.points.find(({ x }) => x === size) }))
  .sort((a, b) => (b.point ? b.point.y : -1) - (a.point ? a.point.y : -1));

function drawTable(body, series, size, format) {
  const out = readOut(series, size).map(({ one, point }) => el("tr", {},
    el("th", { scope: "row" }, el("span", { class: "cw-key" }, swatch(one), el("span", { text: one.domain }))),
    el("td", { text: one.tokenizer }),
    el("td", { class: "cw-number", text: point ? format(point.y) : "not measured" }),
    el("td", { class: "cw-number", text: point && point.low !== undefined ? `${format(point.low)} to ${format(point.high)}` : "–" })));
  const none = el("tr", {}, el("td", { colspan: 4, text: "Nothing is chosen: tick a text and a tokenizer." }));
  body.replaceChildren(...(out.length ? out : [none]));
}

function spoken(series, size, format, axis) {
  const there = readOut(series, size).filter(({ point }) => point);
  if (!there.length) return "Nothing to show.";
  const [top, bottom] = [there[0], there[there.length - 1]];
  return `Vocabulary of ${size.toLocaleString("en")}. ${axis}: highest ${top.one.name}, ${format(top.point.y)}; lowest ${bottom.one.name}, ${format(bottom.point.y)}.`;
}
