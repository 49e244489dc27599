// What WhatsApp takes: data-limits of the tray says how large a file of each kind may be, and its words what is wrong.

const UNITS = [[1048576, "MB"], [1024, "KB"]]
const TYPES = { csv: "text/plain", txt: "text/plain", pdf: "application/pdf", mp4: "video/mp4", "3gp": "video/3gpp", mp3: "audio/mpeg", m4a: "audio/mp4", ogg: "audio/ogg", amr: "audio/amr", aac: "audio/aac" }
const SAME = { "audio/x-m4a": "audio/mp4", "audio/mp3": "audio/mpeg", "application/ogg": "audio/ogg", "text/csv": "text/plain" }

export function readable(size) {
  const [unit, name] = UNITS.find(([unit]) => size >= unit) ?? [1024, "KB"]
  return `${(size / unit).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${name}`
}

// What kind of message a file becomes, if the browser can tell. The server looks inside.
export function kindOf(tray, file) {
  const limits = JSON.parse(tray.dataset.limits)
  const type = SAME[file.type] ?? (file.type || TYPES[file.name.split(".").pop().toLowerCase()])
  const [kind, { most }] = Object.entries(limits).find(([, { types }]) => types.includes(type)) ?? [undefined, {}]
  return kind && { kind, most }
}

export function problemWith(tray, file) {
  const { wordsEmpty, wordsType, wordsLarge } = tray.dataset
  const kind = kindOf(tray, file)
  if (!file.size) return filled(wordsEmpty, { name: file.name })
  if (!kind && file.type) return filled(wordsType, { name: file.name })
  if (!kind || file.size <= kind.most) return undefined
  return filled(wordsLarge, { name: file.name, size: readable(file.size), most: readable(kind.most), over: readable(file.size - kind.most) })
}

const filled = (sentence, facts) => Object.entries(facts).reduce((text, [name, fact]) => text.replace(`{${name}}`, fact), sentence)
