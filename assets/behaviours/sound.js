// data-sound: a voice note or other sound. A click in its waveform (data-waveform) plays from there; a button changes how
// fast it is played, which this browser remembers.

const SPEEDS = [1, 1.5, 2]
const speed = () => Number(localStorage.getItem("sound:speed")) || 1

const waveformOf = (audio) => audio.closest("[data-sound]")?.querySelector("[data-waveform]")

// How much of the waveform is in full colour: the SVG within it is as wide as what has been played.
document.addEventListener("timeupdate", ({ target: audio }) => {
  const waveform = waveformOf(audio)
  waveform?.querySelector("svg").setAttribute("width", (waveform.viewBox.baseVal.width * audio.currentTime) / (audio.duration || 1))
}, true)

document.addEventListener("click", (event) => {
  const waveform = event.target.closest("[data-waveform]"), audio = waveform?.parentElement.querySelector("audio")
  if (!audio) return
  const { left, width } = waveform.getBoundingClientRect()
  audio.currentTime = ((audio.duration || 0) * (event.clientX - left)) / width
  audio.play()
})

function addSpeed(part, audio) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-ghost btn-xs sound-speed" })
  const show = () => {
    audio.playbackRate = audio.defaultPlaybackRate = speed()
    button.textContent = `${speed()}×`
    button.ariaLabel = `${part.dataset.wordsSpeed}: ${speed()}×`
  }
  button.addEventListener("click", () => {
    localStorage.setItem("sound:speed", SPEEDS[(SPEEDS.indexOf(speed()) + 1) % SPEEDS.length])
    document.querySelectorAll("[data-sound]").forEach((other) => other.dispatchEvent(new Event("speed")))
  })
  part.addEventListener("speed", show)
  part.append(button)
  show()
}

function attach() {
  document.querySelectorAll("[data-sound]:not(:has(.sound-speed))").forEach((part) => addSpeed(part, part.querySelector("audio")))
}

document.addEventListener("htmx:after:swap", attach)
document.addEventListener("htmx:after:settle", attach)
attach()
