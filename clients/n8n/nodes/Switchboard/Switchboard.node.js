"use strict";

const { contacts } = require("./contacts.js");
const { conversations } = require("./conversations.js");
const { messages, variablesOfTemplate } = require("./messages.js");

class Switchboard {
  description = {
    displayName: "Switchboard",
    name: "switchboard",
    icon: "file:../../icons/switchboard.svg",
    group: ["output"],
    version: 1,
    subtitle: '={{$parameter["operation"] + ": " + $parameter["resource"]}}',
    description: "Send WhatsApp messages, and work with conversations and contacts",
    defaults: { name: "Switchboard" },
    inputs: ["main"],
    outputs: ["main"],
    credentials: [{ name: "switchboardApi", required: true }],
    requestDefaults: {
      baseURL: '={{$credentials.url.replace(/\\/+$/, "")}}/api/v1',
      headers: { Accept: "application/json", "Content-Type": "application/json" },
    },
    properties: [
      {
        displayName: "Resource",
        name: "resource",
        type: "options",
        noDataExpression: true,
        options: [
          { name: "Contact", value: "contact" },
          { name: "Conversation", value: "conversation" },
          { name: "Message", value: "message" },
        ],
        default: "message",
      },
      ...messages,
      ...conversations,
      ...contacts,
    ],
  };
  methods = { resourceMapping: { variablesOfTemplate } };
}

module.exports = { Switchboard };
