/** Position 0 of the slider is the static vector, position k the encoder's layer k - 1 (1: its embeddings). */
function start(root, data) {
  const words = part(root, "word"), sentences = part(root, "sentence"), slider = part(root, "layer");
  const host = part(root, "plot");
  let word = data.words[0];

  const chosen = () => +sentences.value;
  const layer = () => +slider.value - 1;

  function open() {
    word = data.words[+words.value];
    const groups = word.senses.map((sense, s) => el("optgroup", { label: sense },
      ...word.sentences.flatMap((one, i) => one.sense === s ? [el("option", { value: i, text: one.text })] : [])));
    sentences.replaceChildren(...groups);
    sentences.value = 0;
    part(root, "legend").replaceChildren(...word.senses.map((sense, s) => el("li", {}, key(s), el("span", { text: sense }))));
    host.replaceChildren();
    show();
  }

  function show() {
    const name = nameOf(layer());
    part(root, "layerText").textContent = name;
    slider.setAttribute("aria-valuetext", name);
    draw(host, word, layer(), chosen(), (i) => { sentences.value = i; show(); });
    part(root, "where").textContent = name;
    part(root, "chosen").replaceChildren(...marked(word.sentences[chosen()]));
    const { score, rows } = read(word, layer(), chosen());
    part(root, "score").textContent = score;
    part(root, "rows").replaceChildren(...rows);
    announce(root, `${word.word}, ${name}. ${score}`);
  }

  words.addEventListener("change", open);
  sentences.addEventListener("change", show);
  slider.addEventListener("input", show);
  new ResizeObserver(() => { host.replaceChildren(); show(); }).observe(host);
  open();
}

const nameOf = (layer) => layer < 0 ? "static vector" : layer === 0 ? "embeddings" : `layer ${layer}`;

const key = (sense) => svg("svg", { class: "cw-swatch", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, marker(look(sense), 5, 8, 8));
const look = (sense) => ({ color: sense, marker: sense });

/** The sentence with its word marked. */
function marked({ text, span: [from, to] }) {
  const letters = [...text];
  const cut = (a, b) => letters.slice(a, b).join("");
  return [cut(0, from), el("mark", { class: "cw-mark", text: cut(from, to) }), cut(to)];
}

/** What the numbers say at this layer: a sentence, and the rows of the table. */
function read(word, layer, chosen) {
  if (layer < 0) {
    const score = `One vector for all ${plural(word.sentences.length, "sentence")}: nothing tells the senses apart.`;
    return { score, rows: [el("tr", {}, el("td", { colspan: 3, text: "All other sentences are equally near, with a cosine of 1.00." }))] };
  }
  const { nearest, shown } = word.layers[layer];
  const right = nearest.filter(([[first]], i) => word.sentences[first].sense === word.sentences[i].sense).length;
  const score = `Nearest sentence of the same sense: ${right} of ${word.sentences.length}. The picture shows ${Math.round(100 * shown)}% of the variance.`;
  const rows = nearest[chosen].map(([other, cosine]) => {
    const sentence = word.sentences[other];
    return el("tr", {}, el("th", { scope: "row" }, ...marked(sentence)),
      el("td", {}, el("span", { class: "cw-key" }, key(sentence.sense), el("span", { text: word.senses[sentence.sense] }))),
      el("td", { class: "cw-number", text: cosine.toFixed(2) }));
  });
  return { score, rows };
}

/** Draw the points, or move those that are there, so that they glide from layer to layer. */
function draw(host, word, layer, chosen, pick) {
  const width = host.clientWidth;
  if (!width) return;
  const height = Math.max(260, Math.min(400, 0.6 * width));
  const reach = Math.min(width, height) / 2 - 16;
  const at = ([x, y]) => [width / 2 + reach * x, height / 2 - reach * y];
  const places = word.sentences.map((_, i) => at(layer < 0 ? [0, 0] : word.layers[layer].points[i]));
  if (!host.firstChild) host.append(blank(width, height, word, pick));
  const chart = host.firstChild;
  const label = layer < 0 ? "All points lie on one another." : "The table below lists the nearest sentences of the chosen one.";
  chart.setAttribute("aria-label", `${plural(word.sentences.length, "point")}, one for each sentence with ${word.word}, at ${nameOf(layer)}. ${label}`);
  chart.querySelectorAll(".cw-spot").forEach((spot, i) => { spot.style.transform = move(places[i]); });
  chart.querySelector(".cw-ring").style.transform = move(places[chosen]);
  const ties = layer < 0 ? [] : word.layers[layer].nearest[chosen].map(([other]) => line(places[chosen], places[other]));
  chart.querySelector("g").replaceChildren(...ties);
}

const move = ([x, y]) => `translate(${x.toFixed(1)}px, ${y.toFixed(1)}px)`;
const line = ([x1, y1], [x2, y2]) => svg("line", { class: "cw-tie", x1, y1, x2, y2 });

function blank(width, height, word, pick) {
  const spots = word.sentences.map((sentence, i) => svg("g", { class: "cw-spot", onpointerenter: () => pick(i), onclick: () => pick(i) },
    marker(look(sentence.sense), 6), svg("title", { text: `${word.senses[sentence.sense]}: ${sentence.text}` })));
  return svg("svg", { class: "cw-chart", role: "img", viewBox: `0 0 ${width} ${height}`, width, height },
    svg("g"), ...spots, svg("circle", { class: "cw-ring", r: 11 }));
}
