(function () {
  "use strict";

  const ORIGIN = "@origin@";
  const CANCELLED = { authResponse: null, status: "unknown" };
  let app = null;
  const listeners = {};

  function dialogAddress(channel, options) {
    const address = new URL(`/${app.version || "v25.0"}/dialog/oauth`, ORIGIN);
    const redirect = `${ORIGIN}/x/connect/xd_arbiter/#cb=${channel}&origin=${encodeURIComponent(location.origin)}&relation=opener`;
    const query = {
      app_id: app.appId,
      client_id: app.appId,
      config_id: options.config_id || "",
      display: "popup",
      domain: location.hostname,
      extras: JSON.stringify(options.extras || {}),
      locale: "en_US",
      override_default_response_type: String(Boolean(options.override_default_response_type)),
      redirect_uri: redirect,
      response_type: options.response_type || "token",
      sdk: "joey",
      version: app.version || "v25.0",
    };
    Object.entries(query).forEach(([name, value]) => address.searchParams.set(name, value));
    return address.href;
  }

  function waitForCode(popup, channel, callback) {
    const watch = setInterval(() => popup.closed && setTimeout(() => finish(CANCELLED), 150), 200);

    function finish(response) {
      clearInterval(watch);
      removeEventListener("message", hear);
      if (!callback) return;
      const answer = callback;
      callback = null;
      answer(response);
    }

    function hear(event) {
      if (event.origin !== ORIGIN || event.source !== popup || typeof event.data !== "string") return;
      const said = new URLSearchParams(event.data);
      if (said.get("cb") !== channel || !said.get("code")) return;
      finish({ authResponse: { userID: null, expiresIn: null, code: said.get("code") }, status: "connected" });
    }

    addEventListener("message", hear);
  }

  function tell(event, response) {
    (listeners[event] || []).forEach((listener) => listener(response));
  }

  window.FB = {
    init(options) {
      app = options;
    },
    login(callback, options) {
      if (!app) throw new Error("FB.login() called before FB.init().");
      const channel = `f${Math.random().toString(36).slice(2)}`;
      const gesture = !navigator.userActivation || navigator.userActivation.isActive;
      const popup = gesture && window.open(dialogAddress(channel, options || {}), channel, "popup,width=640,height=760");
      if (!popup) return setTimeout(() => callback(CANCELLED));
      waitForCode(popup, channel, (response) => {
        tell("auth.statusChange", response);
        callback(response);
      });
    },
    getLoginStatus(callback) {
      setTimeout(() => callback(CANCELLED));
    },
    logout(callback) {
      setTimeout(() => callback && callback(CANCELLED));
    },
    Event: {
      subscribe(event, listener) {
        (listeners[event] = listeners[event] || []).push(listener);
      },
      unsubscribe(event, listener) {
        listeners[event] = (listeners[event] || []).filter((each) => each !== listener);
      },
    },
    AppEvents: { logPageView() {}, logEvent() {} },
    XFBML: { parse(_element, callback) { if (callback) callback(); } },
  };

  if (window.fbAsyncInit) window.fbAsyncInit();
})();
