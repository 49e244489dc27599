"use strict";

const { at, inBody, operations, shownFor } = require("./routing.js");

const BY_PHONE = at("/contacts/by/phone/{phone}");

/** The fields by their names, as the API takes them; an empty value removes what is there. */
async function withFields(request) {
  const rows = this.getNodeParameter("fields.field", []);
  const fields = Object.fromEntries(rows.map(({ name, value }) => [name, value === "" ? null : value]));
  return { ...request, body: { ...request.body, fields } };
}

const contacts = [
  operations("contact", "upsert", [
    {
      name: "Create or Update",
      value: "upsert",
      action: "Create or update a contact by phone number",
      routing: { request: { method: "PUT", url: BY_PHONE }, send: { preSend: [withFields] } },
    },
    { name: "Get", value: "get", action: "Get a contact", routing: { request: { method: "GET", url: at("/contacts/{contactId}") } } },
    {
      name: "Get by Phone Number",
      value: "getByPhone",
      action: "Get a contact by phone number",
      routing: { request: { method: "GET", url: BY_PHONE } },
    },
  ]),
  {
    displayName: "Contact ID",
    name: "contactId",
    type: "string",
    required: true,
    default: "",
    displayOptions: shownFor("contact", "get"),
  },
  {
    displayName: "Phone Number",
    name: "phone",
    type: "string",
    required: true,
    default: "",
    placeholder: "+4915112345678",
    description: "With its country code",
    displayOptions: shownFor("contact", "upsert", "getByPhone"),
  },
  {
    displayName: "Name",
    name: "name",
    type: "string",
    default: "",
    description: "If empty, it stays as it is",
    displayOptions: shownFor("contact", "upsert"),
    routing: inBody("name", "={{$value || undefined}}"),
  },
  {
    displayName: "Tags",
    name: "tags",
    type: "string",
    default: "",
    description: "Separated by commas. They are added to the tags that the contact has.",
    displayOptions: shownFor("contact", "upsert"),
    routing: inBody("tags", '={{$value.split(",").map((tag) => tag.trim()).filter((tag) => tag)}}'),
  },
  {
    displayName: "Fields",
    name: "fields",
    type: "fixedCollection",
    typeOptions: { multipleValues: true },
    placeholder: "Add field",
    default: {},
    displayOptions: shownFor("contact", "upsert"),
    options: [
      {
        displayName: "Field",
        name: "field",
        values: [
          { displayName: "Name", name: "name", type: "string", default: "", description: "As it is called in Switchboard" },
          { displayName: "Value", name: "value", type: "string", default: "", description: "If empty, the value is removed" },
        ],
      },
    ],
  },
];

module.exports = { contacts };
