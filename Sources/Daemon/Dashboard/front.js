// The Pareto front of a bundle: predicted KL against stored bytes, the bundle itself, and what it was measured against.

import { bytes, drawing, element, number, scrolling, table } from "./view.js";

const width = 640;
const height = 300;
const margin = { left: 84, right: 16, top: 16, bottom: 40 };

export function frontOf(manifest, storedBytes) {
  const front = (manifest.pareto_front ?? [])
    .map((point) => ({ bytes: point.stored_bytes, kl: point.predicted_kl }))
    .sort((first, second) => first.bytes - second.bytes);
  if (front.length < 2) return element("p", {}, "The search had no freedom: there is no front to draw.");
  const chosen = { name: "this bundle", bytes: storedBytes, kl: manifest.quality.kl };
  const baselines = [manifest.baselines?.uniform, manifest.baselines?.rule].filter(Boolean)
    .map((baseline) => ({ name: baseline.name, bytes: baseline.stored_bytes, kl: baseline.kl }));
  const drawn = scrolling("Quality against size", picture(front, chosen, baselines));
  return element("div", {}, drawn, words(front, chosen, baselines));
}

function picture(front, chosen, baselines) {
  const all = [...front, chosen, ...baselines];
  const x = scale(all.map((point) => point.bytes), margin.left, width - margin.right);
  // Logarithms: fronts fall by orders of magnitude.
  const y = scale(all.map((point) => log(point.kl)), height - margin.bottom, margin.top);
  const line = front.map((point) => `${x.at(point.bytes).toFixed(1)},${y.at(log(point.kl)).toFixed(1)}`).join(" ");
  const svg = drawing(
    "svg", { class: "front", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": "KL divergence against stored bytes; the table below has the numbers" },
    ...axes(x, y), drawing("polyline", { class: "line", points: line }));
  // Shapes differ, not only colours: circles are baselines, the square is this bundle.
  for (const point of baselines) {
    svg.append(drawing(
      "circle", { class: "baseline", r: 5, cx: x.at(point.bytes), cy: y.at(log(point.kl)) },
      drawing("title", {}, caption(point))));
  }
  svg.append(drawing(
    "rect", { class: "chosen", width: 11, height: 11, x: x.at(chosen.bytes) - 5.5, y: y.at(log(chosen.kl)) - 5.5 },
    drawing("title", {}, caption(chosen))));
  return svg;
}

function words(front, chosen, baselines) {
  const row = (what, point) =>
    element("tr", {}, element("td", {}, what), element("td", {}, bytes(point.bytes)), element("td", {}, number(point.kl)));
  return element(
    "details", {}, element("summary", {}, "The line is predicted; the square is this bundle, circles are baselines, both measured. As numbers"),
    table(["plan", "stored", "KL (nats)"], [
      row(chosen.name, chosen), ...baselines.map((point) => row(`baseline ${point.name}`, point)),
      ...front.map((point) => row("front, predicted", point)),
    ]));
}

function axes(x, y) {
  const bottom = height - margin.bottom;
  const parts = [
    drawing("path", { class: "axis", d: `M${margin.left} ${margin.top}V${bottom}H${width - margin.right}` }),
    drawing("text", { x: width / 2, y: height - 6, "text-anchor": "middle" }, "stored (MB)"),
    drawing("text", { x: 14, y: height / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${height / 2})` }, "KL (nats)"),
  ];
  for (let step = 0; step <= 4; step += 1) {
    const [size, kl] = [x.value(step / 4), 10 ** y.value(step / 4)];
    parts.push(
      drawing("text", { x: x.at(size), y: bottom + 16, "text-anchor": "middle" }, number(size / 1e6, 3)),
      drawing("text", { x: margin.left - 6, y: y.at(log(kl)) + 4, "text-anchor": "end" }, number(kl, 2)));
  }
  return parts;
}

function scale(values, from, to) {
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  return { at: (value) => from + ((value - low) / span) * (to - from), value: (share) => low + share * span };
}

function log(value) {
  return Math.log10(Math.max(value, 1e-9));
}

function caption(point) {
  return `${point.name}: ${bytes(point.bytes)}, ${number(point.kl)} nats`;
}
