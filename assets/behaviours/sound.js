// data-sound: a voice note or other sound. Its shape is drawn above the controls, and a click in it plays from there; a
// button changes how fast it is played, which this browser remembers.

const SPEEDS = [1, 1.5, 2]
const BARS = 48
const LARGEST = 4 * 1024 * 1024

const speed = () => Number(localStorage.getItem("sound:speed")) || 1

async function shapeOf(address) {
  const answer = await fetch(address)
  if (!answer.ok || Number(answer.headers.get("Content-Length")) > LARGEST) return []
  const sound = await new OfflineAudioContext(1, 1, 8000).decodeAudioData(await answer.arrayBuffer())
  const samples = sound.getChannelData(0), size = Math.max(1, Math.floor(samples.length / BARS))
  const loudest = Array.from({ length: BARS }, (_, bar) => samples.subarray(bar * size, (bar + 1) * size).reduce((most, one) => Math.max(most, Math.abs(one)), 0))
  const most = Math.max(...loudest, 0.01)
  return loudest.map((one) => one / most)
}

function draw(canvas, shape, played) {
  const { width, height } = canvas, pen = canvas.getContext("2d"), step = width / BARS
  pen.clearRect(0, 0, width, height)
  pen.fillStyle = getComputedStyle(canvas).color
  shape.forEach((loudness, bar) => {
    const tall = Math.max(2, loudness * height)
    pen.globalAlpha = bar / BARS < played ? 1 : 0.35
    pen.fillRect(bar * step, (height - tall) / 2, step * 0.6, tall)
  })
}

async function addShape(part, audio) {
  const shape = await shapeOf(audio.currentSrc || audio.src).catch(() => [])
  if (!shape.length || !part.isConnected || part.querySelector(".sound-shape")) return
  const canvas = Object.assign(document.createElement("canvas"), { className: "sound-shape", width: 480, height: 64, ariaHidden: "true" })
  const update = () => draw(canvas, shape, audio.currentTime / (audio.duration || 1))
  canvas.addEventListener("click", (event) => {
    audio.currentTime = (audio.duration || 0) * (event.offsetX / canvas.clientWidth)
    audio.play()
  })
  audio.addEventListener("timeupdate", update)
  audio.before(canvas)
  update()
}

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

const visible = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue
    visible.unobserve(target)
    addShape(target, target.querySelector("audio"))
  }
})

function attach() {
  document.querySelectorAll("[data-sound]:not(:has(.sound-speed))").forEach((part) => {
    addSpeed(part, part.querySelector("audio"))
    visible.observe(part)
  })
}

document.addEventListener("htmx:after:swap", attach)
document.addEventListener("htmx:after:settle", attach)
attach()
