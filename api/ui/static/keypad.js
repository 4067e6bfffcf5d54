// Numbers by gloved fingers: a tap into a number field opens large keys, with the unit and the limits beside what is
// entered; the tablet's own keyboard stays away. F2 opens it, too, and its keys can be typed.
(() => {
  "use strict";
  const pad = document.getElementById("keypad");
  if (!pad) return;
  const part = (name) => pad.querySelector(`[data-${name}]`);
  const NUMBERS = "input[inputmode=decimal],input[inputmode=numeric],input[data-number]";
  let field, text = "", fresh = true, byTouch = false;

  const isNumber = (el) => el?.matches?.(NUMBERS) && !el.readOnly && !el.disabled;
  const isSecret = () => field.type === "password";
  const isWhole = () => field.dataset.number === "numeric";
  function show() {
    part("value").textContent = isSecret() ? "•".repeat(text.length) : text || "–";
    const value = parseFloat(text);
    const { low, high } = field.dataset;
    const outside = !Number.isNaN(value) && (value < parseFloat(low) || value > parseFloat(high));
    part("outside").hidden = !outside;
    pad.toggleAttribute("data-bad", outside);
  }
  function open(el) {
    field = el;
    // With `none` a tablet keeps its keyboard down; what kind of number it is stays known.
    el.dataset.number ??= el.inputMode;
    text = isSecret() ? "" : el.value.normalize("NFKC").replaceAll("。", ".").replaceAll(/[\s,]/g, "");
    fresh = true;
    const label = document.querySelector(`label[for="${CSS.escape(el.id)}"]`)?.cloneNode(true);
    const unit = label?.querySelector(".unit")?.textContent ?? "";
    for (const small of label?.querySelectorAll(".unit,.optional,small,input,button") ?? []) small.remove();
    part("title").textContent = label?.textContent.trim() || el.getAttribute("aria-label") || "";
    part("unit").textContent = unit;
    const about = document.getElementById(el.getAttribute("aria-describedby") ?? "")?.cloneNode(true);
    for (const word of about?.querySelectorAll("[hidden]") ?? []) word.remove();
    part("limits").textContent = about?.textContent.trim() ?? "";
    for (const name of ["point", "minus"]) part(name).disabled = isWhole();
    show();
    pad.showModal();
    part("enter").focus();
  }
  // The first key writes anew, as on every till; a correction begins with the key that takes one away.
  function key(name) {
    if (name === "back") text = text.slice(0, -1);
    else if (name === "clear") text = "";
    else if (name === "minus") { if (!isWhole()) text = text.startsWith("-") ? text.slice(1) : `-${text}`; }
    else {
      const before = fresh ? "" : text;
      if (name === "." && (isWhole() || before.includes("."))) return;
      if (before.length < (field.maxLength > 0 ? field.maxLength : 18)) text = before === "0" && name !== "." ? name : before + (name === "." && !before ? "0." : name);
    }
    fresh = false;
    show();
  }
  function enter() {
    field.value = text;
    pad.close();
    for (const kind of ["input", "change"]) field.dispatchEvent(new Event(kind, { bubbles: true }));
    const grid = field.closest("[data-grid]"), fields = grid ? [...grid.querySelectorAll(NUMBERS)].filter(isNumber) : [];
    const next = fields[fields.indexOf(field) + 1];
    (next ?? field).focus();
  }

  document.addEventListener("pointerdown", (event) => {
    byTouch = event.pointerType !== "mouse";
    const el = event.target;
    if (!byTouch || !isNumber(el)) return;
    el.dataset.number ??= el.inputMode;
    el.inputMode = "none";
  }, { capture: true });
  document.addEventListener("click", (event) => { if (byTouch && isNumber(event.target)) open(event.target); });
  document.addEventListener("keydown", (event) => {
    if (event.key === "F2" && !pad.open && isNumber(event.target)) { event.preventDefault(); open(event.target); }
  });
  // A code is no number: what a scanner has typed into the keys goes away again.
  document.addEventListener("mes:scan", (event) => {
    if (!pad.open) return;
    event.preventDefault();
    text = isSecret() ? "" : field.value;
    fresh = true;
    show();
    window.mes.sound(false);
  });
  pad.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if (button.dataset.key !== undefined) key(button.dataset.key);
    else if (button.dataset.enter !== undefined) enter();
    else pad.close();
  });
  pad.addEventListener("keydown", (event) => {
    const name = { Backspace: "back", Delete: "clear", "-": "minus", ",": ".", "。": ".", Decimal: "." }[event.key] ?? event.key;
    if (!/^(\d|\.|back|clear|minus)$/.test(name)) return;
    event.preventDefault();
    key(name);
  });
})();
