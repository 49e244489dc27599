// The service worker, and data-install: shown while the browser offers to install this site; data-install-now does it.
// data-reload-online: loads the page again once there is a connection. data-own-time-zone: a list that begins with the
// zone of whoever looks at it.

let offer

const shown = (is) => document.querySelectorAll("[data-install]").forEach((part) => { part.hidden = !is })

window.addEventListener("beforeinstallprompt", (event) => {
  event.preventDefault()
  offer = event
  shown(true)
})
window.addEventListener("appinstalled", () => shown(false))
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-install-now]")) offer?.prompt()
})
window.addEventListener("online", () => { if (document.querySelector("[data-reload-online]")) location.reload() })

document.querySelectorAll("select[data-own-time-zone]").forEach((list) => {
  const mine = Intl.DateTimeFormat().resolvedOptions().timeZone
  if ([...list.options].some((option) => option.value === mine)) list.value = mine
})

navigator.serviceWorker?.register("/service-worker.js").catch(() => {})
