const ALWAYS = ["length", "layers"];

/** Who sees whom, as course_utils.explorables.mask_patterns.pattern_grid has it. */
function patternGrid(pattern, { length, radius, dilation, count }) {
  const step = pattern === "dilated" ? dilation : 1;
  const sees = (i, j) => {
    if (pattern === "full") return true;
    if (pattern === "causal") return j <= i;
    const near = Math.abs(i - j) <= radius * step && (i - j) % step === 0;
    if (pattern === "causal window") return near && j <= i;
    return near || (pattern === "global" && (i < count || j < count));
  };
  return Array.from({ length }, (_, i) => Array.from({ length }, (_, j) => sees(i, j)));
}

/** Which tokens can have changed token `row` after so many layers. */
function reach(grid, row, layers) {
  let seen = grid.map((_, i) => i === row);
  for (let layer = 0; layer < layers; layer++) {
    const before = seen;
    seen = before.map((was, j) => was || before.some((is, i) => is && grid[i][j]));
  }
  return seen;
}

const countPairs = (grid) => grid.flat().filter(Boolean).length;

function start(root, data) {
  const state = { pattern: data.pattern, values: { ...data.values }, row: data.row };
  const pattern = part(root, "pattern"), row = part(root, "row"), board = part(root, "grid");
  pattern.replaceChildren(...data.patterns.map(([value, text]) => el("option", { value, text })));
  pattern.value = state.pattern;
  const knobs = data.knobs.map((one) => knob(one, (key, value) => { state.values[key] = value; show(); }));
  part(root, "sliders").replaceChildren(...knobs.map(({ node }) => node));
  const canvas = el("canvas", { class: "cw-canvas" });
  board.replaceChildren(canvas);

  const choose = (to) => { if (to !== state.row) { state.row = to; show(); } };
  pattern.addEventListener("change", () => { state.pattern = pattern.value; show(); });
  row.addEventListener("input", () => choose(+row.value));
  canvas.addEventListener("pointermove", (event) => choose(rowAt(canvas, event, state.values.length)));
  canvas.addEventListener("pointerdown", (event) => choose(rowAt(canvas, event, state.values.length)));

  function show() {
    const { values } = state, length = values.length;
    state.row = Math.min(state.row, length - 1);
    const used = [...ALWAYS, ...data.patterns.find(([key]) => key === state.pattern)[2]];
    for (const one of knobs) one.set(values, used);
    [row.max, row.value] = [length - 1, state.row];
    part(root, "rowText").textContent = `token ${state.row}`;
    row.setAttribute("aria-valuetext", `token ${state.row}`);
    tell(root, state);
    paint(root, canvas, state);
  }
  show();
  new ResizeObserver(() => paint(root, canvas, state)).observe(board);
  // A canvas keeps its colors when the theme changes, so it is painted again.
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => paint(root, canvas, state));
  for (const node of [document.documentElement, document.body]) new MutationObserver(() => paint(root, canvas, state)).observe(node, { attributes: true });
}

const rowAt = (canvas, event, length) => {
  const box = canvas.getBoundingClientRect();
  return Math.max(0, Math.min(length - 1, Math.floor(((event.clientY - box.top) / box.height) * length)));
};

function knob([key, label, min, max], change) {
  const input = el("input", { type: "range", min, max, step: 1, "aria-label": label, oninput: () => change(key, +input.value) });
  const output = el("output", {});
  const node = el("label", { class: "cw-knob" }, el("span", { class: "cw-label", text: label }), input, output);
  const set = (values, used) => {
    input.value = values[key];
    output.textContent = values[key];
    node.hidden = !used.includes(key);
  };
  return { set, node };
}

/** The numbers and the sentences. */
function tell(root, { pattern, values, row }) {
  const grid = patternGrid(pattern, values), length = values.length;
  const pairs = countPairs(grid), square = length * length, number = (n) => n.toLocaleString("en");
  const sees = grid[row].filter(Boolean).length, reached = reach(grid, row, values.layers).filter(Boolean).length;
  const shown = { pairs: number(pairs), square: number(square), share: `${((100 * pairs) / square).toFixed(1)}%`, reached: number(reached) };
  for (const [name, text] of Object.entries(shown)) part(root, name).textContent = text;
  const story = `Token ${row} sees ${plural(sees, "token")} of ${length}: ${ranges(grid[row])}. After ${plural(values.layers, "layer")}, ${plural(reached, "token")} can have reached it: ${ranges(reach(grid, row, values.layers))}.`;
  part(root, "story").textContent = story;
  const twice = countPairs(patternGrid(pattern, { ...values, length: 2 * length }));
  part(root, "growth").textContent = `A text twice as long, ${2 * length} tokens, takes ${number(twice)} scores: ${(twice / pairs).toFixed(2)} times as many (full attention: 4 times).`;
  announce(root, `${number(pairs)} scores of ${number(square)}, ${shown.share}. ${story}`);
}

/** True places as ranges: 0, 3 to 5; every second one and the like as a list with a step. */
function ranges(flags) {
  const at = flags.flatMap((is, i) => (is ? [i] : []));
  const steps = at.slice(1).map((one, i) => one - at[i]);
  if (steps.length > 1 && steps[0] > 1 && steps.every((step) => step === steps[0])) return `${at[0]} to ${at[at.length - 1]} in steps of ${steps[0]}`;
  const runs = [];
  for (const i of at) {
    if (runs.length && runs[runs.length - 1][1] === i - 1) runs[runs.length - 1][1] = i;
    else runs.push([i, i]);
  }
  return runs.map(([a, b]) => (a === b ? `${a}` : b === a + 1 ? `${a}, ${b}` : `${a} to ${b}`)).join(", ");
}

/** The grid: a filled square is a score, a hollow one in the chosen row a token that other layers bring. */
function paint(root, canvas, { pattern, values, row }) {
  const grid = patternGrid(pattern, values), length = values.length, far = reach(grid, row, values.layers);
  const width = canvas.clientWidth || 320, ratio = window.devicePixelRatio || 1;
  [canvas.width, canvas.height] = [width * ratio, width * ratio];
  const pen = canvas.getContext("2d"), cell = width / length, gap = cell > 7 ? 1 : 0.5;
  const color = colorsOf(root);
  pen.scale(ratio, ratio);
  const square = (i, j, inset) => pen.fillRect(j * cell + inset, i * cell + inset, cell - 2 * inset, cell - 2 * inset);
  for (let i = 0; i < length; i++) {
    for (let j = 0; j < length; j++) {
      const isGlobal = pattern === "global" && grid[i][j] && (i < values.count || j < values.count);
      pen.fillStyle = grid[i][j] ? (isGlobal ? color.text : color.accent) : color.soft;
      pen.globalAlpha = grid[i][j] && i !== row ? 0.5 : 1;
      square(i, j, gap / 2);
      pen.globalAlpha = 1;
      if (i === row && !grid[i][j] && far[j]) {
        pen.strokeStyle = color.accent;
        pen.lineWidth = Math.max(1, cell / 8);
        pen.strokeRect(j * cell + gap + 1, i * cell + gap + 1, cell - 2 * gap - 2, cell - 2 * gap - 2);
      }
    }
  }
  pen.strokeStyle = color.text;
  pen.lineWidth = 2;
  pen.strokeRect(1, row * cell, width - 2, cell);
}

/** The theme's colors as the browser has resolved them. */
function colorsOf(root) {
  const probe = el("span", {});
  root.append(probe);
  const found = {};
  for (const name of ["accent", "text", "soft"]) {
    probe.style.color = `var(--${name})`;
    found[name] = getComputedStyle(probe).color;
  }
  probe.remove();
  return found;
}
