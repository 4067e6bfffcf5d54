// The runtime of the console. Pages are plain HTML and work without it; with it, what is typed is never lost:
// a form that could not be sent stays and is sent again under the same command id, a page that is out of date
// fetches itself and keeps focus, caret and everything somebody has typed.
(() => {
  "use strict";
  const $ = (selector, root = document) => root.querySelector(selector);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = document.documentElement.dataset;
  const listeners = [];
  window.mes = { onSwap: (f) => { listeners.push(f); f(document); } };

  // Morph: make one tree like another, keep what people have in hand -------------------------------------------
  const isField = (el) => el.matches?.("input,textarea,select");
  const isTouched = (el) => {
    if (el === document.activeElement) return true;
    if (el.matches("input[type=checkbox],input[type=radio]")) return el.checked !== el.defaultChecked;
    if (el.matches("select")) return [...el.options].some((o) => o.selected !== o.defaultSelected && el.dataset.touched);
    return el.value !== el.defaultValue;
  };
  function attributes(old, fresh) {
    // A field that the keypad has touched keeps a tablet's own keyboard down, whatever the page is told meanwhile.
    const isOurs = (name) => old.dataset.number !== undefined && ["inputmode", "data-number"].includes(name);
    for (const { name, value } of [...fresh.attributes]) if (old.getAttribute(name) !== value && !isOurs(name)) old.setAttribute(name, value);
    for (const { name } of [...old.attributes]) {
      if (isOurs(name) || (name === "open" && old.matches("dialog,details"))) continue;
      if (!fresh.hasAttribute(name)) old.removeAttribute(name);
    }
  }
  function morph(old, fresh) {
    if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) { old.replaceWith(fresh); return; }
    if (old.nodeType !== 1) { if (old.data !== fresh.data) old.data = fresh.data; return; }
    if (old.matches("form[data-pending]")) return;
    if (old.type === "file" && isField(old)) { attributes(old, fresh); return; } // no script may say what was chosen
    if (isField(old)) {
      const kept = old.type !== "hidden" && isTouched(old);
      const value = old.value, checked = old.checked;
      attributes(old, fresh);
      if (old.matches("select")) { if (!kept) { children(old, fresh); } return; }
      if (kept) { old.value = value; old.checked = checked; }
      else if (old.matches("textarea")) old.value = old.defaultValue = fresh.defaultValue;
      else { old.value = fresh.getAttribute("value") ?? (old.type === "checkbox" || old.type === "radio" ? old.value : ""); old.checked = fresh.checked; }
      return;
    }
    attributes(old, fresh);
    if (old.dataset.keep === undefined) children(old, fresh);
  }
  function children(old, fresh) {
    const wanted = new Set(all("[id]", fresh).map((el) => el.id));
    let at = old.firstChild;
    for (const next of [...fresh.childNodes]) {
      const named = next.id && document.getElementById(next.id);
      if (named && !named.contains(old)) {
        if (named !== at) { old.moveBefore && named.isConnected ? old.moveBefore(named, at) : old.insertBefore(named, at); }
        else at = at.nextSibling;
        morph(named, next);
        continue;
      }
      while (at && at.nodeType === 1 && at.id && wanted.has(at.id)) at = at.nextSibling;
      if (at && at.nodeType === next.nodeType && at.nodeName === next.nodeName && !(at.id && at.id !== next.id) && !next.id) {
        const here = at;
        at = at.nextSibling;
        morph(here, next);
      } else old.insertBefore(next, at);
    }
    while (at) { const gone = at; at = at.nextSibling; if (!(gone.id && wanted.has(gone.id))) gone.remove(); }
  }

  // Swap: every top-level element of an answer replaces its namesake -------------------------------------------
  function swap(html, { quiet = false } = {}) {
    const parsed = new DOMParser().parseFromString(html, "text/html");
    if (parsed.title) document.title = parsed.title;
    for (const fresh of [...parsed.body.children]) {
      const old = fresh.id && document.getElementById(fresh.id);
      if (!old || (quiet && fresh.matches("#notices,#dialog"))) continue; // what was said or is being filled in stays
      if (old.matches("dialog")) { old.replaceChildren(...fresh.childNodes); attributes(old, fresh); }
      else morph(old, fresh);
      if (fresh.matches("dialog[data-show]") && !old.open) old.showModal();
      if (fresh.matches("dialog[data-show]")) ($("[autofocus]", old) || $("input:not([type=hidden]),button", old))?.focus();
    }
    for (const f of listeners) f(document);
  }
  const fragment = (more = {}) => ({ headers: { "x-fragment": "1", ...more }, credentials: "same-origin" });
  const say = (kind, text) => {
    const box = document.createElement("div");
    box.className = `notice ${kind}`;
    box.setAttribute("role", kind === "bad" ? "alert" : "status");
    box.textContent = text;
    box.tabIndex = -1;
    $("#notices")?.replaceChildren(box);
    if (kind === "bad") showRefusal();
  };
  const closeDialog = () => { const dialog = $("#dialog"); if (dialog?.open) dialog.close(); };

  async function visit(address, { push = true, refresh = false } = {}) {
    const here = location.href;
    let answer;
    try { answer = await fetch(address, fragment(refresh ? { "x-refresh": "1" } : {})); }
    catch { if (!refresh) say("bad", words.offline); lamp(false); return false; }
    if (answer.status === 401) { if (!refresh) lock(() => visit(address, { push })); return false; }
    const html = await answer.text();
    if (refresh && $("#dialog")?.open && !answer.ok) return false;
    if (refresh && location.href !== here) return false; // somebody went on meanwhile: this is the page that they left
    swap(html, { quiet: refresh });
    const state = answer.headers.get("x-stale"); // a copy: the network is not there, and the page says how old it is
    window.mes.stale?.(state);
    if (state) lamp(false);
    if (push && answer.ok) history.pushState({}, "", answer.url || address);
    return true;
  }

  // Forms -------------------------------------------------------------------------------------------------------
  async function submit(form, button) {
    if (form.dataset.sending) return;
    const fields = new FormData(form);
    if (button?.name) fields.append(button.name, button.value);
    // What waits goes first: order is kept.
    if (window.mes.outbox?.waits() && window.mes.outbox.take(form, fields)) { taken(form); return; }
    form.dataset.sending = "1";
    const busy = setTimeout(() => button?.setAttribute("aria-busy", "true"), 150);
    try {
      const answer = await fetch(form.getAttribute("action"), { method: "POST", body: form.enctype === "multipart/form-data" ? fields : new URLSearchParams(fields), ...fragment() });
      delete form.dataset.pending;
      if (answer.status === 401) {
        if (form.closest("#lock")) { swap(await answer.text()); return; }
        lock(() => submit(form, button));
        return;
      }
      if (form.closest("#lock") && answer.status === 204) { unlock(answer); return; }
      if (answer.ok || answer.redirected) {
        const html = await answer.text();
        const asks = html.includes("data-show");
        if (!asks) { closeDialog(); clean(form); }
        swap(html);
        if (!asks && answer.redirected && new URL(answer.url).pathname !== location.pathname) history.pushState({}, "", answer.url);
        sound(!asks);
      } else {
        // Judged and refused: the next try is another command. What could not be judged (5xx) keeps its id.
        const id = form.elements.commandId;
        if (id && answer.status < 500) id.value = newId();
        swap(await answer.text());
        mark(form);
        showRefusal();
        sound(false);
      }
    } catch {
      lamp(false);
      if (window.mes.outbox?.take(form, fields)) { taken(form); return; }
      form.dataset.pending = "1";
      say("bad", words.unsent);
    } finally {
      clearTimeout(busy);
      button?.removeAttribute("aria-busy");
      delete form.dataset.sending;
    }
  }
  // It waits in the outbox under its id; the form is free for the next one.
  function taken(form) {
    clean(form);
    if (form.elements.commandId) form.elements.commandId.value = newId();
    say("later", words.kept);
  }
  // What is wrong with a field is said at the field, too, until somebody changes it.
  function mark(form) {
    for (const note of all(".at-field", form)) note.remove();
    for (const fault of all("#notices [data-at]")) {
      const field = [...form.elements].find((el) => el.type !== "hidden" && el.name && `${fault.dataset.at}.`.startsWith(`${el.name.split(":")[0]}.`));
      if (!field) continue;
      const note = document.createElement("span");
      note.className = "wrong at-field";
      note.id = `wrong-${field.id || fault.dataset.at}`;
      note.textContent = fault.dataset.why;
      (field.closest(".field") ?? field).append(note);
      field.setAttribute("aria-invalid", "true");
      field.setAttribute("aria-describedby", note.id);
      field.addEventListener("input", () => { note.remove(); field.removeAttribute("aria-invalid"); field.removeAttribute("aria-describedby"); }, { once: true });
    }
  }
  const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // A refusal is shown where the person is: inside the dialog when one is open, for nothing else can be read then.
  function showRefusal() {
    const notice = $("#notices [role=alert]"), dialog = $("dialog[open]");
    if (!notice) return;
    if (!dialog || dialog.querySelector("[role=alert]:not(.copy)")) { notice.focus(); return; }
    $(".copy", dialog)?.remove();
    const copy = notice.cloneNode(true);
    copy.classList.add("copy");
    $("[data-toggle]", copy)?.remove();
    dialog.prepend(copy);
    copy.focus();
  }
  // What was sent is no longer in hand: the fresh page may overwrite it.
  const clean = (form) => { form.reset(); for (const el of form.elements) { delete el.dataset?.touched; } if (form.contains(document.activeElement)) document.activeElement.blur(); };
  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    if (form.method !== "post" || form.dataset.plain !== undefined) return;
    event.preventDefault();
    submit(form, button);
  });
  document.addEventListener("change", (event) => {
    const el = event.target;
    if (el.matches?.("select")) el.dataset.touched = "1";
    if (el.closest?.("form[data-auto]")) el.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "get" || form.dataset.swap === undefined) return;
    event.preventDefault();
    visit(`${form.getAttribute("action").split("?")[0]}?${new URLSearchParams(new FormData(form))}`);
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-swap],a[data-dialog]");
    for (const menu of all("details.menu[open]")) if (!menu.contains(event.target) || link) menu.open = false;
    if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
      event.preventDefault();
      visit(link.href, { push: link.dataset.dialog === undefined });
      return;
    }
    const button = event.target.closest?.("[data-step],[data-fill],[data-close],[data-toggle]");
    if (!button) return;
    if (button.dataset.close !== undefined) { button.closest("dialog")?.close(); return; }
    if (button.dataset.toggle !== undefined) { const el = $(button.dataset.toggle); if (el) el.hidden = !el.hidden; return; }
    const field = document.getElementById(button.dataset.for);
    if (!field) return;
    const now = parseFloat(field.value) || 0;
    field.value = button.dataset.fill ?? String(Math.max(0, Math.round((now + parseFloat(button.dataset.step)) * 1e6) / 1e6));
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
  addEventListener("popstate", () => visit(location.href, { push: false }));

  // Tables on a phone: each row is a card whose cells carry the heading of their column (mes.css). The entry of the
  // navigation where one is, is in sight.
  window.mes.onSwap(() => {
    for (const table of all("#main table:not(.stack,.todo,.difference,.keep)")) {
      const heads = all("thead th", table).map((head) => head.textContent.trim());
      if (!heads.length) continue;
      table.classList.add("labelled");
      for (const row of all("tbody tr", table)) {
        [...row.cells].forEach((cell, at) => { if (row.cells.length === heads.length && heads[at]) cell.dataset.label = heads[at]; });
      }
    }
    const nav = $("#nav"), here = nav?.querySelector("[aria-current]");
    if (here) nav.scrollLeft = here.offsetLeft - (nav.clientWidth - here.offsetWidth) / 2;
    const pills = $(".pills"), chosen = pills?.querySelector("[aria-current]");
    if (chosen) pills.scrollLeft = chosen.offsetLeft - pills.offsetLeft - (pills.clientWidth - chosen.offsetWidth) / 2;
  });

  // Limits: a value outside is red, with a word, while it is typed ---------------------------------------------
  const number = (text) => { const n = text.normalize("NFKC").replaceAll("。", ".").replaceAll(/[\s,]/g, ""); return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(n) ? parseFloat(n) : NaN; };
  function judge(field) {
    const value = number(field.value), word = $(`[data-limit-of="${field.id}"]`);
    const low = parseFloat(field.dataset.low), high = parseFloat(field.dataset.high);
    const outside = !Number.isNaN(value) && (value < low || value > high);
    if (outside) field.setAttribute("aria-invalid", "true"); else field.removeAttribute("aria-invalid");
    if (word) word.hidden = !outside;
  }
  document.addEventListener("input", (event) => { if (event.target.matches?.("[data-low],[data-high]")) judge(event.target); });
  // A page that has fetched itself anew does not know what is typed.
  window.mes.onSwap(() => all("[data-low],[data-high]").forEach(judge));

  // Live --------------------------------------------------------------------------------------------------------
  let socket, wait = 500, due, fetching = false, again = false, heard = words.stale !== undefined;
  const lamp = (on) => { const el = $("#lamp"); if (!el) return; el.dataset.on = on ? "1" : ""; $("span", el).textContent = on ? words.live : words.dead; document.body.classList.toggle("dead", !on); };
  async function refresh() {
    if (fetching) { again = true; return; }
    fetching = true;
    try { if (!document.hidden) await visit(location.href, { push: false, refresh: true }); else again = true; }
    finally { fetching = false; if (again && !document.hidden) { again = false; later(); } }
  }
  const later = () => { clearTimeout(due); due = setTimeout(refresh, 300); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden && again) { again = false; later(); } });
  function connect() {
    const topics = $("#main")?.dataset.live;
    if (topics === undefined || topics === "") { lamp($("#stale")?.hidden !== false); return; }
    socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ui/live?topics=${encodeURIComponent(topics === "*" ? "" : topics)}`);
    const of = topics;
    socket.onopen = () => { wait = 500; lamp(true); window.mes.outbox?.pump(); if (heard) later(); heard = true; };
    socket.onmessage = (event) => { if (JSON.parse(event.data)[0] === "changed") later(); };
    socket.onclose = (event) => {
      if (of !== $("#main")?.dataset.live) return connect();
      lamp(false);
      if (event.code === 4401) return;
      setTimeout(connect, wait * (0.5 + Math.random() / 2));
      wait = Math.min(wait * 2, 10000);
    };
  }
  let topics = $("#main")?.dataset.live;
  window.mes.onSwap(() => { const now = $("#main")?.dataset.live; if (now !== topics) { topics = now; if (socket?.readyState === 1) socket.close(); else connect(); } });

  // Lock ---------------------------------------------------------------------------------------------------------
  let resume, last = Date.now();
  function lock(then) {
    resume = then;
    const dialog = $("#lock");
    if (!dialog) { location.assign("/ui/login"); return; }
    document.body.classList.add("locked");
    if (!dialog.open) dialog.showModal();
    // Where people take over by badge, the badge is waited for; elsewhere the password.
    const byBadge = localStorage.getItem("mes/door") === "badge";
    $(byBadge ? "#lock-badge" : "#lock-password", dialog)?.focus();
  }
  // The session ends on the server, too; what was typed stays behind the lock.
  function leave() {
    const fields = new URLSearchParams({ form_token: $("input[name=form_token]")?.value ?? "", lock: "1" });
    window.mes.forgetPages?.();
    fetch("/ui/logout", { method: "POST", body: fields, ...fragment() }).catch(() => {});
    lock();
  }
  function unlock(answer) {
    const mine = words.user === answer.headers.get("x-user");
    for (const field of all("input[name=form_token]")) field.value = answer.headers.get("x-form-token");
    $("#lock").close();
    localStorage.setItem("mes/door", $("#lock-badge").value ? "badge" : "password");
    for (const field of all("#lock input[type=password],#lock [data-badge]")) field.value = "";
    document.body.classList.remove("locked");
    last = Date.now();
    if (!mine) { location.assign("/ui/"); return; }
    const then = resume;
    resume = undefined;
    if (then) then(); else refresh();
    window.mes.keepPage?.();
    if (socket?.readyState !== 1) connect();
  }
  $("#lock")?.addEventListener("cancel", (event) => event.preventDefault());
  for (const kind of ["pointerdown", "keydown"]) addEventListener(kind, () => { last = Date.now(); }, { capture: true, passive: true });
  setInterval(() => {
    const idle = parseInt(words.idle, 10);
    if (!idle || document.body.classList.contains("locked") || Date.now() - last < idle * 1000) return;
    leave();
  }, 5000);
  $("#lock-now")?.addEventListener("click", leave);

  // Clocks run from the server's time ---------------------------------------------------------------------------
  const ahead = Date.parse(words.now) - Date.now();
  const two = (n) => String(n).padStart(2, "0");
  setInterval(() => {
    const now = Date.now() + ahead;
    for (const el of all("[data-since]")) {
      const s = Math.max(0, Math.floor((now - Date.parse(el.dataset.since)) / 1000) + parseInt(el.dataset.more || "0", 10));
      el.textContent = `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
    }
  }, 1000);

  // Keys ---------------------------------------------------------------------------------------------------------
  let went = 0;
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches?.("input:not([type=checkbox]):not([type=radio]),textarea,select");
    if (typing) {
      if (event.key === "Enter" && event.target.closest("[data-grid]")) {
        const fields = all("input:not([type=hidden]):not([disabled])", event.target.closest("[data-grid]"));
        const next = fields[fields.indexOf(event.target) + 1];
        if (next) { event.preventDefault(); next.focus(); next.select?.(); }
      }
      return;
    }
    if ($("dialog[open]")) return;
    if (event.key === "/") { const bar = $("#scan"); if (bar) { event.preventDefault(); bar.focus(); } return; }
    if (event.key === "?") { visit("/ui/help"); return; }
    if (event.key === " " && !event.target.matches?.("button,a,summary")) { const main = $("[data-space]"); if (main) { event.preventDefault(); main.click(); } return; }
    if (event.key === "g") { went = Date.now(); return; }
    if (Date.now() - went < 1200) { went = 0; $(`nav a[data-key="${event.key}"]`)?.click(); }
  });

  // Ears and hands: a scan that was read or refused is heard and felt ---------------------------------------------
  let audio;
  function sound(good) {
    if (!document.body.dataset.sound) return;
    try {
      audio ??= new AudioContext();
      const tone = audio.createOscillator(), gain = audio.createGain();
      tone.frequency.value = good ? 880 : 220;
      gain.gain.value = 0.08;
      tone.connect(gain).connect(audio.destination);
      tone.start();
      tone.stop(audio.currentTime + (good ? 0.08 : 0.35));
      navigator.vibrate?.(good ? 40 : [120, 60, 120]);
    } catch { /* no sound here */ }
  }
  Object.assign(window.mes, { sound, visit, swap, lock, refresh, newId });
  connect();
})();
