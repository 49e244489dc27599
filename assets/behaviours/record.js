// data-record: starts recording a voice note in the form it is in; data-recorder shows how long, and stops, plays,
// throws away or sends it. With data-unavailable, or without a microphone, it says why not (data-said).
import { enqueue } from "./composer.js"
import { say } from "./tray.js"

const LONGEST = 30 * 60
const KINDS = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"]
let current

const part = (form, name) => form.querySelector(`[data-recorder] [data-${name}]`)
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`

async function start(form) {
  const words = form.querySelector("[data-recorder]").dataset
  const button = form.querySelector("[data-record]")
  if (button.dataset.unavailable) return say(form, button.dataset.unavailable)
  const type = window.MediaRecorder && KINDS.find((kind) => MediaRecorder.isTypeSupported(kind))
  if (!type || !navigator.mediaDevices) return say(form, words.wordsUnable)
  let stream
  try {
    stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } })
  } catch (error) {
    return say(form, error.name === "NotFoundError" ? words.wordsNone : words.wordsRefused)
  }
  say(form, "")
  const recording = { form, stream, seconds: 0, pieces: [], recorder: new MediaRecorder(stream, { mimeType: type }) }
  current = recording
  recording.recorder.addEventListener("dataavailable", (event) => recording.pieces.push(event.data))
  recording.recorder.addEventListener("stop", () => stopped(recording, type))
  recording.recorder.start(1000)
  recording.timer = setInterval(() => tick(recording), 1000)
  showRecorder(form, "recording")
}

function tick(recording) {
  recording.seconds += 1
  part(recording.form, "elapsed").textContent = clock(recording.seconds)
  if (recording.seconds >= LONGEST) stop(recording)
}

function stop(recording) {
  clearInterval(recording.timer)
  if (recording.recorder.state !== "inactive") recording.recorder.stop()
  recording.stream.getTracks().forEach((track) => track.stop())
}

function stopped(recording, type) {
  if (recording !== current) return
  recording.blob = new Blob(recording.pieces, { type })
  part(recording.form, "elapsed").textContent = clock(recording.seconds)
  part(recording.form, "listen").src = URL.createObjectURL(recording.blob)
  showRecorder(recording.form, "listening")
}

function discard(recording) {
  current = undefined
  stop(recording)
  const heard = part(recording.form, "listen")
  const address = heard.src
  heard.pause()
  heard.removeAttribute("src")
  heard.load()
  if (address) URL.revokeObjectURL(address)
  showRecorder(recording.form, "idle")
  recording.form.elements.body.focus()
}

function showRecorder(form, state) {
  form.querySelector("[data-recorder]").hidden = state === "idle"
  form.querySelector(".composer-row").hidden = state !== "idle"
  for (const name of ["stop", "light"]) part(form, name).hidden = state !== "recording"
  for (const name of ["listen", "send-voice"]) part(form, name).hidden = state !== "listening"
  if (state === "recording") { part(form, "elapsed").textContent = clock(0); part(form, "stop").focus() }
  if (state === "listening") part(form, "send-voice").focus()
}

document.addEventListener("click", (event) => {
  const form = event.target.closest("[data-composer]")
  if (!form) return
  if (event.target.closest("[data-record]")) start(form)
  if (!current) return
  if (event.target.closest("[data-stop]")) stop(current)
  if (event.target.closest("[data-discard]")) discard(current)
  if (event.target.closest("[data-send-voice]")) {
    const recording = current
    discard(recording)
    enqueue(form, { voice: recording.blob })
  }
})

// Without script there is nothing to record with.
function offer() {
  document.querySelectorAll("[data-record]").forEach((button) => { button.hidden = false })
}

document.addEventListener("htmx:after:swap", () => {
  if (current && !current.form.isConnected) { stop(current); current = undefined }
  offer()
})
document.addEventListener("htmx:after:settle", offer)
offer()
