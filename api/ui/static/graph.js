// The genealogy: drag to move, wheel or two fingers to come nearer, arrows to go from lot to lot, Enter to open one.
// Without this script the picture is a picture, its lots are links, and the list beside it says the same.
(() => {
  "use strict";
  const views = new Map();
  const svg = () => document.getElementById("graph");
  const box = (el) => el.getAttribute("viewBox").split(" ").map(Number);
  const whole = (el) => el.dataset.box.split(" ").map(Number);
  const keep = (el, next) => { el.setAttribute("viewBox", next.map((n) => Math.round(n * 100) / 100).join(" ")); views.set(el.dataset.graph, next); };
  const scale = (el) => { const rect = el.getBoundingClientRect(), [, , w, h] = box(el); return Math.min(rect.width / w, rect.height / h) || 1; };
  const at = (el, x, y) => { const point = new DOMPoint(x, y).matrixTransform(el.getScreenCTM().inverse()); return [point.x, point.y]; };

  function zoom(el, factor, cx, cy) {
    const [x, y, w, h] = box(el), [, , ww] = whole(el);
    const width = Math.min(Math.max(w / factor, 240), Math.max(ww * 2, 600)), f = w / width;
    keep(el, [cx - (cx - x) / f, cy - (cy - y) / f, width, h / f]);
  }
  const middle = (el) => { const [x, y, w, h] = box(el); return [x + w / 2, y + h / 2]; };
  function centre(el, node) {
    const [, , w, h] = box(el), [x, y] = [Number(node.dataset.x), Number(node.dataset.y)];
    keep(el, [x - w / 2, y - h / 2, w, h]);
  }
  // What does not fit readably on a small screen is shown around the lot that it is about.
  function begin(el) {
    const known = views.get(el.dataset.graph);
    if (known) { keep(el, known); return; }
    const rect = el.getBoundingClientRect(), [x, y, w, h] = whole(el);
    if (!rect.width || Math.min(rect.width / w, rect.height / h) >= 0.6) return;
    const own = el.querySelector("[data-own]") ?? el.querySelector("[data-node]");
    const width = rect.width / 0.8, height = rect.height / 0.8;
    const cx = own ? Number(own.dataset.x) : x + w / 2, cy = own ? Number(own.dataset.y) : y + h / 2;
    el.setAttribute("viewBox", [cx - width / 2, cy - height / 2, width, height].join(" "));
  }

  document.addEventListener("click", (event) => {
    const press = event.target.closest?.("[data-zoom]"), el = svg();
    if (press && el) {
      if (press.dataset.zoom === "fit") keep(el, whole(el)); else zoom(el, press.dataset.zoom === "in" ? 1.4 : 1 / 1.4, ...middle(el));
      return;
    }
    const node = event.target.closest?.("a[data-node]");
    if (!node || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (moved) { moved = false; return; }
    open(node);
  });
  function open(node) {
    const address = node.getAttribute("href");
    if (address.startsWith("#")) { const list = document.querySelector(address); if (list) { if ("open" in list) list.open = true; list.scrollIntoView(); list.focus?.(); } return; }
    window.mes.visit(address);
  }

  document.addEventListener("keydown", (event) => {
    const node = event.target.closest?.("a[data-node]"), el = svg();
    if (!el || !el.contains(event.target) && event.target !== el) return;
    if (event.key === "+" || event.key === "=") { event.preventDefault(); zoom(el, 1.25, ...middle(el)); return; }
    if (event.key === "-") { event.preventDefault(); zoom(el, 0.8, ...middle(el)); return; }
    if (event.key === "0") { event.preventDefault(); keep(el, whole(el)); return; }
    if (!node) {
      if (event.key.startsWith("Arrow")) { event.preventDefault(); focus(el, el.querySelector("[data-own]") ?? el.querySelector("[data-node]")); }
      return;
    }
    if (event.key === "Enter") { event.preventDefault(); open(node); return; }
    const step = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = nearest(el, node, step);
    if (next) focus(el, next);
  });
  // Up and down inside a layer; left and right to what it is linked with, else to whatever is nearest there.
  function nearest(el, node, [dx, dy]) {
    const layer = Number(node.dataset.layer), row = Number(node.dataset.row), y = Number(node.dataset.y);
    const nodes = [...el.querySelectorAll("[data-node]")];
    if (dy) return nodes.find((one) => Number(one.dataset.layer) === layer && Number(one.dataset.row) === row + dy);
    const linked = new Set((dx < 0 ? node.dataset.from : node.dataset.to).split("\n").filter(Boolean));
    const near = nodes.filter((one) => linked.has(one.dataset.node));
    const beside = near.length ? near : nodes.filter((one) => Number(one.dataset.layer) === layer + dx);
    return beside.sort((a, b) => Math.abs(a.dataset.y - y) - Math.abs(b.dataset.y - y))[0];
  }
  function focus(el, node) {
    node.focus({ preventScroll: true });
    const [x, y, w, h] = box(el), [nx, ny] = [Number(node.dataset.x), Number(node.dataset.y)];
    if (nx < x + 60 || nx > x + w - 60 || ny < y + 30 || ny > y + h - 30) centre(el, node);
  }

  document.addEventListener("wheel", (event) => {
    const el = event.target.closest?.("#graph");
    if (!el) return;
    event.preventDefault();
    zoom(el, event.deltaY < 0 ? 1.15 : 1 / 1.15, ...at(el, event.clientX, event.clientY));
  }, { passive: false });

  const fingers = new Map();
  let moved = false, apart = 0;
  document.addEventListener("pointerdown", (event) => {
    const el = event.target.closest?.("#graph");
    if (!el) return;
    moved = false;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    apart = distance();
  });
  document.addEventListener("pointermove", (event) => {
    const el = svg(), before = fingers.get(event.pointerId);
    if (!el || !before) return;
    const dx = event.clientX - before[0], dy = event.clientY - before[1];
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true;
    fingers.set(event.pointerId, [event.clientX, event.clientY]);
    if (fingers.size === 2) {
      const now = distance(), [a, b] = [...fingers.values()];
      if (apart) zoom(el, now / apart, ...at(el, (a[0] + b[0]) / 2, (a[1] + b[1]) / 2));
      apart = now;
      return;
    }
    const [x, y, w, h] = box(el), k = scale(el);
    keep(el, [x - dx / k, y - dy / k, w, h]);
  });
  for (const kind of ["pointerup", "pointercancel"]) document.addEventListener(kind, (event) => { fingers.delete(event.pointerId); apart = 0; });
  document.addEventListener("dragstart", (event) => { if (event.target.closest?.("#graph")) event.preventDefault(); });
  const distance = () => { const [a, b] = [...fingers.values()]; return b ? Math.hypot(a[0] - b[0], a[1] - b[1]) : 0; };

  window.mes.onSwap(() => { const el = svg(); if (el) begin(el); });
})();
