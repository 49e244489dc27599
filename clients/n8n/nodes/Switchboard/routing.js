"use strict";

// What the resources share: how addresses, lists, choices and times are written for n8n's routing.

/** An address with parameters of the node in it, each as one part of the path: `/messages/{messageId}`. */
const at = (path) => `=${path.replace(/\{(\w+)\}/g, '{{encodeURIComponent($parameter["$1"])}}')}`;

const shownFor = (resource, ...operation) => ({ show: { resource: [resource], operation } });

const inBody = (property, value) => ({ send: { type: "body", property, ...(value && { value }) } });

/** `filter[…]` is the whole name; a filter that is empty is left out. */
const asFilter = (name) => ({
  send: { type: "query", property: `filter[${name}]`, propertyInDotNotation: false, value: "={{$value || undefined}}" },
});

/** A time of the editor has no zone: it is meant in that of the workflow. What is no time is sent as it is. */
const TIME = "DateTime.fromISO($value.toString()).toISO() || $value";

/** The next pages of a list, of a hundred each, with the same filters. */
const pages = (filters) => ({
  pagination: {
    type: "generic",
    properties: {
      continue: "={{!!$response.body.next}}",
      request: {
        qs: {
          limit: 100,
          after: "={{($response.body && $response.body.next) || undefined}}",
          ...Object.fromEntries(filters.map((name) => [name, `={{$request.qs["${name}"]}}`])),
        },
      },
    },
  },
});

/** The parameters of a list: all of it, or so many. */
const listed = (resource, filters) => [
  {
    displayName: "Return All",
    name: "returnAll",
    type: "boolean",
    default: false,
    description: "Whether to return all results or only up to a given limit",
    displayOptions: shownFor(resource, "list"),
    routing: { send: { paginate: "={{$value}}" }, operations: pages(filters) },
  },
  {
    displayName: "Limit",
    name: "limit",
    type: "number",
    typeOptions: { minValue: 1, maxValue: 100 },
    default: 50,
    description: "Max number of results to return",
    displayOptions: { show: { resource: [resource], operation: ["list"], returnAll: [false] } },
    routing: { send: { type: "query", property: "limit" }, output: { maxResults: "={{$value}}" } },
  },
];

const ROWS = { postReceive: [{ type: "rootProperty", properties: { property: "data" } }] };

/** Choices that are read from a list of the API. */
const chosenFrom = (url, name, pass) => ({
  loadOptions: {
    routing: {
      request: { method: "GET", url },
      send: { paginate: true },
      operations: pages([]),
      output: {
        postReceive: [
          ...ROWS.postReceive,
          ...(pass ? [{ type: "filter", properties: { pass } }] : []),
          { type: "setKeyValue", properties: { name, value: "={{$responseItem.id}}" } },
          { type: "sort", properties: { key: "name" } },
        ],
      },
    },
  },
});

/** The operations of a resource. */
const operations = (resource, first, options) => ({
  displayName: "Operation",
  name: "operation",
  type: "options",
  noDataExpression: true,
  displayOptions: { show: { resource: [resource] } },
  options,
  default: first,
});

/** The same for every try of one item in one execution, so n8n's “Retry On Fail” sends nothing twice. */
async function withIdempotencyKey(request) {
  const item = this.getItemIndex();
  const own = this.getNodeParameter("options.idempotencyKey", "");
  const run = this.evaluateExpression("{{$runIndex}}", item);
  const parts = [this.getExecutionId(), run, item, this.getInstanceId(), this.getNode().id];
  const key = encodeURIComponent(own || parts.join("-")).slice(0, 255);
  return { ...request, headers: { ...request.headers, "Idempotency-Key": key } };
}

module.exports = { ROWS, TIME, asFilter, at, chosenFrom, inBody, listed, operations, shownFor, withIdempotencyKey };
