"use strict";

const { ROWS, TIME, asFilter, at, chosenFrom, inBody, listed, operations, shownFor, withIdempotencyKey } = require("./routing.js");

const STATES = [
  { name: "Archived", value: "archived" },
  { name: "Open", value: "open" },
  { name: "Pending", value: "pending" },
  { name: "Resolved", value: "resolved" },
  { name: "Snoozed", value: "snoozed" },
  { name: "Spam", value: "spam" },
];
const PATH = "/conversations/{conversationId}";

const chosenAssignee = (displayName, name, property, url, assignTo) => ({
  displayName,
  name,
  type: "options",
  typeOptions: chosenFrom(url, "={{$responseItem.name}}"),
  required: true,
  default: "",
  description: 'Choose from the list, or specify an ID using an <a href="https://docs.n8n.io/code/expressions/">expression</a>',
  displayOptions: { show: { resource: ["conversation"], operation: ["assign"], assignTo: [assignTo] } },
  routing: inBody(property),
});

const conversations = [
  operations("conversation", "get", [
    {
      name: "Add Note",
      value: "addNote",
      action: "Add a private note to a conversation",
      routing: { request: { method: "POST", url: at(`${PATH}/notes`) }, send: { preSend: [withIdempotencyKey] } },
    },
    {
      name: "Assign",
      value: "assign",
      action: "Assign a conversation",
      routing: { request: { method: "PUT", url: at(`${PATH}/assignment`) } },
    },
    { name: "Get", value: "get", action: "Get a conversation", routing: { request: { method: "GET", url: at(PATH) } } },
    {
      name: "List",
      value: "list",
      action: "List conversations",
      routing: { request: { method: "GET", url: "/conversations" }, output: ROWS },
    },
    {
      name: "Set State",
      value: "setState",
      action: "Set the state of a conversation",
      routing: { request: { method: "PUT", url: at(`${PATH}/state`) } },
    },
  ]),
  {
    displayName: "Conversation ID",
    name: "conversationId",
    type: "string",
    required: true,
    default: "",
    displayOptions: shownFor("conversation", "addNote", "assign", "get", "setState"),
  },
  {
    displayName: "Assign To",
    name: "assignTo",
    type: "options",
    options: [
      { name: "No Team", value: "noTeam", routing: { request: { body: { team_id: null } } } },
      { name: "Team", value: "team" },
      { name: "Team Member", value: "member" },
      // The stored value: workflows that use it go on.
      { name: "Unassigned", value: "nobody", routing: { request: { body: { assignee_id: null } } } },
    ],
    default: "member",
    displayOptions: shownFor("conversation", "assign"),
  },
  chosenAssignee("Team Member Name or ID", "assigneeId", "assignee_id", "/members", "member"),
  chosenAssignee("Team Name or ID", "teamId", "team_id", "/teams", "team"),
  {
    displayName: "State",
    name: "state",
    type: "options",
    options: STATES,
    default: "resolved",
    displayOptions: shownFor("conversation", "setState"),
    routing: inBody("state"),
  },
  {
    displayName: "Until",
    name: "until",
    type: "dateTime",
    default: "",
    description: "When it comes back; if empty, when the customer writes",
    displayOptions: { show: { resource: ["conversation"], operation: ["setState"], state: ["snoozed"] } },
    routing: inBody("until", `={{$value ? (${TIME}) : undefined}}`),
  },
  {
    displayName: "Note",
    name: "note",
    type: "string",
    typeOptions: { rows: 4 },
    required: true,
    default: "",
    description: "Only your team sees it. Mention somebody with @ and their name.",
    displayOptions: shownFor("conversation", "addNote"),
    routing: inBody("body"),
  },
  ...listed("conversation", ["filter[contact_id]", "filter[state]", "filter[unassigned]", "filter[unreplied]"]),
  {
    displayName: "Filters",
    name: "filters",
    type: "collection",
    placeholder: "Add filter",
    default: {},
    displayOptions: shownFor("conversation", "list"),
    options: [
      { displayName: "Contact ID", name: "contactId", type: "string", default: "", routing: asFilter("contact_id") },
      {
        displayName: "Only Unassigned",
        name: "unassigned",
        type: "boolean",
        default: true,
        description: "Whether to return only conversations without an assignee",
        routing: asFilter("unassigned"),
      },
      {
        displayName: "Only Unreplied",
        name: "unreplied",
        type: "boolean",
        default: true,
        description: "Whether to return only conversations in which the customer is waiting",
        routing: asFilter("unreplied"),
      },
      {
        displayName: "State",
        name: "state",
        type: "options",
        options: [...STATES, { name: "Blocked", value: "blocked" }],
        default: "open",
        routing: asFilter("state"),
      },
    ],
  },
];

module.exports = { conversations };
