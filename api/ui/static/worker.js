// The service worker: a terminal that reloads without a network keeps working. Pages come from the network first; what
// the person of this session last saw is the fallback, marked with its time. Nothing that is sent is ever answered from
// here. RELEASE and FILES stand before this text: they are made of the assets' content (api/ui/offline.py).
"use strict";
const PAGES = `mes-pages-${RELEASE}`, ASSETS = `mes-assets-${RELEASE}`, NOTE = "/ui/-/session", FRAME = "/ui/-/frame", LANGUAGE = "/ui/-/language";
const DOORS = new Set(["/ui/login", "/ui/logout", "/ui/take-over"]);
const MOST = 80, SLOW = 10000, STALE_AFTER = 600000;
const CARRIED = ["content-type", "content-security-policy", "x-content-type-options", "referrer-policy", "x-frame-options"];
let epoch = 0; // another person, another epoch: what was asked for before is not kept after

// Who may see what is kept ------------------------------------------------------------------------------------------
async function note() {
  const found = await (await caches.open(PAGES)).match(NOTE);
  return found ? found.json() : null;
}
const write = async (session) => (await caches.open(PAGES)).put(NOTE, new Response(JSON.stringify(session)));
async function forget() {
  epoch += 1;
  await caches.delete(PAGES);
}
async function alive() {
  const session = await note();
  if (session) await write({ ...session, seen: Date.now() });
}

// Keep: only pages that the server marks, each with the session that it was made for --------------------------------
async function keep(address, answer, { page, began, self: byItself }) {
  const mark = answer.headers.get("x-keep");
  if (!mark || answer.status !== 200) return;
  const [key, idle, until, language] = mark.split(" ");
  const text = await answer.text();
  if (began !== epoch) return;
  const known = await note();
  if (known && known.key !== key) await caches.delete(PAGES);
  const cache = await caches.open(PAGES);
  const seen = byItself && known?.key === key ? known.seen : Date.now();
  await write({ key, idle: Number(idle), until: Number(until), seen });
  if (!known) await (await caches.open(ASSETS)).put(LANGUAGE, new Response(language)); // no secret: it outlives the session
  const headers = new Headers({ "x-kind": page ? "page" : "part", "x-kept": String(Date.now()), "x-state": answer.headers.get("x-state") ?? "" });
  for (const name of CARRIED) if (answer.headers.has(name)) headers.set(name, answer.headers.get(name));
  await cache.delete(address);
  await cache.put(address, new Response(text, { headers }));
  if (page) await cache.put(FRAME, new Response(text, { headers }));
  const every = (await cache.keys()).filter((one) => !new URL(one.url).pathname.startsWith("/ui/-/"));
  for (const old of every.slice(0, Math.max(0, every.length - MOST))) await cache.delete(old);
}

// Answer with what was kept -----------------------------------------------------------------------------------------
const between = (text, name) => { const from = text.indexOf(`<!--${name}-->`), to = text.indexOf(`<!--/${name}-->`); return from < 0 || to < 0 ? "" : text.slice(from, to + name.length + 8); };
const title = (text) => text.match(/<title>[^<]*<\/title>/)?.[0] ?? "";
const other = (text, name, fresh) => { const old = between(text, name); return old && fresh ? text.replace(old, () => fresh) : text; };
function framed(frame, part) {
  const text = other(other(frame, "nav", between(part, "nav")), "page", between(part, "page"));
  return text.replace(title(text), () => title(part));
}
const part = (text) => between(text, "nav") + title(text) + between(text, "page");
const newId = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

async function kept(address, wantsPart) {
  const session = await note();
  if (!session) return null;
  // The limits of the session hold without a network, too: an unattended terminal shows nothing.
  if (Date.now() > session.until || Date.now() - session.seen > session.idle * 1000) { await forget(); return null; }
  const cache = await caches.open(PAGES), found = await cache.match(address);
  if (!found) return null;
  const isPage = found.headers.get("x-kind") === "page";
  let text = await found.text();
  if (wantsPart && isPage) text = part(text);
  else if (!wantsPart && !isPage) { const frame = await cache.match(FRAME); if (!frame) return null; text = framed(await frame.text(), text); }
  await alive();
  const state = found.headers.get("x-state"), passed = Date.now() - Number(found.headers.get("x-kept"));
  // Each form is another confirmation than the one that may have been sent from this page before.
  text = text.replace(/name="commandId" value="[^"]*"/g, () => `name="commandId" value="${newId()}"`)
    .replace(/data-now="([^"]*)"/, (_, at) => `data-now="${new Date(Date.parse(at) + passed).toISOString()}"`)
    .replace("<html ", () => `<html data-stale="${state}" `);
  const headers = new Headers({ "x-stale": state });
  for (const name of CARRIED) if (found.headers.has(name)) headers.set(name, found.headers.get(name));
  return new Response(text, { headers });
}
async function outside() {
  const said = await caches.match(LANGUAGE), language = said ? await said.text() : "zh";
  return (await caches.match(`/ui/offline?language=${language}`)) ?? Response.error();
}

// Fetch -------------------------------------------------------------------------------------------------------------
const address = (url) => url.pathname + url.search;
async function network(event) {
  const preloaded = await Promise.resolve(event.preloadResponse).catch(() => undefined);
  return preloaded ?? fetch(event.request);
}
async function page(event, url) {
  const wantsPart = event.request.headers.has("x-fragment"), byItself = event.request.headers.has("x-refresh"), began = epoch;
  const asked = network(event).then(async (answer) => {
    if (answer.status === 401 || url.pathname === "/ui/login") await forget();
    else event.waitUntil(keep(address(url), answer.clone(), { page: !wantsPart, began, self: byItself }));
    return answer;
  });
  if (byItself) return asked; // a page that looks for changes is not told old ones
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(async () => { const copy = await kept(address(url), wantsPart); if (copy) resolve(copy); }, SLOW); });
  try { return await Promise.race([asked, late]); }
  catch { return (await kept(address(url), wantsPart)) ?? (wantsPart ? Response.error() : outside()); }
  finally { clearTimeout(timer); event.waitUntil(asked.catch(() => {})); }
}
async function file(request) {
  const known = await caches.match(request, { ignoreVary: true });
  if (known) return known;
  const answer = await fetch(request);
  if (answer.ok && new URL(request.url).search) await (await caches.open(ASSETS)).put(request, answer.clone());
  return answer;
}
self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (url.origin !== location.origin || !url.pathname.startsWith("/ui/")) return;
  if (event.request.method !== "GET") { if (DOORS.has(url.pathname)) event.waitUntil(forget()); return; }
  if (url.pathname.startsWith("/ui/static/")) event.respondWith(file(event.request));
  else if (event.request.mode === "navigate" || event.request.headers.has("x-fragment")) event.respondWith(page(event, url));
});

// What a page asks for ----------------------------------------------------------------------------------------------
async function fetched(target, headers) {
  const began = epoch, answer = await fetch(target, { headers: { "x-refresh": "1", ...headers }, credentials: "same-origin", redirect: "manual" });
  if (answer.status === 401) { await forget(); return; }
  await keep(target, answer, { page: !headers["x-fragment"], began, self: true });
}
// The page that is open, whole: it may have come before this worker, or as a part of another one.
async function keepOpen(target) {
  const found = await (await caches.open(PAGES)).match(target);
  if (found?.headers.get("x-kind") !== "page") await fetched(target, {});
}
// What a person is likely to open next, one after the other.
async function ahead(targets) {
  for (const target of targets) {
    const found = await (await caches.open(PAGES)).match(target);
    if (!found || Date.now() - Number(found.headers.get("x-kept")) > STALE_AFTER) await fetched(target, { "x-fragment": "1" });
  }
}
const ASKED = { alive, forget, keep: keepOpen, ahead, claim: () => self.clients.claim() };
self.addEventListener("message", (event) => {
  const [what, about] = event.data;
  if (ASKED[what]) event.waitUntil(ASKED[what](about).catch(() => {}));
});
self.addEventListener("install", (event) => event.waitUntil((async () => {
  await (await caches.open(ASSETS)).addAll([...FILES, "/ui/offline?language=zh", "/ui/offline?language=en"]);
  await self.skipWaiting();
})()));
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name.startsWith("mes-") && name !== ASSETS && name !== PAGES) await caches.delete(name);
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
})()));
