"use strict";

const { ROWS, TIME, asFilter, at, chosenFrom, inBody, listed, operations, shownFor, withIdempotencyKey } = require("./routing.js");

const SENDS = ["sendText", "sendTemplate"];

const sending = (type, preSend) => ({
  request: { method: "POST", url: "/messages", body: { type } },
  send: { preSend: [withIdempotencyKey, ...preSend] },
});

/** Variables that are not filled in are left out, so the API names those that are missing. */
async function withVariables(request) {
  const filled = Object.entries(request.body.template.variables || {}).filter(([, value]) => value !== null && value !== "");
  const variables = Object.fromEntries(filled.map(([name, value]) => [name, String(value)]));
  return { ...request, body: { ...request.body, template: { ...request.body.template, variables } } };
}

/** The fields of the chosen template, from the JSON Schema of its variables. */
async function variablesOfTemplate() {
  const id = this.getNodeParameter("templateId", "");
  if (!id) return { fields: [] };
  const { url } = await this.getCredentials("switchboardApi");
  const schema = await this.helpers.httpRequestWithAuthentication.call(this, "switchboardApi", {
    method: "GET",
    url: `${url.replace(/\/+$/, "")}/api/v1/templates/${encodeURIComponent(id)}/schema`,
    json: true,
  });
  const fields = Object.entries(schema.properties).map(([name, { title, examples = [] }]) => ({
    id: name,
    displayName: examples.length ? `${title} (for example ${examples[0]})` : title,
    required: schema.required.includes(name),
    defaultMatch: false,
    canBeUsedToMatch: false,
    display: true,
    type: "string",
  }));
  return { fields };
}

const messages = [
  operations("message", "sendText", [
    { name: "Get", value: "get", action: "Get a message", routing: { request: { method: "GET", url: at("/messages/{messageId}") } } },
    { name: "List", value: "list", action: "List messages", routing: { request: { method: "GET", url: "/messages" }, output: ROWS } },
    { name: "Send Template", value: "sendTemplate", action: "Send a template", routing: sending("template", [withVariables]) },
    { name: "Send Text", value: "sendText", action: "Send a text", routing: sending("text", []) },
  ]),
  {
    displayName: "To",
    name: "recipientType",
    type: "options",
    options: [
      { name: "Contact", value: "contact_id" },
      { name: "Conversation", value: "conversation_id" },
      { name: "Phone Number", value: "phone" },
    ],
    default: "phone",
    displayOptions: shownFor("message", ...SENDS),
  },
  {
    displayName: "Phone Number or ID",
    name: "recipient",
    type: "string",
    required: true,
    default: "",
    placeholder: "+4915112345678",
    description: "A phone number with its country code, or the ID of the contact or conversation",
    displayOptions: shownFor("message", ...SENDS),
    routing: inBody('=to.{{$parameter["recipientType"]}}'),
  },
  {
    displayName: "Text",
    name: "text",
    type: "string",
    typeOptions: { rows: 4 },
    required: true,
    default: "",
    description: "Only while the reply window is open; after that, send a template",
    displayOptions: shownFor("message", "sendText"),
    routing: inBody("text.body"),
  },
  {
    displayName: "Template Name or ID",
    name: "templateId",
    type: "options",
    typeOptions: chosenFrom("/templates", "={{$responseItem.name}} ({{$responseItem.language}})", "={{$responseItem.is_sendable}}"),
    required: true,
    default: "",
    description:
      'Choose from the list, or specify an ID using an <a href="https://docs.n8n.io/code/expressions/">expression</a>',
    displayOptions: shownFor("message", "sendTemplate"),
    routing: inBody("template.id"),
  },
  {
    displayName: "Variables",
    name: "variables",
    type: "resourceMapper",
    noDataExpression: true,
    default: { mappingMode: "defineBelow", value: null },
    typeOptions: {
      loadOptionsDependsOn: ["templateId"],
      resourceMapper: {
        resourceMapperMethod: "variablesOfTemplate",
        mode: "add",
        fieldWords: { singular: "variable", plural: "variables" },
        addAllFields: true,
        supportAutoMap: false,
      },
    },
    displayOptions: { ...shownFor("message", "sendTemplate"), hide: { templateId: [""] } },
    routing: inBody("template.variables", "={{$value.value}}"),
  },
  {
    displayName: "Options",
    name: "options",
    type: "collection",
    placeholder: "Add option",
    default: {},
    displayOptions: shownFor("message", ...SENDS),
    options: [
      {
        displayName: "Contact's Name",
        name: "name",
        type: "string",
        default: "",
        description: "For a phone number that no contact has yet",
        routing: inBody("to.name"),
      },
      {
        displayName: "From Name or ID",
        name: "from",
        type: "options",
        typeOptions: chosenFrom("/numbers", "={{$responseItem.display_number}}"),
        default: "",
        description:
          'Which of your numbers sends it. Choose from the list, or specify an ID using an <a href="https://docs.n8n.io/code/expressions/">expression</a>.',
        routing: inBody("from", "={{$value || undefined}}"),
      },
      {
        displayName: "Idempotency Key",
        name: "idempotencyKey",
        type: "string",
        default: "",
        description: "A message with the same key is sent once, for example for each order. Otherwise, once for each item and execution.",
      },
      {
        displayName: "Reply To",
        name: "replyTo",
        type: "string",
        default: "",
        description: "The ID of a message in the same conversation, to quote it",
        routing: inBody("reply_to", "={{$value || undefined}}"),
      },
      {
        displayName: "Send At",
        name: "sendAt",
        type: "dateTime",
        default: "",
        description: "When to send it, instead of at once",
        routing: inBody("send_at", `={{${TIME}}}`),
      },
    ],
  },
  {
    displayName: "Message ID",
    name: "messageId",
    type: "string",
    required: true,
    default: "",
    displayOptions: shownFor("message", "get"),
  },
  ...listed("message", ["filter[conversation_id]", "filter[direction]", "filter[state]"]),
  {
    displayName: "Filters",
    name: "filters",
    type: "collection",
    placeholder: "Add filter",
    default: {},
    displayOptions: shownFor("message", "list"),
    options: [
      { displayName: "Conversation ID", name: "conversationId", type: "string", default: "", routing: asFilter("conversation_id") },
      {
        displayName: "Direction",
        name: "direction",
        type: "options",
        options: [
          { name: "Received", value: "inbound" },
          { name: "Sent", value: "outbound" },
        ],
        default: "inbound",
        routing: asFilter("direction"),
      },
      {
        displayName: "State",
        name: "state",
        type: "options",
        options: [
          { name: "Accepted", value: "accepted" },
          { name: "Cancelled", value: "cancelled" },
          { name: "Delivered", value: "delivered" },
          { name: "Delivery Unconfirmed", value: "unknown" },
          { name: "Expired", value: "expired" },
          { name: "Failed", value: "failed" },
          { name: "Queued", value: "queued" },
          { name: "Read", value: "read" },
          { name: "Received", value: "received" },
          { name: "Sent", value: "sent" },
        ],
        default: "failed",
        routing: asFilter("state"),
      },
    ],
  },
];

module.exports = { messages, variablesOfTemplate };
