import "htmx.org"
import "./behaviours/index.js"
