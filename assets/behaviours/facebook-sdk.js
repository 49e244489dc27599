// Facebook's SDK, loaded once; a second try is possible after a failure.

const SECONDS = 10
let loading, ready = false

export const isReady = () => ready

export function load({ sdk, appId, version }) {
  loading ??= new Promise((resolve, reject) => {
    const script = Object.assign(document.createElement("script"), { src: sdk, async: true, crossOrigin: "anonymous" })
    const giveUp = () => { loading = undefined; script.remove(); reject(new Error("Facebook's SDK did not load")) }
    const timer = setTimeout(giveUp, SECONDS * 1000)
    script.onerror = () => { clearTimeout(timer); giveUp() }
    window.fbAsyncInit = () => {
      clearTimeout(timer)
      window.FB.init({ appId, version, xfbml: false, autoLogAppEvents: false })
      ready = true
      resolve()
    }
    document.head.append(script)
  })
  return loading
}
