// What a page does for its own life without a network: it says how old it is, has itself kept, and has kept what its
// person will probably open next. Without a secure context (https, or this machine) there is no worker, and no copy.
(() => {
  "use strict";
  const worker = navigator.serviceWorker, banner = document.getElementById("stale");
  const tell = (what, about) => worker?.controller?.postMessage([what, about]);
  // State of hh:mm: shown while the page is a copy, gone with the next answer of the server.
  function stale(state) {
    if (!banner) return;
    banner.hidden = !state;
    if (state) banner.querySelector("span").textContent = banner.dataset.words.replace("{at}", state);
  }
  const keep = () => { if (!document.documentElement.dataset.stale) tell("keep", location.pathname + location.search); };
  Object.assign(window.mes, { stale, keepPage: keep, forgetPages: () => tell("forget") });
  stale(document.documentElement.dataset.stale);
  if (document.documentElement.dataset.stale) document.getElementById("notices")?.replaceChildren();
  if (!worker) return;

  let told = 0;
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { if (Date.now() - told > 30000) { told = Date.now(); tell("alive"); } }, { capture: true, passive: true });
  let due;
  window.mes.onSwap(() => {
    clearTimeout(due);
    due = setTimeout(() => {
      const next = [...document.querySelectorAll("a[data-ahead]")].slice(0, 20).map((a) => a.pathname + a.search);
      if (next.length && !document.hidden) tell("ahead", next);
    }, 1500);
  });
  worker.addEventListener("controllerchange", keep);
  const register = () => worker.register("/ui/worker.js", { scope: "/ui/", updateViaCache: "none" }).then(() => worker.ready).then((own) => {
    if (worker.controller) keep(); else own.active?.postMessage(["claim"]); // this page began before its worker did
  }).catch(() => {});
  if (document.readyState === "complete") register(); else addEventListener("load", register);
})();
