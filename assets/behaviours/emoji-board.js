// data-emoji-board: data-emoji-category shows the emoji of a category in the place of what was found. data-emoji-tone is the
// colour of hands and people, which this browser remembers.

import { facesOf } from "./emoji-categories.js"

const STORED = "emoji:tone"
const tone = () => localStorage.getItem(STORED) ?? ""
const toned = (face) => face.replace(/\p{Emoji_Modifier}/u, "").replace(/^(\p{Emoji_Modifier_Base})\uFE0F?/u, `$1${tone()}`)

function put(button, face, name) {
  button.dataset.inserts = button.textContent = face
  if (name) button.ariaLabel = button.title = name
}

function show(board, category) {
  const draft = board.querySelector("template").content.querySelector("button")
  const buttons = facesOf(category).map((face) => {
    const button = draft.cloneNode(true)
    put(button, toned(face), toned(face))
    return button
  })
  board.querySelector(".emoji-found").replaceChildren(...buttons)
  board.querySelector(".emoji-found").scrollTop = 0
  for (const tab of board.querySelectorAll("[data-emoji-category]")) tab.ariaPressed = String(tab.dataset.emojiCategory === category)
}

function colour() {
  document.querySelectorAll("[data-emoji-tone]").forEach((choice) => { choice.value = tone() })
  document.querySelectorAll("[data-emoji-board] .emoji-face").forEach((button) => put(button, toned(button.dataset.inserts)))
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[data-emoji-category]")
  if (tab) show(tab.closest("[data-emoji-board]"), tab.dataset.emojiCategory)
})
document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-emoji-tone]")) return
  localStorage.setItem(STORED, event.target.value)
  colour()
})
document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  if (!ctx.sourceElement?.closest?.(".composer, [data-emoji-board]")) return
  colour()
  if (ctx.sourceElement.closest("[data-emoji-board]")) {
    document.querySelectorAll("[data-emoji-category]").forEach((tab) => { tab.ariaPressed = "false" })
  }
})
