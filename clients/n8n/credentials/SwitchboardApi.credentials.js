"use strict";

class SwitchboardApi {
  name = "switchboardApi";
  displayName = "Switchboard API";
  icon = "file:../icons/switchboard.svg";
  properties = [
    {
      displayName: "URL",
      name: "url",
      type: "string",
      default: "",
      placeholder: "https://inbox.example.com",
      description: "Where you open Switchboard in the browser, without a path",
      required: true,
    },
    {
      displayName: "API Key",
      name: "apiKey",
      type: "string",
      typeOptions: { password: true },
      default: "",
      placeholder: "sb_live_…",
      required: true,
    },
  ];
  authenticate = { type: "generic", properties: { headers: { Authorization: "=Bearer {{$credentials.apiKey}}" } } };
  test = { request: { baseURL: '={{$credentials.url.replace(/\\/+$/, "")}}/api/v1', url: "/me" } };
}

module.exports = { SwitchboardApi };
