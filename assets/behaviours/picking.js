// data-pick: a box in a list; with shift all between the last one and this. data-bulk: the form they belong to is shown
// while some are chosen, and says how many (data-bulk-count). data-pick-all: a box that checks or clears them all.

let last

const boxes = () => [...document.querySelectorAll("[data-pick]")]

function tell() {
  const form = document.querySelector("[data-bulk]")
  if (!form) return
  const number = boxes().filter((box) => box.checked).length
  form.hidden = number === 0
  form.querySelector("[data-bulk-count]").textContent = number
  document.querySelector("[data-list]")?.toggleAttribute("data-picking", number > 0)
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-bulk-clear]")) clear()
  const every = event.target.closest("[data-pick-all]")
  if (every) {
    boxes().forEach((one) => { one.checked = every.checked })
    setTimeout(tell, 0)
  }
  const box = event.target.closest("[data-pick]")
  if (!box) return
  const all = boxes(), from = all.findIndex((one) => one.value === last), to = all.indexOf(box)
  if (event.shiftKey && from >= 0) all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((one) => { one.checked = true })
  last = box.value
  setTimeout(tell, 0)
})

function clear() {
  boxes().forEach((box) => { box.checked = false })
  tell()
}

document.addEventListener("htmx:after:request", (event) => { if (event.detail.ctx.sourceElement.matches("[data-bulk]")) clear() })
document.addEventListener("htmx:after:swap", tell)
