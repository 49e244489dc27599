// Between the pages and the server, for three things only: the hashed assets, which never change; a page for when there is no
// connection; and notifications. Pages and answers with data are never cached.

const OFFLINE = "/offline"
const SHELL = `shell-${VERSION}`
// Short links lead out of the app. What is fetched from here does not look like somebody who opens a page, and would
// get no reference of its own: a member who tries their own link would see none of what it is about.
const VISITS = "/c/"

self.addEventListener("install", (event) => event.waitUntil(cacheShell()))
self.addEventListener("activate", (event) => event.waitUntil(takeOver()))
self.addEventListener("fetch", (event) => {
  const { request } = event
  const address = new URL(request.url)
  if (request.method !== "GET" || address.origin !== location.origin) return
  if (ASSETS.includes(address.pathname)) event.respondWith(asset(request))
  else if (request.mode === "navigate" && !address.pathname.startsWith(VISITS)) event.respondWith(page(request))
})
self.addEventListener("push", (event) => event.waitUntil(notify(event.data?.json() ?? {})))
self.addEventListener("notificationclick", (event) => {
  event.notification.close()
  event.waitUntil(open(event.notification.data.url))
})

async function cacheShell() {
  const shell = await caches.open(SHELL)
  await shell.addAll([...ASSETS, new Request(OFFLINE, { credentials: "omit" })])
  await self.skipWaiting()
}

async function takeOver() {
  const old = (await caches.keys()).filter((name) => name !== SHELL)
  await Promise.all(old.map((name) => caches.delete(name)))
  await self.clients.claim()
}

async function asset(request) {
  return (await caches.match(request)) ?? fetch(request)
}

async function page(request) {
  try {
    return await fetch(request)
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error()
  }
}

async function notify({ title, body, url, tag, icon, badge, unread }) {
  if (unread !== undefined) await (unread ? navigator.setAppBadge?.(unread) : navigator.clearAppBadge?.())?.catch(() => {})
  if (await isInView(url)) return
  await self.registration.showNotification(title ?? "Switchboard", { body, tag, icon, badge, renotify: Boolean(tag), data: { url } })
}

const windows = () => self.clients.matchAll({ type: "window", includeUncontrolled: true })
const pathOf = (client) => new URL(client.url).pathname

async function isInView(url) {
  return (await windows()).some((client) => client.focused && pathOf(client) === url)
}

// The tab that shows it already, else one of the same business, else a new one.
async function open(url) {
  const all = await windows()
  const there = all.find((client) => pathOf(client) === url)
  if (there) return there.focus()
  const home = url.split("/").slice(0, 3).join("/")
  const near = all.find((client) => pathOf(client).startsWith(`${home}/`))
  try {
    if (near) return await (await near.focus()).navigate(url)
  } catch { /* a tab that is not ours to steer */ }
  return self.clients.openWindow(url)
}
