function start(root, data) {
  const rules = { ...data, vocab: new Map(data.vocab.split("\n").map((token, id) => [token, id])) };
  const [sentence, text, scheme] = ["sentence", "text", "scheme"].map((name) => part(root, name));
  const state = { words: [], tags: [] };
  sentence.replaceChildren(...data.sentences.map(([words], i) => el("option", { value: i, text: words.join(" ") })), el("option", { value: "own", text: "your own words" }));
  scheme.replaceChildren(...data.schemes.map(([value, name]) => el("option", { value, text: name })));
  const show = () => draw(root, state, scheme.value, rules);

  function take(words, tags) {
    [state.words, state.tags] = [words, tags];
    drawWords(part(root, "words"), state, data.tags, show);
    show();
  }
  function pick() {
    if (sentence.value === "own") return;
    const [words, tags] = data.sentences[+sentence.value];
    text.value = words.join(" ");
    take([...words], [...tags]);
  }
  sentence.addEventListener("change", pick);
  scheme.addEventListener("change", show);
  onTyping(text, () => {
    const words = text.value.split(/\s+/u).filter(Boolean);
    sentence.value = "own";
    take(words, words.map((word, i) => (state.words[i] === word ? state.tags[i] : "O")));
  });
  pick();
}

function drawWords(host, state, tags, show) {
  host.replaceChildren(...state.words.map((word, i) => {
    const choice = el("select", { "aria-label": `Tag of ${word}`, onchange: () => { state.tags[i] = choice.value; show(); } }, ...tags.map((tag) => el("option", { value: tag, text: tag })));
    choice.value = state.tags[i];
    return el("li", {}, el("span", { class: "cw-word", text: word }), choice);
  }));
}

function draw(root, { words, tags }, scheme, rules) {
  const pieces = words.map((word) => bertWords(word, rules.lowercase).flatMap((one) => walkWord(one, rules.vocab, rules).pieces));
  const counts = pieces.map((parts) => parts.length);
  const tokens = ["[CLS]", ...pieces.flat(), "[SEP]"], labels = pieceLabels(counts, tags, scheme);
  const right = [pieceLabels(counts, tags, "first"), pieceLabels(counts, tags, "all")];
  part(root, "tokens").replaceChildren(...tokens.map((token, i) => tokenCell(token, labels[i], labels[i] !== null && right.every((one) => one[i] !== labels[i]))));
  const sums = countLabels(counts, tags, scheme), there = entitiesOf(tags).length;
  const shown = { all: sums.tokens, counted: sums.counted, wrong: sums.wrong, named: sums.entities, true: there };
  for (const [name, count] of Object.entries(shown)) part(root, name).textContent = count;
  const story = tell(scheme, sums, there, words.filter((_, w) => !counts[w]));
  part(root, "story").textContent = story;
  announce(root, `${sums.counted} of ${plural(sums.tokens, "token")} counted. ${story}`);
}

function tokenCell(token, label, isFalse) {
  const kind = isFalse ? "cw-false" : label === null ? "cw-off" : label === "O" ? "" : "cw-entity";
  return el("li", { class: kind }, chip(token), el("small", { text: label === null ? "-100" : label }));
}

function tell(scheme, { counted, tokens, wrong, entities }, there, lost) {
  if (tokens === 2) return "There are no words yet: type some.";
  const gone = lost.length ? ` ${plural(lost.length, "word")} left without a token.` : "";
  const named = `the labels name ${plural(entities, "entity", "entities")} where ${there === 1 ? "1 is" : `${there} are`} there`;
  if (scheme === "first") return `One label a word: the loss counts ${counted} of ${tokens} tokens, a long word no more than a short one.${gone}`;
  if (scheme === "all") return `Every piece counts, so that a word of many pieces weighs more. Inside an entity B- goes on as I-: ${named}.${gone}`;
  if (scheme === "copied") return `B- on a second piece begins an entity anew: ${named}.${gone}`;
  return `Labels slip by one for [CLS] and by one more for each further piece: ${plural(wrong, "word")} labeled wrong, and no error is raised.${gone}`;
}
