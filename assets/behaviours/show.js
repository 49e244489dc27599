// data-show="<selector>": scrolls to an element once it is there, and points at it.

let shown

function show() {
  const wish = document.querySelector("[data-show]")?.dataset.show
  const place = wish && document.querySelector(wish)
  if (!place || wish === shown) return
  shown = wish
  place.classList.add("here")
  place.scrollIntoView({ block: "center" })
}

document.addEventListener("htmx:after:swap", show)
window.addEventListener("load", show)
