const STEPS = ["query", "scores", "divided", "masked", "weights", "sum"];

const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);

/** One query of one head, every number on the way; hidden keys get a score of null and a weight of 0. */
function attend(query, keys, values, divisor, visible) {
  const scores = keys.map((key) => dot(query, key));
  const divided = scores.map((score) => score / divisor);
  const masked = divided.map((score, i) => (visible[i] ? score : null));
  const highest = Math.max(...masked.filter((score) => score !== null));
  const parts = masked.map((score) => (score === null ? 0 : Math.exp(score - highest)));
  const total = parts.reduce((a, b) => a + b, 0);
  const weights = parts.map((part) => (total ? part / total : 0));
  const taken = values.map((value, i) => value.map((x) => x * weights[i]));
  const sum = query.map((_, n) => taken.reduce((all, row) => all + row[n], 0));
  return { scores, divided, masked, weights, taken, sum };
}

/** Which keys the query at `ask` may look at. */
function visibleTo(ask, tokens, hide) {
  if (hide === "future") return tokens.map((_, i) => i <= ask);
  return tokens.map((token) => hide !== "special" || !/^\[(CLS|SEP)\]$/.test(token));
}

function divisorOf(scale, size) {
  return { root: Math.sqrt(size), one: 1, size }[scale];
}

function start(root, data) {
  const { tokens, size, heads } = data, length = tokens.length;
  const vectors = Object.fromEntries(Object.entries(data.vectors).map(([name, packed]) => [name, unpack(packed)]));
  const control = Object.fromEntries(["layer", "head", "scale", "hide"].map((name) => [name, part(root, name)]));
  let ask = data.ask, at = 0;

  /** The rows of one head: length vectors of head_size numbers. */
  function rows(name) {
    const from = (+control.layer.value * heads + +control.head.value) * length * size;
    return tokens.map((_, i) => [...vectors[name].subarray(from + i * size, from + (i + 1) * size)]);
  }

  options(control.layer, data.layers.map((number, i) => [i, number]));
  options(control.head, Array.from({ length: heads }, (_, i) => [i, i + 1]));
  options(control.scale, data.scales);
  options(control.hide, data.masks);
  const show = (to) => {
    at = to;
    const [query, keys, values] = [rows("q")[ask], rows("k"), rows("v")];
    const run = attend(query, keys, values, divisorOf(control.scale.value, size), visibleTo(ask, tokens, control.hide.value));
    drawTokens(part(root, "tokens"), tokens, ask, (i) => { ask = i; show(at); });
    draw(root, { tokens, ask, query, run, step: STEPS[to], size, scale: control.scale.value });
    return `Step ${to + 1} of ${STEPS.length}: ${STEPS[to]}`;
  };
  const controls = stepper(root, show);
  for (const select of Object.values(control)) select.addEventListener("change", () => show(at));
  controls.reset(STEPS.length);
}

function options(select, pairs) {
  select.replaceChildren(...pairs.map(([value, text]) => el("option", { value, text })));
}

/** The tokens as buttons; the one that asks is pressed. */
function drawTokens(host, tokens, ask, choose) {
  const focused = [...host.children].indexOf(document.activeElement);
  host.replaceChildren(...tokens.map((token, i) => el("button", { type: "button", "aria-pressed": String(i === ask), text: token, onclick: () => choose(i) })));
  if (focused >= 0) host.children[focused].focus();
}

const COLUMNS = { scores: "Score", divided: "Divided", masked: "Masked", weights: "Weight" };
const largestIn = (numbers) => Math.max(...numbers.map(Math.abs));
const decimals = (score) => (score === null ? "hidden" : score.toFixed(2).replace("-", "−"));

function draw(root, { tokens, ask, query, run, step, size, scale }) {
  const reached = STEPS.indexOf(step);
  const shown = Object.keys(COLUMNS).filter((name) => STEPS.indexOf(name) <= reached);
  const summed = step === "sum";
  const limit = largestIn(query), most = largestIn(run.taken.flat());
  const heads = shown.map((name) => el("th", { scope: "col", class: "cw-number", text: COLUMNS[name] }));
  const tail = [shown.includes("weights") && el("td", { class: "cw-weights", "aria-hidden": "true" }), summed && el("th", { scope: "col", class: "cw-taken", text: "Weight times value" })].filter(Boolean);
  part(root, "head-row").replaceChildren(el("tr", {}, el("th", { scope: "col", text: "Key of" }), ...heads, ...tail));
  part(root, "rows").replaceChildren(...tokens.map((token, i) => rowOf(token, i, { run, shown, summed, most, ask })));
  part(root, "caption").textContent = `${tokens[ask]} asks (position ${ask})`;
  part(root, "askName").textContent = `Query of ${tokens[ask]}, ${size} numbers`;
  part(root, "asks").replaceChildren(strip(query, limit, `Query of ${tokens[ask]}`));
  part(root, "answerName").textContent = summed ? "Answer: the sum of the column above, on a scale of its own" : "";
  part(root, "answer").replaceChildren(...(summed ? [strip(run.sum, largestIn(run.sum), `Answer for ${tokens[ask]}`)] : []));
  const story = tell(step, { tokens, ask, run, size, scale });
  part(root, "story").textContent = story;
  announce(root, story);
}

function rowOf(token, i, { run, shown, summed, most, ask }) {
  const cells = shown.map((name) => {
    const number = name === "weights" ? run.weights[i].toFixed(3) : decimals(run[name][i]);
    return el("td", { class: "cw-number", text: number });
  });
  const extra = [];
  if (shown.includes("weights")) {
    const bar = el("span", { class: "cw-weight" });
    bar.style.width = `${100 * run.weights[i]}%`;
    extra.push(el("td", { class: "cw-weights", "aria-hidden": "true" }, bar));
  }
  if (summed) extra.push(el("td", { class: "cw-taken" }, strip(run.taken[i], most, `Weight times value of ${token}`)));
  return el("tr", {}, el("th", { scope: "row" }, chip(token, { class: i === ask ? "cw-made" : "" })), ...cells, ...extra);
}

/** What happens at this step, in a sentence or two. */
function tell(step, { tokens, ask, run, size, scale }) {
  const who = tokens[ask], best = run.weights.indexOf(Math.max(...run.weights));
  const spread = (list) => `from ${decimals(Math.min(...list))} to ${decimals(Math.max(...list))}`;
  const hidden = run.masked.filter((score) => score === null).length;
  const divided = { root: `√${size} = ${decimals(Math.sqrt(size))}, so that they keep the size they would have with one feature`, one: "nothing: they stay large", size: `${size}: they get small, and the weights will be nearly even` }[scale];
  const words = {
    query: `${who} asks with ${size} numbers. Every token will be compared with them.`,
    scores: `Its query times each key, summed over the ${size} numbers: the scores go ${spread(run.scores)}.`,
    divided: `The scores are divided by ${divided}. Now they go ${spread(run.divided)}.`,
    masked: hidden ? `${plural(hidden, "key")} may not be looked at, and ${hidden === 1 ? "gets" : "get"} no score.` : "Nothing is hidden: every key keeps its score.",
    weights: run.weights.some(Boolean) ? `The softmax makes positive weights that sum to 1. The largest, ${run.weights[best].toFixed(3)}, goes to ${tokens[best]} at position ${best}.` : "Every key is hidden: there is nothing to look at, all weights are 0.",
    sum: `Each value times its weight, summed: this is what ${who} takes from this head. Most of it comes from ${tokens[best]}.`,
  };
  return words[step];
}
