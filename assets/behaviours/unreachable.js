// Somebody asked for something and no answer came: a message says so (#unreachable).

import { byPerson } from "./requests.js"

document.addEventListener("htmx:error", ({ detail: { ctx } }) => {
  const words = document.querySelector("#unreachable")
  if (words && ctx && byPerson(ctx)) document.querySelector("#toasts").append(words.content.cloneNode(true))
})
