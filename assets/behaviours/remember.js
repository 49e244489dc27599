// data-remember="…": a <details> that is open or closed as it was left, wherever one of this name appears.

const key = (details) => `fold:${details.dataset.remember}`

function restore() {
  document.querySelectorAll("details[data-remember]:not([data-restored])").forEach((details) => {
    details.dataset.restored = "true"
    const stored = localStorage.getItem(key(details))
    if (stored !== null) details.open = stored === "open"
  })
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches?.("details[data-restored]")) localStorage.setItem(key(event.target), event.target.open ? "open" : "closed")
}, true)
document.addEventListener("htmx:after:swap", restore)
document.addEventListener("htmx:after:settle", restore)
restore()
