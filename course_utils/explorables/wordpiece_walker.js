function start(root, data) {
  const vocab = new Map(data.vocab.split("\n").map((token, id) => [token, id]));
  const text = part(root, "text");
  let walks = [], steps = []; // steps: [word, attempts made so far], over all words
  const show = (at) => draw(root, walks, ...(steps[at] || [-1, 0]), data, (w) => controls.go(steps.findIndex(([word]) => word === w)), [at, steps.length - 1]);
  const controls = stepper(root, show);

  function read() {
    walks = bertWords(text.value, data.lowercase).map((word) => walkWord(word, vocab, data));
    steps = walks.flatMap(({ attempts }, w) => [0, ...attempts.map((_, i) => i + 1)].map((made) => [w, made]));
    controls.reset(Math.max(1, steps.length));
  }
  text.value = data.text;
  onTyping(text, read);
  read();
}

function draw(root, walks, w, made, data, jump, [at, last]) {
  const walk = walks[w];
  const state = walk ? stateOf(walk, made) : null;
  drawSentence(part(root, "words"), walks, w, made, jump);
  part(root, "letters").replaceChildren(...(walk ? walk.letters.map((letter, i) => letterCell(letter, i, state)) : []));
  const story = walk ? tell(walk, state, data) : ["There is no text yet: type a word."];
  part(root, "story").replaceChildren(...story);
  drawTried(part(root, "tried"), walk, made);
  drawPieces(part(root, "pieces"), walk, state, data);
  announce(root, part(root, "story").textContent);
  return `Step ${at} of ${last}`;
}

/** Where the walk stands: the attempt just made, the pieces taken, the first letter not yet covered. */
function stateOf(walk, made) {
  const done = walk.attempts.slice(0, made), now = done[made - 1] || null;
  const taken = done.filter(({ id }) => id !== undefined);
  const from = taken.length ? taken[taken.length - 1].end : 0;
  return { now, taken, from, finished: made === walk.attempts.length };
}

function tell(walk, { now, taken, from, finished }, data) {
  const length = walk.letters.length;
  if (length > data.longest) return [`${length} characters are more than ${data.longest}: BERT does not look, the word becomes `, chip(data.unknown, { class: "cw-new" })];
  if (!now) return [`Start with the whole word, ${plural(length, "letter")}.`];
  if (now.id === undefined && finished) return [chip(now.piece), " is not in the vocabulary, and nothing shorter is left. One gap loses the whole word: it becomes ", chip(data.unknown, { class: "cw-new" })];
  if (now.id === undefined) return [chip(now.piece), " is not in the vocabulary. Drop its last letter and look again."];
  const found = [chip(now.piece, { class: "cw-new" }), ` is in the vocabulary, number ${now.id.toLocaleString("en")}. `];
  if (finished) return [...found, taken.length === 1 ? "The whole word is one token." : `The word is done: ${plural(taken.length, "piece")}.`];
  const prefix = taken.length === 1 ? "; inside a word, pieces start with ##" : "";
  return [...found, `Take it, and go on from letter ${from + 1}${prefix}.`];
}

function letterCell(letter, i, { now, taken, from }) {
  const piece = taken.findIndex(({ start, end }) => i >= start && i < end);
  const tried = now && i >= now.start && i < now.end;
  const kinds = [piece >= 0 && (piece % 2 ? "cw-odd" : "cw-even"), piece >= 0 && taken[piece].start === i && "cw-first", tried && (now.id === undefined ? "cw-missed" : "cw-found"), i === from && "cw-here"];
  return el("li", { class: ["cw-letter", ...kinds].filter(Boolean).join(" "), text: letter });
}

/** The attempts for the piece in hand, longest first. */
function drawTried(host, walk, made) {
  const done = walk ? walk.attempts.slice(0, made) : [];
  const { start: from } = done[done.length - 1] || {};
  const items = done.filter(({ start }) => start === from).map(({ piece, id }) => el("li", { class: id === undefined ? "cw-no" : "cw-yes" },
    el("span", { class: "cw-mark", "aria-hidden": "true", text: id === undefined ? "×" : "✓" }),
    chip(piece, { class: id === undefined ? "" : "cw-new" }),
    el("span", { class: "cw-hidden", text: id === undefined ? " not found" : " found" })));
  host.replaceChildren(...(items.length ? items : [none()]));
}

const none = () => el("li", { class: "cw-note", text: "none yet" });

function drawPieces(host, walk, state, data) {
  const lost = walk && state.finished && !walk.whole;
  const taken = lost ? [{ piece: data.unknown, id: data.unknownId }] : state ? state.taken : [];
  const items = taken.map(({ piece, id }) => el("li", {}, chip(piece, { class: lost ? "cw-lost" : "cw-made" }), el("span", { class: "cw-id", text: id })));
  host.replaceChildren(...(items.length ? items : [none()]));
}

/** The words of the text as buttons; a word that has been walked shows how many pieces it came to. */
function drawSentence(host, walks, current, made, jump) {
  const focused = [...host.children].indexOf(host.contains(document.activeElement) ? document.activeElement.closest("li") : null);
  host.replaceChildren(...walks.map(({ letters, attempts, pieces, whole }, w) => {
    const done = w < current || (w === current && made === attempts.length);
    const result = whole ? plural(pieces.length, "piece") : "unknown";
    return el("li", {}, el("button", { type: "button", "aria-pressed": String(w === current), onclick: () => jump(w) },
      el("span", { text: letters.join("") }), el("small", { text: done ? result : "…" })));
  }));
  if (focused >= 0 && host.children[focused]) host.children[focused].firstChild.focus();
}
