/** Letters stand for groups; a picture is one projection of one cloud. */
function start(root, data) {
  const choose = (name) => part(root, name);
  const cloud = choose("cloud"), perplexity = choose("perplexity"), seed = choose("seed"), by = choose("by");
  const host = part(root, "plot");

  function show() {
    const chosen = data.clouds[+cloud.value];
    by.querySelector('[value="known"]').disabled = !chosen.known;
    if (!chosen.known && by.value === "known") by.value = "groups";
    const picture = chosen.pictures.find((one) => one.perplexity === +perplexity.value && one.seed === +seed.value);
    const { groups, names } = letters(chosen, picture, by.value);
    draw(host, picture.points, groups, names ? names.map((name) => name[0].toUpperCase()) : null);
    const text = score(picture);
    host.firstChild?.setAttribute("aria-label", `${plural(groups.length, "sentence")} of ${chosen.name} at perplexity ${picture.perplexity}, seed ${picture.seed}, each drawn as the letter of its group. The sentence and the table below say how far the groups agree.`);
    part(root, "legend").replaceChildren(...key(groups, names));
    part(root, "score").textContent = text;
    announce(root, text);
  }

  for (const control of [cloud, perplexity, seed, by]) control.addEventListener("change", show);
  new ResizeObserver(() => { host.replaceChildren(); show(); }).observe(host);
  show();
}

/** What the points are colored by. */
function letters(cloud, picture, by) {
  if (by === "known") return { groups: cloud.known.of, names: cloud.known.names };
  return { groups: by === "before" ? cloud.before : picture.groups, names: null };
}

const letter = (group) => String.fromCharCode(65 + group);

function score({ seeds, before, known }) {
  const label = known === null ? "" : `, with the known label ${known.toFixed(2)}`;
  return `The groups found in this picture agree with those of the other seeds ${seeds.toFixed(2)}, with the groups found before the projection ${before.toFixed(2)}${label} (1: the same; 0: chance).`;
}

/** The legend: names of known labels, or how many points each letter has. */
function key(groups, names) {
  const counts = new Map();
  for (const group of groups) counts.set(group, (counts.get(group) || 0) + 1);
  return [...counts].sort(([a], [b]) => a - b).map(([group, count]) => el("li", {},
    el("b", { class: `cw-c${group % COLORS}`, text: names ? names[group][0].toUpperCase() : letter(group) }),
    ` ${names ? names[group] : count}`));
}

/** Draw the letters, or move those that are there, so that they glide from picture to picture. */
function draw(host, points, groups, initials) {
  const width = host.clientWidth;
  if (!width) return;
  const height = Math.max(260, Math.min(440, 0.7 * width)), reach = Math.min(width, height) / 2 - 14;
  const same = host.firstChild && host.firstChild.childElementCount === points.length;
  if (!same) {
    const marks = points.map(() => svg("text", { class: "cw-letter", dy: 4 }));
    host.replaceChildren(svg("svg", { class: "cw-chart", role: "img", viewBox: `0 0 ${width} ${height}`, width, height }, ...marks));
  }
  host.firstChild.querySelectorAll("text").forEach((mark, i) => {
    const [x, y] = points[i];
    mark.setAttribute("class", `cw-letter cw-c${groups[i] % COLORS}`);
    mark.textContent = initials ? initials[groups[i]] : letter(groups[i]);
    mark.style.transform = `translate(${(width / 2 + reach * x).toFixed(1)}px, ${(height / 2 + reach * y).toFixed(1)}px)`;
  });
}
