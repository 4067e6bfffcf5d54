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
  // What was scanned goes along with the form that says so (`data-sends-scans`): ticked by hand is not scanned.
  const scansKey = () => `scans/${area()?.dataset.about ?? ""}`;
  const scans = () => JSON.parse(sessionStorage.getItem(scansKey()) ?? "{}");
  function mark(found, text, code) {
    for (const one of found) one.checked = true;
    sessionStorage.setItem(scansKey(), JSON.stringify({ ...scans(), ...Object.fromEntries(found.map((one) => [one.dataset.mark, code])) }));
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
      if (plain.length) mark(plain, code, code); else stop(code, area()?.dataset.offline ?? "");
      return;
    }
    if (found.stop) stop(found.stop, found.detail);
    else if (found.place) { place = found.place; good(found.text); }
    else mark(marks().filter((one) => found.mark.includes(one.id)), found.text, code);
  }
  // A field takes a scan while it has the focus; one that can only be filled by a scanner (`data-scan-wanted`) takes the
  // next one by itself, and a code only once.
  function taken(code) {
    const focused = document.activeElement;
    const wanted = $("dialog[open]") ? [] : all("[data-scan-wanted]").filter((one) => one.checkVisibility());
    if (wanted.some((one) => one !== focused && one.value === code)) { window.mes.sound(false); return true; }
    const field = focused?.matches?.("[data-scan-field]") && !(focused.value && wanted.includes(focused)) ? focused : wanted.find((one) => !one.value);
    if (!field) return false;
    field.value = code;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    wanted.find((one) => !one.value)?.focus();
    window.mes.sound(true);
    return true;
  }
  // What the scale shows, less the tare, against the range: the word beside it says so before anything is sent.
  // Again when the page has fetched itself anew: what was typed stays, and so does its word.
  function weighed(form) {
    const value = (name) => Number((form.elements[name]?.value ?? "").normalize("NFKC").replace(/[。、]/g, ".").replace(/[ ,]/g, "") || NaN);
    const net = Math.round((value("gross") - value("tare")) * 1e6) / 1e6, { netLow: low, netHigh: high } = form.dataset;
    const isKnown = Number.isFinite(net), tooMuch = isKnown && net > Number(high), tooLittle = isKnown && net < Number(low);
    $("[data-net-shown]", form).textContent = isKnown ? String(net) : "–";
    $("[data-too-much]", form).hidden = !tooMuch;
    $("[data-too-little]", form).hidden = !tooLittle;
  }
  document.addEventListener("input", (event) => {
    const form = event.target.closest?.("[data-net]");
    if (form) weighed(form);
  });
  window.mes.onSwap(() => all("[data-net]").forEach(weighed));
  document.addEventListener("mes:scan", (event) => {
    if (taken(event.detail)) { event.preventDefault(); return; }
    if (!area() || $("dialog[open]")) return;
    event.preventDefault();
    scanned(event.detail);
  });
  // Where codes have to be scanned nothing is ticked by hand: the screen says so before the server has to.
  document.addEventListener("click", (event) => {
    const here = event.target.closest?.("[data-scan-only]");
    if (!here || !event.target.matches("[data-mark]")) return;
    event.preventDefault();
    stop(here.dataset.scanOnly, here.dataset.scanHow);
  }, { capture: true });
  document.addEventListener("change", (event) => { if (event.target.matches?.("[data-mark]")) keep(); });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.dataset.sendsScans === undefined || !area()) return;
    for (const old of all("[data-sent]", form)) old.remove();
    const known = scans(), codes = new Set(all("[data-mark]:checked", area()).map((one) => known[one.dataset.mark]).filter(Boolean));
    [...codes].forEach((code, at) => {
      const field = document.createElement("input");
      Object.assign(field, { type: "hidden", name: `scans.${at}`, value: code });
      field.dataset.sent = "";
      form.append(field);
    });
  }, { capture: true });
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
