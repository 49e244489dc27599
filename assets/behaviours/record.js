// data-record: starts recording a voice note in the form it is in; data-recorder shows how long, and stops, plays,
// throws away or sends it. With data-unavailable, or without a microphone, it says why not (data-refusal).

import { actsSoFar } from "./moved-on.js"
import { enqueue } from "./outgoing.js"
import { canRecord, Recording } from "./recording.js"
import { say } from "./tray.js"

let current, form

const part = (name) => form.querySelector(`[data-recorder] [data-${name}]`)
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`

async function start(composer) {
  const words = composer.querySelector("[data-recorder]").dataset, acts = actsSoFar()
  const { unavailable } = composer.querySelector("[data-record]").dataset
  if (unavailable || !canRecord()) return say(composer, unavailable || words.wordsUnable)
  const recording = new Recording({
    ticked: () => { part("elapsed").textContent = clock(recording.seconds) },
    stopped: () => { if (recording === current) listen(recording) },
  })
  try {
    await recording.start()
  } catch (error) {
    return say(composer, error.name === "NotFoundError" ? words.wordsNone : words.wordsRefused)
  }
  if (!composer.isConnected) return recording.stop()
  say(composer, "")
  ;[current, form] = [recording, composer]
  part("elapsed").textContent = clock(0)
  show("recording")
  if (acts === actsSoFar()) part("stop").focus()
}

function listen(recording) {
  part("elapsed").textContent = clock(recording.seconds)
  part("listen").src = URL.createObjectURL(recording.blob)
  const hadFocus = part("stop") === document.activeElement
  show("listening")
  if (hadFocus) part("send-voice").focus()
}

function discard() {
  const recording = current, heard = part("listen"), address = heard.src
  current = undefined
  recording.stop()
  heard.pause()
  heard.removeAttribute("src")
  heard.load()
  if (address) URL.revokeObjectURL(address)
  show("idle")
  form.elements.body.focus()
  return recording
}

function show(state) {
  form.querySelector("[data-recorder]").hidden = state === "idle"
  form.querySelector(".composer-row").hidden = state !== "idle"
  for (const name of ["light", "stop"]) part(name).hidden = state !== "recording"
  for (const name of ["listen", "send-voice"]) part(name).hidden = state !== "listening"
}

document.addEventListener("click", (event) => {
  const composer = event.target.closest("[data-composer]")
  if (!composer) return
  if (event.target.closest("[data-record]")) start(composer)
  if (!current) return
  if (event.target.closest("[data-stop]")) current.stop()
  if (event.target.closest("[data-discard]")) discard()
  if (event.target.closest("[data-send-voice]")) enqueue(composer, { voice: discard().blob })
})

// Without script there is nothing to record with.
function offer() {
  document.querySelectorAll("[data-record]").forEach((button) => { button.hidden = false })
}

document.addEventListener("htmx:after:swap", () => {
  if (current && !form.isConnected) { current.stop(); current = undefined }
  offer()
})
document.addEventListener("htmx:after:settle", offer)
offer()
