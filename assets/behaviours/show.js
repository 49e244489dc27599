// data-show="<selector>": scrolls to an element once it is there, and points at it. data-first-unread: what is new begins
// here; a conversation that is opened is scrolled to it.

let shown

function show() {
  const wish = document.querySelector("[data-show]")?.dataset.show
  const place = wish && document.querySelector(wish)
  if (!place || wish === shown) return
  shown = wish
  place.classList.add("here")
  place.scrollIntoView({ block: "center" })
}

function showUnread() {
  if (!document.querySelector("[data-show]")) document.querySelector("[data-first-unread]")?.scrollIntoView({ block: "center" })
}

document.addEventListener("htmx:after:swap", (event) => {
  show()
  if (event.detail.ctx.target?.id === "conversation") showUnread()
})
window.addEventListener("load", () => { show(); showUnread() })
