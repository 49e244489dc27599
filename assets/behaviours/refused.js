// What the server answers to a message of the composer: the bubble takes the place of its copy. What was refused is in
// the field again, what has been typed since below it, and its file in the tray.

import { attachAll, fit } from "./composer.js"
import { giveBack, remember } from "./draft.js"
import { bubbleOf, isHere, replace } from "./outgoing-bubble.js"
import { putBack, release } from "./tray.js"

const form = () => document.querySelector("[data-composer]")

document.addEventListener("outgoing:answered", ({ detail: { message, answer } }) => {
  const elsewhere = answer.getResponseHeader("HX-Redirect")
  if (!elsewhere && answer.status < 300) {
    release(message.entry)
    return replace(bubbleOf(message), answer.responseText)
  }
  if (elsewhere || answer.status !== 422 || !isHere(message)) returnWords(message)
  else refuse(message, answer.responseText)
  if (elsewhere) return location.assign(elsewhere)
  bubbleOf(message)?.remove()
  if (answer.status !== 422 || !isHere(message)) document.querySelector("#toasts").insertAdjacentHTML("beforeend", answer.responseText)
  if (message.entry && isHere(message)) putBack(form(), message.entry)
})

function returnWords(message) {
  if (message.body) giveBack(message.draft, message.body)
}

function refuse(message, html) {
  const typed = form().elements.body?.value, hadFocus = form().contains(document.activeElement)
  replace(form(), html)
  attachAll()
  const field = form().elements.body
  if (!field) return returnWords(message)
  if (hadFocus) field.focus()
  if (!typed) return
  field.value = [field.value, typed].filter(Boolean).join("\n")
  remember(field)
  fit(field)
}
