// data-folds="<name>": a link to a pane. Where there is room for the pane beside the rest, it folds the pane away and
// brings it back instead (data-folded on the page names what is folded), and stays so in this browser.

const ROOM = matchMedia("(width >= 80rem)")
const key = (name) => `folded:${name}`

function show(name, isFolded) {
  if (isFolded) document.documentElement.dataset.folded = name
  else delete document.documentElement.dataset.folded
  document.querySelectorAll(`[data-folds="${name}"]`).forEach((link) => link.setAttribute("aria-expanded", String(!isFolded)))
}

const restore = () => document.querySelectorAll("[data-folds]").forEach((link) => show(link.dataset.folds, localStorage.getItem(key(link.dataset.folds)) === "yes"))

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-folds]")
  if (!link || !ROOM.matches) return
  event.preventDefault()
  const isFolded = document.documentElement.dataset.folded !== link.dataset.folds
  localStorage.setItem(key(link.dataset.folds), isFolded ? "yes" : "no")
  show(link.dataset.folds, isFolded)
})
document.addEventListener("htmx:after:swap", restore)
restore()
