const temperatureAt = (place) => 2 ** (place / 8 - 2);

/** softmax(logits / T). */
function soften(logits, temperature) {
  const top = Math.max(...logits);
  const odds = logits.map((z) => Math.exp((z - top) / temperature));
  const sum = odds.reduce((a, b) => a + b, 0);
  return odds.map((part) => part / sum);
}

/** Entropy of the teacher, KL(teacher || student), length of its gradient, and that times T squared. */
function measure(teacher, student, temperature) {
  const p = soften(teacher, temperature), q = soften(student, temperature);
  const sum = (of) => p.reduce((total, x, i) => total + (x > 0 ? of(x, q[i]) : 0), 0);
  const gradient = Math.hypot(...p.map((x, i) => q[i] - x)) / temperature;
  return {
    entropy: -sum((x) => x * Math.log(x)),
    divergence: sum((x, y) => x * (Math.log(x) - Math.log(y))),
    gradient,
    scaled: gradient * temperature ** 2,
  };
}

const shown = (share) => share >= 0.001 ? share.toFixed(3) : share >= 1e-6 ? share.toFixed(6) : "< 0.000001";
const readable = (v) => v >= 0.001 || v === 0 ? v.toFixed(3) : v.toPrecision(2);
const times = (v) => v < 10 ? v.toFixed(1) : v < 1e6 ? Math.round(v).toLocaleString("en") : v.toExponential(0);

function start(root, data) {
  const select = part(root, "case"), slider = part(root, "place");
  slider.value = data.place;
  const redraw = () => draw(root, data.cases[+select.value], temperatureAt(+slider.value));
  select.addEventListener("change", redraw);
  slider.addEventListener("input", redraw);
  redraw();
}

function draw(root, one, temperature) {
  const p = soften(one.teacher, temperature), q = soften(one.student, temperature);
  const order = one.classes.map((_, i) => i).sort((a, b) => one.teacher[b] - one.teacher[a]);
  part(root, "text").textContent = one.text;
  part(root, "temperature").textContent = part(root, "placeText").textContent = temperature.toFixed(2);
  part(root, "place").setAttribute("aria-valuetext", `temperature ${temperature.toFixed(2)}`);
  part(root, "rows").replaceChildren(...order.map((i) => el("tr", {},
    el("th", { scope: "row", text: one.classes[i] }),
    el("td", { class: "cw-number", text: one.teacher[i].toFixed(2) }),
    bar(p[i], "cw-teacher"), bar(q[i], "cw-student"))));
  const found = measure(one.teacher, one.student, temperature);
  for (const [name, value] of Object.entries(found)) part(root, name).textContent = readable(value);
  const story = tell(one, p, order[0], temperature);
  part(root, "story").textContent = story;
  announce(root, `${story} Gradient ${readable(found.gradient)}, times T squared ${readable(found.scaled)}.`);
}

function bar(share, look) {
  return el("td", {}, el("span", { class: "cw-cell" },
    el("span", { class: "cw-rail" }, el("span", { class: `cw-bar ${look}`, style: `width: ${(100 * share).toFixed(1)}%`, "aria-hidden": "true" })),
    el("span", { class: "cw-share", text: shown(share) })));
}

/** The answer, and how much likelier the near mistake is than the far one. */
function tell(one, p, best, temperature) {
  const [near, far] = [one.near, one.far].map((name) => p[one.classes.indexOf(name)]);
  return `At ${temperature.toFixed(2)} the teacher gives ${one.classes[best]} ${shown(p[best])}, `
    + `${one.near} ${shown(near)} and ${one.far} ${shown(far)}: ${one.near} is ${times(near / far)} times as likely as ${one.far}.`;
}
