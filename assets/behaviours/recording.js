// A recording of the microphone: its seconds while it lasts, its sound once it is stopped.

const LONGEST = 30 * 60
const KINDS = ["audio/ogg;codecs=opus", "audio/webm;codecs=opus", "audio/mp4"]

const type = () => window.MediaRecorder && KINDS.find((kind) => MediaRecorder.isTypeSupported(kind))

export const canRecord = () => Boolean(type() && navigator.mediaDevices)

export class Recording {
  seconds = 0
  pieces = []

  // `ticked` after each second, `stopped` once the sound is there.
  constructor({ ticked, stopped }) {
    Object.assign(this, { ticked, stopped })
  }

  async start() {
    this.stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } })
    this.recorder = new MediaRecorder(this.stream, { mimeType: type() })
    this.recorder.addEventListener("dataavailable", (event) => this.pieces.push(event.data))
    this.recorder.addEventListener("stop", () => {
      this.blob = new Blob(this.pieces, { type: type() })
      this.stopped()
    })
    this.recorder.start(1000)
    this.timer = setInterval(() => this.tick(), 1000)
  }

  tick() {
    this.seconds += 1
    this.ticked()
    if (this.seconds >= LONGEST) this.stop()
  }

  stop() {
    clearInterval(this.timer)
    if (this.recorder?.state !== "inactive") this.recorder?.stop()
    this.stream?.getTracks().forEach((track) => track.stop())
  }
}
