const KINDS = { mask: "masked", random: "replaced at random", keep: "left as it is" };
const LOOKS = { mask: "cw-masked", random: "cw-random", keep: "cw-kept" };
// Chi-squared values that 5% of tallies exceed, for 1, 2 and 3 degrees of freedom.
const CRITICAL = { 1: 3.84, 2: 5.99, 3: 7.81 };

function start(root, data) {
  const state = { seed: 0, shares: { ...data.shares }, tally: null, words: [] };
  const clear = () => { state.tally = { mask: 0, random: 0, keep: 0, none: 0, draws: 0 }; };
  const go = (times) => {
    let shown;
    for (let i = 0; i < times; i++) shown = tallied(state, data.replacements);
    draw(root, state, shown);
  };
  const restart = () => { clear(); state.seed = 0; go(1); };

  part(root, "text").value = data.text;
  onTyping(part(root, "text"), () => { state.words = bertWords(part(root, "text").value, false); restart(); });
  part(root, "again").addEventListener("click", () => go(1));
  part(root, "many").addEventListener("click", () => go(1000));
  part(root, "clear").addEventListener("click", restart);
  for (const name of ["share", "mask", "random", "keep"]) {
    part(root, name).addEventListener("input", (event) => { setShare(state.shares, name, event.target.value / 100); restart(); });
  }
  state.words = bertWords(data.text, false);
  restart();
}

/** Set one share; the three kinds go on adding up to 1: the other two share what is left in their proportion. */
function setShare(shares, name, value) {
  shares[name] = value;
  if (name === "share") return;
  const [a, b] = ["mask", "random", "keep"].filter((kind) => kind !== name);
  const rest = 1 - value, before = shares[a] + shares[b];
  shares[a] = Math.round(100 * (before ? rest * shares[a] / before : rest / 2)) / 100;
  shares[b] = Math.max(0, Math.round(100 * (rest - shares[a])) / 100);
}

/** One draw over the sentence; each has a seed of its own, so that the same clicks give the same masks. */
function sampleMasks(words, { share, mask, random }, replacements, seed) {
  const numbers = generator(seed);
  const chosen = chooseTokens(words.map(() => true), share, numbers);
  const kinds = drawKinds(chosen, [mask, random], numbers);
  return { kinds, ...corrupt(words, kinds, words.map(() => replacements[below(replacements.length, numbers)])) };
}

function tallied(state, replacements) {
  state.seed++;
  const drawn = sampleMasks(state.words, state.shares, replacements, state.seed);
  for (const kind of drawn.kinds) state.tally[kind ?? "none"]++;
  state.tally.draws++;
  return drawn;
}

const percent = (x, digits = 0) => `${(100 * x).toFixed(digits)}%`;

function draw(root, { shares, tally, words }, { inputs, labels, kinds }) {
  for (const name of ["share", "mask", "random", "keep"]) {
    part(root, name).value = Math.round(100 * shares[name]);
    part(root, `${name}Text`).textContent = percent(shares[name]);
    part(root, name).setAttribute("aria-valuetext", percent(shares[name]));
  }
  const special = (token) => column(token, "cw-special", "", "never chosen");
  part(root, "tokens").replaceChildren(special("[CLS]"),
    ...inputs.map((token, i) => column(token, LOOKS[kinds[i]] ?? "", labels[i] ?? "–", kinds[i] ? `${KINDS[kinds[i]]}, must say ${labels[i]}` : "not chosen")),
    special("[SEP]"));
  part(root, "drawn").textContent = `${plural(tally.draws, "draw")}, ${plural(tally.draws * words.length, "token")}`;
  const rows = tallyRows(shares, tally);
  part(root, "rows").replaceChildren(...rows.map(([name, seen, share, expected]) => el("tr", {},
    el("th", { scope: "row", text: name }), el("td", { class: "cw-number", text: seen.toLocaleString("en") }),
    el("td", { class: "cw-number", text: percent(share, 2) }), el("td", { class: "cw-number", text: percent(expected, 2) }))));
  part(root, "test").textContent = verdict(rows);
  announce(root, `${plural(count(kinds), "token")} of ${words.length} chosen. ${inputs.join(" ")}`);
}

/** [name, count, share, expected share] of the four fates of a token. */
function tallyRows({ share, mask, random, keep }, tally) {
  const expected = { mask: share * mask, random: share * random, keep: share * keep, none: 1 - share };
  const total = tally.mask + tally.random + tally.keep + tally.none;
  return Object.entries({ ...KINDS, none: "not chosen" }).map(([kind, name]) => [name, tally[kind], total ? tally[kind] / total : 0, expected[kind]]);
}

/** The chi-squared test in words, once each expected count is at least 5. */
function verdict(rows) {
  const total = sum(rows.map(([, seen]) => seen)), possible = rows.filter(([, , , expected]) => expected > 1e-9);
  const freedom = possible.length - 1;
  if (freedom < 1) return "There is nothing to test: every token has the same fate.";
  if (possible.some(([, , , expected]) => expected * total < 5)) return "Too few tokens for a chi-squared test: draw 1,000 times.";
  const value = sum(possible.map(([, seen, , expected]) => (seen - expected * total) ** 2 / (expected * total)));
  return `Chi-squared: ${value.toFixed(1)}. If the shares are right, one tally in twenty exceeds ${CRITICAL[freedom]}.`;
}
