// Small general behaviours, each attached by its attribute to whatever carries it, now or after a swap.
import "./page.js"
import "./live.js"
import "./composer.js"
import "./copy.js"
import "./embedded-signup.js"
import "./jump.js"
import "./preview.js"
