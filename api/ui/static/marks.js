// Scanning at the shelf: on a screen with `data-scans` every scan is held against what stands there. What fits is
// marked, what does not is a stop across the whole screen that somebody has to close. Marks belong to this tab.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const area = () => $("[data-scans]");
  const marks = () => all("[data-mark]:not([disabled])", area() ?? document.createElement("i"));
  let place = "", said = "", about;

  function stop(title, detail) {
    const box = document.createElement("div");
    box.id = "stop";
    box.setAttribute("role", "alertdialog");
    box.setAttribute("aria-labelledby", "stop-title");
    const word = document.createElement("b"), text = document.createElement("p"), close = document.createElement("button");
    word.id = "stop-title";
    word.textContent = title;
    text.textContent = detail;
    close.type = "button";
    close.className = "big";
    close.textContent = area()?.dataset.close ?? "OK";
    close.addEventListener("click", () => { box.remove(); $("#scan")?.focus(); });
    box.append(word, text, close);
    $("#stop")?.remove();
    document.body.append(box);
    close.focus();
    window.mes.sound(false);
  }
  function good(text) {
    $("#stop")?.remove();
    said = text;
    count();
    window.mes.sound(true);
  }
  const key = () => `marks/${area()?.dataset.about ?? ""}`;
  function count() {
    const here = area(), box = $("[data-marked]");
    if (!here || !box) return;
    const own = all("[data-mark]", here), done = own.filter((one) => one.checked).length;
    const text = here.dataset.count.replace("{done}", done).replace("{all}", own.length);
    box.textContent = [said, text].filter(Boolean).join(" · ");
    for (const row of all("[data-at]", here)) row.toggleAttribute("data-here", place !== "" && row.dataset.at === place);
  }
  function keep() { sessionStorage.setItem(key(), JSON.stringify(all("[data-mark]:checked", area()).map((one) => one.dataset.mark))); count(); }
  function mark(found, text) {
    for (const one of found) one.checked = true;
    keep();
    good(text);
    found[0]?.closest("[data-at]")?.scrollIntoView({ block: "nearest" });
  }
  const stands = (one, code) => { const [at, lot] = one.dataset.mark.split("|"); return lot === code && (place === "" || at === place); };

  // The server says what a scan means: it knows the lot as it is now. Without it, only what stands here counts; what
  // is sent in the end is judged by the server in any case.
  async function scanned(code) {
    let found;
    try {
      const answer = await fetch(`${area().dataset.scans}?${new URLSearchParams({ code, at: place })}`, { headers: { "x-fragment": "1" }, credentials: "same-origin" });
      if (answer.status === 401) { window.mes.visit(location.href, { push: false }); return; } // locked: scan again
      if (!answer.ok) throw new Error(answer.status);
      found = await answer.json();
    } catch {
      const plain = marks().filter((one) => stands(one, code));
      if (plain.length) mark(plain, code); else stop(code, area()?.dataset.offline ?? "");
      return;
    }
    if (found.stop) stop(found.stop, found.detail);
    else if (found.place) { place = found.place; good(found.text); }
    else mark(marks().filter((one) => found.mark.includes(one.id)), found.text);
  }
  document.addEventListener("mes:scan", (event) => {
    const field = document.activeElement;
    if (field?.matches?.("[data-scan-field]")) { event.preventDefault(); field.value = event.detail; window.mes.sound(true); return; }
    if (!area() || $("dialog[open]")) return;
    event.preventDefault();
    scanned(event.detail);
  });
  document.addEventListener("change", (event) => { if (event.target.matches?.("[data-mark]")) keep(); });
  // What asks for all marks is not sent before they are there.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.needsMarks === undefined || !area()) return;
    if (all("[data-mark]", area()).every((one) => one.checked)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    stop(area().dataset.missing, $("[data-marked]")?.textContent ?? "");
  }, { capture: true });
  window.mes.onSwap(() => {
    const now = area()?.dataset.about;
    if (now !== about) { about = now; place = said = ""; $("#stop")?.remove(); }
    if (now) {
      // Another lot in the same line is another thing to look at.
      const kept = new Set(JSON.parse(sessionStorage.getItem(key()) ?? "[]"));
      for (const one of all("[data-mark]", area())) if (one.type === "checkbox") one.checked = !one.disabled && kept.has(one.dataset.mark);
    }
    count();
  });
})();
