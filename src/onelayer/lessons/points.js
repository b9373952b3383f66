// Scatter plot with draggable points; the Python side is points.py. Sends only "points".
const MARGIN = { left: 46, right: 12, top: 8, bottom: 40 };
const RADIUS = 6.5;

function node(name, attributes, parent) {
  const el = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) el.setAttribute(key, value);
  if (parent) parent.append(el);
  return el;
}

function niceTicks([low, high], count) {
  const raw = (high - low) / Math.max(count, 1);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((k) => k * power).find((s) => s >= raw * 0.999);
  const ticks = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) ticks.push(k * step);
  return ticks;
}

const clamp = (v, [low, high]) => Math.min(Math.max(v, low), high);
const text = (v) => String(Number(v.toPrecision(4)));

function render({ model, el }) {
  const get = (name) => model.get(name);
  const root = document.createElement("div");
  root.className = "dragpoints";
  const svg = node("svg", { role: "group" });
  const below = document.createElement("p");
  below.setAttribute("role", "status");
  root.append(svg, below);
  el.append(root);

  const clipId = `clip-${Math.random().toString(36).slice(2)}`;
  const clip = node("rect", {}, node("clipPath", { id: clipId }, svg));
  const axes = node("g", {}, svg);
  const band = node("rect", { class: "band", "clip-path": `url(#${clipId})` }, svg);
  const curve = node("polyline", { class: "curve", "clip-path": `url(#${clipId})` }, svg);
  const layer = node("g", {}, svg);
  let points = get("points").map((p) => [...p]); // what is drawn; the model follows
  let nodes = [];
  let width = 480, height = 300, moving = -1, timer = 0, sentAt = 0;

  const box = () => [width - MARGIN.left - MARGIN.right, height - MARGIN.top - MARGIN.bottom];
  const toX = (v) => MARGIN.left + ((v - get("x_range")[0]) / (get("x_range")[1] - get("x_range")[0])) * box()[0];
  const toY = (v) => MARGIN.top + (1 - (v - get("y_range")[0]) / (get("y_range")[1] - get("y_range")[0])) * box()[1];
  const fromX = (px) => get("x_range")[0] + ((px - MARGIN.left) / box()[0]) * (get("x_range")[1] - get("x_range")[0]);
  const fromY = (py) => get("y_range")[0] + (1 - (py - MARGIN.top) / box()[1]) * (get("y_range")[1] - get("y_range")[0]);
  const kind = (i) => (get("y_snap").length ? get("y_snap").indexOf(points[i][1]) % 2 : get("kinds")[i] || 0);

  function drawAxes() {
    const [w, h] = box();
    for (const [k, v] of Object.entries({ x: MARGIN.left, y: MARGIN.top, width: w, height: h })) clip.setAttribute(k, v);
    axes.replaceChildren();
    for (const t of niceTicks(get("x_range"), w / 70)) {
      node("line", { class: "grid", x1: toX(t), x2: toX(t), y1: MARGIN.top, y2: MARGIN.top + h }, axes);
      node("text", { x: toX(t), y: MARGIN.top + h + 15, "text-anchor": "middle" }, axes).textContent = text(t);
    }
    for (const t of get("y_snap").length ? get("y_snap") : niceTicks(get("y_range"), h / 45)) {
      node("line", { class: "grid", x1: MARGIN.left, x2: MARGIN.left + w, y1: toY(t), y2: toY(t) }, axes);
      node("text", { x: MARGIN.left - 6, y: toY(t) + 4, "text-anchor": "end" }, axes).textContent = text(t);
    }
    node("rect", { class: "frame", x: MARGIN.left, y: MARGIN.top, width: w, height: h }, axes);
    node("text", { x: MARGIN.left + w / 2, y: height - 6, "text-anchor": "middle" }, axes).textContent = get("x_name");
    node("text", { "text-anchor": "middle", transform: `translate(12 ${MARGIN.top + h / 2}) rotate(-90)` }, axes)
      .textContent = get("y_name");
  }

  function drawOverlays() {
    const [low, high] = get("band");
    band.setAttribute("visibility", low === undefined ? "hidden" : "visible");
    if (low !== undefined) {
      const size = { x: MARGIN.left, width: box()[0], y: toY(high), height: toY(low) - toY(high) };
      for (const [k, v] of Object.entries(size)) band.setAttribute(k, v);
    }
    curve.setAttribute("points", get("curve").map(([x, y]) => `${toX(x).toFixed(1)},${toY(y).toFixed(1)}`).join(" "));
  }

  function drawPoints() {
    while (nodes.length > points.length) nodes.pop().remove();
    while (nodes.length < points.length) nodes.push(makePoint(nodes.length));
    points.forEach(([x, y], i) => {
      const g = nodes[i];
      g.setAttribute("transform", `translate(${toX(x)} ${toY(y)})`);
      g.querySelector(".mark").setAttribute("class", `mark ${kind(i) ? "cross" : "circle"}`);
      g.querySelector(".mark").setAttribute("d", kind(i)
        ? "M-5 -5L5 5M-5 5L5 -5" : `M${-RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${-2 * RADIUS} 0`);
      g.setAttribute("aria-label", `${get("label")} ${i + 1}: ${get("x_name")} ${text(x)}, ${get("y_name")} ${text(y)}`);
    });
  }

  function send(now) {
    const wait = now ? 0 : Math.max(0, get("wait_ms") - (performance.now() - sentAt));
    if (timer && !now) return; // one message is already on its way
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = 0;
      sentAt = performance.now();
      model.set("points", points.map((p) => [...p]));
      model.save_changes();
    }, wait);
  }

  function move(i, x, y, last) {
    const [oldX, oldY] = points[i];
    const snap = get("y_snap");
    if (get("y_locked")) y = oldY;
    const to = [clamp(x, get("x_range")), clamp(y, get("y_range"))];
    const atEdge = to[0] !== x || to[1] !== y;
    if (snap.length) to[1] = snap.reduce((a, b) => (Math.abs(b - to[1]) < Math.abs(a - to[1]) ? b : a));
    below.textContent = atEdge && !(snap.length && to[0] === x) ? get("edge") : get("hint");
    below.className = below.textContent === get("edge") ? "edge" : "";
    if (to[0] === oldX && to[1] === oldY && !last) return;
    points[i] = to;
    drawPoints();
    send(last);
  }

  function makePoint(i) {
    const g = node("g", { class: "point", tabindex: 0, role: "button" }, layer);
    node("circle", { class: "hit", r: 15 }, g);
    node("circle", { class: "ring", r: 10.5 }, g);
    node("path", { class: "mark" }, g);
    const at = (event) => {
      const view = svg.getBoundingClientRect();
      return [fromX(((event.clientX - view.left) / view.width) * width), fromY(((event.clientY - view.top) / view.height) * height)];
    };
    const end = (event) => {
      if (moving !== i) return;
      moving = -1;
      g.classList.remove("moving");
      if (event.type === "pointerup") move(i, ...at(event), true);
      else send(true);
    };
    g.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      moving = i;
      g.setPointerCapture(event.pointerId);
      g.classList.add("moving");
      g.focus({ preventScroll: true });
      event.preventDefault();
    });
    g.addEventListener("pointermove", (event) => moving === i && move(i, ...at(event), false));
    g.addEventListener("pointerup", end);
    g.addEventListener("pointercancel", end);
    g.addEventListener("keydown", (event) => {
      const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] || [0, 0];
      if (!dx && !dy) return;
      event.preventDefault();
      event.stopPropagation();
      const part = event.shiftKey ? 0.1 : 0.02;
      const [[x0, x1], [y0, y1], snap] = [get("x_range"), get("y_range"), get("y_snap")];
      const stepY = snap.length ? (snap[clamp(snap.indexOf(points[i][1]) + dy, [0, snap.length - 1])] - points[i][1]) : dy * part * (y1 - y0);
      move(i, points[i][0] + dx * part * (x1 - x0), points[i][1] + stepY, false);
    });
    return g;
  }

  function drawAll() {
    height = Math.max(200, Math.round(width * 0.6));
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawAxes();
    drawOverlays();
    drawPoints();
    if (!below.className) below.textContent = get("hint");
  }

  const fromPython = () => {
    if (moving >= 0 || timer) return; // the hand wins over an older message
    points = get("points").map((p) => [...p]);
    drawPoints();
  };
  const listeners = [["change:points", fromPython], ["change:curve", drawOverlays], ["change:band", drawOverlays]];
  for (const name of ["x_range", "y_range", "y_snap", "kinds", "x_name", "y_name", "hint", "edge", "label"])
    listeners.push([`change:${name}`, drawAll]);
  for (const [name, f] of listeners) model.on(name, f);
  const resize = new ResizeObserver(([entry]) => {
    const now = Math.round(clamp(entry.contentRect.width, [240, 640]));
    if (now !== width) { width = now; drawAll(); }
  });
  drawAll();
  resize.observe(root);
  return () => {
    resize.disconnect();
    clearTimeout(timer);
    for (const [name, f] of listeners) model.off(name, f);
  };
}

export default { render };
