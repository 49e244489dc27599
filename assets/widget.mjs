// Builds the files that pages elsewhere load (app/entry_points/public). Pages name each file with its digest, so a
// released version never changes: after a change, raise the version here and in app/entry_points/public_files.py.
import { readFileSync } from "node:fs"
import { buildSync, transformSync } from "esbuild"

const VERSION = 1
const folder = process.argv[2] ?? "app/entry_points/public"
const target = "es2022"

function minified(file) {
  return transformSync(readFileSync(file, "utf8"), { loader: "css", minify: true, target }).code.trim()
}

function build(options, outfile) {
  buildSync({ bundle: true, minify: true, target, charset: "utf8", outfile: `${folder}/${outfile}`, ...options })
}

// The sheet goes into the script as text, without its white space.
const define = { styles: JSON.stringify(minified("assets/widget/widget.css")) }
build({ entryPoints: ["assets/widget/widget.js"], define, format: "iife" }, `widget-${VERSION}.js`)
build({ entryPoints: ["assets/widget/button.css"] }, `button-${VERSION}.css`)
