// The same numbers as `select` in error_browser.py.
const CODES = 200, BINS = 5, NAMED = 3, Z = 1.96, ALL = -1;
const LENGTHS = [[1, null], [1, 8], [9, 16], [17, 24], [25, null]];
const LIMITS = Array.from({ length: 10 }, (_, step) => +(0.5 + 0.05 * step).toFixed(2));

const codesOf = ({ codes }) => Uint8Array.from(atob(codes), (c) => c.charCodeAt(0));
const positiveOf = (code) => (code + 0.5) / CODES;
const sureOf = (code) => Math.max(positiveOf(code), 1 - positiveOf(code));
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;

function select(data, { model = ALL, train = ALL, test = ALL, limit = 0.5, words = 0 } = {}) {
  const sure = [], wrong = [], groups = [], errors = new Map(), [low, high] = LENGTHS[words];
  data.predicted.forEach((one, number) => {
    if (![[model, one.model], [train, one.train], [test, one.test]].every(([wanted, own]) => wanted === ALL || wanted === own)) return;
    const domain = data.domains[one.test];
    codesOf(one).forEach((code, row) => {
      const long = domain.words[row];
      if (sureOf(code) < limit || long < low || long > (high ?? Infinity)) return;
      const off = (positiveOf(code) > 0.5) !== (domain.labels[row] === "1");
      sure.push(sureOf(code));
      wrong.push(off ? 1 : 0);
      groups.push(domain.groups[row] + 1e6 * one.test);
      if (off && row in domain.texts) {
        const key = `${one.test} ${row}`;
        if (!errors.has(key)) errors.set(key, { domain: one.test, row, said: domain.labels[row] === "1" ? "negative" : "positive", by: [] });
        errors.get(key).by.push([sureOf(code), number]);
      }
    });
  });
  const [rate, least, most] = errorRate(wrong, groups);
  return { count: wrong.length, errors: wrong.reduce((a, b) => a + b, 0), rate, low: least, high: most, bins: binsOf(sure, wrong), listed: listedOf([...errors.values()]) };
}

/** Wilson's interval for as many independent rows as these are worth, by what their groups' sums vary. */
function errorRate(wrong, groups) {
  if (!wrong.length) return [null, null, null];
  const rate = mean(wrong), sums = new Map();
  wrong.forEach((one, i) => sums.set(groups[i], (sums.get(groups[i]) ?? 0) + one - rate));
  let worth = sums.size;
  if (rate > 0 && rate < 1 && sums.size > 1) {
    const squares = [...sums.values()].reduce((sum, off) => sum + off * off, 0);
    const variance = sums.size / (sums.size - 1) * squares / wrong.length ** 2;
    const alone = rate * (1 - rate) / (wrong.length - 1);
    worth = wrong.length * (variance ? Math.min(1, alone / variance) : 1);
  }
  const shrink = 1 + Z ** 2 / worth, middle = (rate + Z ** 2 / (2 * worth)) / shrink;
  const half = Z / shrink * Math.sqrt(rate * (1 - rate) / worth + Z ** 2 / (4 * worth ** 2));
  return [rate, Math.max(0, middle - half), Math.min(1, middle + half)];
}

function binsOf(sure, wrong) {
  return Array.from({ length: BINS }, (_, n) => {
    const inside = sure.map((_, i) => i).filter((i) => Math.min(Math.trunc(2 * BINS * (sure[i] - 0.5)), BINS - 1) === n);
    const at = { low: +(0.5 + 0.5 * n / BINS).toFixed(2), count: inside.length };
    return inside.length ? { ...at, right: 1 - mean(inside.map((i) => wrong[i])), sure: mean(inside.map((i) => sure[i])) } : { ...at, right: null, sure: null };
  });
}

function listedOf(errors) {
  for (const one of errors) {
    one.by.sort(([a, i], [b, j]) => b - a || i - j);
    one.sure = one.by[0][0];
    one.by = one.by.map(([, number]) => number);
  }
  return errors.sort((a, b) => b.sure - a.sure || a.domain - b.domain || a.row - b.row);
}

const percent = (share, digits = 1) => (100 * share).toFixed(digits);
const grouped = (count) => count.toLocaleString("en");

function tell({ count, errors, rate, low, high }) {
  if (!count) return "No prediction is like that. Lower the confidence, or take any length.";
  return `${grouped(errors)} of ${grouped(count)} predictions are wrong: ${percent(rate)}% [${percent(low)}, ${percent(high)}].`;
}

function who(data, { by, row, said }) {
  const named = by.slice(0, NAMED).map((number) => {
    const one = data.predicted[number];
    return `${data.models[one.model]}, trained on ${data.trains[one.train]}, ${sureOf(codesOf(one)[row]).toFixed(2)} sure`;
  });
  return `called ${said} by ${named.join("; ")}${by.length > NAMED ? `; and ${by.length - NAMED} more` : ""}`;
}

function start(root, data) {
  const names = ["model", "train", "test", "words"];
  const redraw = () => draw(root, data, Object.fromEntries([...names.map((name) => [name, +part(root, name).value]), ["limit", LIMITS[+part(root, "limit").value]]]));
  [part(root, "model").value, part(root, "train").value] = data.start;
  for (const name of names) part(root, name).addEventListener("change", redraw);
  part(root, "limit").addEventListener("input", redraw);
  redraw();
}

function draw(root, data, chosen) {
  const found = select(data, chosen), story = tell(found);
  part(root, "limitText").textContent = chosen.limit.toFixed(2);
  part(root, "limit").setAttribute("aria-valuetext", chosen.limit.toFixed(2));
  part(root, "story").textContent = story;
  cells(part(root, "right"), found.bins.map(rightCell));
  cells(part(root, "counts"), found.bins.map(({ count }) => el("td", { class: "cw-number", text: grouped(count) })));
  const shown = data.domains.reduce((sum, { texts }) => sum + Object.keys(texts).length, 0);
  part(root, "heading").textContent = `${found.listed.length} of the ${shown} sentences of the sample, the surest errors first`;
  part(root, "errors").replaceChildren(...found.listed.map((one) => errorItem(data, one)));
  part(root, "errors").parentElement.scrollTop = 0;
  announce(root, story);
}

const cells = (row, made) => row.replaceChildren(row.firstElementChild, ...made);

function rightCell({ count, right, sure }) {
  if (!count) return el("td", { class: "cw-number", text: "–" });
  const style = `--right: ${percent(right)}%; --sure: ${percent(sure)}%`;
  return el("td", { class: "cw-number" }, el("span", { class: "cw-bar", style }, el("i")), `${percent(right, 0)}%`);
}

function errorItem(data, one) {
  const domain = data.domains[one.domain], label = one.said === "negative" ? "positive" : "negative";
  return el("li", {}, el("p", { class: "cw-text", text: domain.texts[one.row] }),
    el("p", { class: "cw-note", text: `${domain.name}, ${domain.words[one.row]} words, labeled ${label}` }),
    el("p", { class: "cw-note", text: who(data, one) }));
}
