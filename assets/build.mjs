// Builds static/dist: one stylesheet, one script, one sprite of the icons the templates name, and the service worker that
// keeps these three; hashed names, a manifest.
import { execFileSync } from "node:child_process"
import { createHash } from "node:crypto"
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import { basename, extname, join } from "node:path"
import { buildSync } from "esbuild"

const out = "static/dist"
const manifest = {}

function emit(name, data) {
  const hash = createHash("sha256").update(data).digest("hex").slice(0, 8)
  const extension = extname(name)
  manifest[name] = `${basename(name, extension)}.${hash}${extension}`
  writeFileSync(join(out, manifest[name]), data)
}

function stylesheet() {
  const file = join(out, "draft.css")
  const tailwind = "node_modules/@tailwindcss/cli/dist/index.mjs"
  execFileSync(process.execPath, [tailwind, "-i", "assets/app.css", "-o", file, "--minify"], { stdio: "pipe" })
  const css = readFileSync(file)
  rmSync(file)
  return css
}

function script(entry, define = {}) {
  const options = { bundle: true, minify: true, format: "iife", target: "es2022", legalComments: "inline" }
  return buildSync({ entryPoints: [entry], write: false, define, ...options }).outputFiles[0].contents
}

function serviceWorker() {
  const assets = Object.values(manifest).map((name) => `/static/dist/${name}`)
  const version = createHash("sha256").update(assets.join()).digest("hex").slice(0, 8)
  return script("assets/service-worker.js", { ASSETS: JSON.stringify(assets), VERSION: JSON.stringify(version) })
}

function sources(folder) {
  const files = readdirSync(folder, { recursive: true }).filter((file) => /\.(html|py|js)$/.test(file))
  return files.map((file) => readFileSync(join(folder, file), "utf8")).join("\n")
}

function sprite() {
  const icons = JSON.parse(readFileSync("node_modules/@iconify-json/lucide/icons.json", "utf8"))
  const text = sources("app") + sources("assets")
  const inPages = text.matchAll(/\bicon\(\s*"([a-z0-9-]+)"/g)
  const inMenus = text.matchAll(/\bin_menu\(\s*"[a-z]+",\s*N_\("[^"]*"\),\s*"([a-z0-9-]+)"/g)
  const named = new Set([...inPages, ...inMenus].map((match) => match[1]))
  const symbols = [...named].sort().map((name) => {
    const icon = icons.icons[name] ?? icons.icons[icons.aliases?.[name]?.parent]
    if (!icon) throw new Error(`There is no icon called "${name}"`)
    return `<symbol id="${name}" viewBox="0 0 24 24">${icon.body}</symbol>`
  })
  return `<svg xmlns="http://www.w3.org/2000/svg">${symbols.join("")}</svg>`
}

rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })
emit("app.css", stylesheet())
emit("app.js", script("assets/app.js"))
emit("icons.svg", sprite())
emit("service-worker.js", serviceWorker())
writeFileSync(join(out, "manifest.json"), JSON.stringify(manifest))
