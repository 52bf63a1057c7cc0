function start(root, data) {
  const state = { tokens: [], noise: [], seed: 0 };
  const text = part(root, "text"), density = part(root, "density"), span = part(root, "span");
  const show = () => draw(root, state, (i) => { state.noise[i] = !state.noise[i]; show(); });
  const sample = () => {
    state.seed++;
    state.noise = spanNoise(state.tokens.length, generator(state.seed), { density: density.value / 100, meanSpan: +span.value });
    show();
  };

  [text.value, density.value, span.value] = [data.text, 100 * data.density, data.meanSpan];
  onTyping(text, () => { state.tokens = bertWords(text.value, false); sample(); });
  part(root, "again").addEventListener("click", sample);
  part(root, "none").addEventListener("click", () => { state.noise = state.tokens.map(() => false); show(); });
  for (const slider of [density, span]) slider.addEventListener("input", sample);
  state.tokens = data.tokens;
  state.noise = [...data.noise];
  show();
}

function draw(root, { tokens, noise, seed }, toggle) {
  const { inputs, targets } = replaceSpans(tokens, noise);
  const density = `${part(root, "density").value}%`, span = (+part(root, "span").value).toFixed(1);
  part(root, "densityText").textContent = density;
  part(root, "spanText").textContent = span;
  part(root, "density").setAttribute("aria-valuetext", density);
  part(root, "span").setAttribute("aria-valuetext", `${span} tokens`);
  drawToggles(part(root, "tokens"), tokens, noise, toggle);
  part(root, "inputs").replaceChildren(...sentinelChips(inputs));
  part(root, "targets").replaceChildren(...sentinelChips(targets));
  part(root, "drawn").textContent = seed ? `Draw ${seed}` : "";
  const sizes = { length: tokens.length, read: inputs.length, written: targets.length, whole: tokens.length };
  for (const [name, size] of Object.entries(sizes)) part(root, name).textContent = size;
  part(root, "story").textContent = tell(tokens, noise, inputs, targets);
  announce(root, `The encoder reads: ${inputs.join(" ")}. The decoder writes: ${targets.join(" ")}`);
}

/** One button a token, kept from draw to draw, so that the focus stays where the reader is. */
function drawToggles(host, tokens, noise, toggle) {
  const same = host.dataset.live === "true" && host.children.length === tokens.length && tokens.every((token, i) => host.children[i].textContent === token);
  if (!same) {
    host.replaceChildren(...tokens.map((token, i) => el("li", {}, el("button", { type: "button", text: token, onclick: () => toggle(i) }))));
    host.dataset.live = "true";
  }
  noise.forEach((is, i) => host.children[i].firstChild.setAttribute("aria-pressed", String(is)));
}

const sentinelChips = (shown) => shown.map((token) => el("li", {}, chip(token, { class: /^<[A-Z]\d*>$/.test(token) ? "cw-sentinel" : "" })));

function tell(tokens, noise, inputs, targets) {
  if (!tokens.length) return "There is no text yet: type some words.";
  const corrupted = count(noise), spans = runs(noise).length;
  if (!corrupted) return "Nothing is corrupted: the target is one sentinel, and teaches nothing.";
  const less = tokens.length - targets.length;
  const cost = less > 0 ? `${plural(less, "token")} fewer than rewriting the whole text` : less < 0 ? `${plural(-less, "token")} more than rewriting the whole text` : "as many as rewriting the whole text";
  return `${plural(corrupted, "token")} of ${tokens.length} in ${plural(spans, "span")}. Reading takes ${plural(tokens.length - inputs.length, "token")} fewer, writing ${cost}.`;
}
