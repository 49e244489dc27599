// Plays as much of n8n as the nodes use: `run <parameters>`, `options <property>`, `variables <template>`,
// `credential`, `trigger <verb> <state>`, `receive <request>` and `requests` print what comes out as JSON.
"use strict";

const folder = "../../../clients/n8n";
const { SwitchboardApi } = require(`${folder}/credentials/SwitchboardApi.credentials.js`);
const { Switchboard } = require(`${folder}/nodes/Switchboard/Switchboard.node.js`);
const { SwitchboardTrigger } = require(`${folder}/nodes/SwitchboardTrigger/SwitchboardTrigger.node.js`);

const credentials = { url: `${process.env.SWITCHBOARD_URL}/`, apiKey: process.env.SWITCHBOARD_KEY };
const node = new Switchboard();
const byPath = (values, path) => path.split(".").reduce((value, name) => value?.[name], values);

/** What an expression gives; other values as they are, objects part by part. */
function evaluate(value, scope) {
  if (Array.isArray(value)) return value.map((one) => evaluate(one, scope));
  if (value && typeof value === "object") {
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, evaluate(one, scope)]));
  }
  if (typeof value !== "string" || !value.startsWith("=")) return value;
  const result = (code) => new Function(...Object.keys(scope), `return (${code});`)(...Object.values(scope));
  const whole = /^=\{\{((?:(?!\}\}).)*)\}\}$/.exec(value);
  return whole ? result(whole[1]) : value.slice(1).replace(/\{\{(.*?)\}\}/g, (_, code) => result(code));
}

function merge(into, from) {
  for (const [name, value] of Object.entries(from)) {
    if (value && typeof value === "object" && !Array.isArray(value)) merge((into[name] ??= {}), value);
    else if (value !== undefined) into[name] = value;
  }
}

function isShown({ displayOptions: { show = {}, hide = {} } = {} }, parameters) {
  const matches = ([name, values]) => values.includes(parameters[name]);
  return Object.entries(show).every(matches) && !Object.entries(hide).some(matches);
}

/** Collects the routing of a property and of what is chosen in it. */
function collect(request, property, value, scope) {
  const { routing = {} } = property;
  const inside = { ...scope, $value: value };
  merge(request.options, evaluate(routing.request ?? {}, inside));
  const { send = {}, output = {} } = routing;
  if (send.property) {
    const name = evaluate(send.property, inside);
    const parts = send.propertyInDotNotation === false ? [name] : name.split(".");
    const sent = send.value ? evaluate(send.value, inside) : value;
    merge(request.options, { [send.type === "body" ? "body" : "qs"]: parts.reduceRight((one, part) => ({ [part]: one }), sent) });
  }
  if (send.paginate !== undefined) request.paginate = evaluate(send.paginate, inside);
  if (routing.operations) request.operations = routing.operations;
  request.preSend.push(...(send.preSend ?? []));
  request.postReceive.push(...(output.postReceive ?? []));
  request.maxResults = evaluate(output.maxResults, inside) ?? request.maxResults;
  const options = property.options ?? [];
  if (property.type === "options") {
    for (const one of options.filter((one) => one.value === value)) collect(request, one, value, scope);
  } else if (property.type === "collection") {
    for (const one of options.filter((one) => one.name in value)) collect(request, one, value[one.name], scope);
  }
}

async function http({ method = "GET", baseURL = "", url, qs = {}, headers = {}, body = {}, ...how }) {
  const address = new URL(baseURL + url);
  for (const [name, value] of Object.entries(qs)) if (value !== undefined) address.searchParams.set(name, value);
  const signed = evaluate(new SwitchboardApi().authenticate.properties.headers, { $credentials: credentials });
  const sent = Object.keys(body).length ? { body: JSON.stringify(body) } : {};
  const all = { "Content-Type": "application/json", ...headers, ...signed };
  const response = await fetch(address, { method, headers: all, ...sent });
  const text = await response.text();
  const answer = { statusCode: response.status, body: text ? JSON.parse(text) : "" };
  if (!response.ok && !how.ignoreHttpStatusErrors) throw new Error(text);
  return how.returnFullResponse ? answer : answer.body;
}

function received(actions, body) {
  let items = [body];
  for (const { type, properties } of actions) {
    const each = (value, one) => evaluate(value, { $responseItem: one });
    if (type === "rootProperty") items = items.flatMap((one) => one[properties.property]);
    else if (type === "filter") items = items.filter((one) => each(properties.pass, one));
    else if (type === "setKeyValue") items = items.map((one) => each(properties, one));
    else if (type === "sort") items.sort((a, b) => (a[properties.key] < b[properties.key] ? -1 : 1));
    else throw new Error(`n8n has no ${type}`);
  }
  return items;
}

async function execute(properties, given) {
  const parameters = { ...given };
  for (const one of properties) if (!(one.name in parameters) && isShown(one, parameters)) parameters[one.name] = one.default;
  const scope = { $parameter: parameters, $credentials: credentials };
  const defaults = evaluate(node.description.requestDefaults, scope);
  const request = { options: { ...defaults, qs: {}, body: {} }, preSend: [], postReceive: [] };
  for (const one of properties.filter((one) => isShown(one, parameters))) collect(request, one, parameters[one.name], scope);
  const context = {
    getItemIndex: () => 0,
    getNodeParameter: (name, otherwise) => byPath(parameters, name) ?? otherwise,
    evaluateExpression: () => 0,
    getExecutionId: () => "17",
    getInstanceId: () => "instance",
    getNode: () => ({ id: "node" }),
  };
  for (const change of request.preSend) request.options = await change.call(context, request.options);
  const items = [];
  let $response = {};
  do {
    const page = request.paginate && request.operations.pagination.properties;
    const more = page ? evaluate(page.request, { $request: request.options, $response }) : {};
    $response = await http({ ...request.options, ...more, returnFullResponse: true });
    items.push(...received(request.postReceive, $response.body));
    if (!page || !evaluate(page.continue, { $response })) break;
  } while (true);
  return items.slice(0, request.maxResults);
}

const helpers = {
  httpRequestWithAuthentication: (_, request) => http(request),
  returnJsonArray: (rows) => rows.map((json) => ({ json })),
};

async function trigger(verb, { state, url, events }) {
  const context = {
    helpers,
    getCredentials: async () => credentials,
    getWorkflowStaticData: () => state,
    getNodeWebhookUrl: () => url,
    getNodeParameter: () => events,
  };
  const methods = new SwitchboardTrigger();
  const method = verb === "eventTypes" ? methods.methods.loadOptions.eventTypes : methods.webhookMethods.default[verb];
  return { result: await method.call(context), state };
}

async function receive({ secret, headers, body }) {
  let status = 200;
  const response = { status: (code) => ((status = code), response), send: () => response, end: () => response };
  const context = {
    helpers,
    getWorkflowStaticData: () => ({ secret }),
    getRequestObject: () => ({ rawBody: Buffer.from(body) }),
    getHeaderData: () => headers,
    getBodyData: () => JSON.parse(body),
    getResponseObject: () => response,
  };
  const result = await new SwitchboardTrigger().webhook.call(context);
  return { status, ...result };
}

/** Every method and address in a routing, wherever it is. */
function requests(value, found = []) {
  if (value && typeof value === "object") {
    if (typeof value.url === "string") found.push([value.method ?? "GET", value.url.replace(/^=/, "").replace(/\{\{.*?\}\}/g, "x")]);
    Object.values(value).forEach((one) => requests(one, found));
  }
  return found;
}

const verbs = {
  run: (parameters) => execute(node.description.properties, parameters),
  options: (name) => {
    const { typeOptions } = node.description.properties.find((one) => one.name === name);
    return execute([{ name, default: "", routing: typeOptions.loadOptions.routing }], {});
  },
  variables: (id) => {
    const context = { helpers, getCredentials: async () => credentials, getNodeParameter: () => id };
    return node.methods.resourceMapping.variablesOfTemplate.call(context);
  },
  credential: () => http(evaluate(new SwitchboardApi().test.request, { $credentials: credentials })),
  trigger: ({ verb, ...rest }) => trigger(verb, rest),
  receive,
  requests: () => requests(node.description),
};
const [, , verb, given = "{}"] = process.argv;
Promise.resolve(verbs[verb](JSON.parse(given))).then((result) => console.log(JSON.stringify(result)));
