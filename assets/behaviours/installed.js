// The service worker, and data-install: shown while the browser offers to install this site; data-install-now does it.
// data-reload-online: loads the page again once there is a connection.

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

navigator.serviceWorker?.register("/service-worker.js").catch(() => {})
