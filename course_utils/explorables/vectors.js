/** The numbers that packing.py packed. */
function unpack({ bits, step, numbers }) {
  const bytes = Uint8Array.from(atob(numbers), (c) => c.charCodeAt(0));
  const whole = bits === 8 ? new Int8Array(bytes.buffer) : new Int16Array(bytes.buffer);
  return Float64Array.from(whole, (n) => n * step);
}

/** A vector as bars on a middle line: up is positive, down negative, full height is `limit`. */
function strip(values, limit, label) {
  const bars = [...values].map((value, i) => {
    const height = Math.max(.4, Math.min(1, Math.abs(value) / (limit || 1)) * 10);
    return svg("rect", { x: 4 * i + .5, y: value < 0 ? 10 : 10 - height, width: 3, height, class: value < 0 ? "cw-down" : "cw-up" });
  });
  return svg("svg", { class: "cw-strip", viewBox: `0 0 ${4 * values.length} 20`, preserveAspectRatio: "none", role: "img", "aria-label": label },
    svg("path", { class: "cw-middle", d: `M0 10H${4 * values.length}` }), ...bars);
}
