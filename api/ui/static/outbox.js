// Confirmations made without a network wait here: visible, under their command ids, in order. When the network is back
// they go out one after the other; what the server refuses stays as a conflict that a person decides. Nothing secret
// is ever kept: a confirmation that needs a signature is asked for it when it is sent.
(() => {
  "use strict";
  const KEY = "mes-outbox", panel = document.getElementById("outbox");
  if (!panel) return;
  const words = panel.dataset, me = document.documentElement.dataset.user;
  const load = () => { try { return JSON.parse(localStorage.getItem(KEY)) ?? []; } catch { return []; } };
  const save = (queue) => { localStorage.setItem(KEY, JSON.stringify(queue)); show(); };
  const token = () => document.querySelector("input[name=form_token]")?.value ?? "";
  let sending = false;

  function show() {
    const queue = load();
    panel.hidden = queue.length === 0;
    panel.querySelector(".count").textContent = queue.length;
    panel.querySelector("ol").replaceChildren(...queue.map((entry) => {
      const item = document.createElement("li");
      item.className = entry.state;
      item.id = `outbox-${entry.id}`;
      const title = document.createElement("b");
      title.textContent = entry.title;
      const state = document.createElement("p");
      const of = entry.user === me ? "" : ` · ${entry.user}`;
      state.textContent = `${entry.at} · ${{ waiting: words.waiting, conflict: words.conflict, sign: words.sign }[entry.state]}${of}`;
      item.append(title, state);
      if (entry.why) { const why = document.createElement("p"); why.className = "why"; why.textContent = entry.why; item.append(why); }
      if (entry.state !== "waiting" && entry.user === me) {
        for (const [name, word] of [["again", entry.state === "sign" ? words.signnow : words.again], ["discard", words.discard]]) {
          const button = document.createElement("button");
          button.type = "button";
          button.dataset.outbox = name;
          button.dataset.id = entry.id;
          button.textContent = word;
          item.append(button);
        }
      }
      return item;
    }));
  }
  const change = (id, more) => save(load().map((entry) => (entry.id === id ? { ...entry, ...more } : entry)));
  const remove = (id) => save(load().filter((entry) => entry.id !== id));

  async function send(entry, open = false) {
    const fields = new URLSearchParams(entry.body);
    fields.set("form_token", token());
    const answer = await fetch(entry.action, { method: "POST", body: fields, headers: { "x-fragment": "1", "x-outbox": "1" }, credentials: "same-origin" });
    if (answer.status === 401) { window.mes.lock(pump); return false; }
    if (answer.status >= 500) return false;
    const html = await answer.text();
    if (answer.ok && !html.includes("data-show")) { remove(entry.id); return true; }
    if (answer.ok) {
      if (open) { remove(entry.id); window.mes.swap(html); } else change(entry.id, { state: "sign" });
      return true;
    }
    const said = new DOMParser().parseFromString(html, "text/html").querySelector("[role=alert]");
    said?.querySelector("button")?.remove();
    // Judged and refused: another try is another command.
    fields.set("commandId", window.mes.newId());
    change(entry.id, { state: "conflict", why: said?.textContent.replace(/\s+/g, " ").trim() ?? "", body: fields.toString() });
    return true;
  }
  // In order, one at a time; the first that cannot be sent ends the round.
  async function pump() {
    if (sending) return;
    sending = true;
    try {
      for (;;) {
        const next = load().find((entry) => entry.state === "waiting" && entry.user === me);
        if (!next || !(await send(next))) break;
      }
    } catch { /* still no network */ } finally { sending = false; }
    if (!load().some((entry) => entry.state === "waiting" && entry.user === me)) window.mes.refresh();
  }
  // A form is taken when it may wait and cannot be sent now, or when others already wait before it.
  const waits = () => load().some((entry) => entry.state === "waiting" && entry.user === me);
  function take(form, fields) {
    if (form.dataset.outbox === undefined) return false;
    const body = new URLSearchParams(fields);
    const id = body.get("commandId");
    if (!id) return false;
    const typed = [...body].filter(([name, value]) => /:number$|:entry$/.test(name) && value.trim() && value !== "0").map(([, value]) => value);
    body.delete("form_token");
    const title = [form.dataset.outbox, ...typed].join(" · ");
    save([...load(), { id, action: form.getAttribute("action"), body: body.toString(), title, at: new Date().toLocaleTimeString(), user: me, state: "waiting", why: "" }]);
    if (navigator.onLine) setTimeout(pump, 1000);
    return true;
  }
  panel.addEventListener("click", (event) => {
    const button = event.target.closest("[data-outbox]");
    if (!button) return;
    const entry = load().find((one) => one.id === button.dataset.id);
    if (!entry) return;
    if (button.dataset.outbox === "discard") { remove(entry.id); return; }
    if (entry.state === "sign") { send(entry, true).catch(() => {}); return; }
    change(entry.id, { state: "waiting", why: "" });
    pump();
  });
  addEventListener("online", pump);
  addEventListener("storage", (event) => { if (event.key === KEY) show(); });
  setInterval(() => { if (waits()) pump(); }, 5000);
  Object.assign(window.mes, { outbox: { take, waits, pump } });
  show();
  if (waits()) pump();
})();
