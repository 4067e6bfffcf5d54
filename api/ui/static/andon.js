// A wall display. It fetches itself again at every change and every half minute; when nothing comes any more it says
// since when, in large letters: a picture that stands still must never look like a plant that does.
(() => {
  "use strict";
  const root = document.documentElement, stale = document.getElementById("stale");
  const EVERY = 30000, TOO_OLD = 75000, TURN = 12000;
  let ahead = Date.parse(root.dataset.now) - Date.now(), fresh = Date.now(), alive = false, wait = 500, shown = 1;
  const two = (n) => String(n).padStart(2, "0");
  const wall = new Intl.DateTimeFormat("en-GB", { timeZone: root.dataset.zone, hour: "2-digit", minute: "2-digit" });

  const pages = () => [...document.querySelectorAll("[data-page]")];
  function turn(step) {
    const all = pages();
    shown = ((shown - 1 + step) % all.length) + 1;
    for (const page of all) page.hidden = page.dataset.page !== String(shown);
    document.getElementById("turn").textContent = all.length > 1 ? `${shown}/${all.length}` : "";
  }
  function tick() {
    const now = Date.now() + ahead;
    document.getElementById("clock").textContent = wall.format(now);
    for (const el of document.querySelectorAll("[data-since]")) {
      const s = Math.max(0, Math.floor((now - Date.parse(el.dataset.since)) / 1000));
      el.textContent = s < 86400 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${Math.floor(s / 86400)} d ${Math.floor(s / 3600) % 24} h`;
    }
    const old = !alive || Date.now() - fresh > TOO_OLD;
    stale.hidden = !old;
    document.body.classList.toggle("stale", old);
    if (old) stale.textContent = stale.dataset.text.replace("{time}", wall.format(fresh + ahead));
  }
  let fetching = false, again = false;
  async function refresh() {
    if (fetching) { again = true; return; }
    fetching = true;
    try {
      const answer = await fetch(location.href, { headers: { "x-fragment": "1" }, credentials: "same-origin" });
      if (answer.status === 403) { location.reload(); return; }
      if (answer.ok) {
        const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
        document.getElementById("andon").replaceWith(parsed.getElementById("andon"));
        const said = Date.parse(answer.headers.get("date") ?? "");
        if (Math.abs(said - Date.now() - ahead) > 5000) ahead = said - Date.now();
        fresh = Date.now();
        turn(0);
        tick();
      }
    } catch { /* the banner says it */ } finally {
      fetching = false;
      if (again) { again = false; setTimeout(refresh, 300); }
    }
  }
  function connect() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${root.dataset.socket}`);
    socket.onopen = () => { alive = true; wait = 500; root.dataset.live = "1"; refresh(); };
    socket.onmessage = (event) => { if (JSON.parse(event.data)[0] === "changed") refresh(); };
    socket.onclose = () => {
      alive = false;
      root.dataset.live = "";
      tick();
      refresh();
      setTimeout(connect, wait * (0.5 + Math.random() / 2));
      wait = Math.min(wait * 2, 10000);
    };
  }
  setInterval(tick, 1000);
  setInterval(refresh, EVERY);
  setInterval(() => turn(1), TURN);
  turn(0);
  alive = true; // until the socket says otherwise
  tick();
  connect();
})();
