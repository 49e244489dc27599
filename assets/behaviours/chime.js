// A short sound of two notes, made here; of several tabs one plays it. data-chime: a button that plays it.

const APART_SECONDS = 3
const NOTES = [[659.26, 0], [987.77, 0.11]]

let context

// Browsers let a page sound only after somebody has touched it; a modifier key or the beginning of a touch is not enough.
function wake() {
  if (!navigator.userActivation.hasBeenActive || context?.state === "running") return
  context ??= new AudioContext()
  context.resume()
}

function play() {
  for (const [frequency, after] of NOTES) {
    const begin = context.currentTime + after
    const tone = new OscillatorNode(context, { frequency, type: "sine" })
    const volume = new GainNode(context, { gain: 0 })
    volume.gain.setValueAtTime(0, begin)
    volume.gain.linearRampToValueAtTime(0.16, begin + 0.015)
    volume.gain.exponentialRampToValueAtTime(0.0001, begin + 0.5)
    tone.connect(volume).connect(context.destination)
    tone.start(begin)
    tone.stop(begin + 0.55)
  }
}

function isFirst() {
  const last = Number(localStorage.getItem("chimed"))
  if (Date.now() - last < APART_SECONDS * 1000) return false
  localStorage.setItem("chimed", String(Date.now()))
  return true
}

export function chime() {
  if (context?.state !== "running" || !isFirst()) return
  document.body.dispatchEvent(new CustomEvent("chime"))
  play()
}

for (const gesture of ["keydown", "pointerdown", "pointerup"]) document.addEventListener(gesture, wake)
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-chime]")) return
  wake()
  play()
})
