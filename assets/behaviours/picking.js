// data-pick: a box in a list; with shift all between the last one and this. data-bulk: the form they belong to is shown
// while some are chosen, and says how many (data-bulk-count). data-pick-all: a box that checks or clears them all.
// Once it is sent nothing is chosen; if that fails, they are again.

let last
const sent = new WeakMap()

const boxes = () => [...document.querySelectorAll("[data-pick]")]
const chosen = () => boxes().filter((box) => box.checked)

function update() {
  const form = document.querySelector("[data-bulk]"), number = chosen().length
  if (!form) return
  form.hidden = number === 0
  document.querySelectorAll("[data-pick-all]").forEach((every) => {
    every.checked = number > 0 && number === boxes().length
    every.indeterminate = number > 0 && !every.checked
  })
  form.querySelector("[data-bulk-count]").textContent = number
  document.querySelector("[data-list]")?.toggleAttribute("data-picking", number > 0)
}

function choose(values) {
  boxes().forEach((box) => { box.checked = values.includes(box.value) })
  update()
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-bulk-clear]")) choose([])
  const every = event.target.closest("[data-pick-all]")
  if (every) {
    boxes().forEach((one) => { one.checked = every.checked })
    setTimeout(update, 0)
  }
  const box = event.target.closest("[data-pick]")
  if (!box) return
  const all = boxes(), from = all.findIndex((one) => one.value === last), to = all.indexOf(box)
  if (event.shiftKey && from >= 0) all.slice(Math.min(from, to), Math.max(from, to) + 1).forEach((one) => { one.checked = true })
  last = box.value
  setTimeout(update, 0)
})

// By now htmx has read the form.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement.matches("[data-bulk]")) return
  sent.set(ctx, chosen().map((box) => box.value))
  choose([])
})
document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  if (sent.has(ctx) && !(ctx.response?.status < 400) && !chosen().length) choose(sent.get(ctx))
})
document.addEventListener("htmx:after:swap", update)
