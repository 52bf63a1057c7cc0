"use strict";
// Shared by every explorable. Text goes in through textContent only, and nothing has an id.

const part = (root, name) => root.querySelector(`[data-part="${name}"]`);

/** A DOM node: el("td", {class: "cw-number", text: "3"}, ...children). */
function el(tag, attributes = {}, ...children) {
  return dress(document.createElement(tag), attributes, children);
}

function svg(tag, attributes = {}, ...children) {
  return dress(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function dress(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "text") node.textContent = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/** Start every explorable of this kind on the page that has not started yet. */
function mount(kind, start) {
  for (const root of document.querySelectorAll(`.cw[data-cw="${kind}"]:not([data-ready])`)) {
    root.dataset.ready = "";
    start(root, JSON.parse(part(root, "data").textContent));
    for (const control of root.querySelectorAll("[data-live]")) control.hidden = false;
    root.querySelector("[data-still]").hidden = true;
  }
}

/** Tell screen readers what changed, once the reader pauses. */
function announce(root, text) {
  clearTimeout(announce.timers.get(root));
  announce.timers.set(root, setTimeout(() => { part(root, "live").textContent = text; }, 250));
}
announce.timers = new WeakMap();

/** Call `act` when `field` has been quiet for a moment. */
function onTyping(field, act) {
  let timer = 0;
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(act, 150); });
}

/** Code point order, as Python sorts: UTF-16 units would put emoji before U+FF5E. */
function byCodePoint(a, b) {
  const left = [...a], right = [...b];
  const at = left.findIndex((c, i) => c !== right[i]);
  if (at < 0) return left.length - right.length;
  return at < right.length ? left[at].codePointAt(0) - right[at].codePointAt(0) : 1;
}

const plural = (count, one, many = one + "s") => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** A token as a chip; spaces and invisible characters get a visible stand-in. */
function chip(token, attributes = {}) {
  const shown = token.replace(/[\p{C}\p{Z}]/gu, (c) => `U+${c.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`);
  return el("span", { ...attributes, class: `cw-chip ${attributes.class || ""}`.trim(), text: shown });
}

/** Run `render`, and let everything with a data-key glide from its old place to its new one. */
function glide(host, render) {
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const before = new Map();
  if (!still) for (const node of host.querySelectorAll("[data-key]")) before.set(node.dataset.key, node.getBoundingClientRect());
  render();
  if (still) return;
  for (const node of host.querySelectorAll("[data-key]")) {
    const old = before.get(node.dataset.key), now = node.getBoundingClientRect();
    if (!old) continue;
    const [dx, dy] = [old.left - now.left, old.top - now.top];
    if (Math.abs(dx) + Math.abs(dy) < 1) continue;
    node.animate([{ transform: `translate(${dx}px, ${dy}px)` }, { transform: "none" }], { duration: 260, easing: "cubic-bezier(.2, .7, .2, 1)" });
  }
}

/**
 * Wire the buttons and the slider of steps.html: `show(at)` draws a step and returns its position in words.
 * Arrow keys, Home and End work anywhere in the explorable except where they edit.
 */
function stepper(root, show) {
  const bar = root.querySelector(".cw-steps"), slider = bar.querySelector("input");
  let at = 0, last = 0;
  const moves = { first: () => 0, back: () => at - 1, next: () => at + 1, last: () => last };
  const keys = { ArrowLeft: "back", ArrowRight: "next", Home: "first", End: "last" };

  function go(to) {
    at = Math.max(0, Math.min(last, to));
    slider.max = last;
    slider.value = at;
    const words = show(at);
    slider.setAttribute("aria-valuetext", words);
    part(bar, "position").textContent = words;
    // aria-disabled, not disabled: a button must not lose the focus when the end is reached.
    for (const button of bar.querySelectorAll("button")) {
      const stuck = /first|back/.test(button.dataset.go) ? at === 0 : at === last;
      button.setAttribute("aria-disabled", stuck);
    }
  }

  for (const button of bar.querySelectorAll("button")) button.addEventListener("click", () => go(moves[button.dataset.go]()));
  slider.addEventListener("input", () => go(+slider.value));
  root.addEventListener("keydown", (event) => {
    const move = keys[event.key];
    if (!move || event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, textarea, select, [data-own-keys]")) return;
    event.preventDefault();
    go(moves[move]());
  });
  return { go, reset(count, to = 0) { last = count - 1; go(to); } };
}
