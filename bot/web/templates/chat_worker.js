// Opens the chat without a network. Only the page and its own files are ever kept; nothing that anybody said is.
const CACHE = "waymark-{{ name }}";
const FILES = {{ files }};
const PATIENCE_MS = 6000;

self.addEventListener("install", (event) => {
  self.skipWaiting();
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(["/", ...FILES])));
});

self.addEventListener("activate", (event) => {
  const old = (name) => name.startsWith("waymark-") && name !== CACHE;
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter(old).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

async function keep(key, response) {
  if (response.ok) await (await caches.open(CACHE)).put(key, response.clone());
  return response;
}

/** The page from the network; the kept one when there is none, or when it takes too long. */
async function page(event) {
  const fresh = fetch(event.request).then((response) => keep("/", response));
  event.waitUntil(fresh.catch(() => {}));
  const late = new Promise((done) => { setTimeout(done, PATIENCE_MS); });
  const kept = await caches.match("/");
  if (!kept) return fresh;
  return (await Promise.race([fresh, late]).catch(() => null)) || kept;
}

/** An address of these files changes with their content: what is kept is right. */
const file = async (request) => (await caches.match(request)) || keep(request, await fetch(request));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (pathname === "/" && request.mode === "navigate") event.respondWith(page(event));
  else if (pathname.startsWith("/assets/")) event.respondWith(file(request));
});
