/** The best span of at most `longest` tokens, by the sum with three decimals; the first of equals. */
function bestPair(starts, ends, longest) {
  let best = null;
  for (let start = 0; start < starts.length; start++) {
    for (let end = start; end < Math.min(start + longest, ends.length); end++) {
      const score = addLogits(starts[start], ends[end]);
      if (!best || score > best.score) best = { start, end, score };
    }
  }
  return best;
}

// Whole thousandths: the sum of two numbers with three decimals has no more.
const addLogits = (a, b) => (Math.round(a * 1000) + Math.round(b * 1000)) / 1000;

function bestOverWindows(windows, longest) {
  const found = windows.map(({ starts, ends }, window) => ({ window, ...bestPair(starts, ends, longest) }));
  return found.reduce((best, one) => (one.score > best.score ? one : best));
}

/** What a pair is: "span", "backward" or "long". */
const kindOfPair = (start, end, longest) => (end < start ? "backward" : end - start >= longest ? "long" : "span");
const firstMaximum = (row) => row.indexOf(Math.max(...row));

function countPairs(tokens, longest) {
  let valid = 0;
  for (let start = 0; start < tokens; start++) valid += Math.min(longest, tokens - start);
  return valid;
}

function start(root, data) {
  const letters = [...data.passage], state = { window: 0, start: 0, end: 0, setsEnd: false };
  const [pick, from, to, longest] = ["window", "start", "end", "longest"].map((name) => part(root, name));
  pick.replaceChildren(...data.windows.map(({ begins, offsets }, i) => el("option", { value: i, text: `${i + 1}: tokens ${begins + 1} to ${begins + offsets.length}` })));
  part(root, "windowPick").hidden = data.windows.length < 2;
  longest.value = data.longest;
  const show = () => draw(root, data, letters, state, press);
  const press = (at) => { state[state.setsEnd ? "end" : "start"] = at; state.setsEnd = !state.setsEnd; show(); };
  const set = (changes) => { Object.assign(state, changes, { setsEnd: false }); show(); };
  const best = () => set(bestOverWindows(data.windows, +longest.value));

  pick.addEventListener("change", () => { const { starts, ends } = data.windows[+pick.value]; set({ window: +pick.value, ...bestPair(starts, ends, +longest.value) }); });
  from.addEventListener("input", () => set({ start: +from.value }));
  to.addEventListener("input", () => set({ end: +to.value }));
  longest.addEventListener("input", show);
  part(root, "best").addEventListener("click", best);
  part(root, "naive").addEventListener("click", () => { const { starts, ends } = data.windows[state.window]; set({ start: firstMaximum(starts), end: firstMaximum(ends) }); });
  best();
}

function draw(root, data, letters, state, press) {
  const window = data.windows[state.window], { starts, ends, offsets } = window;
  const text = (a, b) => letters.slice(offsets[a][0], offsets[b][1]).join("");
  const most = +part(root, "longest").value, kind = kindOfPair(state.start, state.end, most);
  part(root, "window").value = state.window;
  for (const name of ["start", "end"]) {
    const slider = part(root, name), words = `${state[name] + 1}: ${text(state[name], state[name])}`;
    [slider.max, slider.value] = [offsets.length - 1, state[name]];
    slider.setAttribute("aria-valuetext", words);
    part(root, `${name}Text`).textContent = words;
  }
  part(root, "longestText").textContent = plural(most, "token");
  part(root, "longest").setAttribute("aria-valuetext", plural(most, "token"));
  drawTokens(part(root, "tokens"), window, text, state, kind, press);
  const score = addLogits(starts[state.start], ends[state.end]);
  const shown = { startLogit: starts[state.start], endLogit: ends[state.end], score };
  for (const [name, value] of Object.entries(shown)) part(root, name).textContent = value.toFixed(3);
  part(root, "valid").textContent = `${countPairs(offsets.length, most)} of ${offsets.length ** 2}`;
  const story = tell(data, state, score, kind, most, text);
  part(root, "story").textContent = story;
  part(root, "story").classList.toggle("cw-wrong", kind !== "span");
  announce(root, story);
}

/** One button a token, kept from draw to draw in one window, so that the focus stays where the reader is. */
function drawTokens(host, { starts, ends, offsets }, text, state, kind, press) {
  if (host.dataset.window !== String(state.window)) {
    const all = [...starts, ...ends], [low, high] = [Math.min(...all), Math.max(...all)];
    const bar = (x) => el("i", { style: `height: ${(8 + 92 * (x - low) / (high - low || 1)).toFixed(1)}%` });
    host.replaceChildren(...offsets.map((_, i) => el("li", {}, el("button", { type: "button", title: `start ${starts[i].toFixed(3)}, end ${ends[i].toFixed(3)}`, onclick: () => press(i) },
      el("span", { class: "cw-bars", "aria-hidden": "true" }, bar(starts[i]), bar(ends[i])), el("span", { text: text(i, i) })))));
    host.dataset.window = state.window;
  }
  offsets.forEach((_, i) => {
    const button = host.children[i].firstChild, ends = [i === state.start && "cw-from", i === state.end && "cw-to"];
    const within = kind !== "backward" && i >= state.start && i <= state.end;
    button.className = [...ends, within && "cw-in", kind !== "span" && (ends[0] || ends[1]) && "cw-bad"].filter(Boolean).join(" ");
    button.setAttribute("aria-pressed", String(within));
  });
}

function tell(data, state, score, kind, most, text) {
  if (kind === "backward") return `No answer: the end, "${text(state.end, state.end)}", comes before the start, "${text(state.start, state.start)}". A model that takes the best start and the best end apart can give this.`;
  if (kind === "long") return `No answer: ${state.end - state.start + 1} tokens are more than ${most}.`;
  const best = bestOverWindows(data.windows, most), answer = `"${text(state.start, state.end)}"`;
  if (score === best.score && state.window === best.window) return `Answer: ${answer}, ${score.toFixed(3)}. No valid span${data.windows.length > 1 ? " of any window" : ""} has a larger sum.`;
  const where = best.window === state.window ? "" : ` in window ${best.window + 1}`;
  return `A valid span: ${answer}, ${score.toFixed(3)}. The best has ${best.score.toFixed(3)}${where}.`;
}
