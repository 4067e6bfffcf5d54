// A scanner is a keyboard that types very fast: whatever has the focus (but a password), a burst of characters that
// ends with Enter or Tab is a scan. It is resolved by the server, which says what it is and where it leads.
(() => {
  "use strict";
  const gap = parseInt(document.body.dataset.scanGap || "80", 10);
  let burst = "", at = 0, held;
  // With a Chinese input method on, event.key says "Process": the key itself still says which one it was.
  const letter = (event) => {
    if (event.key.length === 1) return event.key;
    if (event.key !== "Process" && event.key !== "Unidentified") return "";
    const code = event.code;
    if (/^Key[A-Z]$/.test(code)) return event.shiftKey ? code[3] : code[3].toLowerCase();
    if (/^(Digit|Numpad)\d$/.test(code)) return code.at(-1);
    return { Minus: event.shiftKey ? "_" : "-", Slash: "/", Period: ".", Equal: "=", Space: " ", BracketRight: "]" }[code] ?? "";
  };
  // Somebody's badge, whatever has the focus: the PIN is next. At a locked screen nothing else is listened to.
  const badge = (code) => {
    const field = document.querySelector(document.body.classList.contains("locked") ? "#lock [data-badge]" : "#take-over [data-badge]");
    if (!field) return false;
    field.value = code;
    field.form.elements.pin.value = "";
    field.form.elements.pin.focus();
    window.mes.sound(true);
    return true;
  };
  const send = (code) => {
    if (badge(code)) return;
    const open = document.querySelector("dialog[open] [data-scan-into], [data-scan-into]:focus");
    if (open) { open.value = code; open.dispatchEvent(new Event("input", { bubbles: true })); open.form?.requestSubmit(); return; }
    const bar = document.getElementById("scan");
    if (bar) { bar.value = ""; bar.defaultValue = ""; }
    // A screen that knows what to do with a scan takes it; every other scan leads somewhere.
    if (!document.dispatchEvent(new CustomEvent("mes:scan", { detail: code, cancelable: true }))) return;
    window.mes.visit(`/ui/scan?code=${encodeURIComponent(code)}&back=${encodeURIComponent(location.pathname + location.search)}`).then((ok) => window.mes.sound(ok));
  };
  document.addEventListener("keydown", (event) => {
    const locked = document.body.classList.contains("locked"), secret = event.target.matches?.("input[type=password]");
    if (secret && !locked) return;
    const now = event.timeStamp, char = letter(event);
    const ends = event.key === "Enter" || event.key === "Tab";
    if (now - at > gap) { burst = ""; held = undefined; }
    at = now;
    // A password may be typed by a machine, too; a code of our own badges is none.
    if (ends && secret && !burst.startsWith("person/")) { burst = ""; return; }
    if (ends && burst.length >= 3) {
      event.preventDefault();
      event.stopImmediatePropagation();
      const field = held;
      const code = burst;
      burst = "";
      held = undefined;
      if (field && field.id !== "scan" && field.value.endsWith(code) && field.dataset.scanInto === undefined) field.value = field.value.slice(0, -code.length);
      send(code);
      return;
    }
    if (event.key === "F8" || (event.ctrlKey && event.key === "]")) { burst += "\u001d"; return; }
    if (char) { if (!burst) held = event.target.matches?.("input,textarea") ? event.target : undefined; burst += char; }
  }, { capture: true });
  document.addEventListener("submit", (event) => {
    const field = event.target.querySelector?.("#scan");
    if (!field) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (field.value.trim()) send(field.value.trim());
  }, { capture: true });
})();
