const SHOWN_PAIRS = 8;

function start(root, data) {
  const text = part(root, "text");
  let trained = null;
  const steps = stepper(root, (at) => draw(root, trained, at, data));

  function train() {
    const typed = text.value === data.text; // the words as given may hold counts too large to type out
    trained = trainBpe(typed ? data.words : wordCounts(text.value), data.limit, data.least);
    steps.reset(trained.states.length);
  }
  text.value = data.text;
  onTyping(text, train);
  train();
}

function draw(root, trained, at, data) {
  const state = trained.states[at];
  const next = at + 1 < trained.states.length ? state.pairs[0] : null;
  const sentences = tell(trained, at, data);
  part(root, "happened").replaceChildren(...sentences.happened);
  part(root, "next").replaceChildren(...sentences.next);
  glide(part(root, "words"), () => drawWords(part(root, "words"), trained.tokens, state, next));
  drawPairs(part(root, "pairs"), trained.tokens, state.pairs, next);
  drawVocabulary(root, trained, state);
  drawStats(root, trained, state);
  const spoken = [part(root, "happened").textContent, part(root, "next").textContent].join(" ");
  announce(root, spoken);
  return `Merge ${at} of ${trained.states.length - 1}`;
}

/** What this step did and what comes next, as lists of text and chips. */
function tell(trained, at, data) {
  const { tokens, states } = trained;
  const { merge, pairs } = states[at];
  if (!tokens.length) return { happened: ["There is no text yet: type some words."], next: [] };
  const happened = merge
    ? [chip(tokens[merge.left]), " + ", chip(tokens[merge.right]), " → ", chip(tokens[merge.id], { class: "cw-new" }),
      ` Seen ${plural(merge.count, "time")}, now one token${merge.known ? " that the vocabulary already had" : ""}.`]
    : [`Every word starts as characters. They are the first ${plural(states[0].size, "token")}.`];
  if (at + 1 === states.length) return { happened, next: [ending(pairs, data)] };
  const best = pairs[0], ties = pairs.filter((pair) => pair.count === best.count).length;
  const next = ["Next: ", chip(tokens[best.left]), " + ", chip(tokens[best.right]), `, seen ${plural(best.count, "time")}.`];
  if (ties > 1) next.push(` ${ties} pairs tie: the smallest token numbers win, here ${best.left} then ${best.right}.`);
  return { happened, next };
}

function ending(pairs, data) {
  if (!pairs.length) return "The end: every word is one token, no pair is left.";
  if (pairs[0].count < data.least) return `The end: no pair is seen ${data.least} times any more.`;
  return `The end: ${plural(data.limit, "new token")}, as many as were asked for.`;
}

function drawWords(host, tokens, { words, merge }, next) {
  host.replaceChildren(...words.map((word, w) => el("li", {}, el("span", { class: "cw-times", text: `${word.count} ×` }), wordChips(word, w, tokens, merge, next))));
}

/** One word as chips; data-key is the place of a chip's first letter, so that chips glide when they merge. */
function wordChips({ ids, fresh }, w, tokens, merge, next) {
  let letter = 0, joined = false;
  return el("span", { class: "cw-chips" }, ...ids.map((id, i) => {
    const token = tokens[id], size = [...token].length;
    const starts = !joined && next && id === next.left && ids[i + 1] === next.right;
    const kind = fresh.includes(i) ? "cw-new" : size > 1 ? "cw-made" : "";
    const node = chip(token, { class: `${kind} ${starts ? "cw-left" : ""} ${joined ? "cw-right" : ""}`, "data-key": `${w}:${letter}` });
    letter += size;
    joined = starts;
    return node;
  }));
}

function drawPairs(table, tokens, pairs, next) {
  const best = pairs.length ? pairs[0].count : 1;
  const rows = pairs.slice(0, SHOWN_PAIRS).map((pair) => {
    const wins = pair === next, ties = next && !wins && pair.count === next.count;
    const numbers = `${pair.left}, ${pair.right}`;
    return el("tr", { class: wins ? "cw-wins" : null },
      el("th", { scope: "row" }, el("span", { class: "cw-chips" }, chip(tokens[pair.left]), chip(tokens[pair.right]))),
      el("td", { class: "cw-number", text: numbers }),
      el("td", { class: "cw-number", text: pair.count.toLocaleString("en") }),
      el("td", {}, el("span", { class: "cw-bar", style: `--share: ${pair.count / best}` }), el("span", { class: "cw-why", text: wins ? "next" : ties ? "tie" : "" })));
  });
  part(table, "rows").replaceChildren(...rows);
  const hidden = pairs.length - rows.length;
  const more = part(table.parentNode, "more");
  more.textContent = hidden > 0 ? `and ${plural(hidden, "rarer pair", "other pairs")}` : pairs.length ? "" : "No pairs are left.";
}

function drawVocabulary(root, { tokens, alphabet }, { size, merge }) {
  const list = (from, to) => tokens.slice(from, to).map((token, i) => el("li", {},
    chip(token, { class: merge && merge.id === from + i ? "cw-new" : from + i >= alphabet ? "cw-made" : "" }),
    el("span", { class: "cw-id", text: from + i })));
  part(root, "alphabet").replaceChildren(...list(0, alphabet));
  part(root, "merged").replaceChildren(...list(alphabet, size));
  part(root, "none").hidden = size > alphabet;
}

function drawStats(root, { states }, { size, words }) {
  const length = (list) => list.reduce((sum, { ids, count }) => sum + ids.length * count, 0);
  const now = length(words), before = length(states[0].words);
  part(root, "size").textContent = size.toLocaleString("en");
  part(root, "tokens").textContent = now.toLocaleString("en");
  part(root, "characters").textContent = now ? (before / now).toFixed(2) : "–";
}
