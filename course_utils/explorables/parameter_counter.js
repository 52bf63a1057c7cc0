const OWN = "your own";

/** Parameters by part, as course_utils.explorables.parameter_counter.count has them. */
function countParameters({ layers, width, inner, vocabulary, factor, positions, shared, segments, pooler }) {
  const row = factor || width, blocks = shared ? 1 : layers;
  const parts = {
    "token embeddings": vocabulary * row,
    "position embeddings": positions * row,
    "segment embeddings": segments * 2 * row,
    "embedding projection": factor ? (row + 1) * width : 0,
    "attention": blocks * 4 * width * (width + 1),
    "feed-forward": blocks * (2 * width * inner + inner + width),
    "norms": 2 * row + blocks * 4 * width,
    "pooler": pooler ? width * (width + 1) : 0,
  };
  return Object.fromEntries(Object.entries(parts).filter(([, count]) => count));
}

function start(root, data) {
  let sizes = { ...data.presets[data.model] };
  const preset = part(root, "preset");
  preset.replaceChildren(...[...Object.keys(data.presets), OWN].map((name) => el("option", { text: name })));
  const knobs = data.knobs.map((knob) => slider(knob, (key, value) => { sizes = { ...sizes, [key]: value }; show(); }));
  const switches = data.switches.map(([key, label]) => toggle(key, label, (value) => { sizes = { ...sizes, [key]: value }; show(); }));
  part(root, "sliders").replaceChildren(...knobs.map(({ node }) => node));
  part(root, "switches").replaceChildren(...switches.map(({ node }) => node));
  preset.addEventListener("change", () => {
    sizes = { ...sizes, ...data.presets[preset.value] };
    show();
  });

  function show() {
    for (const { set } of [...knobs, ...switches]) set(sizes);
    preset.value = presetOf(sizes, data.presets);
    draw(root, sizes, preset.value);
  }
  show();
}

/** The name of the model that has exactly these sizes. */
function presetOf(sizes, presets) {
  const same = ([, preset]) => Object.keys(preset).every((key) => preset[key] === sizes[key]);
  return (Object.entries(presets).find(same) || [OWN])[0];
}

function slider([key, label, values], change) {
  const input = el("input", { type: "range", min: 0, max: values.length - 1, step: 1, "aria-label": label, oninput: () => change(key, values[+input.value]) });
  const output = el("output", {});
  const words = (value) => (key === "factor" && !value ? "as the model" : value.toLocaleString("en"));
  const set = (sizes) => {
    input.value = values.indexOf(sizes[key]);
    output.textContent = words(sizes[key]);
    input.setAttribute("aria-valuetext", words(sizes[key]));
  };
  return { set, node: el("label", { class: "cw-knob" }, el("span", { class: "cw-label", text: label }), input, output) };
}

function toggle(key, label, change) {
  const input = el("input", { type: "checkbox", onchange: () => change(+input.checked) });
  return { set: (sizes) => { input.checked = Boolean(sizes[key]); }, node: el("label", { class: "cw-choice" }, input, el("span", { text: label })) };
}

function draw(root, sizes, name) {
  const parts = countParameters(sizes), total = Object.values(parts).reduce((a, b) => a + b, 0);
  const number = (count) => count.toLocaleString("en");
  part(root, "total").textContent = number(total);
  part(root, "memory").textContent = `, ${number(Math.round(total * 4 / 1e6))} MB in float32`;
  part(root, "rows").replaceChildren(...Object.entries(parts).map(([key, count]) => {
    const share = `${(100 * count / total).toFixed(1)}%`;
    const bar = el("span", { class: "cw-share" });
    bar.style.width = `${100 * count / total}%`;
    return el("tr", {}, el("th", { scope: "row", text: key }), el("td", { class: "cw-number", text: number(count) }),
      el("td", { class: "cw-number", text: share }), el("td", { class: "cw-shares", "aria-hidden": "true" }, bar));
  }));
  part(root, "heads").textContent = aboutHeads(sizes);
  const [largest] = Object.entries(parts).sort((a, b) => b[1] - a[1])[0];
  announce(root, `${name}: ${number(total)} parameters. Largest part: ${largest}, ${(100 * parts[largest] / total).toFixed(0)}%.`);
}

function aboutHeads({ width, heads }) {
  if (width % heads) return `${plural(heads, "head")} cannot share ${width} features: choose a number that divides the width. The count does not depend on it.`;
  return `${plural(heads, "head")} of ${plural(width / heads, "feature")} each: the number of heads changes no count.`;
}
